// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package jsonappend

import (
	"strings"
	"unicode/utf8"
)

// Name is a precomputed member name: its quoting and hash are computed once.
type Name struct {
	text   string // valid UTF-8
	quoted []byte // with the comma before it and the colon after it
	bucket uint8
}

// NewName precomputes a name. Use it for names that are written many times.
func NewName(name string) Name {
	name = validName(name)
	return Name{text: name, quoted: append(String([]byte{','}, name), ':'), bucket: bucketOf(name)}
}

// validName replaces bytes that are not UTF-8 with U+FFFD, which can make two names equal.
func validName(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	return strings.ToValidUTF8(name, "\uFFFD")
}

// Text returns the name without quotes and escapes.
func (n *Name) Text() string { return n.text }

// bucketOf returns a hash of the name.
func bucketOf(name string) uint8 {
	n := uint(len(name))
	if n == 0 {
		return 0
	}
	return uint8(n*31 + uint(name[0])*7 + uint(name[n-1]) + uint(name[n/2])*5) //nolint:gosec // the lowest bits
}

// bucketSet is a set of buckets, from 0 to 255. It is a filter: a name whose bucket is not in the
// set was not written.
type bucketSet [4]uint64

func (s *bucketSet) has(bucket uint8) bool { return s[bucket/64]&(1<<(bucket%64)) != 0 }

func (s *bucketSet) add(bucket uint8) { s[bucket/64] |= 1 << (bucket % 64) }
