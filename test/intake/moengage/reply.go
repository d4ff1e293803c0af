// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageintake

import (
	"encoding/json"
	"net/http"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// Reply is what the intake answers. The zero value is 200 and success, as from MoEngage when all is well.
type Reply = standin.Reply

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

// Hung gives no answer until the client has gone or the test ends. Whether the request was taken in is the caller's to say.
func Hung() Reply { return Reply{Hang: make(chan struct{}), Reset: true} }

// Reset resets the connection.
func Reset() Reply { return Reply{Reset: true} }

const success = `{"status":"success","message":"Your request has been accepted and will be processed soon."}`
