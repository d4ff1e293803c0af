// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"slices"
	"strconv"
	"strings"
)

// javaScriptReader reads Error.stack of all engines, and errors with causes as Node.js prints them
// (https://v8.dev/docs/stack-trace-api, https://nodejs.org/api/errors.html).
type javaScriptReader struct {
	*builder
	lines   lines
	current int
	header  header
	dialect scriptDialect
	source  bool // the source may follow the header, as Deno prints it

	// open are the errors and lists to which a nested error may belong, by indentation.
	open  [javaScriptDepths]javaScriptError
	depth int
	gaps  [maxExceptions]javaScriptGap
	// indents are the indentations of nested errors, which further lines of their messages have too.
	indents [maxExceptions]int
}

// scriptDialect is how the engine prints frames.
type scriptDialect uint8

const (
	anyDialect scriptDialect = iota // not known yet
	v8Dialect                       // "    at add (cart.js:12:34)"
	atDialect                       // "add@cart.js:12:34", of Firefox and Safari
)

// javaScriptDepths is how deep errors may be nested. Deeper ones are attached to the last depth.
const javaScriptDepths = 16

// javaScriptError is an error, or a list of errors such as that of an AggregateError.
type javaScriptError struct {
	index, indent int
	list          string // the property that holds the list
	members       int
}

// javaScriptGap is where Node.js omitted frames that the cause has too.
type javaScriptGap struct{ at, frames int }

func readJavaScript(b *builder) {
	r := javaScriptReader{builder: b, lines: lines{text: b.text}}
	for r.lines.scan() {
		r.read(r.lines.line)
	}
	for i := range b.exceptions {
		if n := r.indents[i]; n > 0 {
			b.exceptions[i].Message = unindentedBy(b.exceptions[i].Message, n)
		}
	}
	r.fillGaps()
}

// unindentedBy removes n spaces from the second and later lines of a message, if all have them.
func unindentedBy(message string, n int) string {
	newlines := strings.Count(message, "\n")
	if newlines == 0 {
		return message
	}
	indent := "\n" + strings.Repeat(" ", n)
	if strings.Count(message, indent) < newlines {
		return message
	}
	return strings.ReplaceAll(message, indent, "\n")
}

func (r *javaScriptReader) read(line string) {
	body := unindented(line)
	call, isV8 := strings.CutPrefix(body, "at ")
	switch {
	case isV8 && r.v8Frame(call):
	case r.atFrame(line), r.causedBy(body), r.nested(line, body):
	case r.header.open && r.lateHeader(line):
	case r.header.extend(r.builder, &r.lines):
	case body == "":
	case strings.Trim(body, "{}[], ") == "" && r.started():
		r.closeTo(len(line) - len(body))
	case !r.started():
		r.first(body)
	case strings.HasPrefix(body, "... ") && r.gap(body[len("... "):]):
	default:
		r.unread(r.current, body)
	}
}

func (r *javaScriptReader) started() bool { return len(r.exceptions) > 0 }

// first reads the header of the thrown error. It skips the location and source that Node.js prints
// above an uncaught error.
func (r *javaScriptReader) first(body string) {
	if _, line, _ := cutPosition(body); line > 0 && !strings.Contains(body, " ") {
		r.incomplete = true
		for r.lines.scan() && strings.Trim(r.lines.line, " \t^~") != "" {
			continue
		}
		return
	}
	if strings.HasPrefix(body, "(node:") {
		if _, header, ok := strings.Cut(body, ") UnhandledPromiseRejectionWarning: "); ok {
			body, r.incomplete = header, true
		}
	}
	body, r.source = strings.CutPrefix(body, "error: ") // Deno
	body = strings.TrimPrefix(body, "Uncaught ")
	r.current = r.begin(noParent, "")
	r.open[0] = javaScriptError{index: r.current}
	r.readError(strings.TrimPrefix(body, "(in promise) "))
}

