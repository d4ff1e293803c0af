// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// javaReader reads the output of Throwable.printStackTrace, of Logback, of Log4j and of the PHP SDK
// of OpenTelemetry
// (https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/lang/Throwable.html#printStackTrace()).
type javaReader struct {
	*builder
	lines lines

	current int
	// latest is the last exception at each depth, and suppressed counts the exceptions that it
	// suppressed.
	latest, suppressed [javaDepths]int
	depth              int
	// complete is true once the frames that the current exception shares were read.
	complete bool
	header   header
	// spaced is true if the first frame is above a blank line.
	spaced bool
	// prefixed is true once a frame began with "at ": all frames below must begin with it too.
	prefixed bool
	// gaps is, for each exception, the number of frames above the last place where a logger left
	// frames out; 0 if it left none out.
	gaps [maxExceptions]int
	// later is, for each exception, the number of frames that it shares with one that follows.
	later [maxExceptions]int
	// thrownStart is the offset of the message of the exception that was thrown.
	thrownStart int
	// thread is the thread of a dump whose frames follow, if inThread; else they belong to the
	// exception. dumped is the number of threads so far.
	thread, dumped int
	inThread       bool
}

// javaDepths is how deep suppressed exceptions may be nested. Deeper ones are attached to the last
// depth.
const javaDepths = 16

func readJava(b *builder) {
	printed := b.text
	b.text, b.incomplete = withoutLogcat(printed)
	r := javaReader{builder: b, lines: lines{text: b.text}}
	for r.lines.scan() {
		r.read(r.lines.line)
	}
	r.shareLater()
	if len(b.frames) == 0 {
		b.text = printed
	}
}

func (r *javaReader) read(line string) {
	body := unindented(line)
	switch {
	case strings.HasPrefix(body, "at ") && r.frameLine(body[len("at "):]):
		r.prefixed = true
	case !r.prefixed && isJavaElement(body) && r.frameLine(body):
	case isJavaThread(body):
		r.enterThread(body)
	case r.dumped > 0 && r.threadDetail(body):
	case r.started() && r.below(line, body):
	case r.header.extend(r.builder, &r.lines):
	case body == "":
		r.blank()
	case !r.started():
		r.first(body)
	default:
		r.noFrame(body)
	}
}

// below reads a line below the first header that is neither a frame nor part of a message.
func (r *javaReader) below(line, body string) bool {
	switch {
	case isJavaLock(body):
		r.incomplete = true
		return true
	case strings.HasPrefix(body, "... "):
		return r.more(body[len("... "):])
	case isCoroutineBoundary(body):
		return true
	default:
		return r.nested(line, body) || r.composed(body) || r.thrownBelow(body) || r.driverBelow(body)
	}
}

// blank ends the exception: frames below a blank line are those of another, such as the client that
// received it from a server. A text may also have a blank line below each line.
func (r *javaReader) blank() {
	next := unindented(r.lines.peek())
	if !r.started() || r.inThread || !strings.HasPrefix(next, "at ") {
		return
	}
	switch frames := r.framesOf(r.current); {
	case frames == 1:
		r.spaced = true
	case frames > 1 && !r.spaced:
		r.unread(r.current, next)
	}
}

// noFrame reads a line below frames that is not a frame.
func (r *javaReader) noFrame(body string) {
	if r.inThread {
		r.unreadInThread(r.thread, body)
		return
	}
	r.unread(r.current, body)
}

func (r *javaReader) started() bool { return len(r.exceptions) > 0 }

// first reads the header of the exception that was thrown.
func (r *javaReader) first(body string) {
	r.current = r.begin(noParent, "")
	r.latest[0] = r.current
	r.thrown(withoutHash(afterThreadName(body)))
}

// thrownBelow reads the header of the thrown exception if the line above, which was taken for it, is a
// log line: its type has no package, and is not the given one.
func (r *javaReader) thrownBelow(body string) bool {
	first := r.exception(r.current)
	if !r.header.open || len(r.exceptions) > 1 || strings.IndexByte(first.Type, '.') >= 0 || r.typ != "" && first.Type == r.typ {
		return false
	}
	header := withoutHash(afterThreadName(body))
	typ, _ := cutType(header)
	if strings.IndexByte(typ, '.') < 0 || typ != r.typ && !isExceptionHeader(header) {
		return false
	}
	r.incomplete = true
	r.thrown(header)
	return true
}

