// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import "strings"

// Digits of a phone number (ITU-T E.164 has up to 15 with the country code).
const minPhoneDigits, maxPhoneDigits = 8, 15

// Phones finds phone numbers with a country code, such as +49 30 1234567, and those of North America,
// such as (212) 555-0123. Other national numbers cannot be told from other digits.
func Phones(dst []Extent, text string) []Extent {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c != '+' && c != '(' && c != '%' && !isDigit(c) || c != '%' && !beginsWord(text, i) {
			continue
		}
		end := 0
		switch {
		case c == '+':
			end = international(text, i)
		case c == '%': // a + in a URL
			if strings.HasPrefix(text[i:], "%2B") || strings.HasPrefix(text[i:], "%2b") {
				end = international(text, i+len("%2"))
			}
		case i == 0 || text[i-1] != '+' && text[i-1] != '-' && text[i-1] != '.':
			end = northAmerican(text, i)
		}
		switch {
		case end > 0:
			dst = append(dst, Extent{i, end})
			i = end - 1
		case isDigit(c):
			for i+1 < len(text) && isDigit(text[i+1]) {
				i++
			}
		}
	}
	return dst
}

// international returns where the number whose + is at start ends, or 0. What would make it too long is
// no part of it, such as a date that follows.
func international(text string, start int) int {
	digits, separators, end := 0, 0, 0
	for i := start + 1; i < len(text); {
		if isDigit(text[i]) {
			next := digitsEnd(text, i)
			digits += next - i
			if digits > maxPhoneDigits || digits == next-i && text[i] == '0' || !endsWord(text, next) && !isExtension(text[next:]) {
				break
			}
			if digits >= minPhoneDigits {
				end = next
			}
			i, separators = next, 0
			continue
		}
		n := phoneSeparator(text[i:])
		if n == 0 || separators == maxPhoneSeparators || digits == 0 && text[i] != '(' {
			break
		}
		i, separators = i+n, separators+1
	}
	if end == 0 || isDecimal(text, start, end) {
		return 0
	}
	return end
}

// isExtension reports whether the text begins with an extension, such as x12.
func isExtension(text string) bool { return len(text) > 1 && text[0]|0x20 == 'x' && isDigit(text[1]) }

// maxPhoneSeparators is the largest number of separators between two groups of digits, as in "(30) / 12".
const maxPhoneSeparators = 4

// phoneSeparator returns the length of what parts the digits of a number, at the start of the text: one of
// ".-/()", a space of any width, or a dash; or 0.
func phoneSeparator(text string) int {
	switch text[0] {
	case ' ', '.', '-', '/', '(', ')':
		return 1
	case 0xc2, 0xe2:
		for _, separator := range [...]string{"\u00a0", "\u2007", "\u2009", "\u200a", "\u202f", "\u2010", "\u2011", "\u2012", "\u2013"} {
			if strings.HasPrefix(text, separator) {
				return len(separator)
			}
		}
	}
	return 0
}

// isDecimal reports whether a number with one dot is Go's monotonic clock (m=+12.345678901), or a latitude
// that a longitude follows (ISO 6709: +52.520008+013.404954/).
func isDecimal(text string, start, end int) bool {
	point := digitsEnd(text, start+1)
	if point == end || text[point] != '.' || digitsEnd(text, point+1) != end {
		return false
	}
	return strings.HasSuffix(text[:start], "m=") || end < len(text) && (text[end] == '+' || text[end] == '-')
}

// northAmerican returns where a number of three, three and four digits ends, or 0.
func northAmerican(text string, start int) int {
	if dash := dashAt(text, start+1); text[start] == '1' && dash > 0 && start+1+dash < len(text) { // the country code
		start += 1 + dash
	}
	area, inParentheses := start, text[start] == '('
	if inParentheses {
		area++
	}
	i := digitRun(text, area, 3)
	if i == 0 || text[area] < '2' {
		return 0
	}
	if inParentheses {
		if i == len(text) || text[i] != ')' {
			return 0
		}
		i++
	}
	dash := dashAt(text, i)
	if dash == 0 && !inParentheses {
		return 0
	}
	i += dash
	exchange := i
	if i = digitRun(text, i, 3); i == 0 || text[exchange] < '2' {
		return 0
	}
	if dash = dashAt(text, i); dash == 0 {
		return 0
	}
	if i = digitRun(text, i+dash, 4); i == 0 || numberGoesOn(text, i) {
		return 0
	}
	return i
}

// dashAt returns the length of what parts the digits of a number of North America at i, or 0.
func dashAt(text string, i int) int {
	if i >= len(text) || text[i] == '/' || text[i] == '(' || text[i] == ')' {
		return 0
	}
	return phoneSeparator(text[i:])
}

func numberGoesOn(text string, end int) bool {
	if !endsWord(text, end) {
		return true
	}
	return end < len(text) && (text[end] == '-' || text[end] == '.' && end+1 < len(text) && isDigit(text[end+1]))
}

// digitRun returns where exactly n digits from start end, or 0.
func digitRun(text string, start, n int) int {
	end := start
	for end < len(text) && isDigit(text[end]) {
		end++
	}
	if end-start != n {
		return 0
	}
	return end
}