// lateHeader reads the header of the thrown error if it is below a log line, or below the source, which
// Bun prints first.
func (r *javaScriptReader) lateHeader(line string) bool {
	if r.current != 0 || r.exceptions[0].Type != "" || unindented(line) != line || !isErrorHeader(line) {
		return false
	}
	r.incomplete = true
	r.readError(line)
	return true
}

// withoutSource cuts the two lines of source off a message: "    throw e;\n    ^".
func withoutSource(message string) string {
	pointer := strings.LastIndexByte(message, '\n')
	if pointer < 0 || strings.Trim(message[pointer:], " \t\r\n^~") != "" {
		return message
	}
	return message[:max(strings.LastIndexByte(message[:pointer], '\n'), 0)]
}

// readError reads "RangeError: message" or, for an error without a stack, "[RangeError: message]".
func (r *javaScriptReader) readError(header string) {
	if reference, rest, ok := strings.Cut(header, "> "); ok && strings.HasPrefix(reference, "<ref *") {
		header = rest
	}
	inner := strings.TrimRight(header, " {,")
	switch {
	case strings.HasPrefix(inner, "[") && strings.HasSuffix(inner, "]"):
		r.readHeader(&r.lines, r.current, inner[1:len(inner)-1])
		r.header.open = false
	case strings.HasPrefix(inner, "'") && r.current != 0: // a string
		r.exception(r.current).Message = strings.Trim(inner, "'")
		r.header.open = false
	case r.current == 0:
		r.header = r.readThrown(&r.lines, r.current, header)
	default:
		r.header = r.readHeader(&r.lines, r.current, header)
	}
	r.setName()
}

// setName finds the type in a header with a space: "TypeError [ERR_INVALID_ARG_TYPE]: ..." has a
// code of Node.js; in "Error [PaymentError]: ..." util.inspect added the error's own name.
func (r *javaScriptReader) setName() {
	e := r.exception(r.current)
	if class, name, message, ok := cutNamed(e.Message); ok && e.Type == "" {
		e.Type = class
		if isErrorName(name) {
			e.Type = name
		}
		r.header.start += len(e.Message) - len(message)
		e.Message = message
		if r.current == 0 && r.header.open && r.skipKnown(&r.lines, r.header.start) {
			e.Message = r.message
		}
	}
	e.Group = strings.HasPrefix(e.Type, "AggregateError")
}

// cutNamed cuts "class [name]: message".
func cutNamed(header string) (class, name, message string, ok bool) {
	class, rest, ok := strings.Cut(header, " [")
	name, message, named := strings.Cut(rest, "]: ")
	if !named {
		name, named = strings.CutSuffix(rest, "]")
	}
	if !ok || !named || strings.ContainsAny(class, " :") || strings.ContainsAny(name, " ]") {
		return "", "", "", false
	}
	return class, name, message, strings.Contains(class+name, "Error") || strings.Contains(class+name, "Exception")
}

// causedBy reads "caused by: Error: ...", as pino, bunyan, VError and Deno print causes: each below
// the error it caused.
func (r *javaScriptReader) causedBy(body string) bool {
	const caption = "caused by: "
	if !r.started() || len(body) < len(caption) || !strings.EqualFold(body[:len(caption)], caption) {
		return false
	}
	header := body[len(caption):]
	if r.header.open && !isExceptionHeader(header) {
		return false
	}
	r.current = r.begin(r.current, "cause")
	r.depth, r.open[0] = 0, javaScriptError{index: r.current}
	r.readError(header)
	return true
}

// nested reads the header of an error that belongs to another: "[cause]: Error: ..." or an item of
// "[errors]: [".
func (r *javaScriptReader) nested(line, body string) bool {
	if !r.started() || body == "" || r.header.open {
		return false
	}
	indent := len(line) - len(body)
	if r.entry(indent, body) {
		return true
	}
	if name, header, ok := r.cutMember(body); ok {
		r.closeTo(indent)
		r.enter(javaScriptError{indent: indent}, r.open[r.depth].index, name, header)
		return true
	}
	name, ok := strings.CutSuffix(body, ": [")
	return ok && r.beginList(indent, name)
}

