// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// appendTraceHeader appends the member trace of an envelope's header, which says what trace its spans are of (Sentry's SDK
// documentation, "Dynamic Sampling Context"). Sentry refuses spans without it, and those of another trace than it names. The events are
// spans of one trace. What describes the trace is the root's where that is among them, else the first span's.
func appendTraceHeader(dst []byte, p *project, events []delivery.Event) []byte {
	payload := rootOf(events)
	dst = append(dst, `"trace":{"trace_id":"`...)
	dst = append(dst, leadingID(payload)...)
	dst = append(dst, '"')
	dst = textMember(dst, "public_key", p.publicKey)
	dst = append(dst, `,"sampled":"true","sample_rate":"`...)
	dst = strconv.AppendFloat(dst, sampleRate(string(textOf(payload, "otel.trace_state"))), 'g', -1, 64)
	dst = append(dst, '"')
	for _, member := range [...]struct{ name, attribute string }{
		{"release", "sentry.release"}, {"environment", "sentry.environment"}, {"transaction", "sentry.segment.name"},
	} {
		if value := textOf(payload, member.attribute); len(value) > 0 && len(value) <= maxTraceText {
			dst = memberName(dst, member.name)
			dst = append(append(append(dst, '"'), value...), '"')
		}
	}
	return append(dst, "},"...)
}

// maxTraceText is how long a text of the trace header may be: it is no place for what somebody has put a document into.
const maxTraceText = 250

// rootOf is the payload of the span that has no parent, or of the first.
func rootOf(events []delivery.Event) []byte {
	const parent = `","parent_span_id":`
	behindIDs := len(`{"trace_id":"","span_id":"`) + 32 + 16
	for i := range events {
		if payload := events[i].Payload; len(payload) > behindIDs && !bytes.HasPrefix(payload[behindIDs:], []byte(parent)) {
			return payload
		}
	}
	return events[0].Payload
}

// textOf is the value, as JSON has it between its quotes, of an attribute of an encoded span. No text within the payload can look like an
// attribute, since its quotes are escaped.
func textOf(payload []byte, attribute string) []byte {
	_, behind, ok := bytes.Cut(payload, []byte(`"`+attribute+`":{"value":"`))
	if !ok {
		return nil
	}
	value, _, _ := bytes.Cut(behind, []byte(`","type":"string"}`))
	return value
}

// sampleRate is the share of traces that samplers before us kept, as the trace state tells: 1 where it tells nothing
// (OpenTelemetry, "TraceState: Probability Sampling", rejection threshold).
func sampleRate(traceState string) float64 {
	const most, digits = 1 << 56, 14
	for entry := range strings.SplitSeq(traceState, ",") {
		values, ok := strings.CutPrefix(strings.TrimSpace(entry), "ot=")
		if !ok {
			continue
		}
		for value := range strings.SplitSeq(values, ";") {
			threshold, ok := strings.CutPrefix(value, "th:")
			if !ok || len(threshold) > digits {
				continue
			}
			rejected, err := strconv.ParseUint(threshold+strings.Repeat("0", digits-len(threshold)), 16, 64)
			if err == nil {
				return float64(most-rejected) / most
			}
		}
	}
	return 1
}
