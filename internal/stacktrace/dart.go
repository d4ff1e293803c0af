// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// dartReader reads StackTrace.toString of the Dart VM, and the stacks of package:stack_trace and of
// Dart on the web (https://api.dart.dev/dart-core/StackTrace-class.html). Obfuscated stacks consist
// of addresses and yield no frames.
type dartReader struct {
	*builder
	lines   lines
	current int
	header  header
	// caught is the current part of Flutter's report about an error that it caught.
	caught flutterPart
}

// flutterPart is a part of the report in which Flutter describes an error that it caught.
type flutterPart uint8

const (
	flutterNone flutterPart = iota
	flutterIntro
	flutterMessage
	flutterContext
)

func readDart(b *builder) {
	printed := b.text
	b.text, b.incomplete = withoutPrefixes(printed, cutFlutterLog)
	r := dartReader{builder: b, lines: lines{text: b.text}, current: none}
	for r.lines.scan() {
		r.read(r.lines.line)
	}
	if len(b.frames) == 0 {
		b.text = printed
	}
}

// cutFlutterLog cuts off what logcat prints before each line of Flutter: "E/flutter ( 1234): ".
func cutFlutterLog(line string) (rest string, ok bool) {
	if len(line) < 2 || !strings.HasPrefix(line[1:], "/flutter") {
		return line, false
	}
	process, rest, ok := strings.Cut(line[len("E/flutter"):], ":")
	if !ok || strings.Trim(process, "( 0123456789)") != "" {
		return line, false
	}
	return strings.TrimPrefix(rest, " "), true
}

func (r *dartReader) read(line string) {
	body := unindented(line)
	switch {
	case r.frameLine(body):
	case body == "<asynchronous suspension>", strings.HasPrefix(body, "===== asynchronous gap"):
	case strings.HasPrefix(body, "(elided "), strings.Trim(body, "═") == "" && body != "":
		r.incomplete = true
	case r.flutterLine(body):
	case r.header.extend(r.builder, &r.lines), body == "":
	case r.current == none && strings.TrimSpace(body) == "Unhandled exception:":
	case r.current == none && len(r.exceptions) == 0:
		r.thrown(body)
	default:
		r.unread(r.current, body)
	}
}

// thrown reads the first line. A type is an identifier.
func (r *dartReader) thrown(body string) {
	r.current = r.begin(noParent, "")
	if _, message, ok := strings.Cut(body, "] Unhandled Exception: "); ok { // logged by Flutter
		body = message
	}
	e := r.exception(r.current)
	if typ, _ := cutType(body); typ != "" && !isDartType(typ) {
		e.Message = body
		r.header = header{index: r.current, start: r.lines.end - len(body), open: true}
		if r.skipKnown(&r.lines, r.header.start) {
			e.Message = r.message
		}
		return
	}
	r.header = r.readThrown(&r.lines, r.current, body)
}

func isDartType(name string) bool {
	for i := range len(name) {
		if c := name[i]; c != '.' && c != '$' && !isIdentifier(c) {
			return false
		}
	}
	return true
}

// flutterLine reads a line of Flutter's report about an error that it caught, down to the stack.
func (r *dartReader) flutterLine(body string) bool {
	const thrown, stack = "The following ", "When the exception was thrown, this was the stack"
	if r.caught == flutterNone {
		if r.current != none || !strings.HasPrefix(body, "══╡ EXCEPTION CAUGHT BY ") && !strings.HasPrefix(body, "════════ Exception caught by ") {
			return false
		}
		r.current, r.caught, r.incomplete = r.begin(noParent, ""), flutterIntro, true
		return true
	}
	e := r.exception(r.current)
	switch rest, isThrown := strings.CutPrefix(body, thrown); {
	case r.framesOf(r.current) > 0:
		return false
	case r.caught != flutterMessage && isExceptionHeader(body):
		r.unread(r.current, body)
	case r.caught == flutterIntro && isThrown:
		typ, _, _ := strings.Cut(rest, " ")
		if typ != "assertion" && isDartType(typ) {
			e.Type = typ
		}
		r.caught = flutterMessage
	case r.caught == flutterMessage && body != "" && e.Message == "":
		e.Message = body
		r.header = header{index: r.current, start: r.lines.end - len(body)}
	case r.caught == flutterMessage && body != "":
		e.Message = r.text[r.header.start:r.lines.end]
	case body == "" && r.caught == flutterMessage && e.Message != "", strings.HasPrefix(body, stack):
		r.caught = flutterContext
	}
	return true
}

