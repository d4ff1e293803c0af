// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"strconv"
	"strings"
)

// dotNetReader reads the result of Exception.ToString in .NET, .NET Framework and Mono
// (https://learn.microsoft.com/dotnet/api/system.exception.tostring).
type dotNetReader struct {
	*builder
	lines  lines
	header header
	// open[:depth] are the exceptions whose frames are still to come, innermost last: the frames of
	// an inner exception precede those of the outer one.
	open  [maxExceptions + 1]int
	depth int
}

const (
	dotNetInner    = "---> "
	dotNetEndInner = "--- End of inner exception stack trace ---"
)

func readDotNet(b *builder) {
	r := dotNetReader{builder: b, lines: lines{text: b.text}}
	for r.lines.scan() {
		r.read(r.lines.line)
	}
}

func (r *dotNetReader) read(line string) {
	body := unindented(line)
	closed := 0
	for strings.HasSuffix(body, "<---") { // the end of a member of an AggregateException
		body = strings.TrimRight(strings.TrimSuffix(body, "<---"), " \t")
		closed++
	}
	r.readBody(body)
	for range closed {
		r.close()
	}
}

func (r *dotNetReader) readBody(body string) {
	call, isFrame := strings.CutPrefix(body, "at ")
	switch {
	case isFrame && r.frameLine(call):
	case strings.HasPrefix(body, dotNetInner) && r.depth > 0:
		r.inner(body[len(dotNetInner):])
	case body == dotNetEndInner && r.depth > 1:
		r.close()
	case strings.HasPrefix(body, "--- End of stack trace from previous location"):
		r.header.open = false
	case r.header.open && r.inline(r.lines.start):
	case r.header.extend(r.builder, &r.lines):
	case body == "":
	case len(r.exceptions) == 0:
		r.first(body)
	default:
		r.incomplete = true
	}
}

// first reads the header of the exception that was thrown.
func (r *dotNetReader) first(body string) {
	body = strings.TrimPrefix(body, "Unhandled exception. ")
	body = strings.TrimPrefix(body, "Unhandled Exception: ")
	r.enter(noParent, "")
	r.header = r.readThrown(&r.lines, r.current(), body)
	r.begun()
}

// begun completes the header of the current exception. .NET Framework and Mono print inner
// exceptions on the same line: "Outer: message ---> Inner: message".
func (r *dotNetReader) begun() {
	r.describe(r.exception(r.current()))
	if r.header.open {
		r.inline(r.header.start)
	}
}

// inline reads the inner exceptions on a header's line, from offset start, and reports whether
// there are any.
func (r *dotNetReader) inline(start int) bool {
	found := false
	for {
		rest := r.text[min(start, r.lines.end):r.lines.end]
		message, inner, ok := strings.Cut(rest, " "+dotNetInner)
		if typ, _ := cutType(inner); !ok || !strings.Contains(typ, ".") || r.current() == none {
			return found
		}
		found = true
		r.exception(r.current()).Message = r.text[r.header.start : start+len(message)]
		r.enter(r.current(), "InnerException")
		r.header = r.readHeader(&r.lines, r.current(), inner)
		r.describe(r.exception(r.current()))
		start = r.header.start
	}
}

func (*dotNetReader) describe(e *Exception) {
	e.Group = strings.HasSuffix(e.Type, "AggregateException")
}

// inner reads the header of an inner exception, or of a member of an AggregateException: "(Inner
// Exception #1) Type: message".
func (r *dotNetReader) inner(header string) {
	relation := "InnerException"
	if member, ok := strings.CutPrefix(header, "(Inner Exception #"); ok {
		n, rest, ok := number(member)
		if rest, closed := strings.CutPrefix(rest, ") "); ok && closed {
			relation, header = "InnerExceptions["+strconv.Itoa(n)+"]", rest
		}
	}
	r.enter(r.current(), relation)
	r.header = r.readHeader(&r.lines, r.current(), header)
	r.begun()
}

func (r *dotNetReader) current() int {
	if r.depth == 0 {
		return none
	}
	return r.open[r.depth-1]
}

func (r *dotNetReader) enter(parent int, relation string) {
	index := r.begin(parent, relation)
	if r.depth < len(r.open) {
		r.open[r.depth] = index
		r.depth++
	}
}

