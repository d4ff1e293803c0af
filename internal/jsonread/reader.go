// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package jsonread

import (
	"bytes"
	"fmt"
)

// Kind is the kind of a JSON token, determined by its first byte.
type Kind byte

// The kinds that [Reader.Kind] returns.
const (
	None      Kind = 0 // the end of the text, or a byte that begins no token
	Null      Kind = 'n'
	True      Kind = 't'
	False     Kind = 'f'
	String    Kind = '"'
	Number    Kind = '0'
	Object    Kind = '{'
	Array     Kind = '['
	EndObject Kind = '}'
	EndArray  Kind = ']'
)

// MaxDepth is how deep objects and arrays may be nested in a value that is skipped.
const MaxDepth = 10_000

// SyntaxError reports that the input is not JSON.
type SyntaxError struct {
	// Offset is the position of the first invalid byte, from 0.
	Offset int
	// Problem says what is wrong at Offset. It never repeats any of the input.
	Problem string
}

// Error implements error.
func (e *SyntaxError) Error() string { return fmt.Sprintf("at byte %d: %s", e.Offset, e.Problem) }

// Reader reads one JSON text. The zero value reads the empty text. After an error, the reader's
// position is undefined until [Reader.Return] or [Reader.Reset].
type Reader struct {
	text []byte
	at   int
	open []Kind // the ends of the objects and arrays that Skip is inside
}

// Reset starts reading a new text. The text must not change while it is being read.
func (r *Reader) Reset(text []byte) { r.text, r.at = text, 0 }

// Offset returns the number of bytes read so far.
func (r *Reader) Offset() int { return r.at }

// Return moves back to an offset that [Reader.Offset] returned.
func (r *Reader) Return(offset int) { r.at = offset }

// Left returns the number of bytes not read yet.
func (r *Reader) Left() int { return len(r.text) - r.at }

// kinds maps the first byte of a token to its kind.
var kinds = [256]Kind{
	'n': Null, 't': True, 'f': False, '"': String, '{': Object, '[': Array, '}': EndObject, ']': EndArray,
	'-': Number, '0': Number, '1': Number, '2': Number, '3': Number, '4': Number, '5': Number, '6': Number, '7': Number, '8': Number, '9': Number,
}

// Kind skips white space and returns the kind of the next token without reading it.
func (r *Reader) Kind() Kind {
	r.space()
	if r.at == len(r.text) {
		return None
	}
	return kinds[r.text[r.at]]
}

// space skips white space. Fast path: there is usually none.
func (r *Reader) space() {
	if r.at < len(r.text) && r.text[r.at] > ' ' {
		return
	}
	r.spaces()
}

func (r *Reader) spaces() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\n', '\r', '\t':
			r.at++
		default:
			return
		}
	}
}

// End returns a [SyntaxError] unless only white space is left.
func (r *Reader) End() error {
	r.space()
	if r.at < len(r.text) {
		return r.problem("the text goes on after its value")
	}
	return nil
}

// Take reads text if it comes next, byte for byte, and reports whether it did. text must be valid
// JSON: comparing it with input that was validated before is faster than parsing.
func (r *Reader) Take(text []byte) bool {
	if !bytes.HasPrefix(r.text[r.at:], text) {
		return false
	}
	r.at += len(text)
	return true
}

// Open reads the opening brace or bracket. Call it after Kind returned Object or Array.
func (r *Reader) Open() { r.at++ }

// Next reports whether the object or array has another member or item, and reads the comma before
// it or the end. first is true for the first call after [Reader.Open].
func (r *Reader) Next(end Kind, first bool) (bool, error) {
	kind := r.Kind()
	if kind == end {
		r.at++
		return false, nil
	}
	if first {
		return true, nil
	}
	if r.at == len(r.text) || r.text[r.at] != ',' {
		return false, r.problem("want a comma, or the end of the object or array")
	}
	r.at++
	return true, nil
}

// Name reads the name of a member and the colon after it. It returns the name as [Reader.String]
// does.
func (r *Reader) Name() (raw []byte, escaped bool, err error) {
	if r.Kind() != String {
		return nil, false, r.problem("want a name in double quotes")
	}
	if raw, escaped, err = r.String(); err != nil {
		return nil, false, err
	}
	r.space()
	if r.at == len(r.text) || r.text[r.at] != ':' {
		return nil, false, r.problem("want a colon after a name")
	}
	r.at++
	return raw, escaped, nil
}

