// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"slices"
	"strings"
)

// goForm is the form of a Go stack.
type goForm uint8

const (
	goRuntime goForm = iota // the runtime and github.com/pkg/errors
	goEris                  // github.com/rotisserie/eris
	goXerrors               // golang.org/x/xerrors
	goSource                // github.com/go-errors/errors and gin, with source lines
)

// goFormOf returns the form of the first frame.
func goFormOf(text string) goForm {
	l := lines{text: text}
	for l.scan() {
		switch {
		case l.line == "":
		case l.line[0] == '\t':
			if _, _, _, ok := cutErisFrame(l.line); ok {
				return goEris
			}
			return goRuntime
		case isXerrorsFrame(l.line, l.peek()):
			return goXerrors
		case isGoSourceFrame(l.line):
			return goSource
		}
	}
	return goRuntime
}

// wrappingMessage reads a message below a stack. github.com/pkg/errors prints the root first, so the
// error with this message wraps the one above.
func (r *goReader) wrappingMessage(line string) bool {
	if r.panics || r.goroutines > 0 || r.message != "" && !strings.Contains(r.message, line) {
		return false
	}
	if r.wrap() {
		r.header = header{index: r.current, start: r.lines.start, open: true}
		r.exception(r.current).Message = line
	}
	return true
}

// wrap begins the exception that wraps the current one.
func (r *goReader) wrap() bool {
	inner := r.current
	r.current = r.begin(noParent, "")
	if r.current == none {
		return false
	}
	r.exception(inner).Parent, r.exception(inner).Relation = r.current, "cause"
	return true
}

// wrapSilently begins the stack of an error that wraps the one above without adding a message. It does
// so if the stack above is complete, that is, ends with runtime.goexit.
func (r *goReader) wrapSilently() {
	if r.panics || r.goroutines > 0 || r.inThread || r.framesOf(r.current) == 0 {
		return
	}
	if last := r.lastFrame(r.current); last.Module != "runtime" || last.Function != "goexit" {
		return
	}
	message := r.exception(r.current).Message
	if r.wrap() {
		r.exception(r.current).Message = message
	}
}

// joinRoot joins the message of the root of wrapped errors as Go does: "read: EOF". It is printed as
// two lines, "EOF" and "read".
func (r *goReader) joinRoot() {
	if len(r.exceptions) == 0 || r.panics || !strings.Contains(r.exceptions[0].Message, "\n") {
		return
	}
	parts := strings.Split(r.exceptions[0].Message, "\n")
	slices.Reverse(parts)
	if joined := strings.Join(parts, ": "); strings.HasSuffix(r.message, joined) {
		r.exceptions[0].Message = joined
	}
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
			h = b.cause(h.index, l.start, l.line)
		}
	}
	for i := range b.exceptionFrames {
		b.sortEris(&b.exceptionFrames[i])
	}
}

// cause begins the exception of a Go error: the cause of parent, or the first one of the text.
func (b *builder) cause(parent, start int, message string) header {
	relation := ""
	if len(b.exceptions) > 0 {
		relation = "cause"
	}
	h := header{index: b.begin(parent, relation), start: start, open: true}
	b.exception(h.index).Message = message
	return h
}

// sortEris puts the innermost frame first. eris prints the caller first, unless it is configured to
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

// readXerrors reads an error of golang.org/x/xerrors: each message is followed by the place where the
// error was created, and by "  - " with the error that it wraps.
func readXerrors(b *builder) {
	l := lines{text: b.text}
	h := header{index: none}
	for l.scan() {
		message, isCause := strings.CutPrefix(l.line, "  - ")
		switch {
		case len(b.exceptions) == 0:
			h = b.cause(none, l.start, "")
			b.xerrorsMessage(&h, &l)
		case isCause:
			h = b.cause(h.index, l.end-len(message), "")
			b.xerrorsMessage(&h, &l)
		case isXerrorsFrame(l.line, l.peek()):
			h.open = false
			f := b.frame(h.index)
			f.setGoFunction(l.line[len("    "):])
			l.scan()
			path, at, _ := cutNumber(unindented(l.line))
			f.Line = at
			f.setGoPath(path)
		case h.open && strings.HasPrefix(l.line, "    "):
			b.xerrorsMessage(&h, &l)
		case isBlank(l.line):
		default:
			b.unread(h.index, l.line)
		}
	}
	for i := range b.exceptions {
		b.exceptions[i].Message = withoutIndents(b.exceptions[i].Message)
	}
}

// xerrorsMessage sets the message, which ends in a colon if details follow.
func (b *builder) xerrorsMessage(h *header, l *lines) {
	b.exception(h.index).Message = strings.TrimSuffix(b.text[h.start:l.end], ":")
}

// isXerrorsFrame reports whether the lines are "    main.load" and "        /srv/app/load.go:8".
func isXerrorsFrame(line, next string) bool {
	function, ok := strings.CutPrefix(line, "    ")
	path, isLocation := strings.CutPrefix(next, "        ")
	if !ok || !isLocation || !strings.Contains(function, ".") || strings.ContainsAny(function, " \t") {
		return false
	}
	path, _, ok = cutNumber(path)
	return ok && strings.HasSuffix(path, ".go")
}

// readGoSource reads stacks with source lines, as github.com/go-errors/errors and the recovery of gin
// print them. Their functions have no package.
func readGoSource(b *builder) {
	l := lines{text: b.text}
	h := header{index: none}
	for l.scan() {
		switch {
		case isGoSourceFrame(l.line):
			if len(b.exceptions) == 0 {
				h = b.cause(none, 0, "")
			}
			h.open = false
			b.goSourceFrame(b.frame(h.index), &l)
		case h.extend(b, &l), isBlank(l.line):
		case len(b.exceptions) == 0:
			h = b.cause(none, l.start, l.line)
			b.goSourceType(&h, &l)
		default:
			b.unread(h.index, l.line)
		}
	}
	b.dropTop(h.index, (*Frame).panics, (*Frame).raisesPanic)
}

// goSourceType cuts "*errors.errorString no stock".
func (b *builder) goSourceType(h *header, l *lines) {
	e := b.exception(h.index)
	typ, message, ok := strings.Cut(l.line, " ")
	if ok && (typ[:min(1, len(typ))] == "*" || message == b.message) {
		e.Type, e.Message = typ, message
		h.start += len(typ) + 1
	}
	if b.skipKnown(l, h.start) {
		e.Message = b.message
	}
}

// goSourceFrame reads "/srv/app/cart.go:12 (0x6670c5)" and, if the source is at hand, the line below
// it: "\t(*Cart).Add: return errNoStock".
func (b *builder) goSourceFrame(f *Frame, l *lines) {
	path, at, _ := cutGoSource(l.line)
	if call, ok := strings.CutPrefix(l.peek(), "\t"); ok {
		if function, source, ok := strings.Cut(call, ": "); ok {
			f.Function, f.ContextLine = function, unindented(source)
			l.scan()
		}
	}
	f.Line = at
	f.setGoPath(path)
}

func isGoSourceFrame(line string) bool {
	path, _, ok := cutGoSource(line)
	return ok && (strings.HasSuffix(path, ".go") || strings.HasSuffix(path, ".s"))
}

// cutGoSource cuts "/srv/app/cart.go:12 (0x6670c5)".
func cutGoSource(line string) (path string, at int, ok bool) {
	location, counter, ok := strings.Cut(line, " (0x")
	if !ok || !strings.HasSuffix(counter, ")") {
		return "", 0, false
	}
	path, at, ok = cutNumber(location)
	return path, at, ok && path != ""
}
