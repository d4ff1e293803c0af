// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
	"github.com/otelcol-fanout/otelcol-fanout/internal/stacktrace"
)

// eventException is an event of PostHog's error tracking (packages/core/src/error-tracking/types.ts in PostHog/posthog-js).
const eventException = "$exception"

// ignoredInExceptions are attributes that PostHog warns of in an exception (https://posthog.com/docs/data/ingestion-warnings).
var ignoredInExceptions = []string{"$set", "$set_once"}

// trim is how many exceptions and frames are written.
type trim struct{ exceptions, frames int }

// Of an event that is too large with all of them, the innermost and outermost frames stay.
const (
	fewExceptions = 10
	fewFrames     = 50
)

// roomAround is for what stands around the properties that are the event's own: its head, and what its resource says.
const roomAround = 10_000

// encodeException writes the exception that an event reports. The attributes are those of the span that it happened in. Where an
// event of the record's name is sent too, that one has the record's uuid.
func (enc *encoder) encodeException(w *delivery.Writer, e *appevent.Event, span pcommon.Map, second bool) error {
	var c capture
	enc.capture(&c, e, eventException, span)
	c.dropped = ignoredInExceptions
	if second {
		c.uuid = enc.derive("exception", c.id)
	}
	dst, err := enc.begin(w, &c)
	if err != nil {
		return err
	}
	head := len(dst)
	dst = enc.appendException(dst, e, &c.who, trim{})
	if len(dst)-head > maxEvent-roomAround {
		enc.restart()
		dst = enc.appendException(dst[:head], e, &c.who, trim{fewExceptions, fewFrames})
	}
	enc.end(w, dst, &c)
	return nil
}

// appendException appends what PostHog groups and shows exceptions by, and what else the event says.
func (enc *encoder) appendException(dst []byte, e *appevent.Event, who *identity, limit trim) []byte {
	src := enc.source
	x := &e.Exception
	stack := enc.parser.Parse(stacktrace.LanguageOf(src.of.Language), x.Type, x.Message, x.Stacktrace)
	dst, _ = enc.props.Name(dst, "$exception_list")
	dst = append(dst, '[')
	exceptions := stack.Exceptions
	if limit.exceptions > 0 && len(exceptions) > limit.exceptions {
		exceptions = exceptions[:limit.exceptions]
	}
	as := src.framing(stack, limit)
	for i := range exceptions {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendListed(dst, e, &exceptions[i], i, as)
	}
	dst = append(dst, ']')
	dst = enc.appendText(dst, "$exception_level", appevent.IssueLevel(e.SeverityLevel()))
	dst = enc.appendText(dst, "$exception_fingerprint", fingerprintOf(e.Fingerprint))
	if limit == (trim{}) {
		dst = enc.appendText(dst, appevent.AttrExceptionStacktrace, stack.Unparsed)
	}
	if e.Body.Type() != pcommon.ValueTypeEmpty {
		dst = enc.appendBody(dst, e)
	}
	dst = enc.appendText(dst, "subject", e.Subject)
	dst = enc.appendAttributes(dst, e)
	return enc.appendContext(dst, e, who)
}

// appendListed appends one exception of the list.
func appendListed(dst []byte, e *appevent.Event, x *stacktrace.Exception, n int, as framing) []byte {
	name := x.Type
	if name == "" {
		name = "Error" // PostHog requires one
	}
	dst = jsonappend.String(append(dst, `{"type":`...), name)
	dst = jsonappend.String(append(dst, `,"value":`...), x.Message)
	if x.Module != "" {
		dst = jsonappend.String(append(dst, `,"module":`...), x.Module)
	}
	dst = appendMechanism(append(dst, `,"mechanism":{`...), e, x, n)
	if len(x.Frames) > 0 {
		dst = as.appendStacktrace(dst, x.Frames)
	}
	return append(dst, '}')
}

// appendMechanism appends how the exception came to be known, and closes that object. A cause says which one of the list it belongs to;
// the one that was thrown has the id 0.
func appendMechanism(dst []byte, e *appevent.Event, x *stacktrace.Exception, n int) []byte {
	kind := `"type":"generic"`
	if n > 0 {
		kind = `"type":"chained"`
	}
	dst = append(append(dst, kind...), `,"handled":`...)
	dst = jsonappend.Bool(dst, e.Handled())
	if n > 0 {
		dst = jsonappend.String(append(dst, `,"source":`...), x.Relation)
	}
	dst = append(dst, `,"synthetic":`...)
	dst = jsonappend.Bool(dst, x.Type == "")
	dst = append(dst, `,"exception_id":`...)
	dst = jsonappend.Int(dst, int64(n))
	if n > 0 {
		dst = append(dst, `,"parent_id":`...)
		dst = jsonappend.Int(dst, int64(max(x.Parent, 0)))
	}
	return append(dst, '}')
}

// fingerprintOf is what PostHog is to group the exception by: one text, where there may be several here. It has no word for the
// part that leaves the rest to the tracker, so a fingerprint with that is left to it altogether.
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
