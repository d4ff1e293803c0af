// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package jsonread

import (
	"bytes"
	"fmt"
)

// Kind is what a value is, by its first byte.
type Kind byte

// The kinds. [Reader.Kind] tells the end of an object or an array too.
const (
	None      Kind = 0 // the end of the text, or what no value begins with
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

// MaxDepth is how many objects and arrays may stand in each other in a value that is skipped.
const MaxDepth = 10_000

// SyntaxError says that a text is not JSON.
type SyntaxError struct {
	// Offset is the place of the first byte that does not belong there.
	Offset int
	// Problem says what does.
	Problem string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("at byte %d: %s", e.Offset, e.Problem) }

// Reader reads one text. The zero value reads the empty text. An error ends the reading: nothing sensible comes after it.
type Reader struct {
	text []byte
	at   int
	open []Kind // what Skip is in
}

// Reset makes the reader read a text from its beginning. The text must not change while it is read.
func (r *Reader) Reset(text []byte) { r.text, r.at = text, 0 }

// Offset is how much of the text was read.
func (r *Reader) Offset() int { return r.at }

// Return goes back to an offset that [Reader.Offset] gave.
func (r *Reader) Return(offset int) { r.at = offset }

// Left is the number of bytes that were not read yet.
func (r *Reader) Left() int { return len(r.text) - r.at }

// kinds are the kinds by the first bytes of values.
var kinds = [256]Kind{
	'n': Null, 't': True, 'f': False, '"': String, '{': Object, '[': Array, '}': EndObject, ']': EndArray,
	'-': Number, '0': Number, '1': Number, '2': Number, '3': Number, '4': Number, '5': Number, '6': Number, '7': Number, '8': Number, '9': Number,
}

// Kind is the kind of what comes next.
func (r *Reader) Kind() Kind {
	r.space()
	if r.at == len(r.text) {
		return None
	}
	return kinds[r.text[r.at]]
}

// space passes white space, of which there is most often none.
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

// End fails unless nothing but white space is left.
func (r *Reader) End() error {
	r.space()
	if r.at < len(r.text) {
		return r.problem("the text goes on after its value")
	}
	return nil
}

// Take reads what comes next if that is the given text to the byte, and reports whether it is. A text that was read before is
// known to be sound, and to compare is faster than to read.
func (r *Reader) Take(text []byte) bool {
	if !bytes.HasPrefix(r.text[r.at:], text) {
		return false
	}
	r.at += len(text)
	return true
}

// Open reads the beginning of an object or an array, which Kind has told of.
func (r *Reader) Open() { r.at++ }

// Next reports whether an object has one more member, or an array one more item, and reads what stands before that, or the
// end. first is for the first call after [Reader.Open].
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
		return false, r.problem("want a comma, or the end of what was begun")
	}
	r.at++
	return true, nil
}

// Name reads the name of a member and what stands between it and its value. The name is as in [Reader.String].
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

// Literal reads null, true or false, which Kind has told of.
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

// Number reads a number, which Kind has told of. It is whole when it is written without a fraction and an exponent.
func (r *Reader) Number() (raw []byte, whole bool, err error) {
	begin := r.at
	if r.text[r.at] == '-' {
		r.at++
	}
	digits := r.digits()
	if digits == 0 || digits > 1 && r.text[r.at-digits] == '0' {
		r.at -= max(digits-1, 0)
		return nil, false, r.problem("want a number as JSON has them")
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

// Value reads a value of any kind and gives it as it is written.
func (r *Reader) Value() ([]byte, error) {
	r.space()
	begin := r.at
	if err := r.Skip(); err != nil {
		return nil, err
	}
	return r.text[begin:r.at], nil
}

// Skip reads a value of any kind, however deep.
func (r *Reader) Skip() error {
	r.open = r.open[:0]
	first, err := r.skipOne()
	for err == nil && len(r.open) > 0 {
		first, err = r.skipNext(first)
	}
	return err
}

// skipNext reads what comes next in the innermost object or array that is open: a value or the end. It tells whether that
// was the beginning of another one.
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

// skipOne reads a value that holds no others, or the beginning of one that does.
func (r *Reader) skipOne() (opened bool, err error) {
	switch kind := r.Kind(); kind {
	case Object, Array:
		if len(r.open) == MaxDepth {
			return false, r.problem(fmt.Sprintf("nested more than %d deep", MaxDepth))
		}
		r.Open()
		r.open = append(r.open, kind+2) // in ASCII, } and ] stand two places behind { and [
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

// Unexpected is the error for what comes next, where a value was to come.
func (r *Reader) Unexpected() error {
	r.space()
	return r.problem("want a value")
}

func (r *Reader) problem(problem string) error {
	if r.at == len(r.text) {
		return &SyntaxError{Offset: r.at, Problem: "the text ends too early"}
	}
	return &SyntaxError{Offset: r.at, Problem: problem}
}
