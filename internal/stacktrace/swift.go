// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// swiftReader reads Thread.callStackSymbols, Apple's crash reports
// (https://developer.apple.com/documentation/xcode/examining-the-fields-in-a-crash-report), uncaught
// exceptions of Objective-C, and the backtraces that Swift prints when a program crashes
// (https://www.swift.org/blog/swift-5.9-backtraces/).
type swiftReader struct {
	*builder
	lines   lines
	current int
	header  header
	section swiftSection
	thread  int
}

type swiftSection uint8

const (
	swiftMessage swiftSection = iota // the message, then the frames of the exception
	swiftCrashed                     // the frames of the thread that crashed
	swiftThread                      // the frames of another thread
	swiftOther                       // registers, images and fields of a report
)

func readSwift(b *builder) {
	r := swiftReader{builder: b, lines: lines{text: b.text}, current: none}
	for r.lines.scan() {
		r.read(r.lines.line)
	}
}

func (r *swiftReader) read(line string) {
	body := unindented(line)
	switch {
	case body == "":
	case r.threadTitle(body):
	case strings.HasPrefix(body, "Last Exception Backtrace:") && r.framesOf(r.ensureStarted()) == 0:
		r.enter(swiftMessage)
	case r.section != swiftOther && r.frameLine(body):
	case r.sourceLine(body):
	case r.fieldLine(body):
	case r.section == swiftOther:
		r.incomplete = true
	case body == "Current stack trace:" && r.current != none: // of Swift before 5.9
		r.header.open = false
	case r.header.extend(r.builder, &r.lines):
	case r.current == none && len(r.exceptions) == 0:
		r.thrown(body)
	case body == "(", body == ")", body == "*** First throw call stack:", body == "*** Call stack at first throw:", strings.HasPrefix(body, "libc++abi: "):
	case r.section == swiftThread:
		r.unreadInThread(r.thread, body)
	default:
		r.unread(r.current, body)
	}
}

// ensureStarted begins the exception, unless it has begun, and returns its index.
func (r *swiftReader) ensureStarted() int {
	if len(r.exceptions) == 0 {
		r.current = r.begin(noParent, "")
	}
	return r.current
}

func (r *swiftReader) enter(section swiftSection) {
	r.ensureStarted()
	r.section, r.header.open = section, false
}

// thrown reads the first line.
func (r *swiftReader) thrown(body string) {
	if _, reason, ok := strings.Cut(body, "*** Terminating app due to uncaught exception '"); ok {
		r.ensureStarted()
		r.uncaught(reason)
		return
	}
	body, isCrash := cutProgramCrash(body)
	r.current = r.begin(noParent, "")
	const fatal = "Fatal error: "
	e := r.exception(r.current)
	switch i := strings.Index(body, fatal); {
	case isCrash:
		e.Message = body
		r.incomplete = r.incomplete || isBlank(body)
	case i >= 0 && isPlaceBefore(body[:i]):
		e.Type, e.Message = fatal[:len(fatal)-2], body[i+len(fatal):]
		r.header = header{index: r.current, start: r.lines.end - len(e.Message), open: true}
	default:
		r.header = r.readThrown(&r.lines, r.current, body)
	}
}

// isPlaceBefore reports whether the text before a fatal error is empty or its place:
// "shop/main.swift:3: ".
func isPlaceBefore(text string) bool {
	place, ok := strings.CutSuffix(text, ": ")
	_, line, _ := cutPosition(place)
	return text == "" || ok && line > 0
}

// uncaught reads "NSRangeException', reason: 'no item 3'". The reason may have several lines.
func (r *swiftReader) uncaught(text string) {
	e := r.exception(r.current)
	typ, reason, ok := strings.Cut(text, "', reason: '")
	if !ok {
		e.Type = strings.TrimSuffix(text, "'")
		r.incomplete = r.incomplete || e.Type == ""
		return
	}
	start := r.lines.end - len(reason)
	end := start + len(reason)
	for !strings.HasSuffix(r.text[start:end], "'") && !r.lines.last() && !strings.HasPrefix(r.lines.peek(), "*** First throw") {
		r.lines.scan()
		end = r.lines.end
	}
	e.Type, e.Message = typ, strings.TrimSuffix(r.text[start:end], "'")
	r.incomplete = r.incomplete || typ == ""
}

// cutProgramCrash cuts "*** Program crashed: Bad pointer dereference ***".
func cutProgramCrash(body string) (message string, ok bool) {
	for _, mark := range [...]string{"*** Program crashed: ", "💣 Program crashed: "} {
		if rest, found := strings.CutPrefix(body, mark); found {
			return strings.TrimSuffix(rest, " ***"), true
		}
	}
	return body, false
}

