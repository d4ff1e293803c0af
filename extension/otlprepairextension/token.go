// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package otlprepairextension

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokenNone   tokenKind = iota
	tokenString           // text is the string itself, json its JSON
	tokenWord             // a number, true, null, NaN, undefined or another word without quotes
	tokenNested           // an object or array; text is its JSON
)

// token is a value in the body.
type token struct {
	kind tokenKind
	text string
	json []byte
	// repaired is true if the string in the body was not valid JSON, unlike json.
	repaired bool
}

// isNull reports whether the token stands for no value: null, or the corresponding word of JavaScript
// (undefined), Python (None) or another language.
func (t token) isNull() bool {
	if t.kind != tokenWord {
		return t.kind == tokenNone
	}
	switch t.text {
	case "null", "undefined", "None", "nil", "NULL":
		return true
	}
	return false
}

// isBlank reports whether the token is a string of white space.
func (t token) isBlank() bool { return t.kind == tokenString && strings.TrimSpace(t.text) == "" }

// token reads the next value.
func (w *walker) token() token {
	switch w.peek() {
	case 0:
		w.fail()
		return token{}
	case '"':
		return w.stringToken()
	case '{', '[':
		start := w.pos
		w.skipNested()
		return token{kind: tokenNested, text: string(w.in[start:w.pos])}
	}
	start := w.pos
	for w.pos < len(w.in) && !strings.ContainsRune(" \t\r\n,:[]{}\"", rune(w.in[w.pos])) {
		w.pos++
	}
	if w.pos == start {
		w.fail()
		return token{}
	}
	word := w.in[start:w.pos]
	return token{kind: tokenWord, text: string(word), json: word}
}

// skipNested skips an object or array.
func (w *walker) skipNested() {
	for open := 0; ; {
		switch w.peek() {
		case 0:
			w.fail()
			return
		case '"':
			w.skipString()
			continue
		case '{', '[':
			open++
		case '}', ']':
			open--
		}
		w.pos++
		if open == 0 {
			return
		}
	}
}

// skipString skips a string.
func (w *walker) skipString() {
	for w.pos++; w.pos < len(w.in); w.pos++ {
		switch w.in[w.pos] {
		case '\\':
			w.pos++
		case '"':
			w.pos++
			return
		}
	}
	w.fail()
}

func (w *walker) stringToken() token {
	start := w.pos
	w.skipString()
	if w.failed {
		return token{}
	}
	quoted := w.in[start:w.pos]
	valid, changed := escaped(quoted)
	t := token{kind: tokenString, json: valid, repaired: changed}
	if bytes.IndexByte(valid, '\\') < 0 {
		t.text = string(valid[1 : len(valid)-1])
	} else if err := json.Unmarshal(valid, &t.text); err != nil {
		w.fail()
	}
	return t
}

// escaped escapes the control characters and lone backslashes in a string, and reports whether there
// were any.
func escaped(quoted []byte) (valid []byte, changed bool) {
	var out []byte // nil while nothing is changed
	for i := 0; i < len(quoted); i++ {
		c := quoted[i]
		bad := c < ' '
		length := 1
		if c == '\\' {
			if length = escapeLength(quoted[i:]); length == 0 {
				bad, length = true, 1
			}
		}
		if bad && out == nil {
			out = append(make([]byte, 0, len(quoted)+16), quoted[:i]...)
		}
		switch {
		case bad && c == '\\':
			out = append(out, `\\`...)
		case bad:
			out = append(out, `\u00`...)
			out = append(out, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		case out != nil:
			out = append(out, quoted[i:i+length]...)
		}
		i += length - 1
	}
	if out == nil {
		return quoted, false
	}
	return out, true
}

// escapeLength returns the length of the escape sequence at the beginning, or 0 if it is not one.
func escapeLength(s []byte) int {
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(s) < 6 {
			return 0
		}
		for _, c := range s[2:6] {
			if !strings.ContainsRune("0123456789abcdefABCDEF", rune(c)) || c >= utf8.RuneSelf {
				return 0
			}
		}
		return 6
	}
	return 0
}
