// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"errors"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// spanEncoder writes spans as OTLP JSON. In all other formats it writes the events of spans, and
// skips the spans themselves, which are not events.
type spanEncoder struct {
	*encoder
	event appevent.Event
}

var _ delivery.TracesEncoder = (*spanEncoder)(nil)

// skipSpan is the reason why spans are skipped.
const skipSpan delivery.Skip = "span" //nolint:errname // it is a reason

var errSpanTarget = errors.New("request: templates need events, but otlp_json sends whole spans; use another exporter, without templates, for traces")

// newTracesEncoder refuses otlp_json with request templates, because they need events and otlp_json
// sends spans.
func (b *backend) newTracesEncoder() (delivery.TracesEncoder, error) {
	if b.cfg.Format == FormatOTLPJSON && b.templates.hasTarget() {
		return nil, errSpanTarget
	}
	return &spanEncoder{encoder: newEncoder(b)}, nil
}

// Prepare implements delivery.TracesEncoder. Each span is encoded on its own.
func (*spanEncoder) Prepare(ptrace.Traces) {}

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

// categorySpan is the Meta.Category of spans. Bodies hold either spans or log records.
const categorySpan = "span"

// Reset implements delivery.TracesEncoder.
func (enc *spanEncoder) Reset() {
	enc.encoder.Reset()
	enc.event = appevent.Event{}
}
