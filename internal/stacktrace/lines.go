// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// lines iterates over the lines of a text.
type lines struct {
	text string
	// line is the current line without its line ending; text[start:end] is the same.
	line       string
	start, end int
	next       int
}

// scan advances to the next line and reports whether there is one.
func (l *lines) scan() bool {
	if l.next >= len(l.text) {
		return false
	}
	l.start = l.next
	l.end, l.next = lineEnd(l.text, l.next)
	l.line = l.text[l.start:l.end]
	return true
}

// peek returns the next line, or the empty string at the end.
func (l *lines) peek() string {
	if l.next >= len(l.text) {
		return ""
	}
	end, _ := lineEnd(l.text, l.next)
	return l.text[l.next:end]
}

// skipTo continues after the line that contains the offset.
func (l *lines) skipTo(offset int) { l.end, l.next = lineEnd(l.text, offset) }

// last reports whether the current line is the last one.
func (l *lines) last() bool { return l.next >= len(l.text) }

// lineEnd returns where the line that begins at start ends, and where the next one begins.
func lineEnd(text string, start int) (end, next int) {
	n := strings.IndexByte(text[start:], '\n')
	if n < 0 {
		end, next = len(text), len(text)
	} else {
		end, next = start+n, start+n+1
	}
	if end > start && text[end-1] == '\r' {
		end--
	}
	return end, next
}

// unindented returns the line without leading spaces and tabs.
func unindented(line string) string {
	for i := range len(line) {
		if line[i] != ' ' && line[i] != '\t' {
			return line[i:]
		}
	}
	return ""
}

// isBlank reports whether the line has only spaces and tabs.
func isBlank(line string) bool { return unindented(line) == "" }

// spaces returns the number of leading spaces.
func spaces(line string) int {
	n := 0
	for n < len(line) && line[n] == ' ' {
		n++
	}
	return n
}

// number parses the digits at the beginning of s; ok is false if s begins with anything else.
// Numbers that do not fit into 31 bits are clamped.
func number(s string) (n int, rest string, ok bool) {
	const largest = 1<<31 - 1
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		n = min(n*10+int(s[i]-'0'), largest)
		i++
	}
	return n, s[i:], i > 0
}

// isNumber reports whether s consists only of digits.
func isNumber(s string) bool {
	_, rest, ok := number(s)
	return ok && rest == ""
}

// cutNumber cuts ":12" off the end of s; ok is false if s does not end that way.
func cutNumber(s string) (before string, n int, ok bool) {
	i := len(s)
	for i > 0 && s[i-1] >= '0' && s[i-1] <= '9' {
		i--
	}
	if i == len(s) || i == 0 || s[i-1] != ':' {
		return s, 0, false
	}
	n, _, _ = number(s[i:])
	return s[:i-1], n, true
}

// cutPosition cuts ":12:34" or ":12" off the end of s. The line is 0 if there is none.
func cutPosition(s string) (before string, line, column int) {
	before, last, ok := cutNumber(s)
	if !ok {
		return s, 0, 0
	}
	if path, first, ok := cutNumber(before); ok {
		return path, first, last
	}
	return before, last, 0
}

// withoutIndents removes the indentation of the lines of a message that has several.
func withoutIndents(message string) string {
	if !strings.Contains(message, "\n") {
		return message
	}
	var b strings.Builder
	for line := range strings.Lines(message) {
		b.WriteString(unindented(line))
	}
	return b.String()
}

// hasAnyPrefix reports whether s begins with one of the prefixes.
func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}

// hasAnySuffix reports whether s ends with one of the suffixes.
func hasAnySuffix(s string, suffixes ...string) bool {
	for _, suffix := range suffixes {
		if strings.HasSuffix(s, suffix) {
			return true
		}
	}
	return false
}

// isIdentifier reports whether the byte may be part of an identifier, such as one of a non-ASCII letter.
func isIdentifier(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// endOfArguments returns the index after the parenthesis that closes the one at open, or -1.
func endOfArguments(call string, open int) int {
	depth := 0
	for i := open; i < len(call); i++ {
		switch call[i] {
		case '(':
			depth++
		case ')':
			depth--
			if depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}
