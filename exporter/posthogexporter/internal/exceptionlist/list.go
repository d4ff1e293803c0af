// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package exceptionlist writes $exception_list, by which PostHog's error tracking groups and
// displays exceptions (packages/core/src/error-tracking/types.ts in PostHog/posthog-js).
package exceptionlist

import (
	"cmp"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
	"github.com/otelcol-fanout/otelcol-fanout/internal/stacktrace"
)

// Options describes the event and limits the list.
type Options struct {
	// Handled is set if the program caught the exception.
	Handled bool
	// Event is the name of an event whose exception has neither a type nor a message, or empty.
	Event string
	// Runtime is the telemetry.sdk.language of the program, or empty.
	Runtime string
	Limit   Limit
}

// Limit is the maximum number of exceptions and of frames; 0 is unlimited. The innermost and the
// outermost frames are kept.
type Limit struct{ Exceptions, Frames int }

// AppendList appends the exceptions of a stack: the thrown one, then its causes.
func AppendList(dst []byte, stack *stacktrace.Stack, o Options) []byte {
	exceptions := stack.Exceptions
	if n := o.Limit.Exceptions; n > 0 && len(exceptions) > n {
		exceptions = exceptions[:n]
	}
	as := newFraming(stack, o)
	dst = append(dst, '[')
	for i := range exceptions {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendException(dst, &exceptions[i], i, o, as)
	}
	return append(dst, ']')
}

// appendException appends one exception of the list.
func appendException(dst []byte, x *stacktrace.Exception, n int, o Options, as framing) []byte {
	name := x.Type
	if n == 0 && name == "" && x.Message == "" {
		name = o.Event
	}
	if name == "" {
		name = "Error" // PostHog requires one
	}
	dst = jsonappend.String(append(dst, `{"type":`...), name)
	dst = jsonappend.String(append(dst, `,"value":`...), x.Message)
	if x.Module != "" {
		dst = jsonappend.String(append(dst, `,"module":`...), x.Module)
	}
	dst = appendMechanism(append(dst, `,"mechanism":{`...), x, n, o.Handled)
	if len(x.Frames) > 0 {
		dst = as.appendStacktrace(dst, x.Frames)
	}
	return append(dst, '}')
}

// appendMechanism appends the members of the mechanism and closes that object. The thrown exception
// has the ID 0; a cause refers to its parent by ID.
func appendMechanism(dst []byte, x *stacktrace.Exception, n int, handled bool) []byte {
	kind := `"type":"generic"`
	if n > 0 {
		kind = `"type":"chained"`
	}
	dst = append(append(dst, kind...), `,"handled":`...)
	dst = jsonappend.Bool(dst, handled)
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

// Platforms of frames that PostHog resolves (packages/core/src/error-tracking/types.ts in
// PostHog/posthog-js). Frames of other languages are sent as resolved, because their stacks already
// name files and functions.
const (
	platformNode   = "node:javascript"
	platformWeb    = "web:javascript"
	platformPython = "python"
	platformGo     = "go"
)

// framing selects the format of the frames of a stack.
type framing struct {
	// platform is empty for resolved frames.
	platform, language string
	frames             int // maximum number; 0 is unlimited
}

// newFraming returns the format for the frames of a stack.
func newFraming(stack *stacktrace.Stack, o Options) framing {
	language := stack.Language
	f := framing{language: language.String(), frames: o.Limit.Frames}
	switch {
	case language == stacktrace.Python:
		f.platform = platformPython
	case language == stacktrace.Go:
		f.platform = platformGo
	case language == stacktrace.JavaScript && (o.Runtime == "webjs" || o.Runtime == "" && !stack.IsNode()):
		f.platform = platformWeb
	case language == stacktrace.JavaScript:
		f.platform = platformNode
	}
	return f
}

func (as framing) isJavaScript() bool {
	return as.platform == platformNode || as.platform == platformWeb
}

// appendStacktrace appends frames, the outermost first and the throwing one last.
func (as framing) appendStacktrace(dst []byte, frames []stacktrace.Frame) []byte {
	kind := "raw"
	if as.platform == "" {
		kind = "resolved"
	}
	dst = append(append(dst, `,"stacktrace":{"type":"`...), kind...)
	dst = append(dst, `","frames":[`...)
	head, tail := frames, []stacktrace.Frame(nil)
	if n := as.frames; n > 0 && len(frames) > n {
		head, tail = frames[:n/2], frames[len(frames)-n/2:]
	}
	for _, part := range [...][]stacktrace.Frame{head, tail} {
		for i := range part {
			if dst[len(dst)-1] != '[' {
				dst = append(dst, ',')
			}
			dst = as.appendFrame(dst, &part[i])
		}
	}
	return append(dst, "]}"...)
}

func (as framing) appendFrame(dst []byte, f *stacktrace.Frame) []byte {
	if as.platform == "" {
		return as.appendResolved(dst, f)
	}
	dst = jsonappend.String(append(dst, `{"platform":`...), as.platform)
	if as.isJavaScript() && f.AbsPath != "" { // PostHog uses it to find the source map
		dst = frameText(dst, "filename", f.AbsPath)
	} else {
		dst = frameText(dst, "filename", f.Filename)
		dst = frameText(dst, "abs_path", f.AbsPath)
	}
	dst = jsonappend.String(append(dst, `,"function":`...), cmp.Or(f.Function, "?")) // required
	dst = frameText(dst, "module", f.Module)
	dst = frameNumber(dst, "lineno", f.Line)
	dst = frameNumber(dst, "colno", f.Column)
	dst = frameText(dst, "context_line", f.ContextLine)
	dst = append(dst, `,"in_app":`...)
	return append(jsonappend.Bool(dst, f.InApp), '}')
}

// appendResolved appends a frame that needs no resolving
// (https://posthog.com/docs/error-tracking/installation/manual).
func (as framing) appendResolved(dst []byte, f *stacktrace.Frame) []byte {
	name := qualified(f)
	dst = jsonappend.String(append(dst, `{"raw_id":`...), name+":"+f.Filename)
	dst = jsonappend.String(append(dst, `,"mangled_name":`...), name)
	dst = jsonappend.String(append(dst, `,"resolved_name":`...), name)
	dst = frameText(dst, "source", cmp.Or(f.AbsPath, f.Filename))
	dst = frameNumber(dst, "line", f.Line)
	dst = frameNumber(dst, "column", f.Column)
	dst = append(dst, `,"in_app":`...)
	dst = jsonappend.Bool(dst, f.InApp)
	dst = jsonappend.String(append(dst, `,"lang":`...), as.language)
	return append(dst, `,"resolved":true}`...)
}

// qualified returns the function with its module.
func qualified(f *stacktrace.Frame) string {
	switch {
	case f.Module == "" || isQualified(f):
		return f.Function
	case f.Function == "":
		return f.Module
	}
	return f.Module + "." + f.Function
}

// isQualified reports whether the function begins with its module already, as Shop::Cart#add does
// in Ruby.
func isQualified(f *stacktrace.Frame) bool {
	rest, ok := strings.CutPrefix(f.Function, f.Module)
	return ok && rest != "" && strings.ContainsRune(".#:", rune(rest[0]))
}

func frameText(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(append(dst, `,"`...), name...)
	return jsonappend.String(append(dst, `":`...), value)
}

func frameNumber(dst []byte, name string, n int) []byte {
	if n <= 0 {
		return dst
	}
	dst = append(append(dst, `,"`...), name...)
	return jsonappend.Int(append(dst, `":`...), int64(n))
}
