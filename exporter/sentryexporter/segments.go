// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Bits of a span's flags (OTLP, SpanFlags): whether the second bit is set by the SDK, and whether the
// parent is in another process.
const (
	flagHasIsRemote = 0x100
	flagIsRemote    = 0x200
)

// isSegment reports whether a span is the first one in its process, which Sentry calls a segment.
func isSegment(span ptrace.Span) bool {
	if span.ParentSpanID().IsEmpty() {
		return true
	}
	if flags := span.Flags(); flags&flagHasIsRemote != 0 {
		return flags&flagIsRemote != 0
	}
	return span.Kind() == ptrace.SpanKindServer || span.Kind() == ptrace.SpanKindConsumer
}

// nameOf returns the name of the span. Sentry requires one that is not blank.
func nameOf(span ptrace.Span) string {
	if strings.TrimSpace(span.Name()) == "" {
		return "(unnamed)"
	}
	return span.Name()
}

// segment identifies a segment. It is empty if the segment is unknown.
type segment struct {
	id   pcommon.SpanID
	name string
}

// segments finds the segment of a span among the spans of a batch.
type segments struct {
	unread *ptrace.Traces // the batch; nil once its spans are in spans
	spans  map[pcommon.SpanID]ptrace.Span
}

func (s *segments) prepare(td ptrace.Traces) { s.unread = &td }

func (s *segments) reset() {
	s.unread = nil
	clear(s.spans)
}

// maxAncestors bounds the search for a segment.
const maxAncestors = 64

// of returns the segment of a span; empty if it is not in the batch.
func (s *segments) of(span ptrace.Span) segment {
	for range maxAncestors {
		if isSegment(span) {
			return segment{span.SpanID(), nameOf(span)}
		}
		if s.unread != nil {
			s.gather()
		}
		parent, found := s.spans[span.ParentSpanID()]
		if !found || parent.TraceID() != span.TraceID() {
			return segment{}
		}
		span = parent
	}
	return segment{}
}

func (s *segments) gather() {
	if s.spans == nil {
		s.spans = map[pcommon.SpanID]ptrace.Span{}
	}
	for _, rs := range s.unread.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				s.spans[span.SpanID()] = span
			}
		}
	}
	s.unread = nil
}
