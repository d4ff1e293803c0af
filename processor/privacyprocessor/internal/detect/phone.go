// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package detect

// Digits of a phone number (ITU-T E.164 has up to 15 with the country code).
const minPhoneDigits, maxPhoneDigits = 8, 15

// Phones finds phone numbers with a country code, such as +49 30 1234567, and those of North America,
// such as (212) 555-0123. Other national numbers cannot be told from other digits.
func Phones(dst []Extent, text string) []Extent {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c != '+' && c != '(' && !isDigit(c) || !beginsWord(text, i) {
			continue
		}
		end := 0
		if c == '+' {
			end = international(text, i)
		} else if i == 0 || text[i-1] != '+' && text[i-1] != '-' && text[i-1] != '.' {
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

// international returns where the number that begins with + at start ends, or 0.
func international(text string, start int) int {
	digits, end := 0, 0
	for i := start + 1; i < len(text); i++ {
		switch c := text[i]; {
		case isDigit(c):
			digits++
			end = i + 1
		case digits == 0 && c != '(' || !isPhoneSeparator(text, i):
			return phoneEnd(text, digits, end)
		}
	}
	return phoneEnd(text, digits, end)
}

func phoneEnd(text string, digits, end int) int {
	if digits < minPhoneDigits || digits > maxPhoneDigits || !endsWord(text, end) {
		return 0
	}
	return end
}

// isPhoneSeparator reports whether the byte parts the digits of a number: one of " .-/()", of which at
// most two follow each other.
func isPhoneSeparator(text string, i int) bool {
	separates := func(c byte) bool { return c == ' ' || c == '.' || c == '-' || c == '/' || c == '(' || c == ')' }
	return separates(text[i]) && (isDigit(text[i-1]) || text[i-1] == '+' || separates(text[i-1]) && !separates(text[i-2]))
}

// northAmerican returns where a number of three, three and four digits ends, or 0.
func northAmerican(text string, start int) int {
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
	if isDash(text, i) {
		i++
	} else if !inParentheses {
		return 0
	}
	if i = digitRun(text, i, 3); i == 0 || !isDash(text, i) {
		return 0
	}
	if i = digitRun(text, i+1, 4); i == 0 || numberGoesOn(text, i) {
		return 0
	}
	return i
}

// isDash reports whether the byte parts the digits of a number of North America.
func isDash(text string, i int) bool {
	return i < len(text) && (text[i] == '-' || text[i] == '.' || text[i] == ' ')
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