func (r *javaReader) thrown(header string) {
	r.header = r.readThrown(&r.lines, r.current, header)
	r.thrownStart = r.header.start
}

// driverBelow reads "Driver stacktrace:", the end of a Spark message that contains an executor's
// stack. The frames of the exception itself follow.
func (r *javaReader) driverBelow(body string) bool {
	if body != "Driver stacktrace:" || r.framesOf(0) == 0 || r.inThread {
		return false
	}
	r.dropFrom(1)
	r.dropFrames(0)
	r.current, r.depth, r.latest[0], r.suppressed[0], r.gaps[0], r.complete = 0, 0, 0, 0, 0, false
	e := r.exception(0)
	e.Message = r.text[r.thrownStart:r.lines.end]
	return true
}

// withoutHash removes the hash that logstash-logback-encoder prints before a header:
// "<#3a5ee54b> com.acme.CartException: no stock".
func withoutHash(header string) string {
	if strings.HasPrefix(header, "<#") {
		if _, rest, ok := strings.Cut(header, "> "); ok && !isBlank(rest) {
			return rest
		}
	}
	return header
}

// afterThreadName removes what the JVM prints before the header of an uncaught exception.
func afterThreadName(header string) string {
	rest, ok := strings.CutPrefix(header, `Exception in thread "`)
	if !ok {
		return header
	}
	if _, after, ok := strings.Cut(rest, `" `); ok && after != "" {
		return after
	}
	return header
}

// nested reads the header of an exception that belongs to another.
func (r *javaReader) nested(line, body string) bool {
	relation, header, ok := cutJavaRelation(body)
	if !ok {
		return false
	}
	depth := javaDepth(line)
	if relation == "cause" && body == header { // a circular reference is indented by one more tab
		depth = max(depth-1, 0)
	}
	r.enter(relation, min(depth, javaDepths-1))
	inner, printedBefore := strings.CutPrefix(header, "[CIRCULAR REFERENCE:")
	if printedBefore {
		header = strings.TrimSuffix(strings.TrimSpace(inner), "]")
	}
	r.header = r.readHeader(&r.lines, r.current, withoutHash(header))
	r.header.open = !printedBefore
	return true
}

// composed reads "ComposedException 1 :", above an exception of RxJava's CompositeException.
func (r *javaReader) composed(body string) bool {
	digits, ok := strings.CutPrefix(body, "ComposedException ")
	n, rest, numbered := number(digits)
	if !ok || !numbered || rest != " :" || !r.lines.scan() {
		return false
	}
	group := r.latest[0]
	r.exception(group).Group = true
	r.complete, r.depth = false, 1
	r.current = r.begin(group, "exceptions["+strconv.Itoa(max(n-1, 0))+"]")
	r.latest[1], r.suppressed[1] = r.current, 0
	r.header = r.readHeader(&r.lines, r.current, unindented(r.lines.line))
	return true
}

// cutJavaRelation cuts the relation of an exception to its parent from its header.
func cutJavaRelation(body string) (relation, header string, ok bool) {
	for _, caption := range [...]struct{ text, relation string }{
		{"Caused by: ", "cause"},
		{"Suppressed: ", "suppressed"},
		{"Wrapped by: ", ""}, // Logback's rEx: the root cause comes first
	} {
		if header, ok := strings.CutPrefix(body, caption.text); ok {
			return caption.relation, header, true
		}
	}
	return "cause", body, strings.HasPrefix(body, "[CIRCULAR REFERENCE:")
}

// enter begins an exception at a depth: the cause of the latest one at that depth, or one that the
// latest one a level up suppressed.
func (r *javaReader) enter(relation string, depth int) {
	r.complete = false
	switch relation {
	case "suppressed":
		depth = min(max(depth, 1), r.depth+1, javaDepths-1)
		parent := depth - 1
		r.current = r.begin(r.latest[parent], "suppressed["+strconv.Itoa(r.suppressed[parent])+"]")
		r.suppressed[parent]++
	case "cause":
		depth = min(depth, r.depth)
		r.current = r.begin(r.latest[depth], relation)
	default:
		depth = 0
		r.current = r.begin(noParent, "")
		inner := r.exception(r.latest[0])
		inner.Parent, inner.Relation = r.current, "cause"
	}
	r.depth, r.latest[depth], r.suppressed[depth] = depth, r.current, 0
}

