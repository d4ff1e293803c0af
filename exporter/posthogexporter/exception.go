// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/exporter/posthogexporter/internal/exceptionlist"
	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/stacktrace"
)

// eventException is PostHog's error tracking event (packages/core/src/error-tracking/types.ts
// in PostHog/posthog-js).
const eventException = "$exception"

// ignoredInExceptions are attributes that PostHog ignores in an exception, with a warning
// (https://posthog.com/docs/data/ingestion-warnings).
var ignoredInExceptions = []string{"$set", "$set_once"}

// Limits for an exception event that is too large with all its exceptions and frames.
const (
	trimmedExceptions = 10
	trimmedFrames     = 50
)

// reservedBytes is the room kept for the rest of the payload: the head of the event and the
// properties of its source.
const reservedBytes = 10_000

// encodeException writes the exception that an event reports. span has the attributes of the span
// that it happened in. alsoNamed is set if the record also becomes an event of its own name, which
// has the record's uuid.
func (enc *encoder) encodeException(w *delivery.Writer, e *appevent.Event, span pcommon.Map, alsoNamed bool) error {
	ev := event{source: enc.sourceOf(e.Source)}
	if err := enc.identifyException(&ev, e, span, alsoNamed); err != nil {
		return err
	}
	dst := enc.begin(w, &ev)
	head := len(dst)
	dst = enc.appendException(dst, &ev, e, exceptionlist.Limit{})
	dst = enc.appendContext(dst, &ev, e)
	if len(dst)-head > maxEvent-reservedBytes {
		ev.restart()
		dst = enc.appendException(dst[:head], &ev, e, exceptionlist.Limit{Exceptions: trimmedExceptions, Frames: trimmedFrames})
		dst = enc.appendContext(dst, &ev, e)
	}
	return enc.close(w, dst, &ev)
}

// identifyException is the identity phase of an exception.
func (enc *encoder) identifyException(ev *event, e *appevent.Event, span pcommon.Map, alsoNamed bool) error {
	enc.setMeta(ev, e, eventException)
	enc.identify(ev, e, span, pcommon.TraceID{})
	ev.ignored = ignoredInExceptions
	if alsoNamed {
		ev.uuid = derive("exception", ev.id)
	}
	return ev.check()
}

// appendException is the properties phase of an exception: the properties by which PostHog groups
// and displays it, then the rest of the event.
func (enc *encoder) appendException(dst []byte, ev *event, e *appevent.Event, limit exceptionlist.Limit) []byte {
	x, runtime := &e.Exception, ev.source.of.Language
	enc.parser.Root = e.Source.Folder
	stack := enc.parser.Parse(stacktrace.LanguageOf(runtime), x.Type, x.Message, e.Chain())
	dst, _ = ev.props.Name(dst, "$exception_list")
	dst = exceptionlist.AppendList(dst, stack, exceptionlist.Options{Handled: e.Handled(), Event: nameOfException(e), Runtime: runtime, Limit: limit})
	dst = ev.props.text(dst, "$exception_level", appevent.IssueLevel(e.SeverityLevel()))
	dst = ev.props.text(dst, "$exception_fingerprint", fingerprintOf(e.Fingerprint))
	if limit == (exceptionlist.Limit{}) {
		dst = ev.props.text(dst, appevent.AttrExceptionStacktrace, stack.Unparsed)
	}
	dst = enc.appendAttributes(dst, ev, e)
	return enc.appendFields(dst, ev, e)
}

// nameOfException returns the name of an event that has more to say than "exception", such as
// device.anr.
func nameOfException(e *appevent.Event) string {
	if e.HasOwnName() {
		return e.Name
	}
	return ""
}

// fingerprintOf returns the text by which PostHog groups the exception. It is empty for a
// fingerprint with a {{ default }} part: PostHog has no counterpart, so it groups by its own rules.
func fingerprintOf(v pcommon.Value) string {
	if v.Type() == pcommon.ValueTypeStr {
		return v.Str()
	}
	if v.Type() != pcommon.ValueTypeSlice {
		return ""
	}
	var parts []string
	for _, part := range v.Slice().All() {
		text := part.AsString()
		if strings.HasPrefix(text, "{{") {
			return ""
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "|")
}
