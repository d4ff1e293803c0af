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
	// lists is the number of frame lists so far that Rails printed under a title.
	lists int
	// first is the first line of the message. While open is true, the message may continue:
	// text[more:end] is the rest.
	first     string
	more, end int
	open      bool
	// unclosed is true while the parenthesis of "Type (message)" is open across lines.
	unclosed bool
	// listed is true while Rails lists causes without frames.
	listed bool
	// causeBelow is true if the next line is the header of a cause.
	causeBelow bool
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
	case r.unclosed:
		r.closeParenthesis(line)
	case strings.HasPrefix(line, "Traceback (most recent call last)"):
		r.oldestFirst = true // the header, with the frame that threw, is last
	case strings.HasPrefix(line, "\t") && r.from(line[1:]):
	case strings.HasPrefix(line, railsList) && r.listTitle():
	case !isBlank(line) && (r.locationLine(line) || r.jrubyLine(line)):
	case r.current != none && (line == railsCauses || line == "Caused by:"):
		r.close()
		r.listed, r.causeBelow = line == railsCauses, line != railsCauses
	case r.listed && isBlank(line): // the frames are those of the exception that was thrown
		r.close()
		r.current, r.listed = 0, false
	case r.plainHeader(line):
	case r.open:
		r.extend()
	case isBlank(line), r.loggedLine(line):
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
	if !ok {
		location.path, location.line, ok = cutNumber(line) // "-e:1", outside of methods
	}
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

// loggedLine reads the first frame of a plain backtrace below the prefix of a log: Sidekiq prints it
// only once.
func (r *rubyReader) loggedLine(line string) bool {
	i := strings.LastIndex(line, ": /")
	if _, rest, ok := cutRubyLocation(r.lines.peek()); r.current != none || i < 0 || !ok || rest != "" {
		return false
	}
	r.incomplete = true
	return r.locationLine(line[i+len(": "):])
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
	railsList   = "Information for"
	railsCause  = "Caused by: "
	railsCauses = "Causes:"
)

// jrubyLine reads a frame in JRuby's own style.
func (r *rubyReader) jrubyLine(line string) bool {
	location, ok := cutJRubyFrame(line)
	if !ok || !r.plain {
		return false
	}
	r.close()
	r.frame(r.current).setRubyLocation(location)
	return true
}

// cutJRubyFrame cuts "    add at /srv/shop/cart.rb:12".
func cutJRubyFrame(line string) (location rubyLocation, ok bool) {
	label, position, found := strings.Cut(line, " at ")
	location.path, location.line, ok = cutNumber(position)
	location.label = unindented(label)
	return location, found && ok && line[0] == ' ' && location.label != "" && isRubySource(location.path)
}

// listTitle reads "Information for cause: Type (message):", above the frames of the next exception.
func (r *rubyReader) listTitle() bool {
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
	if (isCause || r.listed || r.causeBelow) == (r.current == none) {
		return false
	}
	typ, message, inParentheses := strings.Cut(header, " (")
	unclosed := false
	if inParentheses && isRubyClass(typ) {
		closed, ok := strings.CutSuffix(strings.TrimRight(message, ": "), ")")
		unclosed = !ok
		message = closed
	} else if typ, message, inParentheses = strings.Cut(header, ": "); r.listed || !inParentheses || !isRubyClass(typ) {
		return false
	}
	r.close()
	if r.current = r.begin(r.current, ""); r.current > 0 {
		r.exception(r.current).Relation = "cause"
	}
	r.causeBelow, r.unclosed = false, unclosed
	r.headed, r.plain, r.open, r.more, r.end = true, true, !unclosed, r.lines.end, r.lines.end
	e := r.exception(r.current)
	e.Type, e.Message, r.first = typ, message, message
	if unclosed {
		r.more = r.lines.end - len(header) + len(typ) + len(" (")
	} else {
		r.skipRest()
	}
	return true
}

// closeParenthesis reads a further line of a message in parentheses, as Rails prints it.
func (r *rubyReader) closeParenthesis(line string) {
	message, closed := strings.CutSuffix(strings.TrimRight(line, ": "), ")")
	if !closed {
		message = line
	}
	e := r.exception(r.current)
	e.Message = r.text[r.more : r.lines.start+len(message)]
	if closed {
		r.first, r.unclosed, r.open, r.more, r.end = e.Message, false, true, r.lines.end, r.lines.end
	}
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
	r.skipRest()
}

// skipRest skips the lines of the given message below the first one, whatever they look like.
func (r *rubyReader) skipRest() {
	rest, ok := strings.CutPrefix(r.message, r.first)
	if !ok || rest == "" || rest[0] != '\n' || r.current == none {
		return
	}
	text, ok := strings.CutPrefix(r.text[r.lines.end:], rest)
	if ok && (text == "" || text[0] == '\n') {
		r.end = len(r.text) - len(text)
		r.lines.skipTo(r.end)
	}
}

// extend adds a line to the message.
func (r *rubyReader) extend() {
	if !isBlank(r.lines.line) {
		r.end = r.lines.end
	}
}

// close ends the message. A message of several lines is not a substring of the text if the type
// interrupts it after the first line.
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
	path, after, ok := cutRubyPath(line)
	if !ok {
		return location, "", false
	}
	n, rest, ok := number(after)
	if !ok || rest != "" && !strings.HasPrefix(rest, ": ") {
		return location, "", false
	}
	return rubyLocation{path: path, line: n}, rest, true
}

// cutRubyPath cuts the path off a location without a method.
func cutRubyPath(line string) (path, after string, ok bool) {
	if after, ok = strings.CutPrefix(line, "-e:"); ok {
		return "-e", after, true
	}
	if strings.IndexByte(line, '.') < 0 {
		return "", "", false
	}
	for _, extension := range rubyExtensions {
		path, after, ok = strings.Cut(line, extension+":")
		if ok && strings.IndexByte(path, ' ') < 0 {
			return line[:len(path)+len(extension)], after, true
		}
	}
	return "", "", false
}

// rubyExtensions are the extensions of Ruby's files and templates.
var rubyExtensions = [...]string{".rb", ".erb", ".haml", ".slim", ".jbuilder", ".rake", ".ru"}

// isRubySource reports whether the file is one of Ruby, or of JRuby's own code in Java.
func isRubySource(path string) bool {
	return hasAnySuffix(path, rubyExtensions[:]...) || strings.HasPrefix(path, "org/jruby/") || path == "-e"
}

func cutRubyLabel(line string, in int) (location rubyLocation, rest string, ok bool) {
	path, n, ok := cutNumber(line[:in])
	if !ok || path == "" || path[0] == ' ' || path[0] == '#' || strings.Contains(path, ": ") { // RSpec and loggers
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
	if strings.HasPrefix(path, "<internal:") {
		f.setPath(path)
		return
	}
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
	return f.Native || f.Package != "" || strings.Contains(f.path(), "/lib/ruby/") || strings.Contains(f.path(), "/vendor/bundle/") ||
		strings.HasPrefix(f.Filename, "org/jruby/")
}