// frameLine reads a frame. A second frame 0 begins another stack.
func (r *dartReader) frameLine(body string) bool {
	member, place, ok := cutDartFrame(body)
	if !ok || r.framesOf(r.current) > 0 && strings.HasPrefix(body, "#0 ") {
		return false
	}
	if len(r.exceptions) == 0 {
		r.current = r.begin(noParent, "")
	}
	r.header.open = false
	f := r.frame(r.current)
	f.Function = member
	uri, at, spaced := strings.Cut(place, " ")
	if spaced {
		_, f.Line, f.Column = cutPosition(":" + at)
	} else {
		uri, f.Line, f.Column = cutPosition(place)
	}
	f.setDartPath(uri)
	return true
}

// cutDartFrame cuts "#0      Cart.total (package:shop/cart.dart:12:7)" or, from package:stack_trace,
// "package:shop/cart.dart 12:7  Cart.total", in which the position may be missing.
func cutDartFrame(body string) (member, place string, ok bool) {
	if rest, isVM := strings.CutPrefix(body, "#"); isVM {
		_, rest, ok = number(rest)
		call := strings.TrimLeft(rest, " ")
		open := strings.LastIndex(call, " (")
		if !ok || len(call) == len(rest) || open <= 0 || !strings.HasSuffix(call, ")") {
			return "", "", false
		}
		place = call[open+len(" (") : len(call)-1]
		path, _, _ := cutPosition(place)
		return call[:open], place, isDartPath(path)
	}
	path, rest, ok := strings.Cut(body, " ")
	if member := strings.TrimLeft(rest, " "); ok && len(member) < len(rest) && isDartPath(path) {
		return member, path, member != "" // without a position
	}
	at, member, named := strings.Cut(rest, " ")
	before, line, _ := cutPosition(":" + at)
	member = strings.TrimLeft(member, " ")
	if !ok || !named || before != "" || line == 0 || member == "" || !isDartPath(path) {
		return "", "", false
	}
	return member, body[:len(path)+1+len(at)], true
}

func isDartPath(path string) bool {
	return strings.HasPrefix(path, "package:") || strings.HasPrefix(path, "dart:") || strings.HasSuffix(path, ".dart") || strings.HasSuffix(path, ".dart.js")
}

// setDartPath sets the URI. The file of a package begins with the package's name.
func (f *Frame) setDartPath(uri string) {
	if file, ok := strings.CutPrefix(uri, "package:"); ok {
		f.Filename, f.AbsPath, f.Package = file, uri, firstElement(file)
		return
	}
	if file, ok := strings.CutPrefix(uri, "packages/"); ok { // on the web
		f.Package = firstElement(file)
	}
	f.setPath(withoutFileScheme(uri))
}

// isDartLibrary reports whether the code belongs to Dart, Flutter or a common package.
func (f *Frame) isDartLibrary() bool {
	switch f.Package {
	case "async", "bloc", "cloud_firestore", "cupertino_http", "dio", "firebase_core", "flutter", "flutter_bloc", "flutter_riverpod",
		"flutter_test", "flutter_web_plugins", "get", "go_router", "hooks_riverpod", "http", "mobx", "opentelemetry", "provider", "riverpod",
		"rxdart", "sentry", "sentry_flutter", "stack_trace", "stream_channel", "test", "test_api":
		return true
	}
	path := f.path()
	return strings.HasPrefix(path, "dart:") || strings.HasPrefix(path, "dart-sdk/") || strings.Contains(path, "/.pub-cache/")
}
