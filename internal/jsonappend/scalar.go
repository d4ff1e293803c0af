// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsonappend writes JSON by appending to a byte slice, straight from pdata: no reflection,
// no maps, and no allocation except when the slice grows. Its output is valid JSON for any input.
package jsonappend

import (
	"encoding/base64"
	"math"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// String appends s as a JSON string. Bytes that are not UTF-8 become U+FFFD.
func String(dst []byte, s string) []byte {
	if !isPlain(s) {
		dst, _ = jsontext.AppendQuote(dst, s) // the error only reports that U+FFFD was inserted
		return dst
	}
	return appendPlain(dst, s)
}

// appendPlain appends a string that needs no escape.
func appendPlain(dst []byte, s string) []byte {
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

// Quoted appends JSON that this package wrote as a JSON string. Such JSON has no control
// characters, so only quotes and backslashes need escaping.
func Quoted(dst, json []byte) []byte {
	dst = append(dst, '"')
	for _, c := range json {
		if c == '"' || c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}

// isPlain reports whether s is printable ASCII without quotes and backslashes, as most strings are.
// It checks eight bytes at a time, or four for short strings; the last bytes may be checked twice.
func isPlain(s string) bool {
	switch {
	case len(s) >= 8:
		special := specialOf(eight(s[len(s)-8:]))
		for ; len(s) > 8; s = s[8:] {
			special |= specialOf(eight(s))
		}
		return special == 0
	case len(s) >= 4:
		return specialOf(four(s)|four(s[len(s)-4:])<<32) == 0
	}
	for i := range len(s) {
		if c := s[i]; c-' ' >= 0x80-' ' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// eight returns the first eight bytes of s.
func eight(s string) uint64 {
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// four returns the first four bytes of s.
func four(s string) uint64 {
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}

// specialOf returns 0 if all bytes of x are plain. A special byte sets its highest bit in one of
// three terms; the XOR with 2 makes a quote the neighbor of what is below the space. Borrows can
// only cause a false positive, which takes the slow path.
func specialOf(x uint64) uint64 {
	const ones, highest = 0x0101010101010101, 0x8080808080808080
	return (x | ((x ^ ones*2) - ones*('"'-1)) | ((x ^ ones*'\\') - ones)) & highest
}

// Int appends i as a JSON number.
func Int(dst []byte, i int64) []byte {
	if i < 100 || i >= 10_000 {
		return strconv.AppendInt(dst, i, 10)
	}
	if i >= 1000 { // years, ports, lines of code
		dst = append(dst, byte('0'+i/1000))
	}
	return append(dst, byte('0'+i/100%10), byte('0'+i/10%10), byte('0'+i%10))
}

// Double appends f as a JSON number that reads as a double: 1 is written 1.0. NaN and the
// infinities, which JSON lacks, become the strings "NaN", "Infinity" and "-Infinity", as in
// ProtoJSON.
func Double(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	if short, ok := appendShort(dst, f); ok {
		return short
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, doubleFormat(f), -1, 64)
	for _, c := range dst[start:] {
		if c == '.' || c == 'e' {
			return dst
		}
	}
	return append(dst, ".0"...)
}

// appendShort appends a double with at most three decimals, as most amounts have. Dividing gives
// the same double again, so these digits are exact, and with at most 15 of them they are the
// shortest.
func appendShort(dst []byte, f float64) ([]byte, bool) {
	const most = 1e12
	if f == 0 || f <= -most || f >= most {
		return dst, false
	}
	thousandths := int64(math.RoundToEven(f * 1000))
	if float64(thousandths)/1000 != f {
		return dst, false
	}
	if thousandths < 0 {
		dst = append(dst, '-')
		thousandths = -thousandths
	}
	dst = strconv.AppendInt(dst, thousandths/1000, 10)
	switch rest := thousandths % 1000; {
	case rest%100 == 0:
		return append(dst, '.', byte('0'+rest/100)), true
	case rest%10 == 0:
		return append(dst, '.', byte('0'+rest/100), byte('0'+rest/10%10)), true
	default:
		return append(dst, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10)), true
	}
}

// doubleFormat returns the format that ECMAScript uses: an exponent only for very large or very
// small numbers.
func doubleFormat(f float64) byte {
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return 'e'
	}
	return 'f'
}

// Bool appends b.
func Bool(dst []byte, b bool) []byte { return strconv.AppendBool(dst, b) }

// Time appends t as an RFC 3339 string in UTC with as many fractional digits as needed. A time
// after 2262, which time.Time cannot express in nanoseconds, becomes the last one it can.
func Time(dst []byte, t pcommon.Timestamp) []byte {
	dst = timeOf(t).AppendFormat(append(dst, '"'), time.RFC3339Nano)
	return append(dst, '"')
}

// appendSecond appends the opening quote and t down to the second.
func appendSecond(dst []byte, t pcommon.Timestamp) []byte {
	return timeOf(t).AppendFormat(append(dst, '"'), "2006-01-02T15:04:05")
}

func timeOf(t pcommon.Timestamp) time.Time {
	return time.Unix(0, int64(min(t, math.MaxInt64))).UTC()
}

// appendFraction appends the fraction of a second, without trailing zeros.
func appendFraction(dst []byte, nanoseconds pcommon.Timestamp) []byte {
	if nanoseconds == 0 {
		return dst
	}
	dst = append(dst, '.')
	for unit := pcommon.Timestamp(1e8); nanoseconds > 0; unit /= 10 {
		dst = append(dst, '0'+byte(nanoseconds/unit)) //nolint:gosec // a digit
		nanoseconds %= unit
	}
	return dst
}

// Bytes appends b as a string in standard base64 with padding, as in ProtoJSON.
func Bytes(dst []byte, b pcommon.ByteSlice) []byte {
	dst = append(dst, '"')
	var chunk [3 * 64]byte
	n := 0
	for _, c := range b.All() {
		chunk[n] = c
		if n++; n == len(chunk) {
			dst = base64.StdEncoding.AppendEncode(dst, chunk[:])
			n = 0
		}
	}
	dst = base64.StdEncoding.AppendEncode(dst, chunk[:n])
	return append(dst, '"')
}
