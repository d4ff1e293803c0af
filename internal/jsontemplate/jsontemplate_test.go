// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package jsontemplate

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// document is what the templates of the tests read.
func document() map[string]any {
	return map[string]any{
		"name": `order "placed" <b>`, "severity_number": int64(17), "timestamp": "2023-11-14T22:13:20.5Z",
		"user": map[string]any{"id": "u1"},
		"properties": map[string]any{
			"big": int64(9007199254740993), "half": 0.5, "whole": 12.0, "paid": true, "none": nil,
			"items": []any{"a", int64(2), map[string]any{"b": "c"}}, "http.route": "/orders", "lines": "one\ntwo",
		},
	}
}

func TestLeaves(t *testing.T) {
	for name, tt := range map[string]struct {
		tree any
		want string
	}{
		"a text without a template":                   {"as it \"is\"", `"as it \"is\""`},
		"literals keep their type":                    {map[string]any{"a": 1, "b": true, "c": nil, "d": 1.5, "e": []any{"x", 2}}, `{"a":1,"b":true,"c":null,"d":1.5,"e":["x",2]}`},
		"quotes cannot break out":                     {"{{ .name }}", `"order \"placed\" <b>"`},
		"a leaf that looks like a number is a string": {"{{ .severity_number }}", `"17"`},
		"a number":                                     {map[string]any{"$number": "{{ .properties.big }}"}, `9007199254740993`},
		"a number that is not there":                   {map[string]any{"$number": "{{ .properties.missing }}"}, `null`},
		"a bool":                                       {map[string]any{"$bool": "{{ .properties.paid }}"}, `true`},
		"a condition is a bool":                        {map[string]any{"$bool": "{{ gt .severity_number 16 }}"}, `true`},
		"any JSON":                                     {map[string]any{"$json": "{{ json .properties.items }}"}, `["a",2,{"b":"c"}]`},
		"JSON on several lines is put on one":          {map[string]any{"$json": "{\n \"a\": [1,\n 2]\n}"}, `{"a":[1,2]}`},
		"an optional text that is there":               {map[string]any{"id": map[string]any{"$optional": "{{ .user.id }}"}}, `{"id":"u1"}`},
		"an optional text that is not":                 {map[string]any{"a": 1, "email": map[string]any{"$optional": "{{ .user.email }}"}, "z": 2}, `{"a":1,"z":2}`},
		"an optional item":                             {[]any{map[string]any{"$optional": "{{ .none }}"}, "x"}, `["x"]`},
		"an optional text that is all there is":        {map[string]any{"$optional": "{{ .none }}"}, `null`},
		"what is not there is nothing":                 {"<{{ .nothing }}{{ .user.address.city.name }}>", `"<>"`},
		"a map is JSON":                                {"{{ .user }}", `"{\"id\":\"u1\"}"`},
		"numbers as text":                              {"{{ .properties.half }} {{ .properties.whole }} {{ .properties.big }}", `"0.5 12 9007199254740993"`},
		"a double stays one in JSON":                   {map[string]any{"$json": "{{ json .properties.whole }}"}, `12.0`},
		"a name with a dot":                            {`{{ get .properties "http.route" }}`, `"/orders"`},
		"a range over a list":                          {"{{ range $i, $x := .properties.items }}{{ $i }}={{ $x }};{{ end }}", `"0=a;1=2;2={\"b\":\"c\"};"`},
		"a range over a map is sorted":                 {"{{ range $k, $v := .properties }}{{ $k }} {{ end }}", `"big half http.route items lines none paid whole "`},
		"a range over nothing":                         {"{{ range .nothing }}x{{ else }}none{{ end }}", `"none"`},
		"a range over one value":                       {"{{ range .name }}x{{ end }}", `"x"`},
		"conditions":                                   {`{{ if and (eq .severity_number 17) (ne .name "x") .user.id }}yes{{ else }}no{{ end }}`, `"yes"`},
		"a with that is empty":                         {`{{ with .user.email }}{{ . }}{{ else }}-{{ end }}`, `"-"`},
		"a variable's field":                           {`{{ $u := .user }}{{ $u.id }}{{ $.name | len }}{{ (get . "user").id }}`, `"u118u1"`},
		"what is not there is less than any number":    {`{{ lt .missing 1 }}{{ eq .missing "" }}{{ ge 2.5 2 }}`, `"truetruetrue"`},
		"functions of text":                            {`{{ .user.id | upper | lower | trim }}{{ default "none" .x }}{{ replace "o" "0" "foo" }}{{ contains "b" "abc" }}{{ hasPrefix "a" "abc" }}{{ hasSuffix "a" "abc" }}{{ join "," .properties.items }}`, `"u1nonef00truetruefalsea,2,{\"b\":\"c\"}"`},
		"a date":                                       {`{{ date "2006-01-02 15:04" .timestamp }} {{ date "2006" "soon" }}`, `"2023-11-14 22:13 soon"`},
		"truncate counts as UTF-16 does":               {`{{ truncate 4 "😀😀😀" }}{{ truncate 3 "abc" }}{{ truncate 0 "abc" }}{{ truncate 2 "abc" }}`, `"😀…abca…"`},
		"the dot is the document":                      {`{{ len . }}{{ (json .) | contains "u1" }}`, `"5true"`},
		"a part of a query":                            {`{{ urlquery "a b&c" }}`, `"a+b%26c"`},
		"escapes of Slack are counted":                 {`{{ mrkdwn 11 "<<<" }}{{ mrkdwn 12 "<<<" }}`, `"&lt;&lt;…&lt;&lt;&lt;"`},
		"Markdown is escaped, and its escapes counted": {`{{ markdown 100 "[a](b) *c*" }} {{ markdown 3 "***" }}`, `"\\[a\\]\\(b\\) \\*c\\* \\*…"`},
		"a part of a map within bytes":                 {map[string]any{"$json": `{{ members 45 .properties }}`}, `{"big":9007199254740993,"…":7}`},
		"pairs":                                        {map[string]any{"$json": `{{ pairs "title" "value" 2 4 100 .properties }}`}, `[{"title":"big","value":"9007199254740993"},{"title":"half","value":"0.5"}]`},
		"what is invalid UTF-8 is replaced":            {"{{ \"a\\xffb\" }}", `"a` + "\uFFFD" + `b"`},
	} {
		t.Run(name, func(t *testing.T) {
			tree, err := Parse(tt.tree, "template")
			require.NoError(t, err)
			got, err := tree.Append([]byte("before "), document())
			require.NoError(t, err)
			assert.Equal(t, "before "+tt.want, string(got))
			assert.True(t, json.Valid(got[len("before "):]))
		})
	}
}

