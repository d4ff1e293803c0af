// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// Reply is the intake's response. The zero value is 200 with the event's id, Sentry's successful
// response. Sentry also responds with 429 if it accepted a part; set Taken for that.
type Reply = standin.Reply

// OK responds with 200 and the event's id, like the zero Reply.
func OK() Reply { return Reply{} }

// RateLimited responds with 429 and this X-Sentry-Rate-Limits, such as
// "60:error;log_item:organization:quota:".
func RateLimited(limits string) Reply {
	return Reply{Status: http.StatusTooManyRequests, Header: http.Header{"X-Sentry-Rate-Limits": {limits}}, Body: detail("rate limit")}
}

// RetryAfter responds with 429 and only this Retry-After, which limits all categories.
func RetryAfter(after string) Reply {
	return Reply{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {after}}, Body: detail("rate limit")}
}

// TooManyRequests responds with a bare 429, which limits all categories for one minute.
func TooManyRequests() Reply {
	return Reply{Status: http.StatusTooManyRequests, Body: detail("rate limit")}
}

// LimitsFromNowOn accepts the envelope with a 200, and announces limits in X-Sentry-Rate-Limits.
func LimitsFromNowOn(limits string) Reply {
	return Reply{Header: http.Header{"X-Sentry-Rate-Limits": {limits}}}
}

// TooLarge responds with 413.
func TooLarge() Reply {
	return Reply{Status: http.StatusRequestEntityTooLarge, Body: detail("envelope exceeded size limits")}
}

// BadRequest responds with 400 and these causes.
func BadRequest(causes ...string) Reply {
	body, _ := json.Marshal(map[string]any{"detail": "bad request", "causes": causes}) // cannot fail
	return Reply{Status: http.StatusBadRequest, Header: http.Header{"X-Sentry-Error": {"bad request"}}, Body: string(body)}
}

// Forbidden responds with 403, like for a disabled project.
func Forbidden() Reply {
	return Reply{Status: http.StatusForbidden, Body: detail("event submission rejected with_reason: ProjectId")}
}

// Unavailable responds with 503.
func Unavailable() Reply {
	return Reply{Status: http.StatusServiceUnavailable, Body: detail("failed to queue envelope")}
}

// Garbage accepts the envelope with a 200 and a body that is not JSON.
func Garbage() Reply { return Reply{Body: "<html>\x00\xff{{{"} }

// Redirect redirects to the location.
func Redirect(status int, location string) Reply { return standin.Redirect(status, location) }

// Slow accepts the envelope after a delay.
func Slow(d time.Duration) Reply { return Reply{Delay: d} }

// Hung accepts the envelope when it is released, if the client is still connected. Release may be
// called more than once.
func Hung() (reply Reply, release func()) { return standin.Hung() }

// Reset resets the connection.
func Reset() Reply { return Reply{Reset: true} }

// detail returns the body of an error.
func detail(what string) string {
	body, _ := json.Marshal(map[string]string{"detail": what}) // cannot fail
	return string(body)
}

// success returns the body of a 200.
func success(eventID string) string {
	if eventID == "" {
		return `{}`
	}
	return `{"id":` + strconv.Quote(eventID) + `}`
}
