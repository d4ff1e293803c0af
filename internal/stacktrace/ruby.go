// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// rubyReader reads what Exception#full_message returns in both orders, which is what the OpenTelemetry SDK records, and the lines of
// a backtrace alone (https://docs.ruby-lang.org/en/master/Exception.html#method-i-full_message).
type rubyReader struct {
	*builder
	lines   lines
	current int
	// headed tells that the current exception has a header: "cart.rb:3:in `add': message (Type)".
	headed bool
	// first is the message's first line. While open, more lines may follow: those from more to end in the text.
	first     string
	more, end int
	open      bool
}

func readRuby(b *builder) {
	r := rubyReader{builder: b, lines: lines{text: b.text}, current: lost}
	for r.lines.scan() {
		r.read(r.lines.line)
	}
	r.close()
}

func (r *rubyReader) read(line string) {
	switch {
	case strings.HasPrefix(line, "Traceback (most recent call last)"):
		r.oldestFirst = true // the header, with the frame that threw, comes last
	case strings.HasPrefix(line, "\t") && r.from(line[1:]):
	case !isBlank(line) && r.place(line):
	case r.open:
		r.extend()
	case isBlank(line):
	default:
		r.unread = true
	}
}

// from reads a line below a header, "from cart.rb:6:in `fill'", or one above it, " 5: from cart.rb:6:in `fill'".
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
	place, rest, ok := cutRubyPlace(line)
	if !ok || rest != "" {
		return false
	}
	if r.current == lost || r.oldestFirst && r.headed {
		r.enter()
	}
	r.close()
	r.frame(r.current).setRubyPlace(place)
	return true
}

// place reads a line that begins with a place: a header, or a line of a backtrace alone.
func (r *rubyReader) place(line string) bool {
	place, rest, ok := cutRubyPlace(line)
	if !ok {
		return false
	}
	message, isHeader := strings.CutPrefix(rest, ": ")
	if !isHeader && rest != "" || !isHeader && r.headed {
		return false
	}
	if r.current == lost || r.headed {
		r.enter()
	}
	r.frame(r.current).setRubyPlace(place)
	if isHeader {
		r.header(message)
	}
	return true
}

// enter begins an exception. In the usual order, it is the cause of the one before it; in the other order, the other way round.
func (r *rubyReader) enter() {
	r.close()
	before := r.current
	r.headed = false
	switch {
	case before == lost:
		r.current = r.begin(noParent, "")
	case r.oldestFirst:
		r.current = r.begin(noParent, "")
		if r.current != lost {
			r.exception(before).Parent, r.exception(before).Relation = r.current, "cause"
		}
	default:
		r.current = r.begin(before, "cause")
	}
}

// header reads "message (Type)". Ruby puts the type behind the first line of a message.
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

// close ends the message. It is not one part of the text, since the type stands behind its first line.
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

// rubyPlace is a place in a file, and the label of the method that it is in.
type rubyPlace struct {
	path, label string
	line        int
}

// cutRubyPlace cuts "cart.rb:3:in `add'", "cart.rb:3:in 'Cart#add'" of Ruby 3.4, or "cart.rb:3" from what follows.
func cutRubyPlace(line string) (place rubyPlace, rest string, ok bool) {
	in := strings.Index(line, ":in ")
	if in > 0 && in+len(":in '") < len(line) && (line[in+len(":in ")] == '`' || line[in+len(":in ")] == '\'') {
		return cutRubyLabel(line, in)
	}
	i := strings.Index(line, ".rb:")
	if i < 0 || strings.IndexByte(line[:i], ' ') >= 0 {
		return place, "", false
	}
	n, rest, ok := number(line[i+len(".rb:"):])
	if !ok || rest != "" && !strings.HasPrefix(rest, ": ") {
		return place, "", false
	}
	return rubyPlace{path: line[:i+len(".rb")], line: n}, rest, true
}

func cutRubyLabel(line string, in int) (place rubyPlace, rest string, ok bool) {
	path, n, ok := cutNumber(line[:in])
	if !ok {
		return place, "", false
	}
	label := line[in+len(":in '"):]
	end := strings.Index(label, "': ")
	if end < 0 {
		end = len(label) - 1
	}
	if label[end] != '\'' {
		return place, "", false
	}
	return rubyPlace{path: path, label: label[:end], line: n}, label[end+1:], true
}

func (f *Frame) setRubyPlace(place rubyPlace) {
	f.Function, f.Line = place.label, place.line
	f.Module = rubyClass(place.label)
	f.setRubyPath(place.path)
	f.Native = strings.HasPrefix(place.path, "<internal:")
}

// rubyClass is the class in a label of Ruby 3.4: "block in Shop::Cart#add".
func rubyClass(label string) string {
	name := label[strings.LastIndexByte(label, ' ')+1:]
	if i := strings.IndexAny(name, "#."); i > 0 && name[0] != '<' {
		return name[:i]
	}
	return ""
}

// setRubyPath makes the path relative to the load path of a gem or of the standard library.
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
		if _, file, ok := strings.Cut(library, "/"); ok { // behind the version
			f.Filename = file
		}
		return
	}
	f.setPath(path)
}

// gemName is the name of a gem without its version: "rack-2.2.4" is rack.
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
