// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"encoding/hex"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// spanIDs is the ids of a span in hexadecimal, each of which is written several times. One serves
// all spans of an encoder.
type spanIDs struct {
	trace [2 * len(pcommon.TraceID{})]byte
	span  [2 * len(pcommon.SpanID{})]byte

	traceID pcommon.TraceID // that trace is of
}

// read reads the ids of a span.
func (ids *spanIDs) read(span ptrace.Span) {
	if trace := span.TraceID(); trace != ids.traceID { // most spans are of the same trace as the one before
		ids.traceID = trace
		hex.Encode(ids.trace[:], trace[:])
	}
	id := span.SpanID()
	hex.Encode(ids.span[:], id[:])
}

// append appends the ids of the span as the first members of an object.
func (ids *spanIDs) append(dst []byte, parent pcommon.SpanID) []byte {
	dst = append(dst, `"trace_id":"`...)
	dst = append(dst, ids.trace[:]...)
	dst = append(dst, `","span_id":"`...)
	dst = append(dst, ids.span[:]...)
	if !parent.IsEmpty() {
		dst = append(dst, `","parent_span_id":"`...)
		dst = hex.AppendEncode(dst, parent[:])
	}
	return append(dst, '"')
}
