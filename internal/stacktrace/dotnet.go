// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"slices"
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
	// coded is true for an exception of the operating system, whose header has a code: .NET prints no
	// mark between its inner exception's frames and its own.
	coded [maxExceptions]bool
	// word precedes the calls if it is a translation of "at".
	word           string
	framesIndented bool
	searched       bool // the text was searched for a frame that begins with "at"
	english        bool // there is such a frame
	fault          bool // the detail of a WCF fault is being read
	unity          unityState
}

const (
	dotNetInner    = "---> "
	dotNetFault    = "whose value is:" // ends the message of a WCF fault, whose detail follows
	dotNetEndInner = "--- End of inner exception stack trace ---"
	azureEndInner  = "End of inner exception" // of Azure Functions
)

func readDotNet(b *builder) {
	r := dotNetReader{builder: b, lines: lines{text: b.text}}
	for r.lines.scan() {
		r.read(r.lines.line)
	}
	r.settleRethrown()
}

func (r *dotNetReader) read(line string) {
	body := unindented(line)
	closed := 0
	for strings.HasSuffix(body, "<---") { // the end of a member of an AggregateException
		body = strings.TrimRight(strings.TrimSuffix(body, "<---"), " \t")
		closed++
	}
	if detail, ok := strings.CutSuffix(body, ")."); ok && r.fault {
		body, r.fault = detail, false
		closed++
	}
	r.readBody(body)
	for range closed {
		r.close()
	}
}

