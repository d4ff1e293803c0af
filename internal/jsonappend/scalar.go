// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsonappend writes JSON by appending to a byte slice, straight from pdata: no reflection, no maps, no
// allocation beyond the growth of the slice. Whatever it is given, what it writes is valid JSON.
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
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x80 {
			dst, _ = jsontext.AppendQuote(dst, s) // the error only tells that U+FFFD was put in
			return dst
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

// Int appends i as a JSON number, exactly.
func Int(dst []byte, i int64) []byte { return strconv.AppendInt(dst, i, 10) }

// Double appends f as a JSON number that reads as a double: 1 is written 1.0. JSON has no number for NaN and
// the infinities; they are the strings "NaN", "Infinity" and "-Infinity", as in the JSON form of protobuf.
func Double(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
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

// doubleFormat is the format that ECMAScript picks: an exponent only where the digits would be many.
func doubleFormat(f float64) byte {
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return 'e'
	}
	return 'f'
}

// Bool appends b.
func Bool(dst []byte, b bool) []byte { return strconv.AppendBool(dst, b) }

// Time appends t as an RFC 3339 string in UTC with as many digits after the second as it has. What is later than time.Time
// can count in nanoseconds becomes the last it can, in the year 2262.
func Time(dst []byte, t pcommon.Timestamp) []byte {
	t = min(t, math.MaxInt64)
	dst = append(dst, '"')
	dst = t.AsTime().AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"')
}

// Bytes appends b as a string in standard base64 with padding, as in the JSON form of protobuf.
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