// Literal reads null, true or false. Call it after Kind returned one of them.
func (r *Reader) Literal() error {
	word := "null"
	switch r.text[r.at] {
	case 't':
		word = "true"
	case 'f':
		word = "false"
	}
	for i := range len(word) {
		if r.at == len(r.text) || r.text[r.at] != word[i] {
			return r.problem("want null, true or false")
		}
		r.at++
	}
	return nil
}

// Number reads a number and returns its text. whole is true if it has neither a fraction nor an
// exponent. Call it after Kind returned Number.
func (r *Reader) Number() (raw []byte, whole bool, err error) {
	begin := r.at
	if r.text[r.at] == '-' {
		r.at++
	}
	digits := r.digits()
	if digits == 0 || digits > 1 && r.text[r.at-digits] == '0' {
		r.at -= max(digits-1, 0)
		return nil, false, r.valueProblem("want a JSON number")
	}
	whole = true
	if r.at < len(r.text) && r.text[r.at] == '.' {
		r.at++
		whole = false
		if r.digits() == 0 {
			return nil, false, r.problem("want a digit after the decimal point")
		}
	}
	if r.at < len(r.text) && r.text[r.at]|0x20 == 'e' {
		r.at++
		whole = false
		if r.at < len(r.text) && (r.text[r.at] == '+' || r.text[r.at] == '-') {
			r.at++
		}
		if r.digits() == 0 {
			return nil, false, r.problem("want a digit in the exponent")
		}
	}
	return r.text[begin:r.at], whole, nil
}

func (r *Reader) digits() int {
	begin := r.at
	for r.at < len(r.text) && r.text[r.at]-'0' <= 9 {
		r.at++
	}
	return r.at - begin
}

// Value reads a value of any kind and returns its text.
func (r *Reader) Value() ([]byte, error) {
	r.space()
	begin := r.at
	if err := r.Skip(); err != nil {
		return nil, err
	}
	return r.text[begin:r.at], nil
}

// Skip reads a value of any kind, nested up to [MaxDepth] deep.
func (r *Reader) Skip() error {
	r.open = r.open[:0]
	first, err := r.skipOne()
	for err == nil && len(r.open) > 0 {
		first, err = r.skipNext(first)
	}
	return err
}

// skipNext reads the next token of the innermost open object or array: a value or the end. It
// reports whether that token opened another object or array.
func (r *Reader) skipNext(first bool) (opened bool, err error) {
	end := r.open[len(r.open)-1]
	more, err := r.Next(end, first)
	if err != nil {
		return false, err
	}
	if !more {
		r.open = r.open[:len(r.open)-1]
		return false, nil
	}
	if end == EndObject {
		if _, _, err := r.Name(); err != nil {
			return false, err
		}
	}
	return r.skipOne()
}

// skipOne reads a scalar, or the opening of an object or array.
func (r *Reader) skipOne() (opened bool, err error) {
	switch kind := r.Kind(); kind {
	case Object, Array:
		if len(r.open) == MaxDepth {
			return false, r.problem(fmt.Sprintf("nested more than %d deep", MaxDepth))
		}
		r.Open()
		r.open = append(r.open, kind+2) // in ASCII, } is { + 2 and ] is [ + 2
		return true, nil
	case String:
		_, _, err = r.String()
	case Number:
		_, _, err = r.Number()
	case Null, True, False:
		err = r.Literal()
	default:
		err = r.Unexpected()
	}
	return false, err
}

// Unexpected returns the error for a next token that does not begin a value.
func (r *Reader) Unexpected() error {
	r.space()
	return r.valueProblem("want a value")
}

// valueProblem returns an error with the problem, or with the remedy if JavaScript wrote a value that
// JSON does not have.
func (r *Reader) valueProblem(problem string) error {
	for _, word := range []string{"NaN", "Infinity", "undefined"} {
		if bytes.HasPrefix(r.text[r.at:], []byte(word)) {
			problem = "JSON has no " + word + "; write null, or a string"
		}
	}
	return r.problem(problem)
}

func (r *Reader) problem(problem string) error {
	if r.at == len(r.text) {
		return &SyntaxError{Offset: r.at, Problem: "the text ends too early"}
	}
	return &SyntaxError{Offset: r.at, Problem: problem}
}
