// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"slices"
	"strings"
)

// maxLayers is the length of a message beyond which no more layers are added.
const maxLayers = 4096

// goLine returns the line without the prefix that cockroachdb/errors prints before stacks.
func goLine(line string) string { return strings.TrimPrefix(line, "  | ") }

// wraps reads the message below the stack of a wrapped error. github.com/pkg/errors prints the root
// first: the error of this message wraps the one above.
func (r *goReader) wraps(line string) bool {
	if r.panics || r.goroutines > 0 || r.layered || r.message != "" && !strings.Contains(r.message, line) {
		return false
	}
	inner := r.current
	r.current = r.begin(noParent, "")
	if r.current == none {
		return true
	}
	r.exception(inner).Parent, r.exception(inner).Relation = r.current, "cause"
	r.header = header{index: r.current, start: r.lines.start, open: true}
	r.exception(r.current).Message = line
	return true
}

// joinRoot sets the message of the root of wrapped errors as Go joins it: "read: EOF". It is printed
// as "EOF" and "read" on two lines.
func (r *goReader) joinRoot() {
	if r.layered || len(r.exceptions) < 2 || r.panics || !strings.Contains(r.exceptions[0].Message, "\n") {
		return
	}
	parts := strings.Split(r.exceptions[0].Message, "\n")
	slices.Reverse(parts)
	if joined := strings.Join(parts, ": "); strings.HasSuffix(r.message, joined) {
		r.exceptions[0].Message = joined
	}
}

// layer reads a line about the layers of an error of cockroachdb/errors. A second stack is that of a
// cause, whose message follows in the layers below.
func (r *goReader) layer(line string) bool {
	switch layer, isWrapped := strings.CutPrefix(line, "Wraps: ("); {
	case strings.HasPrefix(line, "  -- stack trace:"):
		if r.framesOf(r.current) > 0 {
			r.current = r.begin(r.current, "cause")
		}
	case isWrapped:
		_, text, _ := strings.Cut(layer, ") ")
		r.layerMessage(text)
	case !strings.HasPrefix(line, "(1) ") && !strings.HasPrefix(line, "Error types: (1) "):
		return false
	}
	r.header.open = false
	return true
}

// layerMessage adds the text of a layer to the message of the current cause.
func (r *goReader) layerMessage(text string) {
	if text == "attached stack trace" || r.current <= 0 {
		return
	}
	e := r.exception(r.current)
	if len(e.Message) > maxLayers {
		r.incomplete = true
		return
	}
	if e.Message != "" {
		text = e.Message + ": " + text
	}
	e.Message = text
}

// isEris reports whether the text has stacks as rotisserie/eris prints them.
func isEris(text string) bool {
	l := lines{text: text}
	for l.scan() {
		if strings.HasPrefix(l.line, "\t") {
			_, _, _, ok := cutErisFrame(l.line)
			return ok
		}
	}
	return false
}

// readEris reads an error of rotisserie/eris: each message is followed by its frames, and by the
// error that it wraps.
func readEris(b *builder) {
	l := lines{text: b.text}
	h := header{index: none}
	for l.scan() {
		function, path, at, isFrame := cutErisFrame(l.line)
		switch {
		case isFrame:
			if len(b.exceptions) == 0 {
				h.index = b.begin(noParent, "")
			}
			h.open = false
			f := b.frame(h.index)
			f.setGoFunction(function)
			f.Line = at
			f.setGoPath(path)
		case h.extend(b, &l), isBlank(l.line):
		default:
			relation := ""
			if h.index != none {
				relation = "cause"
			}
			h = header{index: b.begin(h.index, relation), start: l.start, open: true}
			b.exception(h.index).Message = l.line
		}
	}
	for i := range b.exceptionFrames {
		b.sortEris(&b.exceptionFrames[i])
	}
}

// sortEris puts the innermost frame first. eris prints the caller first, unless it was told to
// invert the trace.
func (b *builder) sortEris(e *extent) {
	b.settle(e)
	frames := b.frames[e.start:e.end()]
	if len(frames) < 2 {
		return
	}
	last := &frames[len(frames)-1]
	if last.Module != "runtime" && (last.Module != "main" || last.Function != "main") {
		slices.Reverse(frames)
	}
}

// cutErisFrame cuts "\tmain.GetResource:/srv/app/get.go:52".
func cutErisFrame(line string) (function, path string, at int, ok bool) {
	call, ok := strings.CutPrefix(line, "\t")
	if !ok {
		return "", "", 0, false
	}
	location, at, ok := cutNumber(call)
	function, path, found := strings.Cut(location, ":")
	ok = ok && found && strings.HasSuffix(path, ".go") && strings.Contains(function, ".") && !strings.ContainsAny(function, " \t")
	return function, path, at, ok
}
