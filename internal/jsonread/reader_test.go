// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package jsonread

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// check reads the whole text.
func check(text []byte) error {
	var r Reader
	r.Reset(text)
	if err := r.Skip(); err != nil {
		return err
	}
	return r.End()
}

func TestValidJSONIsRead(t *testing.T) {
	for _, text := range []string{
		`null`, ` true `, `false`, `0`, `-0`, `-12.50e+07`, `1E5`, `""`, `"a"`, `"日本 😀"`, `"\"\\\/\b\f\n\r\tA"`, `"\ud83d\uDE00"`, `"` + "\x7f" + `"`,
		`[]`, `{}`, "[ 1 ,\t[ ] , {\"a\" : {} }\r\n]", `{"a":1,"a":2}`,
		strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth),
	} {
		assert.NoError(t, check([]byte(text)), "%.100s", text)
	}
}

func TestInvalidJSONIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		``:                              "at byte 0: the text ends too early",
		`  `:                            "at byte 2: the text ends too early",
		`nul`:                           "at byte 3: the text ends too early",
		`nonsense`:                      "at byte 1: want null, true or false",
		`True`:                          "at byte 0: want a value",
		`1 2`:                           "at byte 2: the text goes on after its value",
		`01`:                            "at byte 1: want a JSON number",
		`-`:                             "at byte 1: the text ends too early",
		`-a`:                            "at byte 1: want a JSON number",
		`1.`:                            "at byte 2: the text ends too early",
		`1.x`:                           "at byte 2: want a digit after the decimal point",
		`1e+`:                           "at byte 3: the text ends too early",
		`1ex`:                           "at byte 2: want a digit in the exponent",
		`{"a":NaN}`:                     "at byte 5: JSON has no NaN; write null, or a string",
		`[-Infinity]`:                   "at byte 2: JSON has no Infinity; write null, or a string",
		`undefined`:                     "at byte 0: JSON has no undefined; write null, or a string",
		`.5`:                            "at byte 0: want a value",
		`+5`:                            "at byte 0: want a value",
		`"a`:                            "at byte 2: the text ends too early",
		"\"a\nb\"":                      "at byte 2: control characters in a string must be escaped",
		`"\x"`:                          "at byte 2: invalid escape",
		`"\`:                            "at byte 2: the text ends too early",
		`"\u00g0"`:                      "at byte 5: want four hexadecimal digits",
		`"\u00`:                         "at byte 5: the text ends too early",
		`"\ud800"`:                      "at byte 3: unpaired surrogate",
		`"\ud800A"`:                     "at byte 3: unpaired surrogate",
		`"\ude00\ud83d"`:                "at byte 3: unpaired surrogate",
		"\"ab\xff\"":                    "at byte 3: a string that is not UTF-8",
		"\"\xed\xa0\x80\"":              "at byte 1: a string that is not UTF-8",
		`[1 2]`:                         "at byte 3: want a comma, or the end of the object or array",
		`[1,]`:                          "at byte 3: want a value",
		`[,1]`:                          "at byte 1: want a value",
		`[`:                             "at byte 1: the text ends too early",
		`[}`:                            "at byte 1: want a value",
		`{"a" 1}`:                       "at byte 5: want a colon after a name",
		`{"a":}`:                        "at byte 5: want a value",
		`{"a":1,}`:                      "at byte 7: want a name in double quotes",
		`{a:1}`:                         "at byte 1: want a name in double quotes",
		`{"a":1]`:                       "at byte 6: want a comma, or the end of the object or array",
		`{"a":1`:                        "at byte 6: the text ends too early",
		"\ufeff{}":                      "at byte 0: want a value",
		strings.Repeat("[", MaxDepth+1): "at byte 10000: nested more than 10000 deep",
	} {
		err := check([]byte(text))
		_, ok := errors.AsType[*SyntaxError](err)
		require.True(t, ok, "%.100s", text)
		assert.EqualError(t, err, want, "%.100s", text)
	}
}

func TestTokensAreReturnedAsWritten(t *testing.T) {
	var r Reader
	r.Reset([]byte(` {"na\u006de" : "a\n\ud83d\ude00日" ,"n":-1.5e3,"i": 7, "x":[true,{"a":[]}], "s":"é"} tail`))
	require.Equal(t, Object, r.Kind())
	r.Open()
	next := func(first, want bool) {
		t.Helper()
		more, err := r.Next(EndObject, first)
		require.NoError(t, err)
		require.Equal(t, want, more)
	}
	name := func(want string) {
		t.Helper()
		raw, _, err := r.Name()
		require.NoError(t, err)
		assert.Equal(t, want, string(Unquote(nil, raw)))
	}
	next(true, true)
	name("name")
	require.Equal(t, String, r.Kind())
	raw, escaped, err := r.String()
	require.NoError(t, err)
	assert.True(t, escaped)
	assert.Equal(t, "a\n😀日", string(Unquote(nil, raw)))
	next(false, true)
	name("n")
	require.Equal(t, Number, r.Kind())
	raw, whole, err := r.Number()
	require.NoError(t, err)
	assert.False(t, whole)
	assert.Equal(t, "-1.5e3", string(raw))
	next(false, true)
	name("i")
	require.Equal(t, Number, r.Kind())
	_, whole, err = r.Number()
	require.NoError(t, err)
	assert.True(t, whole)
	next(false, true)
	at := r.Offset()
	for range 2 {
		r.Return(at)
		name("x")
		raw, err = r.Value()
		require.NoError(t, err)
		assert.Equal(t, `[true,{"a":[]}]`, string(raw))
	}
	next(false, true)
	at = r.Offset()
	assert.False(t, r.Take([]byte(` "S":`)))
	assert.Equal(t, at, r.Offset(), "a text that does not match is not read")
	assert.True(t, r.Take([]byte(` "s"`)))
	r.Return(at)
	name("s")
	require.Equal(t, String, r.Kind())
	raw, escaped, err = r.String()
	require.NoError(t, err)
	assert.False(t, escaped)
	assert.Equal(t, "é", string(raw))
	next(false, false)
	assert.Equal(t, 5, r.Left())
	assert.False(t, r.Take([]byte(" tail and more")), "beyond the end")
	assert.Error(t, r.End())
}

// FuzzReader compares the reader with jsontext: both accept the same texts and read the same
// strings.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-2.5e7,"b\u00e9\ud83d\ude00",null,true,false,{}]}`, `"\ud800"`, `[1,]`, "\"\xff\"", `01`, `{"a":1,"a":2}`, "{\"a\"\n:\t1}", `[[[]]]`, `"\\\""`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		other := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true))
		value, otherErr := other.ReadValue()
		value = bytes.Clone(value)
		if otherErr == nil {
			if _, tail := other.ReadToken(); !errors.Is(tail, io.EOF) {
				otherErr = errors.New("data after the value")
			}
		}
		var r Reader
		r.Reset(text)
		kind := r.Kind()
		read, err := r.Value()
		if err == nil {
			err = r.End()
		}
		if (err == nil) != (otherErr == nil) {
			t.Fatalf("jsonread returned %v, jsontext %v", err, otherErr)
		}
		if err != nil {
			return
		}
		if !bytes.Equal(read, value) {
			t.Fatalf("jsonread read %q, jsontext %q", read, value)
		}
		if kind != String {
			return
		}
		want, err := jsontext.AppendUnquote(nil, value)
		if got := Unquote(nil, read[1:len(read)-1]); err != nil || !bytes.Equal(want, got) {
			t.Fatalf("jsonread read %q, jsontext %q", got, want)
		}
	})
}
