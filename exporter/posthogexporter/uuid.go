// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"encoding/binary"

	"github.com/google/uuid"
	"github.com/zeebo/xxh3"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// uuidText is the ID that PostHog knows an event by, as text in lower case.
type uuidText [uuidLength]byte

// uuidLength is the length of a UUID as text.
const uuidLength = 36

// eventUUID returns the uuid of an encoded event.
func eventUUID(e *delivery.Event) string {
	if e.VendorID == "" {
		return e.ID
	}
	return e.VendorID
}

// uuidOf returns the ID itself if it is a UUID, else one that is made of it.
func uuidOf(id string) uuidText {
	if u, ok := parseUUID(id); ok {
		return u
	}
	return madeUUID(xxh3.HashString128(id))
}

// derive is a UUID that is made of what something is, and of text.
func derive(what, text string) uuidText {
	var buffer [128]byte // longer ones are allocated
	name := append(append(buffer[:0], what...), 0)
	return madeUUID(xxh3.Hash128(append(name, text...)))
}

// madeUUID is a UUID of version 8 (RFC 9562, section 5.8). [uuid.NewHash] cannot make it: that
// hashes a namespace first, and PostHog knows events by the ones made here.
func madeUUID(digest xxh3.Uint128) uuidText {
	id := uuid.UUID(digest.Bytes())
	id[6] = id[6]&0x0f | 8<<4
	id[8] = id[8]&0x3f | 0x80
	return textOfUUID(id)
}

func textOfUUID(id uuid.UUID) (u uuidText) {
	text, _ := id.MarshalText() // it cannot fail
	copy(u[:], text)
	return u
}

// parseUUID reads the form of RFC 9562, section 4. It runs for every event: [uuid.Parse], which
// also reads other forms, makes encoding one a fifth slower.
func parseUUID(text string) (u uuidText, ok bool) {
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
func (u *uuidText) isHex() bool {
	digits := *u
	digits[8], digits[13], digits[18], digits[23] = '0', '0', '0', '0'
	return areHex(binary.LittleEndian.Uint64(digits[0:])) && areHex(binary.LittleEndian.Uint64(digits[8:])) &&
		areHex(binary.LittleEndian.Uint64(digits[16:])) && areHex(binary.LittleEndian.Uint64(digits[24:])) &&
		areHex(binary.LittleEndian.Uint64(digits[28:]))
}

// areHex looks at eight bytes at a time. What it adds to each sets the highest bit of those from a
// character on.
func areHex(x uint64) bool {
	const ones, highest = 0x0101010101010101, 0x8080808080808080
	if x&highest != 0 {
		return false
	}
	isDigit := (x + ones*(0x80-'0')) &^ (x + ones*(0x7f-'9'))
	isLetter := (x + ones*(0x80-'a')) &^ (x + ones*(0x7f-'f'))
	return (isDigit|isLetter)&highest == highest
}
