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

// Reply is what the intake answers. The zero value is 200 with the id of the event, as from Sentry when all is well. Sentry
// answers 429 also where it took a part, which is then Taken.
type Reply = standin.Reply

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
func Redirect(status int, location string) Reply { return standin.Redirect(status, location) }

// Slow takes the envelope after a while.
func Slow(d time.Duration) Reply { return Reply{Delay: d} }

// Hung takes the envelope when it is released, or the test ends, if the client is still there. Release may be called more
// than once.
func Hung() (reply Reply, release func()) { return standin.Hung() }

// Reset resets the connection.
func Reset() Reply { return Reply{Reset: true} }

// detail is the body of an answer that is not a 200.
func detail(what string) string {
	body, _ := json.Marshal(map[string]string{"detail": what}) // strings are always encoded
	return string(body)
}

// success is the body of a 200.
func success(eventID string) string {
	if eventID == "" {
		return `{}`
	}
	return `{"id":` + strconv.Quote(eventID) + `}`
}
