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

// eventException is an event of PostHog's error tracking (packages/core/src/error-tracking/types.ts
// in PostHog/posthog-js).
const eventException = "$exception"

// ignoredInExceptions are attributes that PostHog warns of in an exception
// (https://posthog.com/docs/data/ingestion-warnings).
var ignoredInExceptions = []string{"$set", "$set_once"}

// Limits for an event that is too large with all exceptions and frames.
const (
	fewExceptions = 10
	fewFrames     = 50
)

// roomAround is for what stands around the properties that are the event's own: its head, and what
// its resource says.
const roomAround = 10_000

// encodeException writes the exception that an event reports. The attributes are those of the span
// that it happened in. Where an event of the record's name is sent too, that one has the record's
// uuid.
func (enc *encoder) encodeException(w *delivery.Writer, e *appevent.Event, span pcommon.Map, second bool) error {
	ev := event{source: enc.sourceOf(e.Source)}
	if err := enc.identifyException(&ev, e, span, second); err != nil {
		return err
	}
	dst := enc.begin(w, &ev)
	head := len(dst)
	dst = enc.appendException(dst, &ev, e, exceptionlist.Limit{})
	dst = enc.appendContext(dst, &ev, e)
	if len(dst)-head > maxEvent-roomAround {
		ev.restart()
		dst = enc.appendException(dst[:head], &ev, e, exceptionlist.Limit{Exceptions: fewExceptions, Frames: fewFrames})
		dst = enc.appendContext(dst, &ev, e)
	}
	enc.close(w, dst, &ev)
	return nil
}

// identifyException is the identity phase of an exception.
func (enc *encoder) identifyException(ev *event, e *appevent.Event, span pcommon.Map, second bool) error {
	enc.identify(ev, e, eventException, span)
	ev.dropped = ignoredInExceptions
	if second {
		ev.uuid = derive("exception", ev.id)
	}
	return ev.check()
}

// appendException is the properties phase of an exception: what PostHog groups and shows it by, and
// what else the event says.
func (enc *encoder) appendException(dst []byte, ev *event, e *appevent.Event, limit exceptionlist.Limit) []byte {
	x, runtime := &e.Exception, ev.source.of.Language
	stack := enc.parser.Parse(stacktrace.LanguageOf(runtime), x.Type, x.Message, x.Stacktrace)
	dst, _ = ev.props.Name(dst, "$exception_list")
	dst = exceptionlist.AppendList(dst, stack, exceptionlist.Options{Handled: e.Handled(), Runtime: runtime, Limit: limit})
	dst = ev.props.text(dst, "$exception_level", appevent.IssueLevel(e.SeverityLevel()))
	dst = ev.props.text(dst, "$exception_fingerprint", fingerprintOf(e.Fingerprint))
	if limit == (exceptionlist.Limit{}) {
		dst = ev.props.text(dst, appevent.AttrExceptionStacktrace, stack.Unparsed)
	}
	dst = enc.appendBody(dst, ev, e)
	dst = ev.props.text(dst, "subject", e.Subject)
	return enc.appendAttributes(dst, ev, e)
}

// fingerprintOf is what PostHog is to group the exception by: one text, where there may be several
// here. It has no word for the part that leaves the rest to the tracker, so a fingerprint with that
// is left to it altogether.
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
