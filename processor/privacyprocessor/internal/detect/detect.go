// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package detect finds personal data in text: e-mail addresses, IP addresses, card numbers, phone
// numbers and access tokens. It takes time linear in the length of the text, and allocates nothing but
// the results.
package detect

// Extent is a part of a text: text[Start:End].
type Extent struct{ Start, End int }

// Detector finds one kind of personal data. It appends what it finds to dst, in order and without
// overlaps.
type Detector func(dst []Extent, text string) []Extent

// Features name characters that a text contains. Without those that a detector needs, it finds nothing.
type Features uint8

// The features.
const (
	At         Features = 1 << iota // @, or % of a percent-encoded one
	Dot                             // .
	Colon                           // :
	Digit                           // 0 to 9
	ManyDigits                      // at least minPhoneDigits of them
	Long                            // at least minToken bytes
)

// FeaturesOf looks at the text once.
func FeaturesOf(text string) Features {
	var all class
	digits := 0
	for i := range len(text) {
		c := classOf[text[i]]
		all |= c
		if c&digit != 0 {
			digits++
		}
	}
	features := Features(all) & (At | Dot | Colon | Digit)
	if digits >= minPhoneDigits {
		features |= ManyDigits
	}
	if len(text) >= minToken {
		features |= Long
	}
	return features
}

// class says what a byte is. Its lower bits are Features.
type class uint8

const (
	digit  = class(Digit)
	letter = class(1 << 6)
	word   = class(1 << 7) // a letter, a digit, _ or a part of a character beyond ASCII
)

var classOf = classes() //nolint:gochecknoglobals // a table that is never changed

func classes() (table [256]class) {
	for c := range table {
		switch {
		case c >= '0' && c <= '9':
			table[c] = digit | word
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			table[c] = letter | word
		case c == '_', c >= 0x80:
			table[c] = word
		}
	}
	table['@'], table['%'], table['.'], table[':'] = class(At), class(At), class(Dot), class(Colon)
	return table
}

func isDigit(c byte) bool { return classOf[c]&digit != 0 }

func isLetter(c byte) bool { return classOf[c]&letter != 0 }

func isWord(c byte) bool { return classOf[c]&word != 0 }

// beginsWord reports whether a word may begin at i: no word goes on there.
func beginsWord(text string, i int) bool { return i == 0 || !isWord(text[i-1]) }

// endsWord reports whether a word may end before i.
func endsWord(text string, i int) bool { return i == len(text) || !isWord(text[i]) }
