// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// escape begins an escape sequence.
const escape = '\x1b'

// withoutColors removes terminal escape sequences: those of ECMA-48, such as colors, and hyperlinks.
// They are not part of a message or a name.
func withoutColors(text string) string {
	at := strings.IndexByte(text, escape)
	if at < 0 {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for at >= 0 {
		b.WriteString(text[:at])
		text = text[at+escapeLength(text[at:]):]
		at = strings.IndexByte(text, escape)
	}
	b.WriteString(text)
	return b.String()
}

// escapeLength returns the length of the escape sequence at the beginning of the text, or 1 if the
// sequence is incomplete.
func escapeLength(text string) int {
	if len(text) == 1 {
		return 1
	}
	switch text[1] {
	case '[': // parameters and a final byte
		end := 2
		for end < len(text) && text[end] >= 0x20 && text[end] <= 0x3f {
			end++
		}
		if end < len(text) && text[end] >= 0x40 && text[end] <= 0x7e {
			return end + 1
		}
	case '(', ')': // a character set
		if len(text) > 2 && text[2] >= 0x30 && text[2] <= 0x7e {
			return 3
		}
	case ']': // a command, such as a link, up to a bell or a terminator
		end := 2 + strings.IndexAny(text[2:], "\a\n\x1b")
		switch {
		case end < 2 || text[end] == '\n':
		case text[end] == '\a':
			return end + 1
		case strings.HasPrefix(text[end:], "\x1b\\"):
			return end + 2
		}
	}
	return 1
}
