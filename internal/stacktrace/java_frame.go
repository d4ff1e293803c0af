// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// withoutGuest removes the language that GraalVM prints before a function that is not Java's: "<js>
// total".
func withoutGuest(name string) string {
	if name[0] != '<' {
		return name
	}
	if _, rest, ok := strings.Cut(name, "> "); ok && rest != "" {
		return rest
	}
	return name
}

// cutGuestPlace cuts "cart.js:3:40-45" or "cart.rb:3-5", of which the end is dropped.
func cutGuestPlace(source string) (file string, line int, ok bool) {
	file, line, _ = cutPosition(beforeLast(source, '-'))
	return file, line, line > 0
}

// afterCombinator removes the method of IO that cats-effect prints before a class:
// "flatMap @ com.acme.Cart".
func afterCombinator(class string) string {
	if _, rest, ok := strings.Cut(class, " @ "); ok {
		return rest
	}
	return class
}

// cutSkipped cuts off the number of frames that Logback left out above this one: " [3 skipped]".
func cutSkipped(call string) (frame string, skipped bool) {
	frame, skipped = strings.CutSuffix(call, " skipped]")
	if !skipped {
		return call, false
	}
	i := strings.LastIndex(frame, " [")
	if i < 0 || !isNumber(frame[i+len(" ["):]) {
		return call, false
	}
	return frame[:i], true
}

// cutSourceModule cuts the module off a source in a thread dump: "java.base@17.0.1/Thread.java:833".
func cutSourceModule(source string) (module, file string) {
	versioned, file, _ := strings.Cut(source, "/")
	module, _, ok := strings.Cut(versioned, "@")
	if !ok || module == "" || file == "" {
		return "", source
	}
	return module, file
}

// openOfSource returns the index of the parenthesis that opens the source, or -1. The source may
// contain parentheses (Google Play Services), and so may a name in Kotlin.
func openOfSource(call string) int {
	if last := strings.LastIndexByte(call, '('); last < 0 || strings.IndexByte(call[last:], ')') == len(call)-1-last {
		return last
	}
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
	file, _, hasLine := cutNumber(source)
	return isWithoutSource(file) || isJavaFile(file) || hasLine && isJavaWord(file)
}

// isJavaWord reports whether the file is a word without an extension, as R8, Clojure and class
// generators write it: "PG", "D8$$SyntheticClass", "NO_SOURCE_FILE".
func isJavaWord(file string) bool { return file != "" && !strings.ContainsAny(file, "./: ,") }

// isJavaFile reports whether the file is one of a JVM language, or R8's placeholder.
func isJavaFile(file string) bool {
	return file == "SourceFile" || hasAnySuffix(file, ".java", ".kt", ".kts", ".scala", ".groovy", ".clj", ".rb")
}

// isJavaLock reports whether the line is about a monitor: "- locked <0x0a1b2c3d> (a Cart)".
func isJavaLock(body string) bool {
	return strings.HasPrefix(body, "- ") && strings.Contains(body, "<")
}

// cutPackaging cuts off the jar that Logback and Log4j append, " ~[spring-core-6.1.jar:6.1]", and
// what Minecraft's loader appends to that: " {re:mixin}".
func cutPackaging(call string) (frame, jar string) {
	if strings.HasSuffix(call, "}") {
		call = strings.TrimRight(beforeLast(call, '{'), " ")
	}
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

// cutJavaModule cuts "loader/module@version/Class". In the name of a hidden class, an address or a
// number follows the slash: "Cart$$Lambda$14/0x0000000800c03000".
func cutJavaModule(name string) (module, class string) {
	prefix, class := "", name
	for {
		i := strings.IndexByte(class, '/')
		if i < 0 || i+1 < len(class) && class[i+1] >= '0' && class[i+1] <= '9' || strings.LastIndexByte(class[:i], '$') > strings.LastIndexByte(class[:i], '.') {
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