func TestErrorsOfParsingNameTheKeyAndTheLine(t *testing.T) {
	for name, tt := range map[string]struct {
		tree any
		want string
	}{
		"a brace is missing":             {map[string]any{"text": "one\n{{ .name }"}, `template::text: line 2: unexpected "}"`},
		"a function that does not exist": {map[string]any{"a": []any{"x", "one\ntwo\n{{ env \"HOME\" }}"}}, `template::a::1: line 3: function "env" not defined`},
		"printf is not there":            {`{{ printf "%1000000000d" 1 }}`, `template: line 1: there is no function "printf"; there are and, contains, `},
		"a function of ours":             {`{{ _turn $ }}`, `there is no function "_turn"`},
		"too few arguments":              {"\n{{ truncate 3 }}", "template: line 2: truncate is written truncate length text"},
		"too many arguments":             {"{{ .name | lower 1 }}", "lower is written lower text"},
		"an argument that is a function": {"{{ lower upper }}", "upper is written upper text"},
		"arguments of no function":       {`{{ .name "x" }}`, "only a function takes arguments"},
		"define":                         {`{{ define "a" }}x{{ end }}`, "define and block are not taken"},
		"block":                          {`{{ block "a" . }}x{{ end }}`, "define and block are not taken"},
		"template":                       {"\n\n{{ template \"a\" }}", "line 3: template is not taken"},
		"a range that does not end":      {"{{ range .a }}", "template: line 1: unexpected EOF"},
		"a type with another member":     {map[string]any{"$number": "1", "b": 2}, "template::$number: has to stand alone in its map"},
		"a literal that is no number":    {map[string]any{"total": map[string]any{"$number": "many"}}, "template::total::$number: is not a number"},
		"a literal that is no JSON":      {map[string]any{"$json": `{"a":1,"a":2}`}, "template::$json: is not JSON"},
		"a type of a map":                {map[string]any{"$bool": map[string]any{"a": 1}}, "template::$bool: is a map[string]interface {}; write a template"},
		"something else":                 {struct{}{}, "template: is a struct {}; write strings"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(tt.tree, "template")
			require.ErrorContains(t, err, tt.want)
		})
	}
	deep := any("x")
	for range 100 {
		deep = []any{deep}
	}
	_, err := Parse(deep, "template")
	require.ErrorContains(t, err, "is nested deeper than 64 levels")
}

