// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// appendTraceHeader appends the member trace of an envelope's header (Sentry's SDK documentation,
// "Dynamic Sampling Context"). Sentry refuses spans without it, and spans of other traces. The values
// are those of the root span if it is among the events, else of the first span.
func appendTraceHeader(dst []byte, p *project, events []delivery.Event) []byte {
	first := max(0, slices.IndexFunc(events, func(e delivery.Event) bool { return isRootKey(e.Key) }))
	key := parseSpanKey(events[first].Key)
	dst = append(dst, `"trace":{`...)
	dst = textMember(dst, "trace_id", events[first].VendorID)
	dst = textMember(dst, "public_key", p.publicKey)
	dst = textMember(dst, "sampled", "true")
	dst = append(memberName(dst, "sample_rate"), '"')
	dst = append(strconv.AppendFloat(dst, key.sampleRate, 'g', -1, 64), '"')
	dst = jsonMember(dst, "release", key.release)
	dst = jsonMember(dst, "environment", key.environment)
	dst = jsonMember(dst, "transaction", key.transaction)
	return append(dst, '}')
}

// traceField identifies a span attribute that the trace header repeats.
type traceField uint8

const (
	notInTraceHeader traceField = iota
	traceState
	traceRelease
	traceEnvironment
	traceTransaction
	numTraceFields
)

// traceFieldOf returns the field of an attribute.
func traceFieldOf(attribute string) traceField {
	switch attribute {
	case "otel.trace_state":
		return traceState
	case "sentry.release":
		return traceRelease
	case "sentry.environment":
		return traceEnvironment
	case "sentry.segment.name":
		return traceTransaction
	}
	return notInTraceHeader
}

// traceTexts holds the values of these attributes in the object that was written last: JSON strings
// without their quotes. The slices refer to the written bytes.
type traceTexts [numTraceFields][]byte

// note records the value of an attribute, as it was written with its type. It ignores values that are
// not strings.
func (texts *traceTexts) note(f traceField, typed []byte) {
	if f == notInTraceHeader {
		return
	}
	if value, ok := bytes.CutSuffix(typed, []byte(typeString)); ok {
		texts[f] = value[1 : len(value)-1]
	}
}

// key returns the key of a span with these attributes.
func (texts *traceTexts) key(root bool) spanKey {
	return spanKey{
		root: root, sampleRate: sampleRate(texts[traceState]),
		release: texts[traceRelease], environment: texts[traceEnvironment], transaction: texts[traceTransaction],
	}
}

// sampleRate returns the share of traces that samplers kept, according to the trace state
// (OpenTelemetry, "TraceState: Probability Sampling", rejection threshold). It is 1 if unknown.
func sampleRate(traceState []byte) float64 {
	if len(traceState) == 0 {
		return 1
	}
	for entry := range bytes.SplitSeq(traceState, []byte(",")) {
		values, ok := bytes.CutPrefix(bytes.TrimSpace(entry), []byte("ot="))
		if !ok {
			continue
		}
		for value := range bytes.SplitSeq(values, []byte(";")) {
			digits, ok := bytes.CutPrefix(value, []byte("th:"))
			if !ok {
				continue
			}
			if rejected, ok := rejectionThreshold(digits); ok {
				return float64(maxThreshold-rejected) / maxThreshold
			}
		}
	}
	return 1
}

// maxThreshold is one more than the largest threshold.
const maxThreshold = 1 << 56

// rejectionThreshold parses a threshold: up to 14 hexadecimal digits, without trailing zeros.
func rejectionThreshold(digits []byte) (threshold uint64, ok bool) {
	const all = 14
	if len(digits) > all {
		return 0, false
	}
	for _, c := range digits {
		d := hexDigit(c)
		if d > 0xf {
			return 0, false
		}
		threshold = threshold<<4 | uint64(d)
	}
	return threshold << (4 * (all - len(digits))), true
}
