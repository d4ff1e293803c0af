// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// sniff detects the language of the text from the first line that only one language prints.
func sniff(text string) Language {
	if isErlangTerm(strings.TrimSpace(text)) {
		return Elixir
	}
	l := lines{text: text}
	for l.scan() {
		if language := sniffLine(l.line, l.peek()); language != Unknown {
			return language
		}
	}
	return Unknown
}

func sniffLine(line, next string) Language {
	body := unindented(line)
	switch {
	case body == "":
		return Unknown
	case strings.HasPrefix(body, "Traceback (most recent call last)"):
		if strings.HasPrefix(next, "\t") {
			return Ruby
		}
		return Python
	case strings.HasSuffix(body, pythonTraceback), strings.HasPrefix(line, `  File "`), isIPythonTitle(line):
		return Python
	case strings.HasPrefix(line, " at ") && isGoLocation(next):
		return Go
	case isJavaCall(body), isJavaElement(body), isJavaThread(body), isLogcat(line):
		return Java
	case strings.HasPrefix(body, "at "):
		return sniffCall(body[len("at "):])
	case strings.HasPrefix(line, "goroutine "), isGoLine(line, next):
		return Go
	case isDartLine(body):
		return Dart
	case strings.HasPrefix(body, dotNetInner), isUnityLine(line):
		return DotNet
	case line[0] == '#' && isPHPCall(line), strings.Contains(line, monologInLine):
		return PHP
	case strings.HasPrefix(body, "** (") && strings.Contains(body, ")"), strings.HasPrefix(body, "** exception "):
		return Elixir
	case strings.EqualFold(line, "stack backtrace:"), strings.HasPrefix(line, "thread '") && strings.Contains(line, "panicked at"),
		isRustPlace(body), line == "Location:" && isRustLocation(unindented(next)):
		return Rust
	default:
		return sniffLocation(line, body, next)
	}
}

// sniffCall distinguishes the languages that print "at" before a call.
func sniffCall(call string) Language {
	call = strings.TrimRight(call, " ,{")
	open := strings.IndexByte(call, '(')
	switch {
	case hasDotNetPlace(call):
		return DotNet
	case strings.HasSuffix(call, ")") && open > 0 && call[open-1] == ' ':
		location := call[open+1 : len(call)-1]
		if _, line, _ := cutPosition(location); line > 0 || isV8Location(location) {
			return JavaScript
		}
		return Unknown
	case open < 0 || !strings.HasSuffix(call, ")") && !strings.HasSuffix(call, "]"):
		if isScriptPosition(call) {
			return JavaScript
		}
		return Unknown
	}
	source, rest, _ := strings.Cut(call[open+1:], ")")
	if _, _, column := cutPosition(source); column > 0 && rest == "" {
		return JavaScript // Google Apps Script
	}
	return sniffSource(call[:open], source)
}

// sniffSource distinguishes the languages that print parentheses right behind a function.
func sniffSource(function, source string) Language {
	switch {
	case strings.HasPrefix(source, ":"), isWithoutSource(strings.TrimRight(source, ":0123456789")):
		return Java
	case strings.Contains(source, ".php"):
		return PHP
	case isJavaSource(source) && !strings.ContainsAny(source, ",`") && !isDotNetArgument(source):
		return Java
	case strings.IndexByte(function, '.') > 0:
		return DotNet
	default:
		return Unknown
	}
}

// isDotNetArgument reports whether the source is the type of an argument, as .NET Framework prints it:
// "System.String". The extension of a file begins with a small letter.
func isDotNetArgument(source string) bool {
	name := source[strings.LastIndexByte(source, '.')+1:]
	return name != "" && name[0] >= 'A' && name[0] <= 'Z' && name != source
}

// isScriptPosition reports whether the call is a position in a file other than PHP's.
func isScriptPosition(call string) bool {
	path, line, _ := cutPosition(call)
	return line > 0 && !strings.HasSuffix(path, ".php")
}

// isJavaCall reports whether the line is a call with a source that only the JVM prints: a file of a
// JVM language, or a word and a line number, as R8, Clojure and class generators write it.
func isJavaCall(body string) bool {
	call, ok := strings.CutPrefix(body, "at ")
	if !ok {
		return false
	}
	call, _ = cutPackaging(call)
	open := openOfSource(call)
	if open <= 0 || call[open-1] == ' ' || call[len(call)-1] != ')' {
		return false
	}
	file, _, hasLine := cutNumber(call[open+1 : len(call)-1])
	return isJavaFile(file) || hasLine && isJavaWord(file) && strings.IndexByte(call[:open], '.') > 0
}

