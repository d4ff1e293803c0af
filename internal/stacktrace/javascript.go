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

// cutV8Call cuts a frame of V8. The function is empty if it is anonymous.
func cutV8Call(call string) (function, location string, ok bool) {
	call = strings.TrimRight(call, " {,")
	call = strings.TrimPrefix(call, "async ")
	location = call
	if strings.HasSuffix(call, ")") {
		if i := strings.Index(call, " ("); i >= 0 {
			function, location = call[:i], call[i+len(" ("):len(call)-1]
		}
	}
	path, line, _ := cutPosition(location)
	isPlace := line > 0 || isV8Location(location) || function != "" && isScriptFile(path) && strings.IndexByte(path, ' ') < 0
	if !isPlace {
		return cutOtherCall(call)
	}
	if function == "" && path == "" {
		return "", "", false
	}
	function, _, _ = strings.Cut(function, " [as ")
	switch function {
	case "<anonymous>", "anonymous", "Anonymous function": // Hermes and Edge print words
		function = ""
	}
	return function, location, true
}

// cutOtherCall cuts a frame of Rhino, "cart.js:12 (add)", or of Google Apps Script, "add(Code:12:34)".
func cutOtherCall(call string) (function, location string, ok bool) {
	before, inside, ok := strings.Cut(call, "(")
	inside, closed := strings.CutSuffix(inside, ")")
	if !ok || !closed {
		return "", "", false
	}
	if _, line, column := cutPosition(inside); line > 0 && column > 0 && before != "" && !strings.ContainsAny(before, " <") {
		return before, inside, true
	}
	place, spaced := strings.CutSuffix(before, " ")
	_, line, column := cutPosition(place)
	return inside, place, spaced && line > 0 && column == 0 && isScriptName(inside)
}

