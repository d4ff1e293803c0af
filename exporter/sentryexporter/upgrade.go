// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// completeMeta implements delivery.Options.CompleteMeta. It sets VendorID and Key from the payload of
// an event without them: a dead letter, which may have been edited, or an event that an earlier
// version queued. An event whose payload is invalid stays unchanged.
func completeMeta(e *delivery.Event) {
	switch e.Category {
	case categoryError:
		completeIssue(e)
	case categorySpan:
		completeSpan(e)
	case categoryTransaction:
		completeTransactionSpan(e)
	}
}

func completeIssue(e *delivery.Event) {
	var issue struct {
		EventID string `json:"event_id"`
	}
	if json.Unmarshal(e.Payload, &issue) == nil {
		e.VendorID = issue.EventID
	}
}

func completeSpan(e *delivery.Event) {
	var span struct {
		TraceID    string `json:"trace_id"`
		Parent     string `json:"parent_span_id"`
		Attributes map[string]struct {
			Value json.RawMessage `json:"value"`
		} `json:"attributes"`
	}
	if json.Unmarshal(e.Payload, &span) != nil {
		return
	}
	var texts traceTexts
	for name, attribute := range span.Attributes {
		if value := attribute.Value; len(value) > 0 && value[0] == '"' && utf8.Valid(value) {
			texts[traceFieldOf(name)] = within(value)
		}
	}
	key := texts.key(span.Parent == "")
	e.VendorID, e.Key = span.TraceID, string(key.append(nil))
}

func completeTransactionSpan(e *delivery.Event) {
	var span transactionPayload
	if json.Unmarshal(e.Payload, &span) != nil {
		return
	}
	key := span.key()
	if _, ok := key.sizes.of(e.Payload); !ok { // edited: the sections are not where appendTransactionSpan writes them
		payload, err := json.Marshal(&span)
		if err != nil || json.Unmarshal(payload, &span) != nil {
			return
		}
		key, e.Payload = span.key(), payload
	}
	e.VendorID, e.Key = span.TraceID, string(key.append(nil))
}

// transactionPayload is a payload of appendTransactionSpan.
type transactionPayload struct {
	TraceID string          `json:"trace_id"`
	SpanID  string          `json:"span_id"`
	Parent  string          `json:"parent_span_id,omitempty"`
	Segment bool            `json:"segment"`
	Context json.RawMessage `json:"context"`
	Span    json.RawMessage `json:"span"`
	Event   json.RawMessage `json:"event"`
	Otel    json.RawMessage `json:"otel"`
}

func (p *transactionPayload) key() transactionKey {
	return transactionKey{
		span: parseSpanID(p.SpanID), parent: parseSpanID(p.Parent), segment: p.Segment,
		sizes: sectionSizes{
			sectionContext: len(p.Context), sectionSpan: len(p.Span), sectionEvent: len(p.Event), sectionOtel: len(p.Otel),
		},
	}
}
