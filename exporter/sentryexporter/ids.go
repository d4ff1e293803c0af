// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/zeebo/xxh3"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// eventID is the id of an Issue's event: the same for both reports of an exception, and for every
// retry.
type eventID [16]byte

// idOf is the event's own id where its producer gave it one. What this collector has stamped (UUIDs
// of version 8) is made of the record, and so differs between the two reports of an exception.
func idOf(e *appevent.Event, key xxh3.Uint128, paired bool, n int) eventID {
	id, ok := parseUUID(e.ID())
	switch {
	case paired && (e.UID == "" || ok && id[6]>>4 == 8):
		key.Lo += uint64(n) //nolint:gosec // not negative
		return uuidOf(key)
	case ok:
		return id
	default:
		return uuidOf(xxh3.HashString128(e.ID()))
	}
}

// appendIDOf appends the id of an event that is not paired, in hexadecimal.
func appendIDOf(dst []byte, e *appevent.Event) []byte {
	if with, ok := appendUUIDDigits(dst, e.ID()); ok {
		return with
	}
	id := idOf(e, xxh3.Uint128{}, false, 0)
	return hex.AppendEncode(dst, id[:])
}

// uuidOf is a digest as a UUID of version 8 (RFC 9562, section 5.8).
func uuidOf(d xxh3.Uint128) (id eventID) {
	binary.BigEndian.PutUint64(id[:8], d.Hi)
	binary.BigEndian.PutUint64(id[8:], d.Lo)
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// parseUUID reads 32 hexadecimal digits, with or without dashes. A UUID of zeros is none to Sentry.
func parseUUID(s string) (id eventID, ok bool) {
	switch len(s) {
	case 32:
	case 36:
		if s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
			return id, false
		}
	default:
		return id, false
	}
	bad := byte(0)
	at := 0
	for i := range id {
		if len(s) == 36 && (i == 4 || i == 6 || i == 8 || i == 10) {
			at++
		}
		high, low := hexDigit(s[at]), hexDigit(s[at+1])
		bad |= high | low
		id[i] = high<<4 | low&0xf
		at += 2
	}
	return id, bad <= 0xf && id != eventID{}
}

// hexDigit is the value of a hexadecimal digit, and more than 15 for anything else.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 0xff
}

// appendUUIDDigits appends the digits of a UUID as most are written: in lower case, with dashes. It
// looks at eight of them at a time.
func appendUUIDDigits(dst []byte, s string) ([]byte, bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return dst, false
	}
	a, b := eight(s[:4], s[4:8]), eight(s[9:13], s[14:18])
	c, d := eight(s[19:23], s[24:28]), eight(s[28:32], s[32:36])
	if !areHexDigits(a) || !areHexDigits(b) || !areHexDigits(c) || !areHexDigits(d) || a|b|c|d == ones*'0' {
		return dst, false
	}
	dst = binary.LittleEndian.AppendUint64(dst, a)
	dst = binary.LittleEndian.AppendUint64(dst, b)
	dst = binary.LittleEndian.AppendUint64(dst, c)
	return binary.LittleEndian.AppendUint64(dst, d), true
}

// eight is eight bytes of two pieces of text, such as those that a dash parts.
func eight(first, second string) uint64 {
	return uint64(binary.LittleEndian.Uint32([]byte(first))) | uint64(binary.LittleEndian.Uint32([]byte(second)))<<32
}

// ones is a byte of 1 in each of eight places.
const ones = 0x0101010101010101

// areHexDigits tells of eight characters at once whether each is a digit or a letter from a to f.
// What is added makes the highest bit of a place be set from the first such character on, and from
// the one behind the last; there is no carry into the next place.
func areHexDigits(eight uint64) bool {
	const highest = ones * 0x80
	low := eight &^ highest
	digit := (low + ones*(0x80-'0')) &^ (low + ones*(0x80-'9'-1))
	letter := (low + ones*(0x80-'a')) &^ (low + ones*(0x80-'f'-1))
	return (digit|letter)&^eight&highest == highest
}
