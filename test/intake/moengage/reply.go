// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageintake

import (
	"encoding/json"
	"net/http"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// Reply is the intake's response. The zero value is MoEngage's successful response.
type Reply = standin.Reply

// Fail responds with an error in MoEngage's format.
func Fail(status int, kind, message string) Reply {
	body, _ := json.Marshal(map[string]any{ // strings cannot fail to encode
		"status": "fail", "error": map[string]string{"message": message, "type": kind, "request_id": "fbkHZtPx"},
	})
	return Reply{Status: status, Body: string(body)}
}

// BadRequest responds with 400.
func BadRequest(message string) Reply { return Fail(http.StatusBadRequest, "Bad Request", message) }

// Unauthorized responds with 401.
func Unauthorized() Reply {
	return Fail(http.StatusUnauthorized, "Authentication required", "Authentication Header is not valid")
}

// Forbidden responds with 403, as for a suspended workspace.
func Forbidden() Reply { return Fail(http.StatusForbidden, "Account Suspended", "Account is blocked") }

// TooLarge responds with 413.
func TooLarge() Reply {
	return Fail(http.StatusRequestEntityTooLarge, "Payload too large", "Payload too large")
}

// RateLimited responds with 429.
func RateLimited() Reply {
	return Fail(http.StatusTooManyRequests, "Rate Limits Exceeded", "Rate limits for customers exceeded. Please Try After Some Time")
}

// Unavailable responds with 503.
func Unavailable() Reply { return Fail(http.StatusServiceUnavailable, "Server Error", "try again") }

// Hung does not respond until the client disconnects or the test ends. The caller decides whether
// the request is accepted.
func Hung() Reply { return Reply{Hang: make(chan struct{}), Reset: true} }

// Reset resets the connection.
func Reset() Reply { return Reply{Reset: true} }

const success = `{"status":"success","message":"Your request has been accepted and will be processed soon."}`
