// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// header is the first lines of an exception, "type: message", while the message may go on.
type header struct {
	place int
	// start is where the message begins in the text; open tells that the next line may belong to it.
	start int
	open  bool
}

// readHeader reads what stands at the end of the current line as the header of an exception.
func (b *builder) readHeader(l *lines, place int, line string) header {
	e := b.exception(place)
	e.Type, e.Message = cutType(line)
	return header{place: place, start: l.end - len(e.Message), open: true}
}

// readThrown reads the header of the exception that was thrown. The message that came beside the text tells where it ends, whatever
// its lines look like.
func (b *builder) readThrown(l *lines, place int, line string) header {
	h := b.readHeader(l, place, line)
	if b.skipKnown(l, h.start) {
		b.exception(place).Message = b.message
	}
	return h
}

// skipKnown goes to the last line of the message that came beside the text, if that stands at the place in the text.
func (b *builder) skipKnown(l *lines, start int) bool {
	rest, ok := strings.CutPrefix(b.text[start:], b.message)
	if !ok || b.message == "" || rest != "" && rest[0] != '\n' && rest[0] != '\r' {
		return false
	}
	l.skipTo(max(len(b.text)-len(rest), l.end))
	return true
}

// extend adds the current line to the message, and reports whether the message was still open.
func (h *header) extend(b *builder, l *lines) bool {
	if !h.open {
		return false
	}
	if !isBlank(l.line) {
		b.exception(h.place).Message = b.text[h.start:l.end]
	}
	return true
}

// cutType cuts "type: message". A type has no space; without a type, all is message.
func cutType(header string) (typ, message string) {
	typ, message, found := strings.Cut(header, ": ")
	if !found {
		typ = strings.TrimSuffix(header, ":")
	}
	if typ == "" || strings.ContainsAny(typ, " \t\r\n") {
		return "", header
	}
	return typ, message
}

// typeBeside is the type that came beside a text, as the language prints it.
func typeBeside(language Language, typ string) string {
	if language == Elixir {
		return strings.TrimPrefix(typ, "Elixir.")
	}
	return typ
}

// tellsMore reports whether the type that came beside the text is to be taken, and not the printed one: not where it is a part of
// that, or another name of the same class.
func tellsMore(language Language, typ, printed string) bool {
	namespace, isPart := strings.CutSuffix(printed, typ)
	if isPart && namespace != "" && strings.IndexByte(`.\:$+`, namespace[len(namespace)-1]) >= 0 {
		return false
	}
	switch language {
	case Java: // the canonical name of Cart$Error is Cart.Error
		return strings.ReplaceAll(printed, "$", ".") != typ
	case JavaScript: // the OpenTelemetry SDK has an error's code there, where it has one
		return isErrorName(typ)
	default:
		return true
	}
}

// isErrorName tells the name of a class from a code such as ENOENT, P2002 or card_declined.
func isErrorName(name string) bool {
	upper, lower := false, false
	for i := range len(name) {
		upper = upper || name[i] >= 'A' && name[i] <= 'Z'
		lower = lower || name[i] >= 'a' && name[i] <= 'z'
	}
	return upper && lower && !strings.ContainsAny(name, " /-")
}

// moduleOf is the namespace, package or module in the name of a type. The OpenTelemetry SDK of PHP prints dots.
func moduleOf(language Language, typ string) string {
	switch language {
	case Python: // of a class in a function, that of the function
		typ, _, _ = strings.Cut(typ, ".<locals>")
		return beforeLast(typ, '.')
	case Java, DotNet, Elixir:
		return beforeLast(typ, '.')
	case PHP:
		return typ[:max(strings.LastIndexAny(typ, `\.`), 0)]
	case Ruby:
		return strings.TrimSuffix(beforeLast(typ, ':'), ":")
	default:
		return ""
	}
}

// beforeLast is what comes before the last c in s; empty when there is none.
func beforeLast(s string, c byte) string {
	return s[:max(strings.LastIndexByte(s, c), 0)]
}
