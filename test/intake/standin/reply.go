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

// Reply is what a stand-in answers. The zero value is 200 and what the vendor says when all is well.
type Reply struct {
	// Status is the status; 0 is 200.
	Status int
	// Header is added to the answer.
	Header http.Header
	// Body is the body; with a 200, an empty one is the vendor's.
	Body string
	// Hang keeps the answer back until it is closed. If the client goes away or the test ends before that, there is none.
	Hang <-chan struct{}
	// Delay keeps the answer back for this long.
	Delay time.Duration
	// Reset resets the connection instead of answering.
	Reset bool
	// Taken says that the request was taken in, though the answer does not say so: an answer may get lost. NotTaken says that
	// it was not, though its status says so.
	Taken, NotTaken bool
}

// Redirect answers a redirect to this location.
func Redirect(status int, location string) Reply {
	return Reply{Status: status, Header: http.Header{"Location": {location}}}
}

// Hung answers when it is released, if the client is still there. Release may be called more than once.
func Hung() (reply Reply, release func()) {
	hang := make(chan struct{})
	return Reply{Hang: hang}, sync.OnceFunc(func() { close(hang) })
}

// Within replaces the time that an answer asks to wait, in seconds.
func (r Reply) Within(seconds string) Reply {
	r.Header = r.Header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("Retry-After", seconds)
	return r
}

// Seen is the status that the client sees, 0 for none.
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

// Takes reports whether the request was taken in.
func (r *Reply) Takes() bool { return r.Taken || r.Seen() == http.StatusOK && !r.NotTaken }

// Write gives the answer. Success is the body of a 200 that has none.
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

// reset closes the connection with what TCP calls a reset.
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
