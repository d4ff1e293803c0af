// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Reply is what the intake answers. The zero value is 200 with the id of the event, as from Sentry when all is well.
type Reply struct {
	// Status is the status; 0 is 200.
	Status int
	// Header is added to the answer.
	Header http.Header
	// Body is the body; an empty one is {"id":"<event_id>"} with a 200.
	Body string
	// Hang keeps the answer back until it is closed. If the client goes away or the test ends before that, there is none.
	Hang <-chan struct{}
	// Delay keeps the answer back for this long.
	Delay time.Duration
	// Reset resets the connection instead of answering.
	Reset bool
	// Taken says that the envelope was taken in, though the answer does not say so: Sentry answers 429 also where it took a
	// part, and an answer may get lost. With a 200 that is not reset it always was.
	Taken bool
}

// OK answers 200 with the id of the event, as does the zero Reply.
func OK() Reply { return Reply{} }

// RateLimited answers 429 with this X-Sentry-Rate-Limits, such as "60:error;log_item:organization:quota:".
func RateLimited(limits string) Reply {
	return Reply{Status: http.StatusTooManyRequests, Header: http.Header{"X-Sentry-Rate-Limits": {limits}}, Body: detail("rate limit")}
}

// RetryAfter answers 429 with this Retry-After and nothing else that limits, which limits all categories.
func RetryAfter(after string) Reply {
	return Reply{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {after}}, Body: detail("rate limit")}
}

// TooManyRequests answers a bare 429, which limits all categories for a minute.
func TooManyRequests() Reply {
	return Reply{Status: http.StatusTooManyRequests, Body: detail("rate limit")}
}

// LimitsFromNowOn takes the envelope with a 200, and announces limits in X-Sentry-Rate-Limits.
func LimitsFromNowOn(limits string) Reply {
	return Reply{Header: http.Header{"X-Sentry-Rate-Limits": {limits}}}
}

// TooLarge answers 413.
func TooLarge() Reply {
	return Reply{Status: http.StatusRequestEntityTooLarge, Body: detail("envelope exceeded size limits")}
}

// BadRequest answers 400 with these causes.
func BadRequest(causes ...string) Reply {
	body, _ := json.Marshal(map[string]any{"detail": "bad request", "causes": causes}) // strings are always encoded
	return Reply{Status: http.StatusBadRequest, Header: http.Header{"X-Sentry-Error": {"bad request"}}, Body: string(body)}
}

// Forbidden answers 403, as for a project that is disabled.
func Forbidden() Reply {
	return Reply{Status: http.StatusForbidden, Body: detail("event submission rejected with_reason: ProjectId")}
}

// Unavailable answers 503.
func Unavailable() Reply {
	return Reply{Status: http.StatusServiceUnavailable, Body: detail("failed to queue envelope")}
}

// Garbage takes the envelope with a 200, and a body that is no JSON.
func Garbage() Reply { return Reply{Body: "<html>\x00\xff{{{"} }

// Redirect answers a redirect to this location.
func Redirect(status int, location string) Reply {
	return Reply{Status: status, Header: http.Header{"Location": {location}}}
}

// Slow takes the envelope after a while.
func Slow(d time.Duration) Reply { return Reply{Delay: d} }

// Hung takes the envelope when it is released, or the test ends, if the client is still there. Release may be called more
// than once.
func Hung() (reply Reply, release func()) {
	hang := make(chan struct{})
	return Reply{Hang: hang}, sync.OnceFunc(func() { close(hang) })
}

// Reset resets the connection.
func Reset() Reply { return Reply{Reset: true} }

// detail is the body of an answer that is not a 200.
func detail(what string) string {
	body, _ := json.Marshal(map[string]string{"detail": what}) // strings are always encoded
	return string(body)
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

func (r *Reply) takes() bool { return r.Taken || r.status() == http.StatusOK }

// wait keeps the answer back. It reports false if the client went away.
func (r *Reply) wait(ctx context.Context, closing <-chan struct{}) bool {
	if r.Hang == nil && r.Delay == 0 {
		return true
	}
	hang := r.Hang
	if hang == nil {
		timer := make(chan struct{})
		defer time.AfterFunc(r.Delay, func() { close(timer) }).Stop()
		hang = timer
	}
	select {
	case <-hang:
		return ctx.Err() == nil
	case <-closing:
		return false
	case <-ctx.Done():
		return false
	}
}

func (r *Reply) write(w http.ResponseWriter, eventID string) {
	if r.Reset {
		reset(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	maps.Copy(w.Header(), r.Header)
	body := r.Body
	if body == "" && r.status() == http.StatusOK {
		body = `{}`
		if eventID != "" {
			body = `{"id":` + strconv.Quote(eventID) + `}`
		}
	}
	w.WriteHeader(r.status())
	_, _ = io.WriteString(w, body)
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
