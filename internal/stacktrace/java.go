// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
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
	// latest is the last exception at each depth, suppressed the number of exceptions that it
	// suppressed.
	latest, suppressed [javaDepths]int
	depth              int
	// complete is true once the current exception has its shared frames.
	complete bool
	header   header
}

// javaDepths is how deep suppressed exceptions may be nested. Deeper ones are attached to the last
// depth.
const javaDepths = 16

func readJava(b *builder) {
	r := javaReader{builder: b, lines: lines{text: b.text}}
	for r.lines.scan() {
		r.read(r.lines.line)
	}
}

func (r *javaReader) read(line string) {
	body := unindented(line)
	switch {
	case strings.HasPrefix(body, "at ") && r.frameLine(body[len("at "):]):
	case isJavaElement(body) && r.frameLine(body):
	case r.started() && isJavaLock(body):
		r.incomplete = true
	case r.started() && strings.HasPrefix(body, "... ") && r.more(body[len("... "):]):
	case r.started() && r.nested(line, body):
	case r.header.extend(r.builder, &r.lines):
	case body == "":
	case !r.started():
		r.first(body)
	default:
		r.unread(r.current, body)
	}
}

func (r *javaReader) started() bool { return len(r.exceptions) > 0 }

// first reads the header of the exception that was thrown.
func (r *javaReader) first(body string) {
	r.current = r.begin(noParent, "")
	r.latest[0] = r.current
	r.header = r.readThrown(&r.lines, r.current, afterThreadName(body))
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
	if relation == "cause" && body == header { // one that is only referred to is a tab deeper
		depth = max(depth-1, 0)
	}
	r.enter(relation, min(depth, javaDepths-1))
	inner, printedBefore := strings.CutPrefix(header, "[CIRCULAR REFERENCE:")
	if printedBefore {
		header = strings.TrimSuffix(strings.TrimSpace(inner), "]")
	}
	r.header = r.readHeader(&r.lines, r.current, header)
	r.header.open = !printedBefore
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

// enter begins an exception at a depth: a cause of the latest one there, or suppressed by the
// latest one a level up.
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

// more reads "... 12 more": the number of frames shared with the parent.
func (r *javaReader) more(rest string) bool {
	n, rest, ok := number(rest)
	if !ok || rest != " more" && !strings.HasPrefix(rest, " common frames omitted") {
		return false
	}
	r.header.open = false
	parent := r.exception(r.current).Parent
	if parent == noParent || r.complete {
		r.incomplete = true
		return true
	}
	r.shareFrames(r.current, parent, n)
	r.complete = true
	return true
}

// frameLine reads "[loader/][module@version/]package.Class.method(File.java:12)".
func (r *javaReader) frameLine(call string) bool {
	call, jar := cutPackaging(call)
	if call == "" || call[len(call)-1] != ')' {
		return false
	}
	open := openOfSource(call)
	if open <= 0 {
		return false
	}
	source := call[open+1 : len(call)-1]
	file, at, hasLine := cutNumber(source)
	module, class, method := cutMethod(call[:open])
	if method == "" || !hasLine && !isJavaSource(source) && (class == "" || strings.IndexByte(call[:open], ' ') >= 0) {
		return false
	}
	if !r.started() {
		r.current = r.begin(noParent, "")
	}
	r.header.open = false
	f := r.frame(r.current)
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

// openOfSource returns the index of the parenthesis that the last one closes, or -1. The source may
// have some, as Google Play Services prints it, and Kotlin allows them in a name.
func openOfSource(call string) int {
	depth := 0
	for i := len(call) - 1; i >= 0; i-- {
		switch call[i] {
		case ')':
			depth++
		case '(':
			depth--
			if depth == 0 {
				return i
			}
		}
	}
	return strings.LastIndexByte(call, '(')
}

// isJavaElement reports whether the line is the text of a StackTraceElement, without "at":
// "com.acme.Cart.add(Cart.java:12)".
func isJavaElement(body string) bool {
	open := strings.IndexByte(body, '(')
	if open <= 0 || body[len(body)-1] != ')' || strings.IndexByte(body[:open], '.') <= 0 || strings.ContainsAny(body[:open], " :\\#") {
		return false
	}
	source := body[open+1 : len(body)-1]
	file, _, _ := cutNumber(source)
	if isWithoutSource(file) || file == "SourceFile" {
		return true
	}
	for _, extension := range [...]string{".java", ".kt", ".kts", ".scala", ".groovy", ".clj"} {
		if strings.HasSuffix(file, extension) {
			return true
		}
	}
	return false
}

// isJavaLock reports whether the line is about a monitor: "- locked <0x0a1b2c3d> (a Cart)".
func isJavaLock(body string) bool {
	return strings.HasPrefix(body, "- ") && strings.Contains(body, "<")
}

// cutPackaging cuts off the jar that Logback and Log4j append: " ~[spring-core-6.1.jar:6.1]".
func cutPackaging(call string) (frame, jar string) {
	if call == "" || call[len(call)-1] != ']' {
		return call, ""
	}
	i := strings.LastIndexByte(call, '[')
	if i < 0 {
		return call, ""
	}
	jar, _, _ = strings.Cut(call[i+1:len(call)-1], ":")
	frame = strings.TrimRight(call[:i], " ~")
	if jar == "?" || jar == "na" {
		jar = ""
	}
	return frame, jar
}

// cutMethod cuts a qualified name into the Java module (without class loader and version), the
// class and the method.
func cutMethod(name string) (module, class, method string) {
	hasSlash := strings.IndexByte(name, '/') >= 0
	if hasSlash {
		module, name = cutJavaModule(name)
	}
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return module, "", name
	}
	class, method = name[:dot], name[dot+1:]
	if hasSlash { // the name of a lambda's class ends with an address
		class, _, _ = strings.Cut(class, "/")
	}
	return module, class, method
}

// cutJavaModule cuts "loader/module@version/Class". In the name of a hidden class, an address
// follows the slash.
func cutJavaModule(name string) (module, class string) {
	prefix, class := "", name
	for {
		i := strings.IndexByte(class, '/')
		if i < 0 || strings.HasPrefix(class[i+1:], "0x") {
			break
		}
		prefix, class = class[:i], class[i+1:]
	}
	module, _, _ = strings.Cut(prefix, "@")
	return module, class
}

// isJavaSource reports whether the text in parentheses is a source file without a line.
func isJavaSource(source string) bool {
	return isWithoutSource(source) || strings.IndexByte(source, '.') > 0
}

func isWithoutSource(source string) bool {
	return strings.EqualFold(source, "Native Method") || source == "Unknown Source"
}
