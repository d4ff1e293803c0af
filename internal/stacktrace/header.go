// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// header is the "type: message" of an exception, while the message may continue on the next lines.
type header struct {
	index int
	// start is the offset of the message in the text; open is true if the next line may belong to
	// it.
	start int
	open  bool
}

// readHeader reads the end of the current line as the header of an exception.
func (b *builder) readHeader(l *lines, index int, line string) header {
	e := b.exception(index)
	e.Type, e.Message = cutType(line)
	return header{index: index, start: l.end - len(e.Message), open: true}
}

// readThrown reads the header of the exception that was thrown. The given message shows where it
// ends, whatever its lines look like.
func (b *builder) readThrown(l *lines, index int, line string) header {
	h := b.readHeader(l, index, line)
	e := b.exception(index)
	switch {
	case b.skipKnown(l, h.start):
		e.Message = b.message
	case b.typ == "" && e.Message == "" && e.Type == b.message: // a word, from an exception without a name
		e.Type, e.Message = "", b.message
		h.start = l.end - len(e.Message)
	}
	return h
}

// skipKnown skips the given message if it is at offset start in the text.
func (b *builder) skipKnown(l *lines, start int) bool {
	rest, ok := strings.CutPrefix(b.text[start:], b.message)
	if !ok || b.message == "" || rest != "" && rest[0] != '\n' && rest[0] != '\r' {
		return false
	}
	l.skipTo(max(len(b.text)-len(rest), l.end))
	return true
}

// extend appends the current line to the message and reports whether the message was open.
func (h *header) extend(b *builder, l *lines) bool {
	if !h.open {
		return false
	}
	if !isBlank(l.line) {
		b.exception(h.index).Message = b.text[h.start:l.end]
	}
	return true
}

// cutType cuts "type: message". A type contains no spaces; without a type, everything is the
// message.
func cutType(header string) (typ, message string) {
	typ, message, found := strings.Cut(header, ": ")
	if !found {
		typ = strings.TrimSuffix(header, ":")
	}
	if typ == "" || hasSpace(typ) || !beginsType(typ) {
		return "", header
	}
	return typ, message
}

func hasSpace(text string) bool {
	for i := range len(text) {
		switch text[i] {
		case ' ', '\t', '\r', '\n':
			return true
		}
	}
	return false
}

// beginsType reports whether a type may begin so: not with a digit or a mark, as lines of logs and
// printed objects do. An anonymous class of Ruby is "#<Class:0x1a2b>".
func beginsType(text string) bool {
	if c := text[0]; isIdentifier(c) && (c < '0' || c > '9') || strings.IndexByte(`$*<\%`, c) >= 0 {
		return true
	}
	return strings.HasPrefix(text, "#<")
}

// isExceptionHeader reports whether the line looks like "type: message" or a type alone.
func isExceptionHeader(line string) bool {
	typ, _ := cutType(unindented(line))
	name := typ[strings.LastIndexAny(typ, `.:$\`)+1:]
	if name == "" || name[0] < 'A' || name[0] > 'Z' {
		return false
	}
	return hasAnySuffix(name, "Error", "Exception", "Throwable", "Failure")
}

// givenType returns the given type as the language prints it.
func givenType(language Language, typ string) string {
	if language == Elixir {
		return strings.TrimPrefix(typ, "Elixir.")
	}
	return typ
}

// replacesType reports whether the given type replaces the printed one. It does not if it is only
// the end of the printed one, or another name of the same class.
func replacesType(language Language, typ, printed string) bool {
	namespace, isPart := strings.CutSuffix(printed, typ)
	if isPart && namespace != "" && strings.IndexByte(`.\:$+`, namespace[len(namespace)-1]) >= 0 {
		return false
	}
	switch language {
	case Java: // the canonical name of Cart$Error is Cart.Error
		return strings.ReplaceAll(printed, "$", ".") != typ
	case JavaScript: // the OpenTelemetry SDK records an error's code as the type, if it has one
		return isErrorName(typ)
	default:
		return true
	}
}

// isErrorName distinguishes the name of a class from a code such as ENOENT, P2002 or card_declined.
func isErrorName(name string) bool {
	upper, lower := false, false
	for i := range len(name) {
		upper = upper || name[i] >= 'A' && name[i] <= 'Z'
		lower = lower || name[i] >= 'a' && name[i] <= 'z'
	}
	return upper && lower && !strings.ContainsAny(name, " /-")
}

// moduleOf returns the namespace, package or module of a type. The PHP SDK of OpenTelemetry prints
// dots.
func moduleOf(language Language, typ string) string {
	switch language {
	case Python: // the module of a class in a function is the function's
		typ, _, _ = strings.Cut(typ, ".<locals>")
		return beforeLast(typ, '.')
	case Java, DotNet, Elixir:
		typ, _, _ = strings.Cut(typ, "(") // RemoteException(java.io.IOException) of Hadoop
		return beforeLast(typ, '.')
	case PHP:
		return typ[:max(strings.LastIndexAny(typ, `\.`), 0)]
	case Ruby:
		return strings.TrimSuffix(beforeLast(typ, ':'), ":")
	default:
		return ""
	}
}

// beforeLast returns what precedes the last c in s, or the empty string if there is none.
func beforeLast(s string, c byte) string {
	return s[:max(strings.LastIndexByte(s, c), 0)]
}
