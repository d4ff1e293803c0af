// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"errors"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// spanEncoder writes spans as Sentry's spans or for transactions, and their events as Issues and
// logs.
type spanEncoder struct {
	*encoder
	event    appevent.Event
	segments segments
	ids      spanIDs
}

var _ delivery.TracesEncoder = (*spanEncoder)(nil)

func newSpanEncoder(b *backend) *spanEncoder {
	return &spanEncoder{encoder: newEncoder(b)}
}

// Prepare implements delivery.TracesEncoder: a span names the segment that it belongs to, and an
// Issue shows earlier span events.
func (enc *spanEncoder) Prepare(td ptrace.Traces) {
	enc.issues.crumbs.prepareTraces(td)
	enc.segments.prepare(td)
}

// Reset implements delivery.TracesEncoder.
func (enc *spanEncoder) Reset() {
	enc.encoder.Reset()
	enc.event = appevent.Event{}
	enc.segments.reset()
}

// EncodeSpan implements delivery.TracesEncoder.
func (enc *spanEncoder) EncodeSpan(w *delivery.Writer, of *appevent.Source, span ptrace.Span) error {
	if span.TraceID().IsEmpty() || span.SpanID().IsEmpty() {
		return errors.New("the span has no trace id or no span id, which Sentry requires")
	}
	destination, err := enc.projects.destination(span.Attributes().Get, of.Resource.Attributes())
	if err != nil {
		return err
	}
	enc.ids.read(span)
	meta := delivery.Meta{ID: string(enc.ids.span[:]), Name: span.Name(), Time: span.StartTimestamp(), Destination: destination}
	switch enc.cfg.Traces.Format {
	case TracesSpans:
		meta.Category = categorySpan
		enc.writeSpan(w, meta, enc.sources.get(of, enc.attributes), span)
	case TracesTransactions:
		meta.Category = categoryTransaction
		enc.writeTransactionSpan(w, meta, enc.sources.get(of, enc.attributes), span)
	default:
		w.Skip("traces_off")
	}
	return enc.encodeSpanEvents(w, of, span, destination)
}

// writeSpan writes an item of a span container.
func (enc *spanEncoder) writeSpan(w *delivery.Writer, meta delivery.Meta, src *source, span ptrace.Span) {
	payload := enc.withinLimit(w.Begin(meta), containerOverhead, func(dst []byte, t trim) []byte { return enc.appendSpan(dst, src, span, t) })
	key := enc.attributes.trace.key(span.ParentSpanID().IsEmpty())
	w.SetVendorID(enc.ids.trace[:])
	enc.scratch = key.append(enc.scratch[:0])
	w.SetKey(enc.scratch)
	w.End(payload)
}

// writeTransactionSpan writes a span that is to become a transaction, or a span of one.
func (enc *spanEncoder) writeTransactionSpan(w *delivery.Writer, meta delivery.Meta, src *source, span ptrace.Span) {
	key := transactionKey{span: span.SpanID(), parent: span.ParentSpanID(), segment: isSegment(span)}
	payload := enc.withinLimit(w.Begin(meta), 0, func(dst []byte, t trim) []byte {
		return enc.appendTransactionSpan(dst, &key.sizes, src, span, t)
	})
	w.SetVendorID(enc.ids.trace[:])
	enc.scratch = key.append(enc.scratch[:0])
	w.SetKey(enc.scratch)
	w.End(payload)
}

// encodeSpanEvents writes exceptions as Issues and other events as logs.
func (enc *spanEncoder) encodeSpanEvents(w *delivery.Writer, of *appevent.Source, span ptrace.Span, destination string) error {
	e := &enc.event
	for _, event := range span.Events().All() {
		e.ReadSpanEvent(of, span, event)
		switch {
		case enc.cfg.Issues.Enabled && e.IsException():
			err := enc.encodeIssue(w, e, destination, fromTraces, enc.contextOf(span))
			if skip, ok := errors.AsType[delivery.Skip](err); ok {
				w.Skip(skip)
			} else if err != nil {
				return err
			}
		case enc.cfg.Traces.SpanEvents && enc.cfg.Logs.Enabled:
			enc.encodeLog(w, e, destination)
		default:
			w.Skip("span_events_off")
		}
	}
	return nil
}

func (enc *spanEncoder) contextOf(span ptrace.Span) *spanContext {
	op, _ := operationOf(span)
	_, segment, _ := enc.segments.of(span)
	return &spanContext{
		parent: span.ParentSpanID(), op: op, status: legacyStatus(span), attributes: span.Attributes(), transaction: segment,
	}
}

// appendSpan appends a span as an item of a span container (Sentry's SDK documentation, "Span
// Protocol").
func (enc *spanEncoder) appendSpan(dst []byte, src *source, span ptrace.Span, t trim) []byte {
	dst = enc.ids.append(append(dst, '{'), span.ParentSpanID())
	dst = jsonappend.String(append(dst, `,"name":`...), t.text(nameOf(span)))
	status := `,"status":"ok","is_segment":`
	if span.Status().Code() == ptrace.StatusCodeError {
		status = `,"status":"error","is_segment":`
	}
	dst = jsonappend.Bool(append(dst, status...), isSegment(span))
	dst = appendSpanTimes(dst, span, `,"start_timestamp":`, `,"end_timestamp":`)
	if t < trimAttributes {
		dst = enc.appendLinks(dst, span, true)
	}
	dst = append(dst, `,"attributes":{`...)
	dst = enc.appendSpanAttributes(dst, src, span, t)
	return append(dst, "}}"...)
}