// javaDepth returns the number of leading tabs. Four spaces count as one.
func javaDepth(line string) int {
	tabs := 0
	for tabs < len(line) && line[tabs] == '\t' {
		tabs++
	}
	return tabs + spaces(line[tabs:])/4
}

// more reads "... 12 more": the number of frames shared with the parent. Loggers also print how many
// frames they left out: "... 3 frames truncated".
func (r *javaReader) more(rest string) bool {
	n, rest, ok := number(strings.TrimPrefix(rest, "suppressed "))
	if !ok || r.inThread || r.current == none {
		return false
	}
	switch {
	case rest == " more", strings.HasPrefix(rest, " common frames omitted"):
	case strings.HasPrefix(rest, " frames "), rest == " lines":
		r.header.open, r.gaps[r.current] = false, r.framesOf(r.current)
		return true
	default:
		return false
	}
	r.header.open = false
	parent := r.exception(r.current).Parent
	switch {
	case r.complete:
		r.incomplete = true
	case parent == noParent: // with Logback's rEx, the parent follows
		r.later[r.current] = n
	default:
		r.share(r.current, parent, n)
	}
	r.complete = true
	return true
}

// share copies the frames that an exception shares with its parent. It copies none from above a place
// where the parent's frames were left out, because the number of frames in between is unknown.
func (r *javaReader) share(index, parent, n int) {
	r.shareFrames(index, parent, min(n, r.framesOf(parent)-r.gaps[parent]))
}

// shareLater copies frames from the exceptions that followed, beginning with the outermost one.
func (r *javaReader) shareLater() {
	for i, e := range slices.Backward(r.exceptions) {
		switch parent := e.Parent; {
		case r.later[i] == 0:
		case parent == noParent:
			r.incomplete = true
		default:
			r.moveToEnd(i)
			r.share(i, parent, r.later[i])
		}
	}
}

// isCoroutineBoundary reports whether kotlinx.coroutines joined two stacks at this line. Its older
// versions print backspaces around the words.
func isCoroutineBoundary(body string) bool {
	if !strings.Contains(body, "Coroutine ") {
		return false
	}
	words := strings.Trim(strings.TrimPrefix(body, "at "), "\b().")
	return words == "Coroutine boundary" || words == "Coroutine creation stacktrace"
}

// frameLine reads "[loader/][module@version/]package.Class.method(File.java:12)".
func (r *javaReader) frameLine(call string) bool {
	jar, skipped := "", false
	if strings.HasSuffix(call, "]") || strings.HasSuffix(call, "}") {
		call, skipped = cutSkipped(call)
		call, jar = cutPackaging(call)
	}
	if call == "" || call[len(call)-1] != ')' {
		return false
	}
	open := openOfSource(call)
	if open <= 0 {
		return false
	}
	sourceModule, source := cutSourceModule(call[open+1 : len(call)-1])
	file, at, hasLine := cutNumber(source)
	name := withoutGuest(call[:open])
	if len(name) < open && !hasLine {
		file, at, hasLine = cutGuestPlace(source)
	}
	module, class, method := cutMethod(name)
	spaced := strings.IndexByte(name, ' ') >= 0
	if method == "" || !hasLine && !isJavaSource(source) && (class == "" || spaced) {
		return false
	}
	if spaced {
		if strings.Contains(class, "  ") { // columns of Kotlin/Native
			return false
		}
		class = afterCombinator(class)
	}
	module = cmp.Or(module, sourceModule)
	f := r.next(skipped)
	f.Function, f.Module, f.Package = method, class, module
	if jar != "" {
		f.Package = jar
	}
	f.Line = at
	switch {
	case isWithoutSource(file):
		f.Native = true
	case strings.HasPrefix(file, ":"): // a module of Google Play Services
		f.Filename = file
		f.Package, _, _ = strings.Cut(file[1:], "@")
	default:
		f.Filename = file
	}
	return true
}

// next adds a frame to the exception, or to the thread of a dump. skipped is true if Logback left out
// frames above it.
func (r *javaReader) next(skipped bool) *Frame {
	r.header.open = false
	if r.inThread {
		return r.threadFrame(r.thread)
	}
	if !r.started() {
		r.current = r.begin(noParent, "")
	}
	if skipped && r.current != none {
		r.gaps[r.current] = r.framesOf(r.current)
	}
	return r.frame(r.current)
}