// isV8Location reports whether V8 prints this in place of a file.
func isV8Location(location string) bool {
	return location == "<anonymous>" || location == "native" || location == unknownCode || location == ":0" || strings.HasPrefix(location, "index ") ||
		strings.HasPrefix(location, "eval at ") || strings.HasPrefix(location, "wasm://") || strings.Contains(location, wasmFunction)
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

func cutBare(line string) (function string, at, column int) {
	function, location, ok := strings.Cut(line, "@")
	if !ok {
		function, location = "", line
	} else if !isScriptName(function) {
		return "", 0, 0
	}
	at, rest, _ := number(location)
	before, column, ok := cutNumber(rest)
	if !ok || before != "" || column == 0 {
		return "", 0, 0
	}
	return function, at, column
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

// cutAtFrame cuts a frame of Firefox or Safari. Safari prints no location for native code and the code
// of eval, and JavaScriptCore prints no "@" for anonymous functions.
func cutAtFrame(line string) (function, location string, ok bool) {
	if isSafariCode(line) {
		return line, nativeCode, true
	}
	function, location, ok = strings.Cut(line, "@")
	switch {
	case isScriptURL(line), !ok:
		path, _, column := cutPosition(line)
		return "", line, column > 0 && strings.IndexByte(line, ' ') < 0 && (isScriptURL(line) || isScriptFile(path))
	case location == nativeCode, location == wasmCode:
		return function, location, true
	case location == "" && isSafariCode(function), location == "" && function != "" && !strings.ContainsAny(function, " :."):
		return function, nativeCode, true
	case strings.HasPrefix(location, debuggerCode), strings.HasPrefix(location, userScript):
		return function, location, true
	case strings.Contains(function, ": "), strings.Contains(location, " ") && !strings.Contains(location, " > "):
		return "", "", false
	}
	path, at, _ := cutPosition(location)
	return function, location, at > 0 && strings.ContainsAny(path, "/.<") || strings.Contains(location, wasmFunction)
}

// isScriptFile reports whether the path ends like that of a script or of a React Native bundle.
func isScriptFile(path string) bool {
	return hasAnySuffix(path, ".js", ".mjs", ".cjs", ".ts", ".jsx", ".tsx", "bundle", ".hbc")
}

// isScriptURL reports whether the line begins with a scheme.
func isScriptURL(line string) bool {
	scheme, _, ok := strings.Cut(line, "://")
	return ok && isScriptName(scheme) || strings.HasPrefix(line, "blob:")
}

// isSafariCode reports whether the line is a name that Safari prints in place of a frame.
func isSafariCode(line string) bool {
	return line == nativeCode || line == "eval code" || line == "global code" || line == "module code"
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

// setScript sets the location: a path, a URL or a placeholder of the engine. Code that eval runs has
// no source, so its location is the call of eval.
func (f *Frame) setScript(path string, line, column int) {
	if strings.HasPrefix(path, "eval at ") {
		path, line, column = evalCaller(path)
		f.Native = true
	}
	path = strings.TrimPrefix(path, "address at ") // Hermes
	if url, rest, ok := strings.Cut(path, " line "); ok && strings.Contains(rest, " > ") {
		path = url // Firefox: the caller of eval
		line, _, _ = number(rest)
		column = 0
		f.Native = true
	}
	if column == 0 && isNumber(path) { // Bun's own code has no file: "2:1"
		column = line
		line, _, _ = number(path)
		path = unknownCode
	}
	f.Line, f.Column = line, column
	switch {
	case path == "native", path == unknownCode, path == nativeCode, path == wasmCode, line == 0 && (path == "" || strings.HasPrefix(path, "index ")):
		f.Native = true
		if f.Function == "" {
			f.Filename = path
		}
		return
	case path == "<anonymous>" && line == 0, strings.Contains(path, wasmFunction):
		f.Native = true
	}
	f.setScriptPath(path)
}

// evalCaller returns the location of the code that called eval: the innermost parentheses of "eval
// at f (eval at g (cart.js:1:2), ...)". The path may have parentheses too.
func evalCaller(location string) (path string, line, column int) {
	inner := location[strings.LastIndex(location, "eval at ")+len("eval at "):]
	open := strings.IndexByte(inner, '(')
	if end := endOfArguments(inner, max(open, 0)); open >= 0 && end > 0 {
		inner = inner[open+1 : end-1]
	}
	return cutPosition(inner)
}

// setScriptPath sets the path or URL. For bundles of webpack and Turbopack, Filename is the path of
// the source.
func (f *Frame) setScriptPath(path string) {
	path = withoutFileScheme(withoutReactServer(path))
	f.setPath(path)
	if scheme, rest, ok := strings.Cut(path, "://"); ok && (strings.HasPrefix(scheme, "webpack") || scheme == "turbopack") {
		f.Filename, f.AbsPath = webpackPath(rest), path
	}
	if !strings.Contains(path, "node_modules") {
		return
	}
	if library, ok := after(f.Filename, "node_modules"); ok && !strings.Contains(library, ".bundle") { // Metro's are the whole app
		library, _, _ = strings.Cut(library, "?")
		f.Filename, f.AbsPath, f.Package = library, path, npmPackage(library)
	}
}

// withoutReactServer returns the path that React reports for code on the server:
// "rsc://React/Server/file:///app/page.js?12".
func withoutReactServer(path string) string {
	for _, prefix := range [...]string{"rsc://React/", "about://React/"} {
		if rest, ok := strings.CutPrefix(path, prefix); ok {
			_, rest, _ = strings.Cut(rest, "/")
			rest, _, _ = strings.Cut(rest, "?")
			return rest
		}
	}
	return path
}

// webpackPath returns the path after the namespace: "shop/./src/cart.ts" and "/(rsc)/./src/cart.ts"
// are "src/cart.ts".
func webpackPath(rest string) string {
	if _, path, ok := strings.Cut(rest, "/./"); ok {
		rest = path
	} else {
		_, rest, _ = strings.Cut(rest, "/")
	}
	path, _, _ := strings.Cut(rest, "?")
	return strings.TrimPrefix(path, "[project]/") // Turbopack
}

// npmPackage returns the first folder of a path in node_modules, or the first two if the first is a
// scope.
func npmPackage(library string) string {
	name := firstElement(library)
	if strings.HasPrefix(name, "@") && len(name) < len(library) {
		name = library[:len(name)+1+len(firstElement(library[len(name)+1:]))]
	}
	return name
}

func (f *Frame) isJavaScriptLibrary() bool {
	if f.Native || f.Package != "" {
		return true
	}
	base := f.Filename[strings.LastIndexByte(f.Filename, '/')+1:]
	if strings.HasPrefix(base, "node_modules_") { // a chunk of Turbopack
		return true
	}
	switch base {
	case "<anonymous>", "eval code", debuggerCode: // evaluated
		return true
	case "InternalBytecode.js", "[eval]-wrapper", "[stdin]-wrapper", "[worker eval]-wrapper", ".pnp.cjs", ".pnp.js", ".pnp.loader.mjs", "webpack-runtime.js", "[turbopack]_runtime.js":
		return true
	}
	switch path := f.Filename; {
	case path == base && isOldNodeModule(base):
		return true
	case strings.HasPrefix(path, "/"):
		return strings.HasPrefix(path, awsLambda)
	case strings.HasPrefix(path, "http"):
		return hasAnyPrefix(path, "https://deno.land/", "https://jsr.io/", "https://esm.sh/", "https://unpkg.com/", "https://cdn.jsdelivr.net/")
	case hasAnyPrefix(path, "node:", "internal/", "ext:", "deno:", "bun:", "cloudflare:", "cloudflare-internal:", "electron/js2c/", "webpack/", "wasm://",
		"resource://", "chrome://", "webkit-masked-url:"):
		return true
	}
	scheme, _, ok := strings.Cut(f.path(), "://")
	return ok && strings.HasSuffix(scheme, "-extension")
}

// isOldNodeModule reports whether the file is a module of Node.js before version 16, which prints no
// "node:" before it.
func isOldNodeModule(name string) bool {
	switch name {
	case "bootstrap_node.js", "child_process.js", "dgram.js", "dns.js", "domain.js", "events.js", "fs.js", "module.js", "net.js", "readline.js",
		"timers.js", "tls.js", "vm.js", "zlib.js":
		return true
	default:
		return hasAnyPrefix(name, "_http_", "_stream_", "_tls_")
	}
}