// threadTitle reads "Thread 0 crashed:", "Thread 0 Crashed:: Dispatch queue: main" or "Thread 1:". The
// crashed thread is the exception, unless the report has a stack of the exception already.
func (r *swiftReader) threadTitle(body string) bool {
	digits, ok := strings.CutPrefix(body, "Thread ")
	_, title, isNumber := number(digits)
	digits = digits[:len(digits)-len(title)]
	if !ok || !isNumber {
		return false
	}
	name := ""
	if rest, isNamed := strings.CutPrefix(title, ` "`); isNamed {
		name, title, _ = strings.Cut(rest, `"`)
	}
	state, queue, isTitle := strings.Cut(title, ":")
	isCrashed := strings.EqualFold(state, " crashed")
	if title, isAnnounced := strings.CutPrefix(title, " name:"); isAnnounced { // its title follows
		r.ensureStarted()
		return isBlank(title) || r.skipField()
	}
	if !isTitle || state != "" && !isCrashed {
		return false
	}
	if name == "" {
		name = unindented(strings.TrimPrefix(queue, ":"))
	}
	if isCrashed && r.framesOf(r.ensureStarted()) == 0 {
		r.enter(swiftCrashed)
		return true
	}
	r.enter(swiftThread)
	r.thread = r.beginThread(Thread{ID: digits, Name: name, State: unindented(state)})
	return true
}

// fieldLine reads a line of a report that is not part of a stack: a field, or the title of the
// registers or images.
func (r *swiftReader) fieldLine(body string) bool {
	name, value, ok := strings.Cut(body, ":")
	switch {
	case !ok:
		return false
	case name == "Exception Type":
		r.header.open = false
		e := r.exception(r.ensureStarted())
		if e.Type != "" || e.Message != "" {
			return r.skipField()
		}
		e.Type, e.Message = cutExceptionType(unindented(value))
		return true
	case name == "Incident Identifier", name == "Process" && len(r.exceptions) == 0, name == "Registers", name == "Binary Images",
		strings.HasPrefix(name, "Images ("), strings.HasPrefix(name, "Thread ") && strings.Contains(name, " Thread State"),
		strings.HasPrefix(name, "Thread ") && strings.Contains(name, "crashed with "):
		r.enter(swiftOther)
		return r.skipField()
	}
	if message, isCrash := cutProgramCrash(body); isCrash && r.current != none && r.section == swiftMessage {
		r.header.open = false
		if e := r.exception(r.current); e.Message == "" && !isBlank(message) {
			e.Message = message
			return true
		}
		return r.skipField()
	}
	return false
}

// skipField records that a field is not kept, and returns true.
func (r *swiftReader) skipField() bool {
	r.incomplete = true
	return true
}

// cutExceptionType cuts "EXC_CRASH (SIGABRT)".
func cutExceptionType(value string) (typ, signal string) {
	typ, signal, _ = strings.Cut(value, " (")
	return typ, strings.TrimSuffix(signal, ")")
}

// frameLine reads a frame. A second frame 0 begins another thread.
func (r *swiftReader) frameLine(body string) bool {
	c, ok := cutSwiftFrame(body)
	if !ok || r.section != swiftThread && r.framesOf(r.current) > 0 && c.number == 0 && !c.inlined {
		return false
	}
	r.header.open = false
	var f *Frame
	if r.section == swiftThread {
		f = r.threadFrame(r.thread)
	} else {
		f = r.frame(r.ensureStarted())
	}
	f.Function, f.Package, f.Native = c.function, c.image, c.system
	if c.isUnknown() {
		f.Function = ""
		r.incomplete = true
	}
	path, line, column := cutPosition(c.place)
	f.Line, f.Column = line, column
	if path != "" {
		f.setShortPath(path)
	}
	return true
}

// sourceLine reads a line of the source that Swift prints below a frame: "12│ total()".
func (r *swiftReader) sourceLine(body string) bool {
	n, source, _ := number(body)
	source, ok := strings.CutPrefix(source, "│")
	if !ok || r.framesOf(r.current) == 0 {
		return false
	}
	if f := r.lastFrame(r.current); n > 0 && f.Line == n && r.section != swiftThread {
		f.ContextLine = strings.TrimRight(unindented(source), " ")
	}
	return true
}

// swiftCall is a line of a stack: its number, the function, the binary and the location.
type swiftCall struct {
	number                 int
	inlined, system        bool
	function, image, place string
}

