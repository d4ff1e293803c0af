// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// spanEncoder writes spans: in OTLP JSON as they are, in all other formats the events that happened in them. A span itself
// is no event, and is skipped there.
type spanEncoder struct {
	*encoder
	event appevent.Event
}

var _ delivery.TracesEncoder = (*spanEncoder)(nil)

// skipSpan is why a span is not sent.
const skipSpan delivery.Skip = "span" //nolint:errname // it is a reason

// EncodeSpan implements delivery.TracesEncoder.
func (enc *spanEncoder) EncodeSpan(w *delivery.Writer, source *appevent.Source, span ptrace.Span) error {
	if enc.cfg.Format == FormatOTLPJSON {
		return enc.encodeSpan(w, source, span)
	}
	for _, event := range span.Events().All() {
		enc.event.ReadSpanEvent(source, span, event)
		if err := enc.Encode(w, &enc.event); err != nil {
			return err
		}
	}
	if span.Events().Len() == 0 {
		return skipSpan
	}
	w.Skip(skipSpan)
	return nil
}

func (enc *spanEncoder) encodeSpan(w *delivery.Writer, source *appevent.Source, span ptrace.Span) error {
	meta := delivery.Meta{ID: span.SpanID().String(), Name: span.Name(), Time: span.StartTimestamp(), Category: categorySpan}
	dst, err := enc.appendSpan(w.Begin(meta), source, span)
	if err != nil {
		return err
	}
	w.End(dst)
	return nil
}

// categorySpan tells spans from log records, which are joined to bodies of another kind.
const categorySpan = "span"

// Reset implements delivery.TracesEncoder.
func (enc *spanEncoder) Reset() {
	enc.encoder.Reset()
	enc.event = appevent.Event{}
}
