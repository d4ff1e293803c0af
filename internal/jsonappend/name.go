// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package jsonappend

import (
	"strings"
	"unicode/utf8"
)

// Name is the name of a member, ready to be written many times.
type Name struct {
	text   string // valid UTF-8
	quoted []byte // from the comma before it to its colon
	place  uint8
}

// NewName makes a name ready, which is for names that stay.
func NewName(name string) Name {
	name = validName(name)
	return Name{text: name, quoted: append(String([]byte{','}, name), ':'), place: placeOf(name)}
}

// validName is a name whose bytes that are not UTF-8 have become U+FFFD, by which two names may become one.
func validName(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	return strings.ToValidUTF8(name, "\uFFFD")
}

// Text is the name as it is before its escapes.
func (n *Name) Text() string { return n.text }

// placeOf is the same for the same name, and for some others.
func placeOf(name string) uint8 {
	n := uint(len(name))
	if n == 0 {
		return 0
	}
	return uint8(n*31 + uint(name[0])*7 + uint(name[n-1]) + uint(name[n/2])*5) //nolint:gosec // the lowest bits
}

// placeSet is a set of places, of which there are 256.
type placeSet [4]uint64

func (s *placeSet) has(place uint8) bool { return s[place/64]&(1<<(place%64)) != 0 }

func (s *placeSet) add(place uint8) { s[place/64] |= 1 << (place % 64) }
