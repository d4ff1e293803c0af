// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogintake

import (
	"encoding/json"
	"net/http"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// Result is v1's result for one event.
type Result struct {
	// Result is ok, warning, drop, retry or limited; empty means ok.
	Result string `json:"result"`
	// Details gives the reason: one of the Details constants, or empty.
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

// Reply is the intake's response. The zero value accepts all events: with {"status":1} in batch,
// and in v1 with a result for each event, which is ok unless Plan set another one.
type Reply = standin.Reply

// OK accepts all events, like the zero Reply.
func OK() Reply { return Reply{} }

// QuotaLimited is batch's response if the billing limit of these resources is reached: 200, and
// nothing is stored (posthog: rust/capture/src/v0_endpoint.rs).
func QuotaLimited(resources ...string) Reply {
	body, _ := json.Marshal(map[string]any{"status": 1, "quota_limited": resources}) // cannot fail
	return Reply{Body: string(body), NotTaken: true}
}

// Failure responds with a text, like batch (posthog: rust/capture/src/api.rs).
func Failure(status int, text string) Reply { return Reply{Status: status, Body: text} }

// Error responds with a tag, like v1 (posthog: rust/capture v1/error.rs). For a 429 or 503, it asks
// for a wait of one minute; [Reply.Within] changes it.
func Error(status int, tag string) Reply {
	body, _ := json.Marshal(map[string]string{"error": tag, "error_description": "it is " + tag, "error_uri": "https://posthog.com/docs/api"})
	reply := Reply{Status: status, Body: string(body)}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		reply.Header = http.Header{"Retry-After": {"60"}}
	}
	return reply
}

// Garbage responds with 200 and a body that is not JSON, like PostHog's private hosts.
func Garbage() Reply { return Reply{Body: "<!doctype html>\x00\xff{{{", NotTaken: true} }

// Lost accepts the events, and resets the connection.
func Lost() Reply { return Reply{Reset: true, Taken: true} }

// Reset resets the connection.
func Reset() Reply { return Reply{Reset: true} }

// Redirect redirects to the location.
func Redirect(status int, location string) Reply { return standin.Redirect(status, location) }

// Hung accepts the events when it is released, if the client is still connected. Release may be
// called more than once.
func Hung() (reply Reply, release func()) { return standin.Hung() }
