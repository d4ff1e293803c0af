// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// result is the result of one event in a response of capture v1 (v1/analytics/types.rs in
// PostHog/posthog).
type result struct {
	Result  string `json:"result"`
	Details string `json:"details"`
}

// classifyResults classifies a 200 of capture v1. Events without a result are retried.
func (b *backend) classifyResults(req *delivery.Request, response *delivery.Response) delivery.Classification {
	results := parseResults(response.Body)
	if len(results) == 0 {
		return unexpectedSuccess("the backend answered 200")
	}
	outcomes := make([]delivery.Outcome, len(req.Events))
	for i := range req.Events {
		r, ok := results[eventUUID(&req.Events[i])]
		if !ok {
			outcomes[i] = delivery.Outcome{Kind: delivery.Retryable, Message: "the backend answered 200 without a result for the event"}
			continue
		}
		outcomes[i] = r.outcome()
	}
	for id := range results {
		b.notices.count(results[id].notice())
	}
	return delivery.Classification{Events: outcomes, Wait: delivery.RetryAfter(response)}
}

// parseResults returns the results by the uuids of their events. If the body is truncated or turns
// invalid, it returns the results before that point.
func parseResults(body []byte) map[string]result {
	d := jsontext.NewDecoder(bytes.NewReader(body))
	results := map[string]result{}
	if token, err := d.ReadToken(); err != nil || token.Kind() != '{' {
		return nil
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return nil
		}
		if name.String() == "results" && d.PeekKind() == '{' {
			readMembers(d, results)
			return results
		}
		if d.SkipValue() != nil {
			return nil
		}
	}
	return nil
}

func readMembers(d *jsontext.Decoder, results map[string]result) {
	if _, err := d.ReadToken(); err != nil {
		return
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return
		}
		id, ok := parseUUID(name.String())
		value, err := d.ReadValue()
		if err != nil {
			return
		}
		var r result
		if !ok || json.Unmarshal(value, &r) != nil {
			continue
		}
		results[string(id[:])] = r
	}
}

// outcome returns the outcome of the event. Only the result retry is retried; an unknown result is
// final.
func (r *result) outcome() delivery.Outcome {
	switch r.Result {
	case "ok", "warning":
		return delivery.Outcome{Kind: delivery.Delivered}
	case "retry":
		return delivery.Outcome{Kind: delivery.Retryable, Message: "the backend asked to resend the event" + detail(r)}
	case "drop":
		reason := deadletter.ReasonRefused
		if r.Details == "event_too_big" || r.Details == "ai_event_too_big" {
			reason = deadletter.ReasonTooLarge
		}
		return delivery.Outcome{Kind: delivery.Refused, Reason: reason, Message: "the backend dropped the event" + detail(r)}
	case "limited":
		return delivery.Outcome{Kind: delivery.Refused, Reason: deadletter.ReasonRateLimited, Message: "the event is beyond a limit of the project" + detail(r) + "; " + remedyBilling}
	}
	return delivery.Outcome{Kind: delivery.Refused, Reason: deadletter.ReasonRefused, Message: fmt.Sprintf("the backend answered with the result %.100q", r.Result) + detail(r)}
}

// notice returns the notice to count for a result, and the number of events.
func (r result) notice() (notice, int) {
	switch {
	case r.Result != "warning":
		return "", 0
	case r.Details == string(noticeNoPerson):
		return noticeNoPerson, 1
	}
	return noticeWarning, 1
}

func detail(r *result) string {
	if r.Details == "" {
		return ""
	}
	return fmt.Sprintf(": %.200s", r.Details)
}
