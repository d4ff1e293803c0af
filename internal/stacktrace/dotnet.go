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
	// word precedes the calls: "at", or its translation.
	word           string
	framesIndented bool
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
	switch {
	case r.frameLine(body):
	case strings.HasPrefix(body, dotNetInner) && r.depth > 0:
		r.inner(body[len(dotNetInner):])
	case isDotNetMark(body) && r.depth > 0:
		r.mark(body)
	case r.header.open && r.inline(r.lines.start):
	case r.header.extend(r.builder, &r.lines):
	case body == "":
	case len(r.exceptions) == 0:
		r.first(body)
	default:
		r.unread(r.current(), body)
	}
}

// isDotNetMark reports whether the line is a sentence between dashes. .NET translates it.
func isDotNetMark(body string) bool {
	return len(body) > len("---  ---") && strings.HasPrefix(body, "--- ") && strings.HasSuffix(body, " ---")
}

// mark reads the end of an inner exception, which is indented like frames, or the line between the
// frames before and after an await, which is not.
func (r *dotNetReader) mark(body string) {
	r.header.open = false
	resumed := r.framesIndented && len(r.lines.line) == len(body)
	if body == dotNetEndInner || !resumed && !strings.HasPrefix(body, "--- End of stack trace") {
		r.close()
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

// frameLine reads "at Shop.Cart.Add(String item) in C:\src\Cart.cs:line 12" in any language or,
// from Mono, "at Shop.Cart.Add (System.String item) [0x00001] in /src/Cart.cs:12".
func (r *dotNetReader) frameLine(body string) bool {
	c, ok := cutDotNetCall(body)
	if !ok || c.class == "" && c.word != "at" && c.word != r.word {
		return false
	}
	indented := len(r.lines.line) > len(body)
	if c.word != "at" && !indented {
		return false
	}
	if len(r.exceptions) == 0 {
		r.enter(noParent, "")
	}
	r.header.open = false
	r.word, r.framesIndented = c.word, indented
	f := r.frame(r.current())
	f.Module, f.Function, f.Package, f.Line = c.class, c.method, c.image, c.line
	if c.path != "" {
		f.setShortPath(c.path)
	}
	return true
}

// dotNetCall is a line of a stack: the word before the call, the call and the place.
type dotNetCall struct {
	word, image, class, method, path string
	line                             int
}

// cutDotNetCall reads a line by its shape, since .NET Framework translates "at", "in" and "line".
func cutDotNetCall(body string) (c dotNetCall, ok bool) {
	body = strings.TrimRight(body, " ")
	if c, ok = cutDotNetAddress(body); ok {
		return c, true
	}
	open := strings.IndexByte(body, '(')
	if strings.HasPrefix(body, "at (wrapper ") {
		open = strings.LastIndexByte(body, '(')
	}
	if open <= 0 {
		return c, false
	}
	end := endOfArguments(body, open)
	name := strings.TrimRight(body[:open], " ")
	start := startOfName(name)
	if end < 0 || start == 0 {
		return c, false
	}
	c.word = strings.TrimRight(name[:start], " ")
	if strings.HasPrefix(c.word, "at ") { // a wrapper, or a type that a library prints before the method
		c.word = "at"
	}
	if c.path, c.line, ok = dotNetPlace(body[end:]); !ok || !isDotNetWord(c.word) {
		return c, false
	}
	c.class, c.method = cutDotNetMethod(name[start:])
	return c, c.method != ""
}

// cutDotNetAddress reads a frame of NativeAOT without a name: "at Shop!<BaseAddress>+0x1c2b3".
func cutDotNetAddress(body string) (c dotNetCall, ok bool) {
	word, frame, _ := strings.Cut(body, " ")
	image, address, ok := strings.Cut(frame, "!<BaseAddress>+0x")
	if !ok || address == "" || strings.IndexByte(frame, ' ') >= 0 || !isDotNetWord(word) {
		return c, false
	}
	return dotNetCall{word: word, image: image, method: frame[len(image)+1:]}, true
}

// isDotNetWord reports whether the text may be the word, or the few words, for "at".
func isDotNetWord(word string) bool {
	return word == "at" || word != "" && len(word) <= 40 && strings.Count(word, " ") < 4 && !strings.ContainsAny(word, `.,;=<>[]{}/\"'`)
}

// endOfArguments returns what follows the parenthesis that closes the one at open, or -1.
func endOfArguments(body string, open int) int {
	depth := 0
	for i := open; i < len(body); i++ {
		switch body[i] {
		case '(':
			depth++
		case ')':
			depth--
			if depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// startOfName returns where the qualified name of the method begins: after the last space outside
// of brackets.
func startOfName(name string) int {
	depth := 0
	for i := len(name) - 1; i >= 0; i-- {
		switch name[i] {
		case ']':
			depth++
		case '[':
			depth--
		case ' ':
			if depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// dotNetPlace reads what follows the arguments: nothing, an offset, or a word, a path and
// ":line 12" in any language. ok is false if something else follows.
func dotNetPlace(rest string) (path string, line int, ok bool) {
	rest = strings.TrimLeft(rest, " ")
	if strings.HasPrefix(rest, "[0x") { // Mono
		_, rest, _ = strings.Cut(rest, "]")
		rest = strings.TrimLeft(rest, " ")
	}
	if rest == "" || strings.HasPrefix(rest, "+ 0x") {
		return "", 0, true
	}
	word, path, ok := strings.Cut(rest, " ")
	if start := startOfPath(rest); start >= 0 {
		word, path, ok = rest[:start], rest[start:], true
	}
	if !ok || len(word) > 40 {
		return "", 0, false
	}
	if strings.HasPrefix(path, "<") { // Mono without symbols
		return "", 0, true
	}
	path, line = cutDotNetLine(path)
	return path, line, line > 0 || strings.TrimSpace(word) == "in"
}

// startOfPath returns the index of an absolute path, which may follow several words, or -1.
func startOfPath(rest string) int {
	for i := range len(rest) {
		switch rest[i] {
		case '/', '\\':
			return i
		case ':':
			if i > 0 && isSeparator(rest, i+1) {
				return i - 1
			}
		}
	}
	return -1
}

// cutDotNetLine cuts ":line 12", ":Zeile 12.", ": 行 12" or " içinde: satır 12" off a path.
func cutDotNetLine(place string) (path string, line int) {
	end := strings.TrimRight(place, ". ")
	digits := len(end)
	for digits > 0 && end[digits-1] >= '0' && end[digits-1] <= '9' {
		digits--
	}
	colon := strings.LastIndexByte(end, ':')
	if digits == len(end) || colon <= 1 || colon < lastSeparator(end) {
		return place, 0
	}
	line, _, _ = number(end[digits:])
	path = strings.TrimRight(end[:colon], " ")
	if dot := strings.LastIndexByte(path, '.'); dot > 0 {
		extension, _, _ := strings.Cut(path[dot:], " ")
		path = path[:dot+len(extension)]
	}
	return path, line
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
