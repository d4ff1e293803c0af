// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// rustReader reads panics, std::backtrace::Backtrace, and errors with causes as anyhow prints them
// (https://doc.rust-lang.org/std/backtrace/).
type rustReader struct {
	*builder
	lines   lines
	current int
	header  header
	// section says what the lines describe.
	section rustSection
	// numbered is true after the first frame: a line without a number may then be a function that
	// was inlined into it.
	numbered bool
	// listing is true after the first error of a list, whose message begins at start.
	listing bool
	start   int
	// placed is true if the text says where the error was created, as eyre does.
	placed bool
}

type rustSection uint8

const (
	rustMessage rustSection = iota // the message, then frames
	rustErrors                     // a list of errors, each the source of the one above
	rustPlace                      // where an error was created
	rustSpans                      // spans of tracing, which look like frames
	rustFrames
)

func readRust(b *builder) {
	r := rustReader{builder: b, lines: lines{text: b.text}, current: none, placed: strings.Contains(b.text, "\nLocation:")}
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
	case r.section == rustSpans:
		r.incomplete = true
	case r.section == rustPlace && line[0] == ' ':
	case r.section == rustErrors && r.listed(body):
	case !r.header.open && r.frameLine(line, body):
	case r.header.extend(r.builder, &r.lines):
	case strings.HasPrefix(line, "thread '") && r.panicked(line):
	case strings.HasPrefix(line, "note: "), strings.HasPrefix(line, "Run with "), strings.HasPrefix(line, "Backtrace omitted"):
	case r.current == none && !r.isFrame(body):
		r.begun()
		r.header = r.readThrown(&r.lines, r.current, line)
	default:
		r.unread(r.thrown(), line)
	}
}

// title reads a line that begins a section. color-eyre draws lines around its titles, and marks
// hidden frames by dots.
func (r *rustReader) title(line, body string) bool {
	switch {
	case strings.EqualFold(line, "stack backtrace:"), strings.HasPrefix(body, "━") && strings.Contains(body, " BACKTRACE "):
		r.ensureStarted()
		r.begins(rustFrames)
	case strings.HasPrefix(body, "━") && strings.Contains(body, " SPANTRACE "):
		r.begins(rustSpans)
	case strings.HasPrefix(body, "⋮"):
	case r.numbered:
		return false
	case line == "Caused by:" && r.current != none:
		r.begins(rustErrors)
	case line == "Location:" && r.current != none:
		r.begins(rustPlace)
	case strings.HasPrefix(line, "Location: ") && r.current != none:
		r.begins(rustFrames)
	case r.current != none:
		return false
	case line == "The application panicked (crashed).":
		r.crashed()
	case strings.TrimRight(line, " ") == "Error:":
		r.begins(rustErrors)
	case r.placed && r.isFrame(body):
		r.begins(rustErrors)
		return false
	default:
		return false
	}
	return true
}

func (r *rustReader) begins(section rustSection) { r.section, r.header.open = section, false }

