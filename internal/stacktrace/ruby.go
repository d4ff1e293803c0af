// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// rubyReader reads the result of Exception#full_message in both orders, as the OpenTelemetry SDK
// records it, and plain backtraces
// (https://docs.ruby-lang.org/en/master/Exception.html#method-i-full_message).
type rubyReader struct {
	*builder
	lines   lines
	current int
	// headed is true if the current exception has a header: "cart.rb:3:in `add': message (Type)".
	headed bool
	// plain is true if its header has no location: "Type: message" or, in Rails, "Type (message)".
	plain bool
	// lists is the number of lists of frames with a title of Rails.
	lists int
	// first is the first line of the message. While open, it may continue: text[more:end] is the
	// rest.
	first     string
	more, end int
	open      bool
}

func readRuby(b *builder) {
	r := rubyReader{builder: b, lines: lines{text: b.text}, current: none}
	for r.lines.scan() {
		r.read(r.lines.line)
	}
	r.close()
}

func (r *rubyReader) read(line string) {
	switch {
	case strings.HasPrefix(line, "Traceback (most recent call last)"):
		r.oldestFirst = true // the header, with the frame that threw, is last
	case strings.HasPrefix(line, "\t") && r.from(line[1:]):
	case strings.HasPrefix(line, railsList) && r.list():
	case !isBlank(line) && r.locationLine(line):
	case r.plainHeader(line):
	case r.open:
		r.extend()
	case isBlank(line):
	default:
		r.unread(r.current, line)
	}
}

// from reads a line below a header, "from cart.rb:6:in `fill'", or above one,
// " 5: from cart.rb:6:in `fill'".
func (r *rubyReader) from(line string) bool {
	line = unindented(line)
	_, rest, numbered := number(line)
	if numbered {
		line = strings.TrimPrefix(rest, ": ")
	}
	line, ok := strings.CutPrefix(line, "from ")
	if !ok {
		return false
	}
	location, rest, ok := cutRubyLocation(line)
	if !ok || rest != "" {
		return false
	}
	if r.current == none || r.oldestFirst && r.headed {
		r.enter()
	}
	r.close()
	r.frame(r.current).setRubyLocation(location)
	return true
}

// locationLine reads a line that begins with a location: a header, or a line of a plain backtrace.
func (r *rubyReader) locationLine(line string) bool {
	if r.plain {
		line = unindented(line)
	}
	location, rest, ok := cutRubyLocation(line)
	if !ok {
		return false
	}
	message, isHeader := strings.CutPrefix(rest, ": ")
	if !isHeader && rest != "" || !isHeader && r.headed && !r.plain {
		return false
	}
	if r.current == none || r.headed && isHeader {
		r.enter()
	}
	r.close()
	r.frame(r.current).setRubyLocation(location)
	if isHeader {
		r.header(message)
	}
	return true
}

// enter begins an exception. In the usual order, it is the cause of the one before it; with the
// oldest first, the reverse.
func (r *rubyReader) enter() {
	r.close()
	before := r.current
	r.headed, r.plain = false, false
	switch {
	case before == none:
		r.current = r.begin(noParent, "")
	case r.oldestFirst:
		r.current = r.begin(noParent, "")
		if r.current != none {
			r.exception(before).Parent, r.exception(before).Relation = r.current, "cause"
		}
	default:
		r.current = r.begin(before, "cause")
	}
}

// Titles and captions that Rails logs.
const (
	railsList  = "Information for"
	railsCause = "Caused by: "
)

// list reads "Information for cause: Type (message):", above the frames of the next exception.
func (r *rubyReader) list() bool {
	if r.lists >= len(r.exceptions) {
		return false
	}
	r.close()
	r.current, r.headed, r.plain = r.lists, true, true
	r.lists++
	return true
}

// plainHeader reads "Type (message)" or "Type: message" above frames, or "Caused by: " and either.
func (r *rubyReader) plainHeader(line string) bool {
	header, isCause := strings.CutPrefix(line, railsCause)
	if isCause == (r.current == none) {
		return false
	}
	typ, message, _ := strings.Cut(header, " (")
	message, ok := strings.CutSuffix(strings.TrimRight(message, ": "), ")")
	if !ok || !isRubyClass(typ) {
		typ, message, ok = strings.Cut(header, ": ")
	}
	if !ok || !isRubyClass(typ) {
		return false
	}
	r.close()
	if r.current = r.begin(r.current, ""); r.current > 0 {
		r.exception(r.current).Relation = "cause"
	}
	r.headed, r.plain, r.open, r.more, r.end = true, true, true, r.lines.end, r.lines.end
	e := r.exception(r.current)
	e.Type, e.Message, r.first = typ, message, message
	return true
}

