// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"encoding/hex"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// spanItem is a span that is being written as an item of a span container, or for a transaction.
type spanItem struct {
	ptrace.Span
	source         *source
	traceID        *hexTraceID
	spanID         [2 * len(pcommon.SpanID{})]byte // in hexadecimal
	name           string
	op, nameSource string
	isSegment      bool
	began, ended   pcommon.Timestamp
	values         valueWriter
}

// read collects the fields of the span that more than one phase writes. traceID is the trace's id in
// hexadecimal.
func (s *spanItem) read(span ptrace.Span, src *source, traceID *hexTraceID, ns *nameCache) {
	s.Span, s.source, s.traceID, s.values.nameCache = span, src, traceID, ns
	id := span.SpanID()
	hex.Encode(s.spanID[:], id[:])
	s.name, s.isSegment = nameOf(span), isSegment(span)
	s.op, s.nameSource = operationOf(span)
	s.began, s.ended = timesOf(span)
}

// timesOf returns when a span began and ended. If one of the times is missing, or they are in the
// wrong order, the duration is 0.
func timesOf(span ptrace.Span) (began, ended pcommon.Timestamp) {
	began, ended = span.StartTimestamp(), span.EndTimestamp()
	if !isTime(began) {
		began = timeOrNow(ended)
	}
	return began, max(began, ended)
}

// hexTraceID is a trace id in hexadecimal.
type hexTraceID [2 * len(pcommon.TraceID{})]byte

// hexTrace caches the last encoded trace id: most spans have the same one as the previous span.
type hexTrace struct {
	id   pcommon.TraceID
	text hexTraceID
}

// of encodes an id. The result is valid until the next call.
func (h *hexTrace) of(id pcommon.TraceID) *hexTraceID {
	if id != h.id {
		h.id = id
		hex.Encode(h.text[:], id[:])
	}
	return &h.text
}

// appendSpanIDs appends the ids of the span as the first members of an object.
func appendSpanIDs(dst []byte, s *spanItem) []byte {
	dst = append(dst, `"trace_id":"`...)
	dst = append(dst, s.traceID[:]...)
	dst = append(dst, `","span_id":"`...)
	dst = append(dst, s.spanID[:]...)
	if parent := s.ParentSpanID(); !parent.IsEmpty() {
		dst = append(dst, `","parent_span_id":"`...)
		dst = hex.AppendEncode(dst, parent[:])
	}
	return append(dst, '"')
}

// appendLinks appends the links, with typed attributes for spans and plain ones for transactions.
func appendLinks(dst []byte, s *spanItem, typed bool) []byte {
	if s.Links().Len() == 0 {
		return dst
	}
	dst = append(memberName(dst, "links"), '[')
	written := 0
	for _, link := range s.Links().All() {
		trace, id := link.TraceID(), link.SpanID()
		if trace.IsEmpty() || id.IsEmpty() {
			continue
		}
		if written > 0 {
			dst = append(dst, ',')
		}
		written++
		dst = hexMember(append(dst, '{'), "trace_id", trace[:])
		dst = hexMember(dst, "span_id", id[:])
		dst = append(dst, `,"sampled":`...)
		dst = jsonappend.Bool(dst, link.Flags()&1 == 1)
		dst = append(dst, `,"attributes":`...)
		if typed {
			dst = appendTypedAttributes(dst, link.Attributes(), s.values)
		} else {
			dst = s.values.appendObject(dst, link.Attributes().All())
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func appendTypedAttributes(dst []byte, attributes pcommon.Map, vs valueWriter) []byte {
	dst = append(dst, '{')
	var o typedObject
	o.begin(vs)
	for name, v := range attributes.All() {
		dst = o.append(dst, name, v)
	}
	return append(dst, '}')
}
