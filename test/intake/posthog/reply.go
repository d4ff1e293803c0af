// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogintake

import (
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"
)

// Result is what v1 says of one event.
type Result struct {
	// Result is ok, warning, drop, retry or limited; empty is ok.
	Result string `json:"result"`
	// Details say more, such as not_persisted; see the Details constants.
	Details string `json:"details,omitempty"`
}

// Details of results (posthog: rust/capture v1/analytics/process.rs).
const (
	DetailsNotPersisted     = "not_persisted"
	DetailsNoPerson         = "person_processing_disabled"
	DetailsEventTooBig      = "event_too_big"
	DetailsMalformed        = "malformed_event_properties"
	DetailsSerialization    = "serialization_failed"
	DetailsRejected         = "rejected"
	DetailsInvalidTimestamp = "invalid_event_timestamp"
)

// Reply is what the intake answers. The zero value takes all events: {"status":1} with batch, and with v1 a result for each, which
// is the planned one where there is any.
type Reply struct {
	// Status is the status; 0 is 200.
	Status int
	// Header is added to the answer.
	Header http.Header
	// Body takes the place of the body.
	Body string
	// Hang keeps the answer back until it is closed. If the client goes away or the test ends before that, there is none.
	Hang <-chan struct{}
	// Reset resets the connection instead of answering.
	Reset bool
	// Taken says that the events were taken in, though the answer does not say so, and NotTaken that they were not, though its
	// status says so.
	Taken, NotTaken bool
}

// OK takes all events, as does the zero Reply.
func OK() Reply { return Reply{} }

// QuotaLimited is what batch answers beyond the billing limit of these resources: 200, with nothing stored (posthog:
// rust/capture/src/v0_endpoint.rs).
func QuotaLimited(resources ...string) Reply {
	body, _ := json.Marshal(map[string]any{"status": 1, "quota_limited": resources}) // strings are always encoded
	return Reply{Body: string(body), NotTaken: true}
}

// Failure answers with a text, as batch does (posthog: rust/capture/src/api.rs).
func Failure(status int, text string) Reply { return Reply{Status: status, Body: text} }

// Error answers with a tag, as v1 does (posthog: rust/capture v1/error.rs). Where v1 asks to wait for a minute, the header says
// so, unless it is replaced.
func Error(status int, tag string) Reply {
	body, _ := json.Marshal(map[string]string{"error": tag, "error_description": "it is " + tag, "error_uri": "https://posthog.com/docs/api"})
	reply := Reply{Status: status, Body: string(body)}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		reply.Header = http.Header{"Retry-After": {"60"}}
	}
	return reply
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

// Garbage answers 200 with a body that is no JSON, as the private hosts do.
func Garbage() Reply { return Reply{Body: "<!doctype html>\x00\xff{{{", NotTaken: true} }

// Lost takes the events and resets the connection.
func Lost() Reply { return Reply{Reset: true, Taken: true} }

// Reset resets the connection.
func Reset() Reply { return Reply{Reset: true} }

// Redirect answers a redirect to this location.
func Redirect(status int, location string) Reply {
	return Reply{Status: status, Header: http.Header{"Location": {location}}}
}

// Hung takes the events when it is released, or the test ends, if the client is still there. Release may be called more than once.
func Hung() (reply Reply, release func()) {
	hang := make(chan struct{})
	return Reply{Hang: hang}, sync.OnceFunc(func() { close(hang) })
}

// status is the status that the client sees, 0 for none.
func (r *Reply) status() int {
	switch {
	case r.Reset:
		return 0
	case r.Status == 0:
		return http.StatusOK
	default:
		return r.Status
	}
}

func (r *Reply) takes() bool { return r.Taken || r.status() == http.StatusOK && !r.NotTaken }

// wait keeps the answer back. It reports false if the client went away.
func (r *Reply) wait(gone, closing <-chan struct{}) bool {
	if r.Hang == nil {
		return true
	}
	select {
	case <-r.Hang:
		return true
	case <-closing:
		return false
	case <-gone:
		return false
	}
}

func (r *Reply) write(w http.ResponseWriter, body string) {
	if r.Reset {
		reset(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	maps.Copy(w.Header(), r.Header)
	w.WriteHeader(r.status())
	_, _ = w.Write([]byte(body))
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
	_ = connection.SetDeadline(time.Now())
	_ = connection.Close()
}
