// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogintake

import (
	"encoding/json"
	"net/http"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
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
type Reply = standin.Reply

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

// Garbage answers 200 with a body that is no JSON, as the private hosts do.
func Garbage() Reply { return Reply{Body: "<!doctype html>\x00\xff{{{", NotTaken: true} }

// Lost takes the events and resets the connection.
func Lost() Reply { return Reply{Reset: true, Taken: true} }

// Reset resets the connection.
func Reset() Reply { return Reply{Reset: true} }

// Redirect answers a redirect to this location.
func Redirect(status int, location string) Reply { return standin.Redirect(status, location) }

// Hung takes the events when it is released, if the client is still there. Release may be called more than once.
func Hung() (reply Reply, release func()) { return standin.Hung() }
