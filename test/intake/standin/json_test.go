// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNonObjectsBreakRule(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want string
	}{
		"an empty body":         {``, `body is not JSON: EOF (rule "body")`},
		"truncated JSON":        {`{"a":1`, `body is not JSON: jsontext: unexpected EOF`},
		"data after the object": {`{} {}`, `body has something after its JSON value (rule "body")`},
		"invalid UTF-8":         {"{\"a\":\"\xff\"}", `body is not UTF-8 (rule "utf-8")`},
		"half a surrogate pair": {`{"a":"\ud83d"}`, `rule "utf-8"`},
		"a duplicate name":      {`{"a":{"b":1,"b":2}}`, `rule "duplicate-name"`},
		"an array":              {`[]`, `body is an array, not an object (rule "body")`},
		"null":                  {`null`, `body is null, not an object (rule "body")`},
	} {
		t.Run(name, func(t *testing.T) {
			var checker Checker
			_, ok := checker.DecodeObject([]byte(c.body), "body", "body")
			assert.False(t, ok)
			require.Len(t, checker.Violations, 1)
			assert.Contains(t, checker.Violations[0].Error(), c.want)
		})
	}
}

// members has one member of each kind.
const members = `{"text":"a","number":1.5,"huge":1e999,"integer":7,"boolean":true,"null":null,"list":[{"a":1},2],"object":{"a":"b"}}`

func TestMembersAreCheckedAgainstTypes(t *testing.T) {
	for name, c := range map[string]struct {
		look func(o Object)
		want []string
	}{
		"valid members": {func(o Object) {
			o.Require("text", "null")
			o.Texts("text", "absent")
			o.Booleans("boolean", "absent")
			o.OneOf("other", "text", "b", "a")
			o.OneOf("other", "absent", "b", "a")
			o.Number("number")
			o.Integer("integer")
			o.List("list")
			o.Nested("object", "other")
			o.Nested("absent", "other")
		}, nil},
		"a missing member":           {func(o Object) { o.Require("absent") }, []string{`body has no absent (rule "body")`}},
		"unknown members":            {func(o Object) { o.Only("other", "text", "number", "huge", "integer", "boolean", "list") }, []string{`body has a member "null", which the format does not have (rule "other")`, `body has a member "object", which the format does not have (rule "other")`}},
		"not a string":               {func(o Object) { o.Texts("null") }, []string{`body.null is null, not a string (rule "body")`}},
		"not a boolean":              {func(o Object) { o.Booleans("text") }, []string{`body.text is a string, not a boolean (rule "body")`}},
		"not in an enumeration":      {func(o Object) { o.OneOf("other", "text", "b", "c") }, []string{`body.text is "a", not one of b, c (rule "other")`}},
		"not a number":               {func(o Object) { o.Number("boolean") }, []string{`body.boolean is a boolean, not a number (rule "body")`}},
		"a number that is too large": {func(o Object) { o.Number("huge") }, []string{`body.huge is 1e999, which no float64 holds (rule "body")`}},
		"an integer with a fraction": {func(o Object) { o.Integer("number") }, []string{`body.number is 1.5, which is not a 64-bit integer (rule "body")`}},
		"not a list":                 {func(o Object) { o.List("object") }, []string{`body.object is an object, not an array (rule "body")`}},
		"not an object":              {func(o Object) { o.Nested("list", "other") }, []string{`body.list is an array, not an object (rule "other")`}},
		"a list with a number":       {func(o Object) { o.Objects("list", "other") }, []string{`body.list[1] is a number, not an object (rule "other")`}},
		"a member of a nested object": {func(o Object) {
			nested, _ := o.Nested("object", "other")
			nested.Number("a")
		}, []string{`body.object.a is a string, not a number (rule "other")`}},
		"a member of an object in a list": {func(o Object) {
			objects, _ := o.Objects("list", "other")
			objects[0].Text("a")
		}, []string{`body.list[1] is a number, not an object (rule "other")`, `body.list[0].a is a number, not a string (rule "other")`}},
	} {
		t.Run(name, func(t *testing.T) {
			var checker Checker
			o, ok := checker.DecodeObject([]byte(members), "body", "body")
			require.True(t, ok)
			c.look(o)
			var got []string
			for i := range checker.Violations {
				got = append(got, checker.Violations[i].Error())
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func TestNumbersKeepTheirText(t *testing.T) {
	value, violation := Decode([]byte(`[1.10]`), "body", "body")
	require.Nil(t, violation)
	assert.Equal(t, []any{json.Number("1.10")}, value)
}

func TestBodiesAreDecodedWithinLimit(t *testing.T) {
	for _, encoding := range []string{"gzip", "deflate", "zstd"} {
		compressed := Compress(encoding, make([]byte, 1<<20))
		body, err := Decompress(encoding, compressed, 1<<21)
		require.NoError(t, err)
		assert.Len(t, body, 1<<20, encoding)
		body, err = Decompress(encoding, compressed, 1000)
		require.NoError(t, err)
		assert.Len(t, body, 1000, encoding)
		_, err = Decompress(encoding, compressed[:len(compressed)-4], 1<<21)
		require.Error(t, err, encoding)
		_, err = Decompress(encoding, []byte("no such thing"), 1<<21)
		require.Error(t, err, encoding)
	}
	_, err := Decompress("br", nil, 1)
	require.EqualError(t, err, `"br" is not a content encoding that the stand-in reads`)
}
