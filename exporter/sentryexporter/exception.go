// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"slices"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
	"github.com/otelcol-fanout/otelcol-fanout/internal/stacktrace"
)

// How an exception was captured (Sentry's SDK documentation, "Exception Interface", "Exception
// Mechanism").
const (
	mechanismLog       = "auto.otel.log"
	mechanismSpanEvent = "auto.otel.span_event"
	mechanismChained   = "chained"
)

// noType is the type of an exception without one. Sentry's typed clients require a type.
const noType = "Error"

// mechanism says how the thrown exception was captured.
type mechanism struct {
	kind    string
	handled bool
	// event is the name of the event if it says more than "exception", else empty.
	event string
}

// appendExceptions appends the exceptions, the oldest cause first and the thrown one last (Sentry's
// SDK documentation, "Exception Interface"). The thrown one has the id 0.
func appendExceptions(dst []byte, stack *stacktrace.Stack, how mechanism, t trim) []byte {
	exceptions := stack.Exceptions
	if most := t.exceptions(); len(exceptions) > most {
		exceptions = exceptions[:most]
	}
	dst = append(dst, `,"exception":{"values":[`...)
	for n := range slices.Backward(exceptions) {
		dst = appendException(dst, stack.Language, how, exceptions, n, t)
		if n > 0 {
			dst = append(dst, ',')
		}
	}
	return append(dst, "]}"...)
}

func appendException(dst []byte, language stacktrace.Language, how mechanism, exceptions []stacktrace.Exception, n int, t trim) []byte {
	x := &exceptions[n]
	dst = append(dst, '{')
	name := typeOf(x, language)
	switch {
	case strings.TrimSpace(name) != "":
	case n == 0 && x.Message == "" && how.event != "": // such as device.anr
		name = how.event
	default:
		name = noType
	}
	dst = textMember(dst, "type", t.text(name))
	dst = textMember(dst, "value", t.text(x.Message))
	dst = textMember(dst, "module", t.text(x.Module))
	dst = append(dst, `,"mechanism":{`...)
	dst = appendMechanism(dst, how, exceptions, n)
	dst = append(dst, '}')
	if len(x.Frames) > 0 {
		dst = append(dst, `,"stacktrace":{"frames":`...)
		dst = appendFrames(dst, x.Frames, t)
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// typeOf returns the type as the language's Sentry SDK names it: without the module, which has a
// separate field.
func typeOf(x *stacktrace.Exception, language stacktrace.Language) string {
	if x.Module != "" && (language == stacktrace.Java || language == stacktrace.Python) {
		if name, ok := strings.CutPrefix(x.Type, x.Module+"."); ok {
			return name
		}
	}
	return x.Type
}

func appendMechanism(dst []byte, how mechanism, exceptions []stacktrace.Exception, n int) []byte {
	x := &exceptions[n]
	if n > 0 {
		how.kind = mechanismChained
	}
	dst = append(append(append(dst, `"type":"`...), how.kind...), '"')
	dst = append(dst, `,"handled":`...)
	dst = jsonappend.Bool(dst, how.handled)
	if len(exceptions) == 1 {
		return dst
	}
	dst = textMember(dst, "source", x.Relation)
	dst = append(dst, `,"exception_id":`...)
	dst = jsonappend.Int(dst, int64(n))
	if n > 0 {
		dst = append(dst, `,"parent_id":`...)
		dst = jsonappend.Int(dst, int64(max(x.Parent, 0)))
	}
	if x.Group {
		dst = append(dst, `,"is_exception_group":true`...)
	}
	return dst
}

// appendFrames appends frames, the caller first and the one that threw last (Sentry's SDK
// documentation, "Stack Trace Interface").
func appendFrames(dst []byte, frames []stacktrace.Frame, t trim) []byte {
	dst = append(dst, '[')
	head, tail := len(frames), len(frames)
	if most := t.frames(); len(frames) > most {
		head, tail = most/2, len(frames)-most/2
	}
	for n := range frames[:head] {
		dst = appendFrame(dst, &frames[n], t)
	}
	for n := range frames[tail:] {
		dst = appendFrame(dst, &frames[tail+n], t)
	}
	if dst[len(dst)-1] == ',' {
		dst = dst[:len(dst)-1]
	}
	return append(dst, ']')
}

// appendFrame appends a frame and a comma. Sentry requires a function or a file.
func appendFrame(dst []byte, f *stacktrace.Frame, t trim) []byte {
	if t >= trimBody {
		short := cutFrame(f)
		f = &short
	}
	switch {
	case f.Function != "":
		dst = jsonappend.String(append(dst, `{"function":`...), f.Function)
		dst = frameMember(dst, `,"filename":`, f.Filename)
	case f.Filename != "":
		dst = jsonappend.String(append(dst, `{"filename":`...), f.Filename)
	default:
		dst = append(dst, `{"function":"<unknown>"`...)
	}
	dst = frameMember(dst, `,"module":`, f.Module)
	dst = frameMember(dst, `,"package":`, f.Package)
	if f.AbsPath != f.Filename {
		dst = frameMember(dst, `,"abs_path":`, f.AbsPath)
	}
	if f.Line > 0 {
		dst = append(dst, `,"lineno":`...)
		dst = jsonappend.Int(dst, int64(f.Line))
	}
	if f.Column > 0 {
		dst = append(dst, `,"colno":`...)
		dst = jsonappend.Int(dst, int64(f.Column))
	}
	if t < trimFrames {
		dst = frameMember(dst, `,"context_line":`, f.ContextLine)
	}
	if f.InApp {
		return append(dst, `,"in_app":true},`...)
	}
	return append(dst, `,"in_app":false},`...)
}

// frameMember is like textMember, for a member that is not the first of its object. begin is its name
// with comma, quotes and colon. An Issue has hundreds of such members; with textMember, which checks
// for the comma, it would take a tenth longer.
func frameMember(dst []byte, begin, value string) []byte {
	if value == "" {
		return dst
	}
	return jsonappend.String(append(dst, begin...), value)
}

// cutFrame returns the frame with its texts cut, and without the absolute path.
func cutFrame(f *stacktrace.Frame) stacktrace.Frame {
	short := *f
	for _, text := range []*string{&short.Function, &short.Module, &short.Package, &short.Filename} {
		*text = cut(*text, shortText)
	}
	short.AbsPath = ""
	return short
}

// appendThreads appends the other threads of a dump (Sentry's SDK documentation, "Threads
// Interface").
func appendThreads(dst []byte, threads []stacktrace.Thread, t trim) []byte {
	if len(threads) == 0 || t >= trimFrames {
		return dst
	}
	dst = append(dst, `,"threads":{"values":[`...)
	for n := range threads {
		thread := &threads[n]
		dst = append(dst, `{"crashed":false,"current":false`...)
		dst = textMember(dst, "id", thread.ID)
		dst = textMember(dst, "name", thread.Name)
		dst = textMember(dst, "state", thread.State)
		if len(thread.Frames) > 0 {
			dst = append(dst, `,"stacktrace":{"frames":`...)
			dst = appendFrames(dst, thread.Frames, t)
			dst = append(dst, '}')
		}
		dst = append(dst, '}', ',')
	}
	return append(dst[:len(dst)-1], "]}"...)
}
