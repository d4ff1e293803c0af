// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageintake

import (
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
)

// Reply is what the intake answers. The zero value is 200 and success, as from MoEngage when all is well.
type Reply struct {
	// Status is the status; 0 is 200.
	Status int
	// Header is added to the answer.
	Header http.Header
	// Body is the body; an empty one is that of success.
	Body string
	// Hang gives no answer until the client has gone.
	Hang bool
	// Reset resets the connection instead of answering.
	Reset bool
	// Taken says that the request was taken in, though the answer does not say so: an answer may get lost.
	Taken bool
}

// Fail answers in the form of MoEngage's errors.
func Fail(status int, kind, message string) Reply {
	body, _ := json.Marshal(map[string]any{ // strings are always encoded
		"status": "fail", "error": map[string]string{"message": message, "type": kind, "request_id": "fbkHZtPx"},
	})
	return Reply{Status: status, Body: string(body)}
}

// BadRequest answers 400.
func BadRequest(message string) Reply { return Fail(http.StatusBadRequest, "Bad Request", message) }

// Unauthorized answers 401.
func Unauthorized() Reply {
	return Fail(http.StatusUnauthorized, "Authentication required", "Authentication Header is not valid")
}

// Forbidden answers 403, as for a workspace that is suspended.
func Forbidden() Reply { return Fail(http.StatusForbidden, "Account Suspended", "Account is blocked") }

// TooLarge answers 413.
func TooLarge() Reply {
	return Fail(http.StatusRequestEntityTooLarge, "Payload too large", "Payload too large")
}

// RateLimited answers 429.
func RateLimited() Reply {
	return Fail(http.StatusTooManyRequests, "Rate Limits Exceeded", "Rate limits for customers exceeded. Please Try After Some Time")
}

// Unavailable answers 503.
func Unavailable() Reply { return Fail(http.StatusServiceUnavailable, "Server Error", "try again") }

// Hung gives no answer. Whether the request was taken in is the caller's to say.
func Hung() Reply { return Reply{Hang: true} }

// Reset resets the connection.
func Reset() Reply { return Reply{Reset: true} }

const success = `{"status":"success","message":"Your request has been accepted and will be processed soon."}`

// status is the status that the client sees, 0 for none.
func (r *Reply) status() int {
	switch {
	case r.Reset, r.Hang:
		return 0
	case r.Status == 0:
		return http.StatusOK
	default:
		return r.Status
	}
}

func (r *Reply) takes() bool { return r.Taken || r.status() == http.StatusOK }

func (r *Reply) write(w http.ResponseWriter, request *http.Request, closing <-chan struct{}) {
	switch {
	case r.Hang:
		select {
		case <-request.Context().Done():
		case <-closing:
		}
		return
	case r.Reset:
		reset(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	maps.Copy(w.Header(), r.Header)
	body := r.Body
	if body == "" && r.status() == http.StatusOK {
		body = success
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
