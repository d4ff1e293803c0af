// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"strconv"
	"strings"
)

// pythonReader reads the output of traceback.format_exception
// (https://docs.python.org/3/library/traceback.html). An exception group is drawn as a tree: "  | "
// precedes the group's lines, "    | " those of its members, and so on. Levels count from 0.
type pythonReader struct {
	*builder
	lines   lines
	levels  [pythonLevels]pythonLevel
	hasTree bool // the text has a tree
	// repeated is the number of frames repeated so far.
	repeated int
	// quote is the line that ends the traceback of another process, while one is being read.
	quote string
	// fault is true if the text is a dump of faulthandler.
	fault bool
}

// pythonLevels is more than Python's max_group_depth.
const pythonLevels = 12

// pythonLevel is the state of one level of the tree.
type pythonLevel struct {
	state   pythonState
	current int
	// inner is the exception that the next one was raised from or while handling, or none; relation
	// says which.
	inner    int
	relation string
	// group is the group that the exceptions of this level belong to, and member the relation.
	group  int
	member string
	// messageStart is the offset of the current message in the text; ended is true once the group's
	// members begin.
	messageStart int
	ended        bool
	// traceback is true if the current exception has a traceback, ipython if IPython printed it.
	traceback, ipython bool
}

type pythonState uint8

const (
	pythonBegin   pythonState = iota // an exception begins here
	pythonFrames                     // its traceback
	pythonMessage                    // its type, its message and its notes
)

const (
	pythonTraceback = "Traceback (most recent call last):"
	pythonStack     = "Stack (most recent call last):" // of logging, with stack_info
	pythonGroup     = "Exception Group Traceback (most recent call last):"
	pythonCause     = "The above exception was the direct cause of the following exception:"
	pythonContext   = "During handling of the above exception, another exception occurred:"
	// twistedCatch is between frames of Twisted's tracebacks.
	twistedCatch = "--- <exception caught here> ---"
)

func readPython(b *builder) {
	b.oldestFirst = true
	r := pythonReader{builder: b, lines: lines{text: b.text}}
	for i := range r.levels {
		r.levels[i] = pythonLevel{current: none, inner: none, group: none}
	}
	for r.lines.scan() {
		r.readTree(r.lines.line)
		if r.fault {
			b.reset()
			readFaulthandler(b)
			return
		}
	}
	if !r.hasTree {
		return
	}
	for i := range b.exceptions {
		b.exceptions[i].Message = withoutTree(b.exceptions[i].Message)
	}
}

// readTree finds the level of a line and reads the line.
func (r *pythonReader) readTree(line string) {
	indent := spaces(line)
	rest, depth := line[indent:], indent/2
	switch {
	case strings.HasPrefix(rest, "+ "+pythonGroup):
		r.hasTree = true
		r.read(&r.levels[0], rest[len("+ "):])
	case !r.hasTree || rest == "" || depth == 0 || depth > pythonLevels:
		r.read(&r.levels[0], line)
	case strings.HasPrefix(rest, "+-+---"):
		r.member(depth-1, rest)
	case strings.HasPrefix(rest, "+---") && depth > 1:
		r.member(depth-2, rest)
	case rest[0] == '|':
		r.read(&r.levels[depth-1], strings.TrimPrefix(rest[1:], " "))
	default:
		r.read(&r.levels[0], line)
	}
}

// member reads "+---------------- 1 ----------------", after which a member of the group at that
// level begins. Without a title it ends the group.
func (r *pythonReader) member(level int, line string) {
	title := strings.Trim(line, "+- ")
	if title == "" {
		return
	}
	n, _, ok := number(title)
	if !ok || level+1 >= pythonLevels { // "...": Python does not print all members
		r.incomplete = true
		return
	}
	group := r.levels[level].current
	r.exception(group).Group = true
	r.levels[level].ended = true
	r.levels[level+1] = pythonLevel{
		current: none, inner: none, group: group, member: "exceptions[" + strconv.Itoa(max(n-1, 0)) + "]",
	}
}

// read reads a line without the tree.
func (r *pythonReader) read(l *pythonLevel, line string) {
	switch {
	case l.state != pythonMessage && isPythonFrame(line) && r.frameLine(l, line):
	case l.ipython && l.state == pythonFrames && r.ipythonLine(l, line):
	case r.chain(l, line):
	case l.state == pythonBegin:
		r.beginning(l, line)
	case l.state == pythonFrames:
		r.underFrame(l, line)
	default:
		r.messageLine(l, line)
	}
}

