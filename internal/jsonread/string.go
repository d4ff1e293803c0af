// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package jsonread

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// Each byte of ones is 0x01; each byte of highs has only its highest bit set.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plain returns the length of the prefix of text that needs no unescaping. It checks eight bytes at
// a time: subtracting sets the high bit of a byte below the space, and of a quote or backslash once
// the XOR has made it 0.
func plain(text []byte) int {
	n := 0
	for ; n+8 <= len(text); n += 8 {
		word := binary.LittleEndian.Uint64(text[n:])
		quote, backslash := word^ones*'"', word^ones*'\\'
		special := (word | (word-ones*' ')&^word | (quote-ones)&^quote | (backslash-ones)&^backslash) & highs
		if special != 0 {
			return n + bits.TrailingZeros64(special)/8
		}
	}
	for n < len(text) && text[n] >= ' ' && text[n] < utf8.RuneSelf && text[n] != '"' && text[n] != '\\' {
		n++
	}
	return n
}

// String reads a string and returns its content as it is written, without quotes; escaped reports
// whether [Unquote] has to resolve escapes. raw aliases the text. Call it after Kind returned
// String.
func (r *Reader) String() (raw []byte, escaped bool, err error) {
	text := r.text[r.at+1:]
	if n := plain(text); n < len(text) && text[n] == '"' { // fast path: most strings are plain
		r.at += n + 2
		return text[:n], false, nil
	}
	return r.otherString()
}

// otherString is the slow path of String: strings with escapes or non-ASCII characters, and invalid
// ones.
func (r *Reader) otherString() (raw []byte, escaped bool, err error) {
	r.at++
	begin := r.at
	wide := false
	for {
		r.at += plain(r.text[r.at:])
		if r.at == len(r.text) {
			return nil, false, r.problem("")
		}
		switch c := r.text[r.at]; {
		case c == '"':
			raw = r.text[begin:r.at]
			if wide && !utf8.Valid(raw) {
				r.at = begin + invalidAt(raw)
				return nil, false, r.problem("a string that is not UTF-8")
			}
			r.at++
			return raw, escaped, nil
		case c == '\\':
			escaped = true
			if err := r.escape(); err != nil {
				return nil, false, err
			}
		case c < ' ':
			return nil, false, r.problem("control characters in a string must be escaped")
		default:
			wide = true
			r.at++
		}
	}
}

// invalidAt returns the index of the first byte that is not UTF-8.
func invalidAt(raw []byte) int {
	for i := 0; i < len(raw); {
		c, size := utf8.DecodeRune(raw[i:])
		if c == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(raw)
}

// unescaped maps the character after a backslash to what it stands for; 0 for invalid escapes.
var unescaped = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape reads an escape sequence. The reader is at its backslash.
func (r *Reader) escape() error {
	r.at++
	if r.at == len(r.text) {
		return r.problem("")
	}
	if r.text[r.at] != 'u' {
		if unescaped[r.text[r.at]] == 0 {
			return r.problem("invalid escape")
		}
		r.at++
		return nil
	}
	r.at++
	c, ok := hex4(r.text[r.at:])
	if !ok {
		return r.hexProblem()
	}
	if !utf16.IsSurrogate(c) {
		r.at += 4
		return nil
	}
	if low, ok := lowSurrogate(r.text[r.at+4:]); !ok || utf16.DecodeRune(c, low) == utf8.RuneError {
		return r.problem("unpaired surrogate")
	}
	r.at += 10
	return nil
}

func (r *Reader) hexProblem() error {
	for range 4 {
		if r.at == len(r.text) || !isHex(r.text[r.at]) {
			break
		}
		r.at++
	}
	return r.problem("want four hexadecimal digits")
}

func lowSurrogate(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	return hex4(text[2:])
}

func isHex(c byte) bool { return c-'0' <= 9 || (c|0x20)-'a' <= 5 }

func hex4(text []byte) (rune, bool) {
	if len(text) < 4 {
		return 0, false
	}
	var v rune
	for _, c := range text[:4] {
		switch {
		case c-'0' <= 9:
			v = v<<4 | rune(c-'0')
		case (c|0x20)-'a' <= 5:
			v = v<<4 | rune((c|0x20)-'a'+10)
		default:
			return 0, false
		}
	}
	return v, true
}

// Unquote appends a string that [Reader.String] or [Reader.Name] returned to dst, with its escapes
// resolved.
func Unquote(dst, raw []byte) []byte {
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			dst = append(dst, raw[i])
			i++
			continue
		}
		if raw[i+1] != 'u' {
			dst = append(dst, unescaped[raw[i+1]])
			i += 2
			continue
		}
		c, _ := hex4(raw[i+2:])
		i += 6
		if utf16.IsSurrogate(c) {
			low, _ := lowSurrogate(raw[i:])
			c = utf16.DecodeRune(c, low)
			i += 6
		}
		dst = utf8.AppendRune(dst, c)
	}
	return dst
}
