// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// phpReader reads the results of Throwable's __toString and getTraceAsString
// (https://www.php.net/manual/throwable.gettraceasstring.php). "#1 cart.php(12): add()" is a call
// and the location it was made from, which is in the function of the next line.
type phpReader struct {
	*builder
	lines   lines
	current int
	// at is where the function of the next frame was left: by a call or a throw. It is empty if
	// unknown.
	at phpLocation
	// start is the offset of the current header; open is true while the header may continue.
	start int
	open  bool
	// titled is true if "Stack trace:" precedes the frames.
	titled bool
}

// phpLocation is a location in a file, or in a function not written in PHP.
type phpLocation struct {
	file   string
	line   int
	native bool
}

func readPHP(b *builder) {
	printed := b.text
	b.text = withoutMonologJSON(printed)
	readPHPText(b)
	if len(b.frames) == 0 {
		b.text = printed
	}
}

func readPHPText(b *builder) {
	if !strings.HasPrefix(b.text, "#0 ") && !strings.Contains(b.text, "\n#0 ") {
		readJava(b) // the OpenTelemetry SDK prints exceptions as Java does
		return
	}
	r := phpReader{builder: b, lines: lines{text: b.text}, current: none, titled: strings.Contains(b.text, "\n"+phpTitle)}
	for r.lines.scan() {
		r.read(r.lines.line)
	}
	if r.open {
		b.incomplete = true
	}
}

func (r *phpReader) read(line string) {
	next, isNext := strings.CutPrefix(line, "Next ")
	switch {
	case line != "" && line[0] == '#' && r.mayBeFrame(line) && r.frameLine(line[1:]):
	case (line == phpTitle || line == monologTitle) && r.open:
		r.closeHeader()
	case line == `"} ` || line == `"}`: // Monolog's end
	case strings.HasPrefix(line, monologPrevious) && !r.open && r.current != none:
		r.enterPrevious(line)
	case r.open, line == "":
	case isNext && next != "" && r.current != none:
		r.enter(next)
	case r.current == none:
		r.enter(withoutPHPError(line))
	case r.thrownIn(unindented(line)):
	default:
		r.unread(r.current, line)
	}
}

// thrownIn reads "thrown in /app/cart.php on line 12", below the frames. An e-mail of WordPress ends
// with the word.
func (r *phpReader) thrownIn(body string) bool {
	r.incomplete = r.incomplete || body == "thrown"
	return body == "thrown" || strings.HasPrefix(body, "thrown in ")
}

// Titles of frames, and what precedes the header of a previous exception in Monolog.
const (
	phpTitle        = "Stack trace:"
	monologTitle    = "[stacktrace]"
	monologPrevious = "[previous exception] [object] ("
	monologInLine   = `\n` + monologTitle + `\n#0 ` // the title if newlines are escaped
)

// mayBeFrame reports whether this line may be a frame. Without a title, the first frame ends the
// header.
func (r *phpReader) mayBeFrame(line string) bool {
	if r.open && !r.titled && isPHPCall(line) {
		r.closeHeader()
	}
	return !r.open
}

func (r *phpReader) closeHeader() { r.header(strings.TrimRight(r.text[r.start:r.lines.start], "\r\n")) }

// enterPrevious begins the previous exception of the current one, as Monolog prints it.
func (r *phpReader) enterPrevious(line string) {
	r.current = r.begin(r.current, "previous")
	r.start, r.open = r.lines.end-len(line)+len("[previous exception] "), true
}