// beginning reads the first line of an exception. One that was never raised has no traceback.
func (r *pythonReader) beginning(l *pythonLevel, line string) {
	switch {
	case isBlank(line):
	case strings.HasSuffix(line, pythonTraceback):
		r.start(l)
		r.exception(l.current).Group = line == pythonGroup
		r.incomplete = r.incomplete || line != pythonTraceback && line != pythonGroup // a log line
		l.state, l.traceback = pythonFrames, true
	case line == pythonStack:
		r.start(l)
		l.state, l.traceback = pythonFrames, true
	case isIPythonRule(line):
	case isIPythonTitle(line):
		r.start(l)
		l.state, l.traceback, l.ipython = pythonFrames, true, true
	case strings.HasPrefix(line, "... (max_group_depth "):
		r.incomplete = true
	default:
		r.fault = isFaultHeader(line)
		r.start(l)
		r.header(l, line)
	}
}

// start begins an exception. If it was raised from another one, it takes that one's position.
func (r *pythonReader) start(l *pythonLevel) {
	l.traceback, l.ipython = false, false
	if l.inner == none {
		parent, relation := noParent, ""
		if l.group != none {
			parent, relation = l.group, l.member
		}
		l.current = r.begin(parent, relation)
		return
	}
	inner := *r.exception(l.inner)
	l.current = r.begin(inner.Parent, inner.Relation)
	if l.current != none {
		r.exception(l.inner).Parent, r.exception(l.inner).Relation = l.current, l.relation
	}
}

// chain reads the sentence between two exceptions.
func (r *pythonReader) chain(l *pythonLevel, line string) bool {
	if l.state != pythonMessage || line != pythonCause && line != pythonContext {
		return false
	}
	l.relation = "__context__"
	if line == pythonCause {
		l.relation = "__cause__"
	}
	l.state, l.inner = pythonBegin, l.current
	return true
}

// isPythonFrame reports whether the line may be a frame. Loguru marks the one that caught the
// exception.
func isPythonFrame(line string) bool {
	return strings.HasPrefix(line, `  File "`) || strings.HasPrefix(line, `> File "`)
}

// cutPythonLine cuts what follows `  File "` into the path, the line and the rest.
func cutPythonLine(line string) (path string, n int, rest string, ok bool) {
	path = line[len(`  File "`):]
	i := strings.LastIndex(path, `", line `)
	if i < 0 {
		return "", 0, "", false
	}
	n, rest, ok = number(path[i+len(`", line `):])
	return path[:i], n, rest, ok
}

// frameLine reads `  File "cart.py", line 12, in add`. The last frame of a syntax error has no
// function.
func (r *pythonReader) frameLine(l *pythonLevel, line string) bool {
	path, n, rest, ok := cutPythonLine(line)
	function, named := strings.CutPrefix(rest, ", in ")
	if !ok || !named && rest != "" {
		return false
	}
	if l.state == pythonBegin {
		r.start(l)
		l.state = pythonFrames
	}
	f := r.frame(l.current)
	f.Function, f.Line = function, n
	f.setPythonPath(path)
	return true
}

// underFrame reads what follows a frame: its source, markers, repetitions, or the header after the
// last frame.
func (r *pythonReader) underFrame(l *pythonLevel, line string) {
	switch {
	case isBlank(line):
	case r.framesOf(l.current) == 0 && line[0] != ' ':
		r.header(l, line)
	case r.framesOf(l.current) == 0:
		r.incomplete = true
	case strings.HasPrefix(line, "    "):
		r.source(l, line)
	case strings.HasPrefix(line, "  [Previous line repeated "):
		r.repeat(l, line[len("  [Previous line repeated "):])
	case line == twistedCatch:
	default:
		r.header(l, line)
	}
}

// source keeps the first source line of a frame. Further lines are markers or the rest of an
// expression.
func (r *pythonReader) source(l *pythonLevel, line string) {
	if f := r.lastFrame(l.current); f.ContextLine == "" {
		f.ContextLine = unindented(line)
	}
}