func (r *dotNetReader) readBody(body string) {
	switch {
	case r.frameLine(body), r.unityFrame(body), r.rethrown(body):
	case strings.HasPrefix(body, dotNetInner) && r.depth > 0:
		r.inner(body[len(dotNetInner):])
	case (isDotNetMark(body) || body == azureEndInner) && r.depth > 0:
		r.mark(body)
	case r.repeats(body), r.handledInner(body):
	case isRemotingMark(body) && r.depth > 0:
		r.header.open = false
	case r.header.open && (r.inline(r.lines.start) || r.faultDetail(body) || r.lateHeader(body)):
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

// isRemotingMark reports whether the line separates the frames of a server and a client, which .NET
// Framework and WCF print for one exception.
func isRemotingMark(body string) bool {
	body = strings.TrimRight(body, " ")
	return body == "Server stack trace:" || strings.HasPrefix(body, "Exception rethrown at [") && strings.HasSuffix(body, "]:")
}

// mark reads the end of an inner exception, which is indented like frames, or the line between the
// frames before and after an await, which is not.
func (r *dotNetReader) mark(body string) {
	r.header.open = false
	resumed := r.framesIndented && len(r.lines.line) == len(body)
	if body == dotNetEndInner || !resumed && !strings.HasPrefix(body, "--- End of stack trace") {
		r.closeMarked()
	}
}

// closeMarked closes the exception that a mark ends.
func (r *dotNetReader) closeMarked() {
	inner := r.current()
	r.close()
	if inner != none && r.isCoded(r.exceptions[inner].Parent) {
		r.close()
	}
}

func (r *dotNetReader) isCoded(index int) bool { return index >= 0 && r.coded[index] }

// closeUnthrown closes an error of Windows, which is inside of a SqlException but was not thrown: the
// frames are the SqlException's.
func (r *dotNetReader) closeUnthrown() {
	current := r.current()
	if current == none || r.framesOf(current) > 0 || !r.isCoded(r.exceptions[current].Parent) {
		return
	}
	if e := &r.exceptions[current]; e.Type == "System.ComponentModel.Win32Exception" && !strings.Contains(e.Message, "\n") {
		r.close()
	}
}

// first reads the header of the exception that was thrown.
func (r *dotNetReader) first(body string) {
	body = strings.TrimPrefix(body, "Unhandled exception. ")
	body = strings.TrimPrefix(body, "Unhandled Exception: ")
	if r.message == "" || !strings.HasPrefix(body, r.message) {
		if header, ok := cutLogPrefix(body); ok {
			body, r.incomplete = header, true
		}
	}
	r.enter(noParent, "")
	r.header = r.readThrown(&r.lines, r.current(), body)
	r.completeHeader()
}

// cutLogPrefix cuts what precedes the header in the line of a log or a crash: "Fatal error. ",
// "2026-01-01 10:00|ERROR|Shop.Cart|".
func cutLogPrefix(body string) (header string, ok bool) {
	if typ, _ := cutType(body); strings.Contains(typ, ".") && !strings.Contains(typ, "|") {
		return "", false
	}
	if typ, _, ok := cutDotNetCode(body); ok && strings.Contains(typ, ".") {
		return "", false
	}
	for start := 0; start < len(body); {
		word, _, _ := strings.Cut(body[start:], " ")
		name := word[strings.LastIndexByte(word, '|')+1:]
		if typ, ok := strings.CutSuffix(name, ":"); ok && strings.Contains(typ, ".") && isExceptionHeader(typ) {
			return body[start+len(word)-len(name):], true
		}
		start += len(word) + 1
	}
	return "", false
}

// lateHeader reads the header of the thrown exception if it is below a log line, which was taken for
// the header.
func (r *dotNetReader) lateHeader(body string) bool {
	body = strings.TrimPrefix(body, "Exception Info: ") // Windows' event log
	if r.current() != 0 || !isDotNetHeader(body) {
		return false
	}
	if typ := r.exceptions[0].Type; strings.Contains(typ, ".") && !strings.HasSuffix(typ, "]") || isExceptionHeader(typ) {
		return false // a category of a logger ends with "]"
	}
	r.incomplete = true
	r.header = r.readThrown(&r.lines, 0, body)
	r.completeHeader()
	return true
}

// isDotNetHeader reports whether the line is "System.Exception: message", with a namespace.
func isDotNetHeader(body string) bool {
	typ := dotNetType(body)
	return strings.Contains(typ, ".") && isExceptionHeader(typ)
}

// repeats reads the lines around frames that a stack overflow repeats: "Repeat 24099 times:" and
// rules.
func (r *dotNetReader) repeats(body string) bool {
	if len(r.exceptions) != 1 || !strings.HasPrefix(r.exceptions[0].Message, "Stack overflow.") {
		return false
	}
	isRule := len(body) >= 32 && strings.Trim(body, "-") == ""
	isCount := strings.HasPrefix(body, "Repeat") && strings.HasSuffix(body, " times:")
	if !isRule && !isCount {
		return false
	}
	r.header.open, r.incomplete = false, true
	return true
}

// handledInner reads "Inner exception System.IO.IOException handled at Shop.Cart.Add:", as Application
// Insights prints it above the frames.
func (r *dotNetReader) handledInner(body string) bool {
	rest, ok := strings.CutPrefix(body, "Inner exception ")
	typ, place, handled := strings.Cut(rest, " handled at ")
	if !ok || !handled || !strings.HasSuffix(place, ":") || !isExceptionHeader(typ) || r.framesOf(r.current()) == 0 {
		return false
	}
	r.enter(r.current(), "InnerException")
	r.exception(r.current()).Type = typ
	r.incomplete = true
	return true
}

// faultDetail reads the header of the server's exception, which follows the message of a WCF fault.
func (r *dotNetReader) faultDetail(body string) bool {
	if !strings.HasSuffix(r.exception(r.current()).Message, dotNetFault) || !isDotNetHeader(body) {
		return false
	}
	r.fault = true
	r.inner(body)
	return true
}

// completeHeader completes the header of the current exception. .NET Framework and Mono print inner
// exceptions on the same line: "Outer: message ---> Inner: message".
func (r *dotNetReader) completeHeader() {
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
		if !ok || !strings.Contains(dotNetType(inner), ".") || r.current() == none {
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

// describe completes the type.
func (r *dotNetReader) describe(e *Exception) {
	if e.Type == "" {
		r.describeCode(e)
	}
	e.Group = strings.HasSuffix(e.Type, "AggregateException")
}

// describeCode finds the type of an exception of the operating system, which prints a code:
// "SocketException (111): message".
func (r *dotNetReader) describeCode(e *Exception) {
	typ, message, ok := cutDotNetCode(e.Message)
	if !ok {
		return
	}
	if index := r.current(); index != none {
		r.coded[index] = strings.HasPrefix(e.Message[len(typ):], " (")
	}
	r.header.start += len(e.Message) - len(message)
	e.Type, e.Message = typ, message
	if r.current() == 0 && r.skipKnown(&r.lines, r.header.start) {
		e.Message = r.message
	}
}

// dotNetType returns the type in a header.
func dotNetType(header string) string {
	typ, _ := cutType(header)
	if typ == "" {
		typ, _, _ = cutDotNetCode(header)
	}
	return typ
}

// cutDotNetCode cuts "type (0x80131904): message" or, from Azure Functions, "type : message".
func cutDotNetCode(header string) (typ, message string, ok bool) {
	if typ, message, ok = strings.Cut(header, " : "); ok && strings.IndexByte(typ, ' ') < 0 && strings.IndexByte(typ, '.') > 0 && isExceptionHeader(typ) {
		return typ, message, true
	}
	typ, rest, ok := strings.Cut(header, " (")
	code, message, closed := strings.Cut(rest, "): ")
	if !ok || !closed || code == "" || strings.IndexByte(typ, ' ') >= 0 || strings.IndexByte(code, ' ') >= 0 || !isExceptionHeader(typ) {
		return "", "", false
	}
	return typ, message, true
}

// inner reads the header of an inner exception, or of a member of an AggregateException: "(Inner
// Exception #1) Type: message".
func (r *dotNetReader) inner(header string) {
	relation := "InnerException"
	if n, rest, ok := cutDotNetMember(header); ok {
		relation, header = "InnerExceptions["+strconv.Itoa(n)+"]", rest
	}
	r.enter(r.current(), relation)
	r.header = r.readHeader(&r.lines, r.current(), header)
	r.completeHeader()
}

// cutDotNetMember cuts "(Inner Exception #1) " in any language: "(Exception interne n° 1) ".
func cutDotNetMember(header string) (n int, rest string, ok bool) {
	words, rest, ok := strings.Cut(strings.TrimPrefix(header, "("), ") ")
	if !ok || header[0] != '(' || dotNetType(rest) == "" {
		return 0, "", false
	}
	digits := len(strings.TrimRight(words, "0123456789"))
	n, _, ok = number(words[digits:])
	return n, rest, ok && digits > 0 && (words[digits-1] == '#' || words[digits-1] == ' ')
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
			return slices.Equal(r.framesIn(i), r.framesIn(index))
		}
	}
	return false
}

func (r *dotNetReader) framesIn(index int) []Frame {
	e := r.exceptionFrames[index]
	return r.frames[e.start:e.end()]
}

// frameLine reads "at Shop.Cart.Add(String item) in C:\src\Cart.cs:line 12" in any language or,
// from Mono, "at Shop.Cart.Add (System.String item) [0x00001] in /src/Cart.cs:12".
func (r *dotNetReader) frameLine(body string) bool {
	c, ok := cutDotNetCall(body)
	indented := len(r.lines.line) > len(body)
	if !ok || c.word != "at" && (!indented || !r.isTranslated(&c)) {
		return false
	}
	r.framesIndented = indented
	r.addCall(&c)
	return true
}

func (r *dotNetReader) addCall(c *dotNetCall) {
	if len(r.exceptions) == 0 {
		r.enter(noParent, "")
	}
	r.header.open = false
	r.closeUnthrown()
	f := r.frame(r.current())
	f.Module, f.Function, f.Package, f.Line = c.class, c.method, c.image, c.line
	if c.path != "" {
		f.setShortPath(c.path)
	}
}

// isTranslated reports whether the word before the call is a translation of "at". All frames have the
// same word. A line of a message may look like a frame, so the first frame must have a line number,
// or be followed by a similar line in a text without frames in English.
func (r *dotNetReader) isTranslated(c *dotNetCall) bool {
	if r.word != "" {
		return c.word == r.word
	}
	if c.class == "" || c.line == 0 && (r.isEnglish() || !r.endsOrContinues(c.word)) {
		return false
	}
	r.word = c.word
	return true
}

// endsOrContinues reports whether the stack ends here, or continues with a frame of the same word.
func (r *dotNetReader) endsOrContinues(word string) bool {
	next := unindented(r.lines.peek())
	c, ok := cutDotNetCall(next)
	return next == "" || isDotNetMark(next) || ok && c.word == word
}

// isEnglish reports whether any frame begins with "at".
func (r *dotNetReader) isEnglish() bool {
	if r.searched {
		return r.english
	}
	r.searched = true
	for rest := (lines{text: r.text}); rest.scan() && !r.english; {
		body := unindented(rest.line)
		if strings.HasPrefix(body, "at ") && len(body) < len(rest.line) {
			_, r.english = cutDotNetCall(body)
		}
	}
	return r.english
}