// withoutMonologJSON decodes the JSON string as which Monolog's LineFormatter, and so Laravel, writes
// an exception: "[object] (App\\NoRate(code: 0): ...". By default, Monolog does not escape newlines.
func withoutMonologJSON(text string) string {
	switch {
	case !strings.Contains(text, "[object] ("):
		return text
	case strings.Contains(text, monologInLine):
		return monologEscapes.Replace(text)
	default:
		return strings.ReplaceAll(text, `\\`, `\`)
	}
}

var monologEscapes = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\"`, `"`, `\/`, `/`)

// phpFatal precedes the message of an error that is not an exception, and of an uncaught exception.
const phpFatal = "Fatal error: "

// withoutPHPError removes what PHP and ReactPHP print before the header of an uncaught exception.
func withoutPHPError(line string) string {
	if header, ok := strings.CutPrefix(line, "Unhandled promise rejection with "); ok && header != "" {
		return header
	}
	if _, header, ok := strings.Cut(line, "Error message: Uncaught "); ok && header != "" {
		return header
	}
	i := strings.Index(line, phpFatal)
	if i < 0 {
		return line
	}
	if header, ok := strings.CutPrefix(strings.TrimLeft(line[i+len(phpFatal):], " "), "Uncaught "); ok && header != "" {
		return header
	}
	return line[i:]
}

// enter begins an exception. The one above is its previous exception: PHP prints the exception that was
// thrown last at the end.
func (r *phpReader) enter(header string) {
	previous := r.current
	r.current = r.begin(noParent, "")
	if previous != none && r.current != none {
		r.exception(previous).Parent, r.exception(previous).Relation = r.current, "previous"
	}
	r.start, r.open = r.lines.end-len(header), true
	if previous == none {
		r.skipKnown(&r.lines, r.start+max(strings.Index(header, ": "), -2)+len(": "))
	}
}

// header reads "Type: message in /app/cart.php:12". The message may be missing or have several
// lines.
func (r *phpReader) header(header string) {
	r.open = false
	r.at = phpLocation{}
	if r.monolog(header) {
		return
	}
	if i := strings.LastIndex(header, " in "); i > strings.LastIndexByte(header, '\n') {
		if file, line := cutPHPPosition(header[i+len(" in "):]); file != "" && line > 0 {
			r.at = phpLocation{file: file, line: line}
			if file, call, ok := cutPHPEval(file); ok {
				r.at = phpLocation{file: file, line: call, native: true}
			}
			header = header[:i]
		}
	}
	e := r.exception(r.current)
	e.Type, e.Message = cutType(header)
	if message, ok := strings.CutPrefix(header, phpFatal); ok {
		e.Type, e.Message = strings.TrimSuffix(phpFatal, ": "), strings.TrimLeft(message, " ")
	}
}

// cutPHPPosition cuts "cart.php:12" or, as errors have it, "cart.php on line 12".
func cutPHPPosition(location string) (file string, line int) {
	if file, digits, ok := strings.Cut(location, " on line "); ok && isNumber(digits) {
		line, _, _ = number(digits)
		return file, line
	}
	file, line, _ = cutPosition(location)
	return file, line
}

// monolog reads "[object] (Type(code: 0): message at /app/cart.php:12)". In Monolog 1, previous
// exceptions follow the location: ", Type(code: 0): message at /app/cart.php:9)".
func (r *phpReader) monolog(header string) bool {
	log, list, ok := strings.Cut(header, "[object] (")
	typ, message, previous, listed := cutMonolog(strings.TrimSuffix(list, ")"))
	if !ok || !listed {
		return false
	}
	r.incomplete = r.incomplete || strings.IndexByte(log, '\n') >= 0
	e := r.exception(r.current)
	e.Type = typ
	e.Message, r.at = cutMonologPosition(message)
	for index := r.current; previous != "" && index != none; {
		typ, message, previous, _ = cutMonolog(previous)
		index = r.begin(index, "previous")
		e := r.exception(index)
		e.Type = typ
		e.Message, _ = cutMonologPosition(message)
		r.incomplete = true // the exception has no frame to hold its location
	}
	return true
}

// cutMonolog cuts the first exception of a list into its type and message, and cuts off the others.
func cutMonolog(list string) (typ, message, previous string, ok bool) {
	typ, rest, coded := strings.Cut(list, "(code: ")
	code, message, closed := strings.Cut(rest, "): ")
	if typ == "" || strings.ContainsAny(typ, " \n") || !coded || !closed || strings.ContainsAny(code, " \n()") {
		return "", "", "", false
	}
	next := strings.Index(message, "(code: ")
	comma := strings.LastIndex(message[:max(next, 0)], ", ")
	if comma < 0 {
		return typ, message, "", true
	}
	previous = message[comma+len(", "):]
	if class := message[comma+len(", ") : next]; class == "" || strings.IndexByte(class, ' ') >= 0 || strings.IndexByte(previous, '\n') >= 0 ||
		!strings.Contains(previous, "): ") {
		return typ, message, "", true
	}
	return typ, message[:comma], previous, true
}

// cutMonologPosition cuts " at /app/cart.php:12" off the end of a message.
func cutMonologPosition(message string) (string, phpLocation) {
	if i := strings.LastIndex(message, " at "); i >= 0 {
		if file, line, _ := cutPosition(message[i+len(" at "):]); line > 0 && strings.IndexByte(file, '\n') < 0 {
			return message[:i], phpLocation{file: file, line: line}
		}
	}
	return message, phpLocation{}
}

// frameLine reads "0 /app/cart.php(12): Shop\Cart->add('a', 1)".
func (r *phpReader) frameLine(line string) bool {
	n, call, ok := number(line)
	call, spaced := strings.CutPrefix(call, " ")
	if !ok || !spaced || r.current != none && n != r.framesOf(r.current) {
		return false
	}
	location, call, ok := cutPHPLocation(call)
	if !ok || call == "" || call[0] == '(' {
		return false
	}
	if r.current == none && len(r.exceptions) == 0 {
		r.current = r.begin(noParent, "")
	}
	f := r.frame(r.current)
	f.setPHPFunction(call)
	f.Line, f.Native = r.at.line, r.at.native
	f.setPHPPath(r.at.file)
	r.at = location
	return true
}

// cutPHPLocation cuts a line into the location of the call and the call.
func cutPHPLocation(line string) (location phpLocation, call string, ok bool) {
	if line == "{main}" {
		return location, line, true
	}
	if call, ok := strings.CutPrefix(line, "[internal function]: "); ok {
		return phpLocation{native: true}, call, true
	}
	end := strings.Index(line, "): ")
	if end < 0 {
		return location, "", false
	}
	open := strings.LastIndexByte(line[:end], '(')
	if open <= 0 || !isNumber(line[open+1:end]) {
		return location, "", false
	}
	at, _, _ := number(line[open+1 : end])
	location = phpLocation{file: line[:open], line: at}
	if file, call, ok := cutPHPEval(location.file); ok {
		location = phpLocation{file: file, line: call, native: true}
	}
	return location, line[end+len("): "):], true
}

// cutPHPEval returns where eval was called: "/app/cart.php(12) : eval()'d code".
func cutPHPEval(file string) (path string, line int, ok bool) {
	path, _, ok = strings.Cut(file, ") : ")
	if open := strings.LastIndexByte(path, '('); ok && open > 0 && isNumber(path[open+1:]) {
		line, _, _ = number(path[open+1:])
		return path[:open], line, true
	}
	return file, 0, false
}

// setPHPFunction parses "Shop\Cart->add('a', 1)". The name of a closure may contain another
// function's, with parentheses.
func (f *Frame) setPHPFunction(call string) {
	named := 0
	if strings.Contains(call, "{closure:") {
		named = max(strings.IndexByte(call, '}'), 0)
	}
	if open := strings.IndexByte(call[named:], '('); open >= 0 {
		call = call[:named+open]
	}
	f.Function = call
	end := len(call)
	if closure := strings.Index(call, "{closure"); closure >= 0 {
		end = closure
	}
	for _, operator := range [...]string{"->", "::"} {
		if i := strings.LastIndex(call[:end], operator); i > 0 && i+len(operator) < len(call) {
			f.Module, f.Function = call[:i], call[i+len(operator):]
			return
		}
	}
}

// setPHPPath makes the path of a library relative to vendor.
func (f *Frame) setPHPPath(path string) {
	library, ok := after(path, "vendor")
	if !ok {
		f.setPath(path)
		return
	}
	library = withSlashes(library)
	name := firstElement(library)
	if len(name) < len(library) {
		name = library[:len(name)+1+len(firstElement(library[len(name)+1:]))]
	}
	f.Filename, f.AbsPath, f.Package = library, path, name
}

func (f *Frame) isPHPLibrary() bool {
	return f.Native || f.Package != "" || strings.HasPrefix(f.Module, "OpenTelemetry")
}