// repeat reads "[Previous line repeated 994 more times]".
func (r *pythonReader) repeat(l *pythonLevel, rest string) {
	n, rest, ok := number(rest)
	if !ok || !strings.HasPrefix(rest, " more time") {
		r.incomplete = true
		return
	}
	previous := *r.lastFrame(l.current)
	n = min(n, maxFrames)
	if r.repeated += n; r.repeated > maxExceptions*maxFrames {
		r.incomplete = true
		return
	}
	for range n {
		*r.frame(l.current) = previous
	}
}

// header reads "type: message". The message may continue on the next lines.
func (r *pythonReader) header(l *pythonLevel, line string) {
	e := r.exception(l.current)
	e.Type, e.Message = cutType(line)
	l.state, l.messageStart, l.ended = pythonMessage, r.lines.end-len(e.Message), false
	switch {
	case e.Message == "" && r.quoted(): // the exception is the quoted one
		e.Type = ""
		l.state, l.traceback = pythonFrames, true
	case !r.hasTree && l.current != none && r.skipKnown(&r.lines, l.messageStart):
		e.Message = r.message
	}
}

// quoted reads the quote and the first line of a traceback of another process, as multiprocessing,
// billiard and concurrent.futures raise it.
func (r *pythonReader) quoted() bool {
	quote := r.lines.peek()
	if quote != `"""` && quote != "'''" {
		return false
	}
	next := r.lines
	next.scan()
	if next.peek() != pythonTraceback {
		return false
	}
	next.scan()
	r.lines, r.quote = next, quote
	return true
}

// messageLine reads a further line of a message. If the line begins a traceback, the message so far
// was a log line, unless the traceback is quoted, like that of another process. A second traceback
// belongs to another exception.
func (r *pythonReader) messageLine(l *pythonLevel, line string) {
	switch {
	case isBlank(line):
	case r.quote != "" && line == r.quote:
		l.ended, r.quote = true, ""
	case l.ended:
		r.incomplete = true
	case !l.traceback && isFaultHeader(line):
		r.fault = true
	case line != pythonTraceback || strings.HasSuffix(r.text[:r.lines.start], "\"\"\"\n"):
		r.exception(l.current).Message = r.text[l.messageStart:r.lines.end]
	case l.traceback:
		r.incomplete, l.ended = true, true
	default:
		r.incomplete = true
		e := r.exception(l.current)
		e.Type, e.Message = "", ""
		l.state, l.traceback = pythonFrames, true
	}
}

// withoutTree removes the tree from the second and later lines of a message.
func withoutTree(message string) string {
	if !strings.Contains(message, "\n") {
		return message
	}
	var b strings.Builder
	for line := range strings.Lines(message) {
		if rest := strings.TrimLeft(line, " "); len(rest) < len(line) && rest != "" && rest[0] == '|' {
			line = strings.TrimPrefix(rest[1:], " ")
		}
		b.WriteString(line)
	}
	return b.String()
}

// setPythonPath makes the path of a library relative to its package folder.
func (f *Frame) setPythonPath(path string) {
	for _, root := range [...]string{"site-packages", "dist-packages"} {
		if library, ok := after(path, root); ok {
			f.Filename, f.AbsPath, f.Package = withSlashes(library), path, firstElement(library)
			return
		}
	}
	if library, ok := pythonLibrary(path); ok {
		f.Filename, f.AbsPath = withSlashes(library), path
		return
	}
	f.setPath(path)
}

// pythonLibrary returns the path of a standard library module below /usr/lib/python3.12 or, on
// Windows, \Lib.
func pythonLibrary(path string) (string, bool) {
	if _, version, ok := strings.Cut(path, "/lib/python"); ok {
		_, module, ok := strings.Cut(version, "/")
		return module, ok
	}
	before, module, ok := strings.Cut(path, `\Lib\`)
	if !ok {
		before, module, ok = strings.Cut(path, `\lib\`)
	}
	return module, ok && strings.Contains(before, "ython")
}

func (f *Frame) isPythonLibrary() bool {
	if f.Package != "" || strings.HasPrefix(f.Filename, "<frozen ") {
		return true
	}
	_, ok := pythonLibrary(f.AbsPath)
	return ok || f.isPyInstaller() || strings.HasPrefix(f.Filename, awsLambda)
}

// isPyInstaller reports whether the code is PyInstaller's loader or one of its hooks.
func (f *Frame) isPyInstaller() bool {
	return strings.HasPrefix(f.Filename, "PyInstaller/") || strings.HasPrefix(f.Filename, "pyi_rth_")
}
