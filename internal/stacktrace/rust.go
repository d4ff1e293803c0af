// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"strings"
	"unicode/utf8"
)

// rustReader reads panics, std::backtrace::Backtrace, and errors with causes as anyhow prints them
// (https://doc.rust-lang.org/std/backtrace/).
type rustReader struct {
	*builder
	lines   lines
	current int
	header  header
	// section is the section of the text that the current line belongs to.
	section rustSection
	// numbered is true after the first frame: a line without a number may then be a function that
	// was inlined into it.
	numbered bool
	// listing is true after the first error of a list. start is the offset of the current one's message.
	listing bool
	start   int
	// colon is the column after the number of a listed error. Only a number that ends there begins
	// another error.
	colon int
	// placed is true if the text has a title above the location where the error was created, as eyre's.
	placed bool
	// onlyPlace is true if the thrown exception has no frame but the location where it was created.
	onlyPlace bool
	// owner is the exception that frames belong to. anyhow prints one backtrace, below the causes.
	owner int
	tree  rustTree
}

type rustSection uint8

const (
	rustMessage rustSection = iota // the message, then frames
	rustReport                     // errors that error-stack draws as a tree
	rustErrors                     // a list of errors, each the source of the one above
	rustWasm                       // frames of WebAssembly in the message of a listed error
	rustPlace                      // the location where an error was created
	rustNotes                      // sections that the application added with color-eyre
	rustSpans                      // spans of tracing, which look like frames
	rustFrames
)

func readRust(b *builder) {
	r := rustReader{builder: b, lines: lines{text: b.text}, current: none, placed: strings.Contains(b.text, "\nLocation:")}
	r.tree.ascii = hasASCIITree(b.text)
	if isSpanTrace(b.text) {
		b.incomplete = true
		return
	}
	for r.lines.scan() {
		r.read(r.lines.line)
	}
	if r.listing {
		for i := range b.exceptions {
			b.exceptions[i].Message = withoutIndents(b.exceptions[i].Message)
		}
	}
	b.dropTop(r.thrown(), (*Frame).unwindsRust, (*Frame).raisesRustPanic)
}

func (r *rustReader) read(line string) {
	body := unindented(line)
	switch {
	case body == "":
	case r.title(line, body):
	case r.inSection(line, body):
	case isRustNote(line) && r.current != none:
		r.header.open = false
	case r.header.open && r.beginsFrames(body):
		r.header.open = false
		r.frameLine(line, body)
	case !r.header.open && r.frameLine(line, body):
	case r.numbered && r.sourceLine(line, body):
	case r.panickedBelow(line):
	case r.header.extend(r.builder, &r.lines):
	case (strings.HasPrefix(line, "thread '") || strings.HasPrefix(line, "panicked at ")) && r.panicked(line):
	case r.current == none && !r.isFrame(body):
		r.current = r.begin(noParent, "")
		r.header = r.readThrown(&r.lines, r.current, line)
	default:
		r.otherwise(line)
	}
}

// inSection reads a line of a section that has no frames of the exception.
func (r *rustReader) inSection(line, body string) bool {
	switch r.section {
	case rustSpans, rustNotes:
		r.incomplete = true
	case rustPlace:
		if line[0] != ' ' {
			return false
		}
		r.createdAt(body)
	case rustErrors, rustWasm:
		return r.listed(body)
	default:
		return r.branch(line)
	}
	return true
}

// otherwise reads a line that is neither a frame nor a part of a message.
func (r *rustReader) otherwise(line string) {
	switch r.section {
	case rustPlace:
		r.enterSection(rustNotes)
		r.incomplete = true
	case rustReport: // another report
		r.tree.current, r.tree.depth, r.tree.extending, r.owner = none, 0, false, none
		r.incomplete = true
	default:
		r.unread(r.receiver(), line)
	}
}

// isRustNote reports whether the line is a note that Rust, color-eyre or snafu print below an error.
func isRustNote(line string) bool {
	if line[0] == ' ' {
		return false
	}
	return strings.HasPrefix(line, "note: run with `RUST_BACKTRACE=") || strings.HasPrefix(line, "note: Some details are omitted, ") ||
		strings.HasPrefix(line, "Run with ") || strings.HasPrefix(line, "Backtrace omitted") ||
		strings.HasPrefix(line, "NOTE: Some redundant information ") || line == "thread caused non-unwinding panic. aborting."
}

// isSpanTrace reports whether the text is the Display of tracing_error::SpanTrace, whose spans look
// like frames. Only spans have fields.
func isSpanTrace(text string) bool {
	if !strings.HasPrefix(unindented(text), "0: ") {
		return false
	}
	_, fields, ok := strings.Cut(text, "\n           with ")
	fields, _, _ = strings.Cut(fields, "\n")
	return ok && strings.Contains(fields, "=")
}