// beginList reads the beginning of a list of errors: "[errors]: [", or a property whose first item is
// an error with frames.
func (r *javaScriptReader) beginList(indent int, name string) bool {
	group := name == "[errors]"
	if !group && (!isScriptName(name) || !isErrorHeader(unindented(r.lines.peek()))) {
		return false
	}
	r.closeTo(indent)
	parent := r.open[r.depth].index
	e := r.exception(parent)
	e.Group = e.Group || group
	r.push(javaScriptError{index: parent, indent: indent, list: strings.Trim(name, "[]")})
	return true
}

// cutMember cuts a property that holds an error: "[cause]: TypeError: message", "driverError:
// error: message". A cause may also be a string. Any other value is no exception.
func (r *javaScriptReader) cutMember(body string) (name, header string, ok bool) {
	name, header, ok = strings.Cut(body, ": ")
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	switch {
	case !ok || !isScriptName(name) || header == "":
		return "", "", false
	case r.aboveFrame() && (isErrorHeader(header) || isScriptName(header[:max(strings.Index(header, ": "), 0)])):
		return name, header, true
	case body[0] != '[' || name != "cause":
		return "", "", false
	}
	value := strings.TrimRight(header, " {,")
	return name, header, isErrorHeader(header) || strings.HasPrefix(value, "'") || strings.HasPrefix(value, "[") && isErrorHeader(strings.Trim(value, "[]"))
}

// aboveFrame reports whether the next line is a frame of V8.
func (r *javaScriptReader) aboveFrame() bool {
	call, ok := strings.CutPrefix(unindented(r.lines.peek()), "at ")
	_, _, isFrame := cutV8Call(call)
	return ok && isFrame
}

// isErrorHeader reports whether the line is "RangeError: message" or "RangeError [CODE]: message".
func isErrorHeader(line string) bool {
	_, _, _, named := cutNamed(line)
	return named || isExceptionHeader(line)
}

// isScriptName reports whether the text may be the name of a property or a function, or a scheme.
func isScriptName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c != '$' && c != '-' && !isIdentifier(c) {
			return false
		}
	}
	return name != "" && name[0] > '9'
}

// entry reads the header of an error in a list.
func (r *javaScriptReader) entry(indent int, body string) bool {
	if r.depth == 0 || strings.Trim(body, "{}[], ") == "" {
		return false
	}
	typ, _ := cutType(strings.TrimPrefix(body, "["))
	if !isErrorHeader(body) && !strings.Contains(typ, "Error") && !strings.Contains(typ, "Exception") && (!isScriptName(typ) || !r.aboveFrame()) {
		return false
	}
	r.closeTo(indent)
	list := &r.open[r.depth]
	if list.list == "" {
		return false
	}
	list.members++
	r.enter(javaScriptError{indent: indent}, list.index, list.list+"["+strconv.Itoa(list.members-1)+"]", body)
	return true
}

func (r *javaScriptReader) enter(e javaScriptError, parent int, relation, header string) {
	r.current = r.begin(parent, relation)
	e.index = r.current
	if e.index != none {
		r.indents[e.index] = e.indent
	}
	r.push(e)
	r.readError(header)
}

// closeTo closes the errors that are indented at least as far.
func (r *javaScriptReader) closeTo(indent int) {
	for r.depth > 0 && r.open[r.depth].indent >= indent {
		r.depth--
	}
}

func (r *javaScriptReader) push(e javaScriptError) {
	r.depth = min(r.depth+1, javaScriptDepths-1)
	r.open[r.depth] = e
}

// gap reads "... 4 lines matching cause stack trace ...". The cause follows later.
func (r *javaScriptReader) gap(rest string) bool {
	n, rest, ok := number(rest)
	if !ok || rest != " lines matching cause stack trace ..." || r.current == none || r.gaps[r.current].frames > 0 {
		return false
	}
	r.gaps[r.current] = javaScriptGap{at: r.framesOf(r.current), frames: n}
	return true
}

// fillGaps inserts the omitted frames. The cause also has the frame before the gap. Causes follow
// the errors they caused, so the loop runs backward to fill them first.
func (r *javaScriptReader) fillGaps() {
	for i := range slices.Backward(r.exceptions) {
		if r.gaps[i].frames > 0 && !r.fillGap(i, r.gaps[i]) {
			r.incomplete = true
		}
	}
}