// cutSwiftFrame cuts "0   Shop   0x0000000104f0c3a4 $s4Shop3addyyF + 52" or, on Linux, "0 [ra]
// 0x000055d0 add() + 36 in shop at /srv/shop/main.swift:12:5".
func cutSwiftFrame(body string) (c swiftCall, ok bool) {
	n, rest, ok := number(body)
	if !ok || rest == "" || rest[0] != ' ' && rest[0] != '\t' {
		return c, false
	}
	c.number = n
	rest = unindented(rest)
	for strings.HasPrefix(rest, "[") { // [ra], [inlined], [system], [async]
		mark, after, ok := strings.Cut(rest, "] ")
		if !ok {
			return c, false
		}
		c.inlined, c.system = c.inlined || mark == "[inlined", c.system || mark == "[system"
		rest = after
	}
	i := strings.Index(rest, "0x")
	if i != 0 {
		if c.cutPlaced(rest) {
			return c, true
		}
	}
	if i < 0 || i > 0 && rest[i-1] != ' ' && rest[i-1] != '\t' {
		return c, false
	}
	c.image = strings.TrimRight(rest[:i], " \t")
	address, symbol, ok := strings.Cut(rest[i:], " ")
	if !ok || !isAddress(address) {
		return c, false
	}
	if c.image != "" {
		c.function, c.place = cutSwiftOffset(symbol)
		c.place = strings.TrimSuffix(strings.TrimPrefix(c.place, "("), ")")
		return c, c.function != "" || c.place != ""
	}
	c.cutSymbol(symbol)
	return c, c.function != ""
}

// cutSymbol cuts "add() + 36 in shop at /srv/shop/main.swift:12:5".
func (c *swiftCall) cutSymbol(symbol string) {
	symbol, c.place, _ = strings.Cut(symbol, " at ")
	in := strings.LastIndex(symbol, " in ")
	if in < 0 {
		return
	}
	c.image = symbol[in+len(" in "):]
	c.function, _ = cutSwiftOffset(symbol[:in])
}

// cutPlaced cuts a symbol without an address. It must have a location and, unless it is inlined, an
// offset.
func (c *swiftCall) cutPlaced(symbol string) bool {
	c.cutSymbol(symbol)
	_, line, _ := cutPosition(c.place)
	if c.function != "" && line > 0 && strings.HasPrefix(c.place, "/") && (c.inlined || strings.Contains(symbol, " + ")) {
		return true
	}
	c.function, c.image, c.place = "", "", ""
	return false
}

// isUnknown reports whether the function is unknown: in its place is an address, or the name of the
// binary or of its header.

func (c *swiftCall) isUnknown() bool {
	return c.function == c.image || c.function == "0" || isAddress(c.function) || strings.HasSuffix(c.function, "_mh_execute_header")
}

// cutSwiftOffset cuts "add() + 36 (Cart.swift:12)". A function without a symbol is an address.
func cutSwiftOffset(symbol string) (function, place string) {
	function = symbol
	if i := strings.LastIndex(symbol, " + "); i >= 0 {
		function = symbol[:i]
		_, place, _ = number(symbol[i+len(" + "):])
		place = unindented(place)
	}
	return strings.TrimSpace(function), place
}

func isAddress(text string) bool {
	digits := strings.TrimLeft(strings.TrimPrefix(text, "0x"), "0123456789abcdefABCDEF")
	return digits == "" && len(text) > len("0x")+3
}

// isSwiftLibrary reports whether the binary is a part of the system.
func (f *Frame) isSwiftLibrary() bool {
	if f.Native {
		return true
	}
	switch f.Package {
	case "???", "Alamofire", "RxSwift", "Sentry", "AttributeGraph", "CFNetwork", "Combine", "CoreData", "CoreFoundation", "CoreGraphics", "Foundation", "FoundationEssentials",
		"GraphicsServices", "Network", "QuartzCore", "SwiftUI", "SwiftUICore", "UIKit", "UIKitCore", "WebKit", "XCTest", "AppKit", "dyld",
		"dyld_sim", "libdyld.dylib", "libc.so.6":
		return true
	}
	return strings.HasPrefix(f.Package, "libsystem_") || strings.HasPrefix(f.Package, "libswift") || strings.HasPrefix(f.Package, "libdispatch") ||
		strings.HasPrefix(f.Package, "libobjc") || strings.HasPrefix(f.Package, "libc++") || strings.HasPrefix(f.Package, "libFoundation") ||
		strings.HasPrefix(f.Package, "libpthread") || strings.HasPrefix(f.Package, "ld-") || strings.HasPrefix(f.Package, "com.apple.")
}
