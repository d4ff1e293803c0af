// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"crypto/rand"
	"encoding/binary"

	"github.com/zeebo/xxh3"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// uuid is the id that PostHog knows an event by, as text in lower case.
type uuid [uuidLength]byte

// uuidLength is the length of a UUID as text.
const uuidLength = 36

// eventUUID returns the uuid of an encoded event.
func eventUUID(e *delivery.Event) string {
	if e.VendorID == "" {
		return e.ID
	}
	return e.VendorID
}

// uuidOf returns the id itself if it is a UUID, else one that is made of it.
func uuidOf(id string) uuid {
	if u, ok := parseUUID(id); ok {
		return u
	}
	return madeUUID(xxh3.HashString128(id))
}

// parseUUID reads the form of RFC 9562, section 4.
func parseUUID(text string) (u uuid, ok bool) {
	if len(text) != uuidLength || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return u, false
	}
	copy(u[:], text)
	if u.isHex() {
		return u, true
	}
	for i, c := range u { // most are in lower case already
		if c >= 'A' && c <= 'F' {
			u[i] = c | 0x20
		}
	}
	ok = u.isHex()
	return u, ok
}

// isHex reports whether all but the dashes are hexadecimal digits in lower case.
func (u *uuid) isHex() bool {
	digits := *u
	digits[8], digits[13], digits[18], digits[23] = '0', '0', '0', '0'
	return areHex(binary.LittleEndian.Uint64(digits[0:])) && areHex(binary.LittleEndian.Uint64(digits[8:])) &&
		areHex(binary.LittleEndian.Uint64(digits[16:])) && areHex(binary.LittleEndian.Uint64(digits[24:])) &&
		areHex(binary.LittleEndian.Uint64(digits[28:]))
}

// areHex looks at eight bytes at a time. What it adds to each sets the highest bit of those from a character on.
func areHex(x uint64) bool {
	const ones, highest = 0x0101010101010101, 0x8080808080808080
	if x&highest != 0 {
		return false
	}
	isDigit := (x + ones*(0x80-'0')) &^ (x + ones*(0x7f-'9'))
	isLetter := (x + ones*(0x80-'a')) &^ (x + ones*(0x7f-'f'))
	return (isDigit|isLetter)&highest == highest
}

// madeUUID is a UUID of version 8 (RFC 9562, section 5.8).
func madeUUID(digest xxh3.Uint128) uuid {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], digest.Hi)
	binary.BigEndian.PutUint64(b[8:], digest.Lo)
	return newUUID(b, 8)
}

// randomUUID is a UUID of version 4.
func randomUUID() uuid {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it cannot fail
	return newUUID(b, 4)
}

func newUUID(b [16]byte, version byte) (u uuid) {
	b[6] = b[6]&0x0f | version<<4
	b[8] = b[8]&0x3f | 0x80
	const digits = "0123456789abcdef"
	at := 0
	for i, c := range b {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			u[at] = '-'
			at++
		}
		u[at], u[at+1] = digits[c>>4], digits[c&15]
		at += 2
	}
	return u
}

// derive is a UUID that is made of what something is, and of text.
func (enc *encoder) derive(what, text string) uuid {
	enc.scratch = append(append(enc.scratch[:0], what...), 0)
	enc.scratch = append(enc.scratch, text...)
	return madeUUID(xxh3.Hash128(enc.scratch))
}