func (r *javaScriptReader) fillGap(index int, gap javaScriptGap) bool {
	cause := r.causeOf(index)
	if cause == none || gap.at == 0 || r.framesOf(index) > maxFrames {
		return false
	}
	before := r.frames[r.exceptionFrames[index].start+gap.at-1]
	e := r.exceptionFrames[cause]
	for i := e.start; i < e.end(); i++ {
		if r.frames[i] == before {
			return r.insertFrames(index, gap.at, cause, i+1-e.start, gap.frames)
		}
	}
	return false
}

func (r *javaScriptReader) causeOf(index int) int {
	for i := range r.exceptions {
		if r.exceptions[i].Parent == index && r.exceptions[i].Relation == "cause" {
			return i
		}
	}
	return none
}

// v8Frame reads "fn (file:///app/cart.js:12:34)" and the other formats of V8.
func (r *javaScriptReader) v8Frame(call string) bool {
	function, location, ok := cutV8Call(call)
	if !ok || r.dialect == atDialect {
		return false
	}
	r.dialect = v8Dialect
	path, line, column := cutPosition(location)
	f := r.add()
	f.Function = function
	f.setScript(path, line, column)
	r.setScriptModule(f)
	return true
}

// What engines print in place of a file for code that is not JavaScript.
const (
	nativeCode   = "[native code]"
	unknownCode  = "unknown" // Bun
	wasmCode     = "[wasm code]"
	wasmFunction = ":wasm-function["
	debuggerCode = "debugger eval code" // the console of Firefox
	userScript   = "user-script:"       // a script that an app injects into Safari
)

// atFrame reads "fn@https://example.com/cart.js:12:34", the format of Firefox and Safari.
func (r *javaScriptReader) atFrame(line string) bool {
	if r.dialect == v8Dialect {
		return false
	}
	function, location, ok := cutAtFrame(line)
	path, at, column := cutPosition(location)
	if !ok {
		function, at, column, ok = r.cutBareFrame(line)
		path = ""
	}
	if !ok || r.dialect == anyDialect && r.hasV8Frame() {
		return false
	}
	r.dialect = atDialect
	f := r.add()
	f.Function = strings.TrimPrefix(function[strings.LastIndexByte(function, '*')+1:], "async ") // without "async*" or "promise callback*"
	f.setScript(path, at, column)
	r.setScriptModule(f)
	return true
}

// cutBareFrame cuts "fn@12:345" or "12:345", which JavaScriptCore prints for bundles without a name.
// Other text may look the same, so the first frame must have a function and be followed by another.
func (r *javaScriptReader) cutBareFrame(line string) (function string, at, column int, ok bool) {
	function, at, column = cutBare(line)
	if at == 0 || r.dialect == atDialect {
		return function, at, column, at > 0
	}
	_, next, _ := cutBare(r.lines.peek())
	return function, at, column, function != "" && next > 0
}

// hasV8Frame reports whether a frame of V8 follows, so that this line is part of a message. The caller
// calls it at most once, since it scans the rest of the text.
func (r *javaScriptReader) hasV8Frame() bool {
	rest := r.lines
	if !strings.Contains(rest.text[rest.start:], " at ") {
		return false
	}
	for rest.scan() {
		call, ok := strings.CutPrefix(unindented(rest.line), "at ")
		if _, _, isFrame := cutV8Call(call); ok && isFrame && rest.line[0] == ' ' {
			r.dialect = v8Dialect
			return true
		}
	}
	return false
}

// add adds a frame to the current error.
func (r *javaScriptReader) add() *Frame {
	if !r.started() {
		r.current = r.begin(noParent, "")
		r.open[0] = javaScriptError{index: r.current}
	}
	if e := r.exception(r.current); r.source {
		r.source, r.incomplete = false, true
		e.Message = withoutSource(e.Message)
	}
	r.header.open = false
	return r.frame(r.current)
}
