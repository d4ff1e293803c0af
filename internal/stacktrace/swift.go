// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// swiftReader reads Thread.callStackSymbols and the threads of Apple's crash reports
// (https://developer.apple.com/documentation/xcode/examining-the-fields-in-a-crash-report), and
// the backtraces that Swift prints on Linux.
type swiftReader struct {
	*builder
	lines   lines
	current int
	header  header
}

func readSwift(b *builder) {
	r := swiftReader{builder: b, lines: lines{text: b.text}, current: none}
	for r.lines.scan() {
		r.read(r.lines.line)
	}
}

func (r *swiftReader) read(line string) {
	body := unindented(line)
	switch {
	case r.frameLine(body):
	case r.framesOf(r.current) > 0 && strings.Contains(body, "│"): // the source
		r.incomplete = true
	case r.header.extend(r.builder, &r.lines), body == "":
	case r.current == none && len(r.exceptions) == 0:
		r.current = r.begin(noParent, "")
		r.header = r.readThrown(&r.lines, r.current, body)
	default:
		r.unread(r.current, body)
	}
}

// frameLine reads a frame. A second frame 0 begins another thread.
func (r *swiftReader) frameLine(body string) bool {
	c, ok := cutSwiftFrame(body)
	if !ok || r.framesOf(r.current) > 0 && c.number == 0 && !c.inlined {
		return false
	}
	if len(r.exceptions) == 0 {
		r.current = r.begin(noParent, "")
	}
	r.header.open = false
	f := r.frame(r.current)
	f.Function, f.Package = c.function, c.image
	path, line, column := cutPosition(c.place)
	f.Line, f.Column = line, column
	if path != "" {
		f.setShortPath(path)
	}
	return true
}

// swiftCall is a line of a stack: its number, the function, the binary and the place.
type swiftCall struct {
	number                 int
	inlined                bool
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
		c.inlined = c.inlined || mark == "[inlined"
		rest = after
	}
	i := strings.Index(rest, "0x")
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
	symbol, c.place, _ = strings.Cut(symbol, " at ")
	in := strings.LastIndex(symbol, " in ")
	if in < 0 {
		return c, false
	}
	c.image = symbol[in+len(" in "):]
	c.function, _ = cutSwiftOffset(symbol[:in])
	return c, c.function != ""
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
	switch f.Package {
	case "AttributeGraph", "CFNetwork", "Combine", "CoreData", "CoreFoundation", "CoreGraphics", "Foundation", "FoundationEssentials",
		"GraphicsServices", "Network", "QuartzCore", "SwiftUI", "SwiftUICore", "UIKit", "UIKitCore", "WebKit", "XCTest", "AppKit", "dyld",
		"dyld_sim", "libc.so.6":
		return true
	}
	return strings.HasPrefix(f.Package, "libsystem_") || strings.HasPrefix(f.Package, "libswift") || strings.HasPrefix(f.Package, "libdispatch") ||
		strings.HasPrefix(f.Package, "libobjc") || strings.HasPrefix(f.Package, "libc++")
}