// close returns to the enclosing exception. .NET Framework prints the first member of an
// AggregateException twice.
func (r *dotNetReader) close() {
	r.header.open = false
	if r.depth < 2 {
		return
	}
	closed := r.current()
	r.depth--
	if closed != none && r.exceptions[closed].Relation == "InnerExceptions[0]" && r.isRepeated(closed) {
		r.dropFrom(closed)
	}
}

// isRepeated reports whether the exception was printed before as the InnerException of the same
// parent.
func (r *dotNetReader) isRepeated(index int) bool {
	repeated := &r.exceptions[index]
	for i := range r.exceptions[:index] {
		e := &r.exceptions[i]
		if e.Relation == "InnerException" && e.Parent == repeated.Parent && e.Type == repeated.Type && e.Message == repeated.Message {
			return r.framesOf(i) == r.framesOf(index)
		}
	}
	return false
}

// frameLine reads "Shop.Cart.Add(String item) in C:\src\Cart.cs:line 12" or, from Mono,
// "Shop.Cart.Add (System.String item) [0x00001] in /src/Cart.cs:12".
func (r *dotNetReader) frameLine(call string) bool {
	call = strings.TrimRight(call, " ")
	open := strings.IndexByte(call, '(')
	if open == 0 && strings.HasPrefix(call, "(wrapper ") {
		open = strings.LastIndexByte(call, '(')
	}
	if open <= 0 {
		return false
	}
	path, ok := dotNetPath(call[open:])
	name := strings.TrimRight(call[:open], " ")
	class, method := cutDotNetMethod(name)
	if !ok || class == "" || method == "" {
		return false
	}
	if len(r.exceptions) == 0 {
		r.enter(noParent, "")
	}
	r.header.open = false
	f := r.frame(r.current())
	f.Module, f.Function = class, method
	f.setDotNetPath(path)
	return true
}

// dotNetPath returns the path after the arguments, if any; ok is false if something else follows.
func dotNetPath(arguments string) (path string, ok bool) {
	if arguments[len(arguments)-1] == ')' {
		return "", true
	}
	if _, path, ok := strings.Cut(arguments, ") in "); ok {
		return path, true
	}
	_, offset, ok := strings.Cut(arguments, ") [0x")
	_, path, _ = strings.Cut(offset, "] in ")
	return path, ok
}

func (f *Frame) setDotNetPath(path string) {
	if path == "" || path[0] == '<' { // Mono without symbols
		return
	}
	if i := strings.LastIndex(path, ":line "); i >= 0 {
		f.Line, _, _ = number(path[i+len(":line "):])
		path = path[:i]
	} else {
		path, f.Line, _ = cutPosition(path)
	}
	f.setShortPath(path)
}

// cutDotNetMethod cuts the qualified name of a method. It maps compiler-generated classes of async
// methods, iterators and closures to the source: "Shop.Cart.<Add>d__5.MoveNext" is Add of
// Shop.Cart.
func cutDotNetMethod(name string) (class, method string) {
	dot := strings.LastIndexByte(name[:endOfMethod(name)], '.')
	if dot < 0 {
		return "", name
	}
	if dot > 0 && name[dot-1] == '.' { // ".ctor"
		dot--
	}
	class, method = name[:dot], name[dot+1:]
	if method == "MoveNext" {
		class, method = cutStateMachine(class)
	}
	for _, closure := range [...]string{".<>c", "+<>c"} {
		if i := strings.Index(class, closure); i > 0 {
			class = class[:i]
		}
	}
	return class, method
}

// endOfMethod returns where the generic arguments of the method begin: "Map[System.Int32]". A class
// may have some too.
func endOfMethod(name string) int {
	if !strings.HasSuffix(name, "]") {
		return len(name)
	}
	depth := 0
	for i := len(name) - 1; i >= 0; i-- {
		switch name[i] {
		case ']':
			depth++
		case '[':
			depth--
		}
		if depth == 0 {
			return i
		}
	}
	return len(name)
}

func cutStateMachine(class string) (outer, method string) {
	open, closing := strings.LastIndex(class, ".<"), strings.LastIndex(class, ">d")
	if open < 0 {
		open = strings.LastIndex(class, "+<")
	}
	if open <= 0 || closing < open+len(".<") {
		return class, "MoveNext"
	}
	return class[:open], class[open+len(".<") : closing]
}