// hasDotNetPlace reports whether the call has a place or an offset as .NET and Mono print it.
func hasDotNetPlace(call string) bool {
	for _, place := range [...]string{") in ", ") [0x", ") <0x", ":line ", ") + 0x", "!<BaseAddress>+0x", ", PublicKeyToken="} {
		if strings.Contains(call, place) {
			return true
		}
	}
	return false
}

func isDartLine(line string) bool {
	line, _ = cutFlutterLog(line)
	_, _, ok := cutDartFrame(line)
	return ok
}

func isLogcat(line string) bool {
	_, ok := cutLogcat(line)
	return ok
}

func isUnityLine(line string) bool {
	c, located, ok := cutUnityFrame(line)
	return ok && (located || strings.HasPrefix(c.class, "UnityEngine."))
}

// isGoLine reports whether the line is a frame of Go, whose location may be in the next line.
func isGoLine(line, next string) bool {
	if line[0] != '\t' && line[0] != ' ' {
		return isGoLocation(next) || isGoSourceFrame(line)
	}
	if _, _, _, ok := cutErisFrame(line); ok || isXerrorsFrame(line, next) {
		return true
	}
	function, ok := strings.CutPrefix(line, layerPrefix)
	location, isNext := strings.CutPrefix(next, layerPrefix)
	return ok && isNext && function != "" && function[0] != ' ' && function[0] != '\t' && isGoLocation(location)
}

func isGoLocation(line string) bool {
	path, _, ok := goLocation(line)
	return ok && (strings.HasSuffix(path, ".go") || strings.HasSuffix(path, ".s") || strings.HasSuffix(path, "_cgo_gotypes"))
}

// isRustPlace reports whether the line is the place of an error in a report of error-stack.
func isRustPlace(body string) bool {
	place, ok := strings.CutPrefix(body, "├╴at ")
	if !ok {
		place, ok = strings.CutPrefix(body, "╰╴at ")
	}
	if !ok {
		place, ok = strings.CutPrefix(body, "|-at ")
	}
	return ok && isRustLocation(place)
}

func isRustLocation(place string) bool {
	path, line, _ := cutPosition(place)
	return line > 0 && strings.HasSuffix(path, ".rs")
}

func isPHPCall(line string) bool {
	_, rest, ok := number(line[1:])
	if !ok || !strings.HasPrefix(rest, " ") {
		return false
	}
	_, _, ok = cutPHPLocation(rest[1:])
	return ok
}

// sniffLocation distinguishes the languages whose lines begin with a location or a number.
func sniffLocation(line, body, next string) Language {
	if location, _, ok := cutRubyLocation(strings.TrimPrefix(body, "from ")); ok && location.line > 0 {
		return Ruby
	}
	if _, ok := cutJRubyFrame(line); ok {
		return Ruby
	}
	if _, rest, ok := number(body); ok && strings.HasPrefix(rest, ": ") && strings.HasPrefix(unindented(next), "at ") {
		return Rust
	}
	if _, ok := cutSwiftFrame(body); ok {
		return Swift
	}
	if isScriptFrame(line) {
		return JavaScript
	}
	if isTranslatedDotNet(line, body, next) {
		return DotNet
	}
	var f Frame
	if line[0] == ' ' && (f.readElixir(body) && (f.Filename != "" || f.Package != "") || f.readErlangShell(body)) {
		return Elixir
	}
	return Unknown
}

// isTranslatedDotNet reports whether the line is a .NET frame with a translation of "at". If it has
// no line number, the next line must be a frame with the same word.
func isTranslatedDotNet(line, body, next string) bool {
	c, ok := cutDotNetCall(body)
	if !ok || len(body) == len(line) || c.class == "" {
		return false
	}
	if c.line > 0 {
		return true
	}
	following, ok := cutDotNetCall(unindented(next))
	return ok && following.word == c.word && following.class != ""
}

// isScriptFrame reports whether the line is a frame of Firefox or Safari.
func isScriptFrame(line string) bool {
	function, location, ok := cutAtFrame(line)
	if !ok || location == nativeCode {
		return ok && (isSafariCode(function) || strings.HasSuffix(line, nativeCode))
	}
	_, _, column := cutPosition(location)
	return (column > 0 || location == wasmCode || strings.Contains(location, wasmFunction)) && !strings.Contains(location, " ")
}
