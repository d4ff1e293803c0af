// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"encoding/binary"

	"github.com/google/uuid"
	"github.com/zeebo/xxh3"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// uuidText is the uuid of an event in PostHog, as text in lower case.
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

// uuidOf returns the ID itself if it is a UUID, else a UUID derived from it.
func uuidOf(id string) uuidText {
	if u, ok := parseUUID(id); ok {
		return u
	}
	return madeUUID(xxh3.HashString128(id))
}

// derive returns a UUID derived from a namespace and text.
func derive(namespace, text string) uuidText {
	var buffer [128]byte // avoids an allocation for short text
	name := append(append(buffer[:0], namespace...), 0)
	return madeUUID(xxh3.Hash128(append(name, text...)))
}

// madeUUID returns a UUID of version 8 (RFC 9562, section 5.8). Do not replace it with
// [uuid.NewHash], which hashes differently: PostHog would store resent events twice.
func madeUUID(digest xxh3.Uint128) uuidText {
	id := uuid.UUID(digest.Bytes())
	id[6] = id[6]&0x0f | 8<<4
	id[8] = id[8]&0x3f | 0x80
	return textOfUUID(id)
}

func textOfUUID(id uuid.UUID) (u uuidText) {
	text, _ := id.MarshalText() // never fails
	copy(u[:], text)
	return u
}

// parseUUID parses the format of RFC 9562, section 4. It runs for every event: with [uuid.Parse],
// which also accepts other formats, encoding is a fifth slower.
func parseUUID(text string) (u uuidText, ok bool) {
	if len(text) != uuidLength || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return u, false
	}
	copy(u[:], text)
	if u.isHex() {
		return u, true
	}
	for i, c := range u { // the slow path: most UUIDs are in lower case
		if c >= 'A' && c <= 'F' {
			u[i] = c | 0x20
		}
	}
	ok = u.isHex()
	return u, ok
}

// isHex reports whether all characters except the dashes are hexadecimal digits in lower case.
func (u *uuidText) isHex() bool {
	digits := *u
	digits[8], digits[13], digits[18], digits[23] = '0', '0', '0', '0'
	return areHex(binary.LittleEndian.Uint64(digits[0:])) && areHex(binary.LittleEndian.Uint64(digits[8:])) &&
		areHex(binary.LittleEndian.Uint64(digits[16:])) && areHex(binary.LittleEndian.Uint64(digits[24:])) &&
		areHex(binary.LittleEndian.Uint64(digits[28:]))
}

// areHex reports whether eight bytes are hexadecimal digits in lower case. Adding 0x80-c to a byte
// sets its highest bit if the byte is c or higher.
func areHex(x uint64) bool {
	const ones, highest = 0x0101010101010101, 0x8080808080808080
	if x&highest != 0 {
		return false
	}
	isDigit := (x + ones*(0x80-'0')) &^ (x + ones*(0x7f-'9'))
	isLetter := (x + ones*(0x80-'a')) &^ (x + ones*(0x7f-'f'))
	return (isDigit|isLetter)&highest == highest
}