func TestErrorsOfRenderingTellNoValue(t *testing.T) {
	for name, tt := range map[string]struct {
		tree any
		want string
	}{
		"a word that is no number":   {map[string]any{"a": map[string]any{"$number": "{{ .name }}"}}, "template::a::$number: is not a number"},
		"NaN is no number":           {map[string]any{"$number": "{{ .nan }}"}, "template::$number: is not a number"},
		"a word that is no bool":     {map[string]any{"$bool": "{{ .name }}"}, "template::$bool: is not true or false"},
		"a word that is no JSON":     {map[string]any{"$json": "{{ .name }}"}, "template::$json: is not JSON"},
		"a length that is no number": {"\n{{ truncate .name \"x\" }}", "template: line 2: cannot be rendered: a value is of a type that is not taken there"},
		"a loop that does not end":   {`{{ range $a := .many }}{{ range $b := $.many }}{{ range $c := $.many }}x{{ end }}{{ end }}{{ end }}`, "template: line 1: takes more than 10000 turns of range"},
		"a text that doubles":        {`{{ $x := "aaaaaaaa" }}{{ range .many }}{{ $x = replace "a" "aaaaaaaa" $x }}{{ end }}{{ $x }}`, "template: line 1: writes more than 262144 bytes"},
		"a text that is too long":    {`{{ range .many }}{{ $.long }}{{ end }}`, "template: writes more than 262144 bytes"},
		"texts that are, together":   {[]any{"{{ .long }}", "{{ .long }}", "{{ .long }}"}, "template::2: writes more than 262144 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			tree, err := Parse(tt.tree, "template")
			require.NoError(t, err)
			values := map[string]any{"name": "hunter2", "nan": "NaN", "many": make([]any, 100), "long": strings.Repeat("x", 100_000)}
			_, err = tree.Append(nil, values)
			require.Error(t, err)
			assert.Equal(t, tt.want, err.Error())
		})
	}
}

func TestARenderingThatTakesTooLongEnds(t *testing.T) {
	text, err := ParseText("\n{{ range .many }}x{{ end }}", "template")
	require.NoError(t, err)
	r := newRun(map[string]any{"many": make([]any, 3)})
	r.started = r.started.Add(-maxTime - 1)
	_, err = text.render(r)
	require.EqualError(t, err, "template: line 2: takes longer than 5s")
}

// FuzzAppend holds that whatever a document says, and whatever a template is, the result is JSON or an error.
func FuzzAppend(f *testing.F) {
	f.Add("{{ .a }}", `"`)
	f.Add(`{{ range $k, $v := . }}{{ $k }}={{ json $v }}{{ end }}`, "\xff\n{{")
	f.Add(`{{ members 40 . }}{{ pairs "a" "b" 3 4 5 . }}{{ markdown 9 .a }}{{ mrkdwn 9 .a }}{{ fit 9 .a }}`, "*<&>😀")
	f.Add(`{{ if gt .n 3 }}{{ .m.x }}{{ else }}{{ with .l }}{{ join "," . }}{{ end }}{{ end }}`, "x")
	f.Fuzz(func(t *testing.T, text, value string) {
		document := map[string]any{"a": value, value: "a", "n": int64(7), "m": map[string]any{"x": value}, "l": []any{value, 1.5, nil, true}}
		for _, leaf := range []any{text, map[string]any{"$json": text}, map[string]any{"$number": text}, map[string]any{"$optional": text}} {
			tree, err := Parse(map[string]any{"leaf": leaf, value: "x"}, "template")
			if err != nil {
				continue
			}
			got, err := tree.Append(nil, document)
			if err == nil && !json.Valid(got) {
				t.Fatalf("not JSON: %s", got)
			}
		}
	})
}

func TestWhatIsCutOffFits(t *testing.T) {
	text := strings.Repeat("a\"\n\x01é😀<&*", 50)
	for n := range 300 {
		inJSON, err := json.Marshal(fit(text, n))
		require.NoError(t, err)
		_ = inJSON // encoding/json escapes < and &, so it is measured by hand
		size := 0
		for _, r := range fit(text, n) {
			size += bytesInJSON(r)
		}
		assert.LessOrEqual(t, size, n)
		for _, cut := range []string{truncate(text, n, units), mrkdwn(text, n), markdown(text, n)} {
			size := 0
			for _, r := range cut {
				size += units(r)
			}
			assert.LessOrEqual(t, size, n)
			assert.True(t, n < 3 || size >= n-6, "%d of %d", size, n)
		}
		part := members(n+20, map[string]any{"a": text, "b": int64(1), "c": []any{text}, "d": text})
		assert.LessOrEqual(t, len(part), n+20)
		assert.True(t, json.Valid([]byte(part)), part)
	}
}
