// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"strconv"
	"strings"
)

// javaReader reads what Throwable.printStackTrace writes, and Logback's and Log4j's forms of it. The OpenTelemetry SDK of PHP writes
// the same (https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/lang/Throwable.html#printStackTrace()).
type javaReader struct {
	*builder
	lines lines

	current int
	// latest is the exception that was printed last at each depth, suppressed how many that one has suppressed.
	latest, suppressed [javaDepths]int
	depth              int
	header             header
}

// javaDepths is how deep suppressed exceptions may be nested. What is deeper hangs on the last depth.
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
	case r.started() && strings.HasPrefix(body, "... ") && r.more(body[len("... "):]):
	case r.started() && r.nested(line, body):
	case r.header.extend(r.builder, &r.lines):
	case body == "":
	case !r.started():
		r.first(body)
	default:
		r.unread = true
	}
}

func (r *javaReader) started() bool { return len(r.exceptions) > 0 }

// first reads the header of the exception that was thrown.
func (r *javaReader) first(body string) {
	r.current = r.begin(noParent, "")
	r.latest[0] = r.current
	r.header = r.readThrown(&r.lines, r.current, afterThreadName(body))
	r.setModule()
}

func (r *javaReader) setModule() {
	e := r.exception(r.current)
	e.Module = beforeLast(e.Type, '.')
}

// afterThreadName is the header without what the JVM puts before it for an exception that nobody caught.
func afterThreadName(header string) string {
	rest, ok := strings.CutPrefix(header, `Exception in thread "`)
	if !ok {
		return header
	}
	if _, after, ok := strings.Cut(rest, `" `); ok {
		return after
	}
	return header
}

// nested reads the header of an exception that belongs to another.
func (r *javaReader) nested(line, body string) bool {
	relation, header := "", ""
	switch {
	case strings.HasPrefix(body, "Caused by: "):
		relation, header = "cause", body[len("Caused by: "):]
	case strings.HasPrefix(body, "Suppressed: "):
		relation, header = "suppressed", body[len("Suppressed: "):]
	case strings.HasPrefix(body, "Wrapped by: "): // Logback's rEx: the root cause comes first
		relation, header = "", body[len("Wrapped by: "):]
	case strings.HasPrefix(body, "[CIRCULAR REFERENCE:"):
		relation, header = "cause", body
	default:
		return false
	}
	depth := javaDepth(line)
	if body == header { // one that is only mentioned stands a tab deeper
		depth = max(depth-1, 0)
	}
	r.enter(relation, min(depth, javaDepths-1))
	inner, printedBefore := strings.CutPrefix(header, "[CIRCULAR REFERENCE:")
	if printedBefore {
		header = strings.TrimSuffix(strings.TrimSpace(inner), "]")
	}
	r.header = r.readHeader(&r.lines, r.current, header)
	r.header.open = !printedBefore
	r.setModule()
	return true
}

// enter begins an exception at a depth: a cause of the latest one there, or suppressed by the latest of the depth before.
func (r *javaReader) enter(relation string, depth int) {
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

// javaDepth is how many tabs the line begins with. Four spaces are taken for one.
func javaDepth(line string) int {
	tabs := 0
	for tabs < len(line) && line[tabs] == '\t' {
		tabs++
	}
	return tabs + spaces(line[tabs:])/4
}

// more reads "... 12 more": as many frames as the exception shares with the one it belongs to.
func (r *javaReader) more(rest string) bool {
	n, rest, ok := number(rest)
	if !ok || rest != " more" && !strings.HasPrefix(rest, " common frames omitted") {
		return false
	}
	r.header.open = false
	if parent := r.exception(r.current).Parent; parent != noParent {
		r.shareFrames(r.current, parent, n)
	} else {
		r.unread = true
	}
	return true
}

// frameLine reads "[loader/][module@version/]package.Class.method(File.java:12)".
func (r *javaReader) frameLine(call string) bool {
	call, jar := cutPackaging(call)
	if call == "" || call[len(call)-1] != ')' {
		return false
	}
	open := strings.LastIndexByte(call, '(')
	if open <= 0 {
		return false
	}
	source := call[open+1 : len(call)-1]
	module, class, method := cutMethod(call[:open])
	if !isJavaSource(source) && (class == "" || strings.IndexByte(call[:open], ' ') >= 0) {
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
	f.setJavaSource(source)
	return true
}

// cutPackaging takes the jar off the end, which Logback and Log4j write there: " ~[spring-core-6.1.jar:6.1]".
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

// cutMethod cuts a qualified name into the Java module (without its class loader and version), the class and the method.
func cutMethod(name string) (module, class, method string) {
	if slash := strings.IndexByte(name, '/'); slash >= 0 {
		module, name = cutJavaModule(name)
	}
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return module, "", name
	}
	class, method = name[:dot], name[dot+1:]
	if hidden := strings.IndexByte(class, '/'); hidden >= 0 { // a lambda's class has an address in its name
		class = class[:hidden]
	}
	return module, class, method
}

// cutJavaModule cuts "loader/module@version/Class". The slash in the name of a hidden class is followed by an address.
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

// isJavaSource reports whether the words in parentheses are a place in a source file.
func isJavaSource(source string) bool {
	return source == "Native Method" || source == "Unknown Source" || strings.IndexByte(source, '.') > 0
}

func (f *Frame) setJavaSource(source string) {
	switch source {
	case "Native Method", "Unknown Source":
		f.Native = true
		return
	}
	f.Filename, f.Line, _ = cutPosition(source)
}