// nameOf returns the name of the span. Sentry requires one.
func nameOf(span ptrace.Span) string {
	if span.Name() == "" {
		return "(unnamed)"
	}
	return span.Name()
}

// appendSpanTimes appends the times at which the span began and ended. Without both, or in the
// wrong order, the duration is 0. start and end are the names of the members, with comma and colon.
func appendSpanTimes(dst []byte, span ptrace.Span, start, end string) []byte {
	began, ended := span.StartTimestamp(), span.EndTimestamp()
	if began == 0 {
		began = ended
	}
	if began == 0 {
		began = pcommon.NewTimestampFromTime(time.Now())
	}
	dst = appendSeconds(append(dst, start...), began)
	return appendSeconds(append(dst, end...), max(began, ended))
}

// appendLinks appends the links. Those of spans have typed attributes, those of transactions plain
// ones.
func (enc *spanEncoder) appendLinks(dst []byte, span ptrace.Span, typed bool) []byte {
	if span.Links().Len() == 0 {
		return dst
	}
	dst = append(memberName(dst, "links"), '[')
	written := 0
	for _, link := range span.Links().All() {
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
			dst = enc.appendTypedAttributes(dst, link.Attributes())
		} else {
			dst = appendAttributes(dst, link.Attributes().All(), enc.attributes)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func (enc *spanEncoder) appendTypedAttributes(dst []byte, attributes pcommon.Map) []byte {
	dst = append(dst, '{')
	enc.attributes.begin()
	for name, v := range attributes.All() {
		dst = enc.attributes.append(dst, name, v)
	}
	return append(dst, '}')
}

func (enc *spanEncoder) appendSpanAttributes(dst []byte, src *source, span ptrace.Span, t trim) []byte {
	a := enc.attributes
	a.begin()
	a.trace = traceTexts{}
	op, source := operationOf(span)
	dst = a.text(dst, "sentry.op", op)
	if isSegment(span) {
		dst = a.text(dst, "sentry.span.source", source)
	}
	if id, name, ok := enc.segments.of(span); ok {
		dst = a.text(dst, "sentry.segment.id", id.String())
		dst = a.text(dst, "sentry.segment.name", t.text(name))
	}
	dst = a.text(dst, "sentry.platform", src.platform)
	dst = a.text(dst, "sentry.kind", kindOf(span.Kind()))
	dst = a.text(dst, "sentry.status.message", t.text(span.Status().Message()))
	dst = a.text(dst, attrTrimmed, t.note())
	if t >= trimAttributes {
		return enc.appendSharedWithin(dst, src, &src.spanShared, t)
	}
	dst = a.text(dst, "otel.trace_state", span.TraceState().AsRaw())
	for name, v := range span.Attributes().All() {
		if name != appevent.AttrID && !strings.HasPrefix(name, appevent.FanoutPrefix) {
			dst = a.append(dst, name, v)
		}
	}
	a.noteShared(&src.spanShared)
	return enc.appendSharedWithin(dst, src, &src.spanShared, t)
}

// Bits of a span's flags (OTLP, SpanFlags): whether its parent is known to be in another process or
// not.
const (
	flagHasIsRemote = 0x100
	flagIsRemote    = 0x200
)

// isSegment reports whether a span is the first of its process. Sentry calls it a segment, and
// formerly called it a transaction.
func isSegment(span ptrace.Span) bool {
	if span.ParentSpanID().IsEmpty() {
		return true
	}
	if flags := span.Flags(); flags&flagHasIsRemote != 0 {
		return flags&flagIsRemote != 0
	}
	return span.Kind() == ptrace.SpanKindServer || span.Kind() == ptrace.SpanKindConsumer
}

// segments finds the segment of a span among the spans of a batch.
type segments struct {
	traces   ptrace.Traces
	has      bool
	gathered bool
	spans    map[pcommon.SpanID]ptrace.Span
}

func (s *segments) prepare(td ptrace.Traces) { s.traces, s.has, s.gathered = td, true, false }

func (s *segments) reset() {
	s.traces, s.has, s.gathered = ptrace.Traces{}, false, false
	clear(s.spans)
}

// maxAncestors bounds the search for a segment.
const maxAncestors = 64

// of returns the id and the name of the segment; false if that is not in the batch.
func (s *segments) of(span ptrace.Span) (id pcommon.SpanID, name string, ok bool) {
	for range maxAncestors {
		if isSegment(span) {
			return span.SpanID(), nameOf(span), true
		}
		if !s.gathered {
			s.gather()
		}
		parent, found := s.spans[span.ParentSpanID()]
		if !found || parent.TraceID() != span.TraceID() {
			return id, "", false
		}
		span = parent
	}
	return id, "", false
}

func (s *segments) gather() {
	s.gathered = true
	if !s.has {
		return
	}
	if s.spans == nil {
		s.spans = map[pcommon.SpanID]ptrace.Span{}
	}
	for _, rs := range s.traces.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				s.spans[span.SpanID()] = span
			}
		}
	}
}
