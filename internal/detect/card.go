// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import "strings"

// Digits of a card number (ISO/IEC 7812).
const minCard, maxCard = 13, 19

// maxGroups is the largest number of groups that a card number is printed in.
const maxGroups = 5

// group is a run of digits. separator is the text before it that parts it from another group, or empty.
type group struct {
	start, end int
	separator  string
}

// Cards finds numbers of payment cards: without separators, or in the groups that are printed on cards,
// with the same space, hyphen, dot or plus sign between them. The issuer and the check digit (Luhn) must be right.
func Cards(dst []Extent, text string) []Extent {
	var last [maxGroups]group
	all := last[:0]
	for i := 0; i < len(text); i++ {
		if !isDigit(text[i]) {
			continue
		}
		g := group{start: i, end: digitsEnd(text, i)}
		i = g.end
		if !beginsWord(text, g.start) || !endsWord(text, g.end) {
			all = all[:0]
			continue
		}
		all = append(following(all, &g, text), g)
		if from := cardOf(text, all); from >= 0 {
			dst = append(dst, Extent{all[from].start, g.end})
			all = all[:0]
		}
	}
	return dst
}

// isCardSeparator reports whether the text may part the groups of a card number: a space of any width, a
// hyphen or dash, a dot, or + for a space in a URL.
func isCardSeparator(text string) bool {
	switch text {
	case " ", "  ", "\t", "-", ".", "+", "\u00a0", "\u2007", "\u2009", "\u200a", "\u202f", "\u2010", "\u2011", "\u2012", "\u2013", " - ":
		return true
	}
	return false
}

func digitsEnd(text string, start int) int {
	for start < len(text) && isDigit(text[start]) {
		start++
	}
	return start
}

// following returns the groups that g follows after a separator, and sets the separator. There are
// fewer than maxGroups.
func following(all []group, g *group, text string) []group {
	if len(all) == 0 {
		return all
	}
	if g.separator = text[all[len(all)-1].end:g.start]; !isCardSeparator(g.separator) {
		return all[:0]
	}
	if len(all) == maxGroups {
		return all[:copy(all, all[1:])]
	}
	return all
}

// cardOf returns the first group of the card number that ends with the last group, or -1.
func cardOf(text string, groups []group) int {
	last := len(groups) - 1
	for from := last; from >= 0; from-- {
		if from < last && groups[from+1].separator != groups[last].separator {
			break
		}
		if isGrouping(text, groups[from:]) && isCard(text[groups[from].start:groups[last].end]) {
			return from
		}
	}
	return -1
}

// isGrouping reports whether numbers are printed in groups of these lengths.
func isGrouping(text string, groups []group) bool {
	var lengths [maxGroups]int
	for i, g := range groups {
		lengths[i] = g.end - g.start
	}
	switch lengths {
	case [maxGroups]int{4, 4, 4, 4}, [maxGroups]int{4, 6, 5}, [maxGroups]int{4, 6, 4}, [maxGroups]int{4, 4, 4, 4, 3}:
		return true
	}
	return len(groups) == 1 && lengths[0] >= minCard && lengths[0] <= maxCard && !isFraction(text, groups[0].start)
}

// isFraction reports whether the digits at start follow the point of a number.
func isFraction(text string, start int) bool {
	return start >= 2 && text[start-1] == '.' && isDigit(text[start-2])
}

func isCard(number string) bool {
	var digits [maxCard]byte
	n, sum := 0, 0
	for i := range len(number) {
		if isDigit(number[i]) {
			digits[n] = number[i]
			n++
		}
	}
	for i := range n {
		d := int(digits[n-1-i] - '0')
		if i%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return sum%10 == 0 && isIssued(string(digits[:4]), n)
}

// isIssued reports whether an issuer has numbers of n digits that begin with prefix.
func isIssued(prefix string, n int) bool {
	in := func(from, to string) bool { return prefix[:len(from)] >= from && prefix[:len(to)] <= to }
	switch {
	case prefix[0] == '4': // Visa
		return n == 13 || n == 16 || n == 19
	case in("51", "55"), in("2221", "2720"), in("2200", "2204"): // Mastercard, Mir
		return n == 16
	case in("34", "34"), in("37", "37"): // American Express
		return n == 15
	case in("300", "305"), in("36", "36"), in("38", "39"): // Diners Club
		return n == 14 || n == 16
	case in("3528", "3589"), in("62", "62"), in("6011", "6011"), in("644", "649"), in("65", "65"): // JCB, UnionPay, Discover
		return n >= 16
	default: // Maestro
		return strings.HasPrefix(prefix, "50") || in("56", "69")
	}
}
