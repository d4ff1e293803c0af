// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"io"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"
)

// Reply is a stand-in's response. The zero value is the vendor's successful response.
type Reply struct {
	// Status is the status; 0 is 200.
	Status int
	// Header is added to the response.
	Header http.Header
	// Body is the body. With a 200, an empty one is replaced by the vendor's.
	Body string
	// Hang delays the response until it is closed. There is no response if the client disconnects
	// or the test ends first.
	Hang <-chan struct{}
	// Delay delays the response.
	Delay time.Duration
	// Reset resets the connection instead of responding.
	Reset bool
	// Taken accepts the request although the response does not say so: a response can get lost.
	// NotTaken does not accept it although the status says so.
	Taken, NotTaken bool
}

// Redirect responds with a redirect.
func Redirect(status int, location string) Reply {
	return Reply{Status: status, Header: http.Header{"Location": {location}}}
}

// Hung responds when it is released, if the client is still connected. Release may be called more
// than once.
func Hung() (reply Reply, release func()) {
	hang := make(chan struct{})
	return Reply{Hang: hang}, sync.OnceFunc(func() { close(hang) })
}

// Within sets the wait that the response asks for, in seconds.
func (r Reply) Within(seconds string) Reply {
	r.Header = r.Header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("Retry-After", seconds)
	return r
}

// Seen returns the status that the client gets, 0 for none.
func (r *Reply) Seen() int {
	switch {
	case r.Reset:
		return 0
	case r.Status == 0:
		return http.StatusOK
	default:
		return r.Status
	}
}

// Takes reports whether the request is accepted.
func (r *Reply) Takes() bool { return r.Taken || r.Seen() == http.StatusOK && !r.NotTaken }

// Write writes the response. Success is the default body of a 200.
func (r *Reply) Write(w http.ResponseWriter, success string) {
	if r.Reset {
		reset(w)
		return
	}
	body := r.Body
	if body == "" && r.Seen() == http.StatusOK {
		body = success
	}
	w.Header().Set("Content-Type", "application/json")
	maps.Copy(w.Header(), r.Header)
	w.WriteHeader(r.Seen())
	_, _ = io.WriteString(w, body) //nolint:gosec // tests read it, not browsers
}

// reset closes the connection with a TCP reset.
func reset(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = connection.Close()
}
