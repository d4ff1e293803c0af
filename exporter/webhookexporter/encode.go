// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"math"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/eventjson"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// encoder writes events in the configured format.
type encoder struct {
	*backend
	format     bodyFormat
	events     eventjson.Encoder
	summarizer appevent.Summarizer
	clock      jsonappend.Clock
	scratch    []byte
	values     view

	// source is the source of the latest event, sourcePath its CloudEvents source, and sourceHead
	// its OTLP JSON up to the record.
	source     *appevent.Source
	sourcePath string
	sourceHead []byte
	// attributes are the CloudEvents attributes of the latest event.
	attributes []attribute
}

// bodyFormat appends an event in one format.
type bodyFormat func(enc *encoder, dst []byte, e *appevent.Event) ([]byte, error)

var _ delivery.Encoder = (*encoder)(nil)

func newEncoder(b *backend) *encoder { return &encoder{backend: b, format: bodyFormatOf(b.cfg)} }

func bodyFormatOf(cfg *Config) bodyFormat {
	switch cfg.Format {
	case FormatStandard:
		return (*encoder).appendStandard
	case FormatCloudEvents:
		if cfg.CloudEvents.Mode == ModeBinary {
			return (*encoder).appendEvent // the attributes are headers
		}
		return (*encoder).appendCloudEvent
	case FormatSink:
		return (*encoder).appendSink
	case FormatOTLPJSON:
		return (*encoder).appendRecord
	case FormatTemplate, FormatSlack, FormatDiscord, FormatTeams, FormatPagerDuty:
		return (*encoder).appendTemplate
	default:
		return (*encoder).appendEvent
	}
}

// Prepare implements delivery.Encoder. Each record is encoded on its own.
func (*encoder) Prepare(plog.Logs) {}

// Encode implements delivery.Encoder. A webhook gets every record, plain logs included.
func (enc *encoder) Encode(w *delivery.Writer, e *appevent.Event) error {
	meta := delivery.Meta{ID: e.ID(), Name: e.Name, Time: e.Time}
	if enc.cfg.Content == ContentSummary {
		e = enc.summarizer.Summary(e)
	}
	enc.values.reset()
	var err error
	if meta.Destination, err = enc.target(e); err != nil {
		return err
	}
	dst, err := enc.format(enc, w.Begin(meta), e)
	if err != nil {
		return err
	}
	w.End(dst)
	return nil
}

// Reset implements delivery.Encoder.
func (enc *encoder) Reset() {
	enc.events.Reset()
	enc.summarizer.Reset()
	enc.values.reset()
	clear(enc.attributes[:cap(enc.attributes)])
	enc.source, enc.sourcePath, enc.sourceHead = nil, "", nil
}

// appendEvent appends the event JSON, which several other formats contain.
func (enc *encoder) appendEvent(dst []byte, e *appevent.Event) ([]byte, error) {
	return enc.events.Append(dst, e), nil
}

// target returns the path, query and headers that the event adds to its request, in the form that
// [parseTarget] reads. It is empty if no event adds any.
func (enc *encoder) target(e *appevent.Event) (string, error) {
	binary := enc.cfg.Format == FormatCloudEvents && enc.cfg.CloudEvents.Mode == ModeBinary
	if !binary && !enc.templates.hasTarget() {
		return "", nil
	}
	var t target
	if binary {
		t.header = enc.cloudEventHeaders(e)
	}
	if enc.templates.hasTarget() {
		document, err := enc.document(e)
		if err != nil {
			return "", err
		}
		if err := enc.templates.appendTarget(&t, document); err != nil {
			return "", err
		}
	}
	return t.text()
}

// hasTime reports whether the event has a time that can be written as a date.
func hasTime(e *appevent.Event) bool { return e.Time != 0 && e.Time <= math.MaxInt64 }

// typeOf returns the event's name or, without one, its kind.
func typeOf(e *appevent.Event) string {
	switch {
	case e.Name != "":
		return e.Name
	case e.IsException():
		return appevent.ExceptionEventName
	case e.Kind != appevent.KindTrack:
		return e.Kind.String()
	default:
		return plainLog
	}
}

// plainLog is the type of plain logs.
const plainLog = "log"

// appendMember appends a member with a string value. The name must not need escaping.
func appendMember(dst []byte, name, value string) []byte {
	return jsonappend.String(appendName(dst, name), value)
}

// appendOptional is appendMember, unless the value is empty.
func appendOptional(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return appendMember(dst, name, value)
}

// appendOrNull is appendMember, but writes an empty value as null.
func appendOrNull(dst []byte, name, value string) []byte {
	if value == "" {
		return append(appendName(dst, name), "null"...)
	}
	return appendMember(dst, name, value)
}

// appendName appends the name of a member, preceded by a comma unless it is the first of its object.
func appendName(dst []byte, name string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}
