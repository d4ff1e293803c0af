// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// spanEncoder writes spans of language models, and the exceptions in spans.
type spanEncoder struct {
	*encoder
	event appevent.Event
	// asEvent is a copy of a span in the form of a span event, which event can read.
	asEvent ptrace.SpanEvent
}

func newSpanEncoder(b *backend) *spanEncoder {
	return &spanEncoder{encoder: newEncoder(b), asEvent: ptrace.NewSpanEvent()}
}

// Prepare implements delivery.TracesEncoder.
func (*spanEncoder) Prepare(ptrace.Traces) {}

// Reset implements delivery.TracesEncoder.
func (enc *spanEncoder) Reset() {
	enc.encoder.Reset()
	enc.event, enc.asEvent = appevent.Event{}, ptrace.NewSpanEvent()
}

// EncodeSpan implements delivery.TracesEncoder.
func (enc *spanEncoder) EncodeSpan(w *delivery.Writer, of *appevent.Source, span ptrace.Span) error {
	var g *generation
	switch {
	case !isAI(span):
		w.Skip("other_span")
	case !enc.cfg.AI.Enabled:
		w.Skip("ai_off")
	default:
		g = readGeneration(span)
		if err := enc.encodeAI(w, enc.read(of, span), g); err != nil {
			return err
		}
	}
	return enc.encodeEvents(w, of, span, g)
}

// encodeEvents writes the exceptions among the events of a span. g is the generation that the span
// became, or nil.
func (enc *spanEncoder) encodeEvents(w *delivery.Writer, of *appevent.Source, span ptrace.Span, g *generation) error {
	e := &enc.event
	for _, event := range span.Events().All() {
		e.ReadSpanEvent(of, span, event)
		switch {
		case g != nil && g.usesEvent(event.Name()):
		case !e.IsException():
			w.Skip("span_event")
		case !enc.cfg.Exceptions.Enabled:
			w.Skip("exceptions_off")
		default:
			if err := enc.encodeException(w, e, span.Attributes(), false); err != nil {
				return err
			}
		}
	}
	return nil
}

// read makes enc.event the view of a span and returns it.
func (enc *spanEncoder) read(of *appevent.Source, span ptrace.Span) *appevent.Event {
	span.Attributes().CopyTo(enc.asEvent.Attributes())
	enc.asEvent.SetName(span.Name())
	enc.asEvent.SetTimestamp(startOf(span))
	enc.event.ReadSpanEvent(of, span, enc.asEvent)
	return &enc.event
}

func startOf(span ptrace.Span) pcommon.Timestamp {
	if span.StartTimestamp() != 0 {
		return span.StartTimestamp()
	}
	return span.EndTimestamp()
}