// title reads a line that begins a section. color-eyre draws rules around its titles, and dots in place
// of hidden frames.
func (r *rustReader) title(line, body string) bool {
	if line[0] == ' ' && body[0] < utf8.RuneSelf && r.numbered { // most likely a frame
		return false
	}
	switch {
	case strings.EqualFold(line, "stack backtrace:"), line == "Backtrace:", strings.HasPrefix(body, "━") && strings.Contains(body, " BACKTRACE "):
		r.backtrace(line)
	case r.numberedBacktrace(line):
	case strings.HasPrefix(line, "span trace no. ") && r.section >= rustReport:
		r.enterSection(rustSpans)
	case (strings.HasPrefix(line, "━━") || strings.HasPrefix(line, "====")) && strings.Trim(line, "━=") == "" && r.current != none:
	case strings.HasPrefix(body, "━") && strings.Contains(body, " SPANTRACE "):
		r.enterSection(rustSpans)
	case strings.HasPrefix(body, "⋮"):
	default:
		return !r.numbered && r.errorTitle(line, body)
	}
	return true
}

// errorTitle reads a line that begins a section about errors, above the backtrace.
func (r *rustReader) errorTitle(line, body string) bool {
	switch {
	case r.current != none && (line == "Caused by:" || strings.HasPrefix(line, "Caused by th") && strings.HasSuffix(line, ":")): // snafu: these errors
		r.enterSection(rustErrors)
	case line == "Location:" && r.current != none:
		r.enterSection(rustPlace)
	case strings.HasPrefix(line, "Location: ") && r.current != none:
		r.enterSection(rustFrames)
		r.createdAt(line[len("Location: "):])
	case r.current != none:
		return false
	case line == "The application panicked (crashed).":
		r.crashed()
	case strings.TrimRight(line, " ") == "Error:":
		r.enterSection(rustErrors)
	case r.placed && r.isFrame(body):
		r.enterSection(rustErrors)
		return false
	default:
		return false
	}
	return true
}

// backtrace begins a backtrace. A second one belongs to the panic, below that of the error that caused
// it.
func (r *rustReader) backtrace(line string) {
	r.ensureStarted()
	r.enterSection(rustFrames)
	owner := r.receiver()
	switch {
	case owner == 0 && (r.framesOf(0) == 0 || r.onlyPlace):
	case owner != none && r.exceptions[0].Type == "panic" && !r.exceptionFrames[owner].closed:
		r.incomplete = r.incomplete || owner == 0
		r.owner, r.numbered = 0, false
		r.exceptionFrames[0] = extent{}
	default:
		r.unread(owner, line)
	}
}

// createdAt reads the location where the error was created or the panic was raised. It becomes the
// only frame, which a backtrace replaces.
func (r *rustReader) createdAt(location string) {
	path, line, column := cutPosition(location)
	if path == "" || line == 0 || r.framesOf(r.thrown()) > 0 {
		r.incomplete = true
		return
	}
	r.onlyPlace = true
	f := r.frame(r.thrown())
	f.Line, f.Column = line, column
	f.setRustPath(path)
}

// enterSection begins a section, which ends the message.
func (r *rustReader) enterSection(section rustSection) { r.section, r.header.open = section, false }

// crashed reads "Message:  explicit panic", below the first line of a panic that color-eyre reports.
func (r *rustReader) crashed() {
	r.current = r.begin(noParent, "")
	e := r.exception(r.current)
	e.Type = "panic"
	message, ok := strings.CutPrefix(r.lines.peek(), "Message:  ")
	if !ok {
		return
	}
	r.lines.scan()
	e.Message = message
	r.header = header{index: r.current, start: r.lines.end - len(message), open: true}
	if r.skipKnown(&r.lines, r.header.start) {
		e.Message = r.message
	}
}

// ensureStarted begins the exception, unless one has begun.
func (r *rustReader) ensureStarted() {
	if r.current == none && len(r.exceptions) == 0 {
		r.current = r.begin(noParent, "")
	}
}

// isFrame reports whether the line is a numbered frame, as in a backtrace without a header.
func (*rustReader) isFrame(body string) bool {
	_, rest, ok := number(body)
	return ok && strings.HasPrefix(rest, ": ")
}

// beginsFrames reports whether the line and the next one are frames of a backtrace without a title.
func (r *rustReader) beginsFrames(body string) bool {
	name, ok := strings.CutPrefix(body, "0: ")
	next := unindented(r.lines.peek())
	return ok && strings.Contains(name, "::") && isRustName(name) && (strings.HasPrefix(next, "at ") || strings.HasPrefix(next, "1: "))
}

