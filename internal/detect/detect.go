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

// Features name what a text contains. Without those that a detector needs, it finds nothing.
type Features uint16

// The features.
const (
	At         Features = 1 << iota // @, or % of a percent-encoded one
	Dot                             // .
	Digit                           // 0 to 9
	Address                         // a digit, and a dot or colon
	ManyDigits                      // at least minPhoneDigits of them
	Token                           // at least minToken bytes, and a digit, a capital or one of = : " ' \
)

// FeaturesOf looks at the text once.
func FeaturesOf(text string) Features {
	var all class
	digits := 0
	for i := range len(text) {
		c := classOf[text[i]]
		all |= c
		digits += int(c & digit / digit)
	}
	features := Features(all) & (At | Dot | Digit)
	if digits > 0 && all&(class(Dot)|colon) != 0 {
		features |= Address
	}
	if digits >= minPhoneDigits {
		features |= ManyDigits
	}
	if len(text) >= minToken && all&(digit|capital|colon|sign) != 0 {
		features |= Token
	}
	return features
}

// class says what a byte is. Its lower bits are Features.
type class uint16

const (
	digit   = class(Digit)
	letter  = class(1 << 8)
	capital = class(1 << 9)
	colon   = class(1 << 10)
	sign    = class(1 << 11) // = " ' or a backslash
	word    = class(1 << 12) // a letter, a digit, _ or a part of a character beyond ASCII
)

var classOf = classes() //nolint:gochecknoglobals // a table that is never changed

func classes() (table [256]class) {
	for c := range table {
		switch {
		case c >= '0' && c <= '9':
			table[c] = digit | word
		case c >= 'A' && c <= 'Z':
			table[c] = letter | capital | word
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			table[c] = letter | word
		case c == '_', c >= 0x80:
			table[c] = word
		}
	}
	table['@'], table['%'], table['.'], table[':'] = class(At), class(At), class(Dot), colon
	table['='], table['"'], table['\''], table['\\'] = sign, sign, sign, sign
	return table
}

func isDigit(c byte) bool { return classOf[c]&digit != 0 }

func isLetter(c byte) bool { return classOf[c]&letter != 0 }

func isWord(c byte) bool { return classOf[c]&word != 0 }

// beginsWord reports whether a word may begin at i: no ASCII word goes on there. Quotation marks and
// scripts without spaces may come right before an address or a number.
func beginsWord(text string, i int) bool { return i == 0 || !isASCIIWord(text[i-1]) }

// endsWord reports whether a word may end before i.
func endsWord(text string, i int) bool { return i == len(text) || !isASCIIWord(text[i]) }

func isASCIIWord(c byte) bool { return c < 0x80 && isWord(c) }
