// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"errors"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// spanEncoder writes spans as Sentry's spans or as parts of transactions, and their events as Issues
// and logs.
type spanEncoder struct {
	*encoder
	event    appevent.Event // reused memory for span events
	segments segments
	traceID  hexTrace
}

var _ delivery.TracesEncoder = (*spanEncoder)(nil)

func newSpanEncoder(b *backend) *spanEncoder {
	return &spanEncoder{encoder: newEncoder(b)}
}

// Prepare implements delivery.TracesEncoder: a span names its segment, and an Issue shows earlier
// span events.
func (enc *spanEncoder) Prepare(td ptrace.Traces) {
	enc.issues.crumbs.prepare(appevent.SpanEvents(td))
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
	var s spanItem
	s.read(span, enc.sources.get(of), enc.traceID.of(span.TraceID()), enc.names)
	meta := delivery.Meta{ID: string(s.spanID[:]), Name: span.Name(), Time: span.StartTimestamp(), Destination: destination}
	switch enc.cfg.Traces.Format {
	case TracesSpans:
		meta.Category = categorySpan
		enc.writeSpan(w, meta, &s)
	case TracesTransactions:
		meta.Category = categoryTransaction
		enc.writeTransactionSpan(w, meta, &s)
	default:
		w.Skip("traces_off")
	}
	enc.writeSpanEvents(w, of, &s, destination)
	return nil
}

// writeSpan writes an item of a span container.
func (enc *spanEncoder) writeSpan(w *delivery.Writer, meta delivery.Meta, s *spanItem) {
	var trace traceTexts
	segment := enc.segments.of(s.Span)
	payload := withinLimit(w.Begin(meta), enc.cfg.MaxEventBytes-containerOverhead, func(dst []byte, t trim) []byte {
		s.values.trim = t
		return appendSpan(dst, s, segment, &trace)
	})
	key := trace.key(s.ParentSpanID().IsEmpty())
	w.SetVendorID(s.traceID[:])
	enc.scratch = key.append(enc.scratch[:0])
	w.SetKey(enc.scratch)
	w.End(payload)
}

// writeTransactionSpan writes a span that will become a transaction, or a span of one.
func (enc *spanEncoder) writeTransactionSpan(w *delivery.Writer, meta delivery.Meta, s *spanItem) {
	key := transactionKey{span: s.SpanID(), parent: s.ParentSpanID(), segment: s.isSegment}
	payload := withinLimit(w.Begin(meta), enc.cfg.MaxEventBytes, func(dst []byte, t trim) []byte {
		s.values.trim = t
		return appendTransactionSpan(dst, s, &key.sizes, enc.eventSDK)
	})
	w.SetVendorID(s.traceID[:])
	enc.scratch = key.append(enc.scratch[:0])
	w.SetKey(enc.scratch)
	w.End(payload)
}

// writeSpanEvents writes exceptions as Issues and other events as logs.
func (enc *spanEncoder) writeSpanEvents(w *delivery.Writer, of *appevent.Source, s *spanItem, destination string) {
	e := &enc.event
	for _, event := range s.Events().All() {
		e.ReadSpanEvent(of, s.Span, event)
		switch {
		case enc.cfg.Issues.Enabled && e.IsException():
			if !enc.writeIssue(w, e, destination, enc.contextOf(s)) {
				w.Skip(reasonDuplicate)
			}
		case enc.cfg.Traces.SpanEvents && enc.cfg.Logs.Enabled:
			enc.writeLog(w, e, destination)
		default:
			w.Skip("span_events_off")
		}
	}
}

func (enc *spanEncoder) contextOf(s *spanItem) *spanContext {
	return &spanContext{
		parent: s.ParentSpanID(), op: s.op, status: legacyStatus(s.Span), attributes: s.Attributes(), transaction: enc.segments.of(s.Span).name,
	}
}