// panicked reads "thread 'main' panicked at src/main.rs:5:9:", after which the message follows.
// Rust before 1.73 prints "thread 'main' panicked at 'message', src/main.rs:5:9".
func (r *rustReader) panicked(line string) bool {
	_, location, ok := strings.Cut(line, "panicked at ")
	if !ok || r.current != none {
		return false
	}
	r.current = r.begin(noParent, "")
	e := r.exception(r.current)
	e.Type = "panic"
	if end := strings.LastIndex(location, "', "); end > 0 && location[0] == '\'' {
		e.Message = location[1:end]
		r.createdAt(location[end+len("', "):])
		return true
	}
	r.createdAt(strings.TrimSuffix(location, ":"))
	if !strings.HasSuffix(location, ":") || r.lines.last() {
		return true
	}
	start := r.lines.next
	r.lines.scan()
	e.Message = r.lines.line
	r.header = header{index: r.current, start: start, open: true}
	if r.skipKnown(&r.lines, start) {
		e.Message = r.message
	}
	return true
}

// panickedBelow reads the first line of a panic below lines of a log.
func (r *rustReader) panickedBelow(line string) bool {
	if r.current != 0 || !r.header.open || len(r.exceptions) > 1 || r.exceptions[0].Type == "panic" || r.framesOf(0) > 0 ||
		!strings.HasPrefix(line, "thread '") || !strings.Contains(line, " panicked at ") {
		return false
	}
	r.dropFrom(0)
	r.current, r.incomplete = none, true
	return r.panicked(line)
}

// listed reads an error of a list: "    0: message" or, if there is only one cause, "    message".
// Further lines of a message are indented as well, and may have numbers of their own.
func (r *rustReader) listed(body string) bool {
	if r.lines.line[0] != ' ' {
		return false
	}
	_, rest, ok := number(body)
	message, numbered := strings.CutPrefix(rest, ": ")
	colon := len(r.lines.line) - len(rest)
	switch {
	case ok && numbered && (r.colon == 0 || r.colon == colon):
		r.colon = colon
		r.enter(message)
	case r.section == rustWasm && r.frameLine(r.lines.line, body):
	case r.listing && r.current != none:
		r.exception(r.current).Message = r.text[r.start:r.lines.end]
	default:
		r.enter(body)
	}
	return true
}

// enter begins the next error of a list.
func (r *rustReader) enter(message string) {
	relation := "source"
	if len(r.exceptions) == 0 {
		relation = ""
	}
	r.current, r.listing = r.begin(r.current, relation), true
	r.section, r.incomplete = rustErrors, r.incomplete || isBlank(message)
	if strings.HasSuffix(message, "wasm backtrace:") {
		r.section = rustWasm
	}
	r.exception(r.current).Message, r.start = message, r.lines.end-len(message)
}

// frameLine reads "   3: shop::cart::Cart<T>::add", the location below it, and functions inlined
// into it.
func (r *rustReader) frameLine(line, body string) bool {
	if location, ok := strings.CutPrefix(body, "at "); ok && r.numbered {
		return r.locationLine(location)
	}
	_, name, ok := number(body)
	inlined := r.numbered && len(line)-len(body) >= len("      ") && !ok
	switch {
	case inlined:
		name = body
	case !ok || !strings.HasPrefix(name, ":"):
		return false
	default:
		name = unindented(name[1:])
	}
	if address, rest, ok := strings.Cut(name, " - "); ok && strings.HasPrefix(address, "0x") {
		name = unindented(rest)
		if _, function, ok := strings.Cut(name, "!"); ok && r.section == rustWasm { // after the module
			name = function
		}
	}
	if name == "" || !isRustName(name) {
		return false
	}
	r.ensureStarted()
	r.numbered = true
	if r.onlyPlace && r.receiver() == 0 {
		r.onlyPlace, r.exceptionFrames[0] = false, extent{}
	}
	r.frame(r.receiver()).setRustFunction(name)
	return true
}

// sourceLine reads a line of the source that color-eyre prints below a location: "  31 > total()" is
// the line of the location, and "  30 │ }" is a line near it.
func (r *rustReader) sourceLine(line, body string) bool {
	n, rest, ok := number(body)
	if !ok || len(line)-len(body) < len("      ") {
		return false
	}
	if _, isNear := strings.CutPrefix(rest, " │"); isNear {
		return true
	}
	source, isPlace := strings.CutPrefix(rest, " > ")
	f := r.lastFrame(r.receiver())
	if !isPlace || f.Line != n || f.Filename == "" {
		return false
	}
	f.ContextLine = unindented(source)
	r.incomplete = r.incomplete || f.ContextLine == ""
	return true
}

// thrown returns the exception that was thrown.
func (r *rustReader) thrown() int {
	if len(r.exceptions) == 0 {
		return none
	}
	return 0
}

// receiver returns the exception that frames belong to.
func (r *rustReader) receiver() int { return min(r.owner, len(r.exceptions)-1) }

func (r *rustReader) locationLine(location string) bool {
	f := r.lastFrame(r.receiver())
	if f.Filename != "" || location == "" {
		return false
	}
	path, line, column := cutPosition(location)
	if path == "" {
		return false
	}
	f.Line, f.Column = line, column
	f.setRustPath(path)
	return true
}