// isRubyClass reports whether the text is the name of a class: "Shop::OutOfStock".
func isRubyClass(name string) bool {
	for i := range len(name) {
		if !isIdentifier(name[i]) && name[i] != ':' {
			return false
		}
	}
	return name != "" && name[0] >= 'A' && name[0] <= 'Z'
}

// header reads "message (Type)". Ruby prints the type after the first line of a message.
func (r *rubyReader) header(message string) {
	r.headed, r.open, r.more, r.end = true, true, r.lines.end, r.lines.end
	e := r.exception(r.current)
	if open := strings.LastIndex(message, " ("); open >= 0 && strings.HasSuffix(message, ")") {
		message, e.Type = message[:open], message[open+len(" ("):len(message)-1]
	}
	r.first, e.Message = message, message
}

// extend adds a line to the message.
func (r *rubyReader) extend() {
	if !isBlank(r.lines.line) {
		r.end = r.lines.end
	}
}

// close ends the message. It may not be a substring of the text, since the type follows its first
// line.
func (r *rubyReader) close() {
	if !r.open {
		return
	}
	r.open = false
	e, more := r.exception(r.current), r.text[r.more:r.end]
	switch {
	case more == "":
	case len(r.message) == len(r.first)+len(more) && strings.HasPrefix(r.message, r.first) && strings.HasSuffix(r.message, more):
		e.Message = r.message
	default:
		e.Message = r.first + more
	}
}

// rubyLocation is a location in a file, and the label of the method around it.
type rubyLocation struct {
	path, label string
	line        int
}

// cutRubyLocation cuts "cart.rb:3:in `add'", "cart.rb:3:in 'Cart#add'" (Ruby 3.4) or "cart.rb:3"
// from what follows.
func cutRubyLocation(line string) (location rubyLocation, rest string, ok bool) {
	in := strings.Index(line, ":in ")
	if in > 0 && in+len(":in '") < len(line) && (line[in+len(":in ")] == '`' || line[in+len(":in ")] == '\'') {
		return cutRubyLabel(line, in)
	}
	i := strings.Index(line, ".rb:")
	if i < 0 || strings.IndexByte(line[:i], ' ') >= 0 {
		return location, "", false
	}
	n, rest, ok := number(line[i+len(".rb:"):])
	if !ok || rest != "" && !strings.HasPrefix(rest, ": ") {
		return location, "", false
	}
	return rubyLocation{path: line[:i+len(".rb")], line: n}, rest, true
}

func cutRubyLabel(line string, in int) (location rubyLocation, rest string, ok bool) {
	path, n, ok := cutNumber(line[:in])
	if !ok || path == "" {
		return location, "", false
	}
	label := line[in+len(":in '"):]
	end := strings.Index(label, "': ")
	if end < 0 {
		end = len(label) - 1
	}
	if label[end] != '\'' {
		return location, "", false
	}
	return rubyLocation{path: path, label: label[:end], line: n}, label[end+1:], true
}

func (f *Frame) setRubyLocation(location rubyLocation) {
	f.Function, f.Line = location.label, location.line
	f.Module = rubyClass(location.label)
	f.setRubyPath(location.path)
	f.Native = strings.HasPrefix(location.path, "<internal:")
}

// rubyClass returns the class in a label of Ruby 3.4: "block in Shop::Cart#add".
func rubyClass(label string) string {
	name := label[strings.LastIndexByte(label, ' ')+1:]
	if i := strings.IndexAny(name, "#."); i > 0 && name[0] != '<' {
		return name[:i]
	}
	return ""
}

// setRubyPath makes the path of a gem or the standard library relative to its load path.
func (f *Frame) setRubyPath(path string) {
	if library, ok := after(path, "gems"); ok {
		f.Filename, f.AbsPath, f.Package = library, path, gemName(firstElement(library))
		if _, file, ok := strings.Cut(library, "/lib/"); ok {
			f.Filename = file
		}
		return
	}
	if _, library, ok := strings.Cut(path, "/lib/ruby/"); ok {
		f.Filename, f.AbsPath = library, path
		if _, file, ok := strings.Cut(library, "/"); ok { // after the version
			f.Filename = file
		}
		return
	}
	f.setPath(path)
}

// gemName returns the name of a gem without its version: "rack-2.2.4" is rack.
func gemName(gem string) string {
	i := strings.LastIndexByte(gem, '-')
	if i > 0 && i+1 < len(gem) && gem[i+1] >= '0' && gem[i+1] <= '9' {
		return gem[:i]
	}
	return gem
}

func (f *Frame) isRubyLibrary() bool {
	return f.Native || f.Package != "" || strings.Contains(f.path(), "/lib/ruby/") || strings.Contains(f.path(), "/vendor/bundle/")
}
