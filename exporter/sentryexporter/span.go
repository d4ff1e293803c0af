// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// appendSpan appends the payload of an item of a span container (Sentry's SDK documentation, "Span
// Protocol"). It sets trace.
func appendSpan(dst []byte, s *spanItem, of segment, trace *traceTexts) []byte {
	dst = appendSpanIdentity(dst, s)
	dst = appendSeconds(append(dst, `,"start_timestamp":`...), s.began)
	dst = appendSeconds(append(dst, `,"end_timestamp":`...), s.ended)
	if s.values.trim < trimAttributes {
		dst = appendLinks(dst, s, true)
	}
	dst = append(dst, `,"attributes":{`...)
	dst = appendSpanAttributes(dst, s, of, trace)
	return append(dst, "}}"...)
}

func appendSpanIdentity(dst []byte, s *spanItem) []byte {
	dst = appendSpanIDs(append(dst, '{'), s)
	dst = jsonappend.String(append(dst, `,"name":`...), s.values.trim.text(s.name))
	status := `,"status":"ok","is_segment":`
	if s.Status().Code() == ptrace.StatusCodeError {
		status = `,"status":"error","is_segment":`
	}
	return jsonappend.Bool(append(dst, status...), s.isSegment)
}

func appendSpanAttributes(dst []byte, s *spanItem, of segment, trace *traceTexts) []byte {
	*trace = traceTexts{}
	o := typedObject{trace: trace}
	o.begin(s.values)
	dst = o.text(dst, "sentry.op", s.op)
	if s.isSegment {
		dst = o.text(dst, attrSegmentNameSource, s.nameSource)
		dst = o.text(dst, attrSpanSource, s.nameSource)
	}
	if !of.id.IsEmpty() {
		dst = o.text(dst, "sentry.segment.id", of.id.String())
		dst = o.text(dst, "sentry.segment.name", o.trim.text(of.name))
	}
	dst = o.text(dst, "sentry.platform", s.source.platform)
	dst = o.text(dst, "sentry.kind", kindOf(s.Kind()))
	dst = o.text(dst, "sentry.status.message", o.trim.text(s.Status().Message()))
	dst = o.text(dst, attrTrimmed, o.trim.note())
	if o.trim < trimAttributes {
		dst = o.text(dst, "otel.trace_state", s.TraceState().AsRaw())
		for name, v := range s.Attributes().All() {
			if name != appevent.AttrID && !strings.HasPrefix(name, appevent.FanoutPrefix) {
				dst = o.append(dst, name, v)
			}
		}
		o.noteShared(&s.source.spanShared)
	}
	return o.appendSharedWithin(dst, s.source, &s.source.spanShared)
}