// crashed reads "Message:  explicit panic", below the first line of a panic that color-eyre reports.
func (r *rustReader) crashed() {
	r.begun()
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

func (r *rustReader) begun() {
	r.current = r.begin(noParent, "")
}

// ensureStarted ensures that there is an exception for the frames that follow.
func (r *rustReader) ensureStarted() {
	if r.current == none && len(r.exceptions) == 0 {
		r.begun()
	}
}

// isFrame reports whether the line is a numbered frame, as in a backtrace without a header.
func (*rustReader) isFrame(body string) bool {
	_, rest, ok := number(body)
	return ok && strings.HasPrefix(rest, ": ")
}

// panicked reads "thread 'main' panicked at src/main.rs:5:9:", after which the message follows.
// Rust before 1.73 prints "thread 'main' panicked at 'message', src/main.rs:5:9".
func (r *rustReader) panicked(line string) bool {
	_, location, ok := strings.Cut(line, " panicked at ")
	if !ok || r.current != none {
		return false
	}
	r.begun()
	e := r.exception(r.current)
	e.Type = "panic"
	if end := strings.LastIndex(location, "', "); end > 0 && location[0] == '\'' {
		e.Message = location[1:end]
		return true
	}
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

// listed reads an error of a list: "    0: message" or, if there is only one cause, "    message".
// Further lines of a message are indented as well.
func (r *rustReader) listed(body string) bool {
	if r.lines.line[0] != ' ' {
		return false
	}
	_, rest, ok := number(body)
	message, numbered := strings.CutPrefix(rest, ": ")
	switch {
	case ok && numbered:
		r.enter(message)
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
	r.exception(r.current).Message, r.start = message, r.lines.end-len(message)
}

// withoutIndents removes the indentation of the second and later lines of a message.
func withoutIndents(message string) string {
	if !strings.Contains(message, "\n") {
		return message
	}
	var b strings.Builder
	for line := range strings.Lines(message) {
		b.WriteString(unindented(line))
	}
	return b.String()
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
	}
	if name == "" || !isRustName(name) {
		return false
	}
	r.ensureStarted()
	r.numbered = true
	r.frame(r.thrown()).setRustFunction(name)
	return true
}

// isRustName reports whether the text may be a function: words of a message are separated by spaces.
func isRustName(name string) bool {
	return strings.IndexByte(name, ' ') < 0 || strings.Contains(name, "::") || strings.ContainsAny(name, "<(")
}

// thrown returns the exception that owns the frames: anyhow prints one backtrace, below the causes.
func (r *rustReader) thrown() int {
	if len(r.exceptions) == 0 {
		return none
	}
	return 0
}

func (r *rustReader) locationLine(location string) bool {
	f := r.lastFrame(r.thrown())
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

// setRustFunction parses "shop::cart::Cart<T>::add::{{closure}}::h0123456789abcdef". It drops the
// hash and keeps a closure with its function.
func (f *Frame) setRustFunction(name string) {
	if i := strings.LastIndex(name, "::h"); i > 0 && len(name)-i == len("::h")+16 {
		name = name[:i]
	}
	f.Package = rustCrate(name)
	name = withoutTurbofish(name)
	f.Function = name
	end := len(name)
	for strings.HasSuffix(name[:end], "}") {
		i := strings.LastIndex(name[:end], "::{")
		if i <= 0 {
			break
		}
		end = i
	}
	if i := lastRustSeparator(name[:end]); i > 0 {
		f.Module, f.Function = name[:i], name[i+len("::"):]
	}
}

// withoutTurbofish removes the type arguments at the end: "std::panic::catch_unwind::<F, ()>".
func withoutTurbofish(name string) string {
	if !strings.HasSuffix(name, ">") {
		return name
	}
	depth := 0
	for i := len(name) - 1; i > 2; i-- {
		switch {
		case name[i] == '>' && name[i-1] != '-':
			depth++
		case name[i] == '<':
			depth--
		}
		if depth == 0 && name[i] == '<' && name[i-1] == ':' {
			return strings.TrimSuffix(name[:i], "::")
		}
		if depth == 0 && name[i] == '<' {
			break
		}
	}
	return name
}

// lastRustSeparator returns the index of the last "::" that is neither inside nor before generic
// arguments, or -1.
func lastRustSeparator(name string) int {
	depth := 0
	for i := len(name) - 1; i > 0; i-- {
		switch name[i] {
		case '>':
			if name[i-1] != '-' { // not the arrow of a function type
				depth++
			}
		case '<':
			depth--
		case ':':
			if depth == 0 && name[i-1] == ':' && i+1 < len(name) && name[i+1] != '<' {
				return i - 1
			}
		}
	}
	return -1
}

// rustCrate returns the crate at the beginning of the name: "<alloc::vec::Vec<T,A> as
// core::ops::Index>::index" is alloc's. A name without a path has none.
func rustCrate(name string) string {
	for {
		start := name
		name = strings.TrimLeft(name, "<&*[( ")
		name = strings.TrimPrefix(name, "dyn ")
		name = strings.TrimPrefix(name, "mut ")
		if len(name) == len(start) {
			break
		}
	}
	end := 0
	for end < len(name) && isIdentifier(name[end]) {
		end++
	}
	switch rest := name[end:]; {
	case strings.HasPrefix(rest, "::"), strings.HasPrefix(rest, "["):
		return name[:end]
	case strings.HasPrefix(rest, " as "):
		return rustCrate(rest[len(" as "):])
	default:
		return ""
	}
}

func isIdentifier(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// setRustPath makes the path relative to the crate.
func (f *Frame) setRustPath(path string) {
	f.setShortPath(path)
	if rest, ok := strings.CutPrefix(path, "./"); ok {
		f.Filename = rest
		return
	}
	if rest, ok := strings.CutPrefix(path, "/rustc/"); ok {
		if _, file, ok := strings.Cut(rest, "/"); ok { // after the commit
			f.Filename = file
		}
		return
	}
	if rest, ok := after(path, "registry"); ok {
		if _, file, ok := strings.Cut(strings.TrimPrefix(rest, "src/"), "/"); ok { // after the name of the registry
			f.Filename = file
			return
		}
	}
	f.relativeTo("src")
}

// unwindsRust reports whether the function is the one a panic calls. The frames above it print the
// panic.
func (f *Frame) unwindsRust() bool { return f.Function == "rust_begin_unwind" }

// raisesRustPanic reports whether the function raises a panic or records a backtrace.
func (f *Frame) raisesRustPanic() bool {
	switch f.Package {
	case "std", "core", "backtrace":
		return strings.Contains(f.Module, "panicking") || strings.Contains(f.Module, "backtrace")
	default:
		return false
	}
}

func (f *Frame) isRustLibrary() bool {
	switch f.Package {
	case "", "std", "core", "alloc", "__rustc", "proc_macro", "test", "backtrace",
		"actix_http", "actix_rt", "actix_web", "anyhow", "axum", "color_eyre", "eyre", "futures", "futures_util", "futures_core", "h2", "hyper",
		"hyper_util", "log", "opentelemetry", "opentelemetry_sdk", "rayon", "rayon_core", "reqwest", "rocket", "sentry", "serde", "serde_json",
		"tokio", "tonic", "tower", "tower_http", "tower_service", "tracing", "tracing_core", "tracing_futures", "tracing_opentelemetry",
		"tracing_subscriber", "warp":
		return true
	}
	return strings.HasPrefix(f.AbsPath, "/rustc/") || strings.Contains(f.AbsPath, "/registry/src/") || strings.Contains(f.AbsPath, "/cargo/git/")
}
