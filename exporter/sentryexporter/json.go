// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// textMember appends a member unless its value is empty. The name must need no escape.
func textMember(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return jsonappend.String(memberName(dst, name), value)
}

// jsonMember is like textMember, for a value that is already a JSON string without its quotes.
func jsonMember(dst []byte, name string, text []byte) []byte {
	if len(text) == 0 {
		return dst
	}
	dst = append(memberName(dst, name), '"')
	return append(append(dst, text...), '"')
}

// hexMember appends bytes as a member, in hexadecimal.
func hexMember(dst []byte, name string, value []byte) []byte {
	dst = append(memberName(dst, name), '"')
	dst = hex.AppendEncode(dst, value)
	return append(dst, '"')
}

// memberName appends the name of a member, preceded by a comma unless it is the first of its object.
func memberName(dst []byte, name string) []byte {
	if len(dst) == 0 || dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}

// within returns the part between the braces of an object, or between the quotes of a string.
func within(object []byte) []byte { return object[1 : len(object)-1] }

// cut returns the beginning of s, in whole characters: up to limit bytes, and up to 2*limit bytes of
// JSON. Ordinary text is well below the second limit, but a control character takes six bytes.
func cut(s string, limit int) string {
	if len(s) <= limit/3 {
		return s
	}
	kept, size := 0, 0
	for at, r := range s {
		if at > limit || size > 2*limit {
			return s[:kept]
		}
		kept = at
		size += jsonSize(r)
	}
	if len(s) > limit || size > 2*limit {
		return s[:kept]
	}
	return s
}

// jsonSize returns how many bytes a JSON string needs at most for a character.
func jsonSize(r rune) int {
	switch {
	case r < ' ':
		return len(`\u0000`)
	case r == '"' || r == '\\':
		return 2
	default:
		return utf8.RuneLen(r)
	}
}

// withoutBreaks joins the lines of s.
func withoutBreaks(s string) string {
	if !strings.ContainsAny(s, "\n\r\t\f") {
		return s
	}
	return strings.Join(strings.Fields(s), " ")
}

// line returns s as one line of at most limit bytes, without surrounding white space.
func line(s string, limit int) string {
	return strings.TrimSpace(cut(strings.TrimSpace(withoutBreaks(s)), limit))
}

// appendSeconds appends a time in seconds, with microseconds: a double does not hold more digits.
func appendSeconds(dst []byte, t pcommon.Timestamp) []byte {
	seconds, micros := uint64(t/1e9), uint64(t%1e9/1e3)
	if seconds < 1e9 || seconds >= 1e10 { // before 2001, or after 2286
		dst = strconv.AppendUint(dst, seconds, 10)
	} else {
		dst = binary.LittleEndian.AppendUint64(dst, eightDigits(seconds/100))
		dst = append(dst, byte('0'+seconds/10%10), byte('0'+seconds%10))
	}
	fraction := eightDigits(micros)>>8&^0xff | '.' // in place of the second of two zeros
	dst = binary.LittleEndian.AppendUint64(dst, fraction)
	return dst[:len(dst)-1]
}

// appendRFC3339 appends a time as a string, with up to six digits of a second.
func appendRFC3339(dst []byte, t pcommon.Timestamp) []byte {
	at := time.Unix(int64(t/1e9), int64(t%1e9/1e3*1e3)) //nolint:gosec // below 2^63
	return append(at.UTC().AppendFormat(append(dst, '"'), time.RFC3339Nano), '"')
}

// eightDigits returns the digits of n, which is below 1e8, the first one in the lowest byte. It splits
// two numbers of four digits at a time, then four of two; the factors are exact in these ranges.
func eightDigits(n uint64) uint64 {
	const halves, quarters = 1 | 1<<32, 1 | 1<<16 | 1<<32 | 1<<48
	n = n/10_000 | n%10_000<<32
	hundreds := n * 10_486 >> 20 & (halves * 0x7f)
	n = hundreds | (n-hundreds*100)<<16
	tens := n * 103 >> 10 & (quarters * 0xf)
	return (tens | (n-tens*10)<<8) + ones*'0'
}
