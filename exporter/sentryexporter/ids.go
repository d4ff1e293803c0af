// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/zeebo/xxh3"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// eventID is the id of an Issue's event. It is the same in both reports of an exception and in all
// retries.
type eventID [16]byte

// half returns eight bytes of the id that are not all 0, for use as a span id.
func (id *eventID) half() []byte {
	if binary.BigEndian.Uint64(id[:8]) != 0 {
		return id[:8]
	}
	return id[8:]
}

// idOf returns the id of an Issue: the event's own if its producer gave it one. The ids that this
// collector assigns (UUIDs of version 8) depend on the record, and so differ between the two reports
// of an exception; a paired exception gets an id derived from key and n, which both reports share.
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

// appendIDOf appends the id of an event that is not a paired exception, in hexadecimal.
func appendIDOf(dst []byte, e *appevent.Event) []byte {
	if with, ok := appendUUIDDigits(dst, e.ID()); ok {
		return with
	}
	id := idOf(e, xxh3.Uint128{}, false, 0)
	return hex.AppendEncode(dst, id[:])
}

// uuidOf returns a digest as a UUID of version 8 (RFC 9562, section 5.8).
func uuidOf(d xxh3.Uint128) (id eventID) {
	binary.BigEndian.PutUint64(id[:8], d.Hi)
	binary.BigEndian.PutUint64(id[8:], d.Lo)
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// parseUUID reads 32 hexadecimal digits, with or without dashes. Sentry does not accept a UUID of
// zeros.
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

// hexDigit returns the value of a hexadecimal digit, or more than 15 for any other character.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 0xff
}

// appendUUIDDigits appends the digits of a UUID in its most common form: in lower case, with dashes.
// It checks eight digits at a time.
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

// eight returns the eight bytes of two strings of four, such as those around a dash.
func eight(first, second string) uint64 {
	return uint64(binary.LittleEndian.Uint32([]byte(first))) | uint64(binary.LittleEndian.Uint32([]byte(second)))<<32
}

// ones has the value 1 in each of eight bytes.
const ones = 0x0101010101010101

// areHexDigits reports whether each of eight characters is a digit or a letter from a to f. Adding
// 0x80-c to a byte sets its highest bit if the byte is c or higher. No byte carries into the next.
func areHexDigits(eight uint64) bool {
	const highest = ones * 0x80
	low := eight &^ highest
	digit := (low + ones*(0x80-'0')) &^ (low + ones*(0x80-'9'-1))
	letter := (low + ones*(0x80-'a')) &^ (low + ones*(0x80-'f'-1))
	return (digit|letter)&^eight&highest == highest
}
