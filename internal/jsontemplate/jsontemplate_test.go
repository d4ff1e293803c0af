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

// document returns the document that the templates of the tests read.
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

func TestTreesRenderAsJSON(t *testing.T) {
	for name, tt := range map[string]struct {
		tree any
		want string
	}{
		"text without a template":                {"as it \"is\"", `"as it \"is\""`},
		"literals keep their types":              {map[string]any{"a": 1, "b": true, "c": nil, "d": 1.5, "e": []any{"x", 2}}, `{"a":1,"b":true,"c":null,"d":1.5,"e":["x",2]}`},
		"quotes cannot break out":                {"{{ .name }}", `"order \"placed\" <b>"`},
		"number without a declared type":         {"{{ .severity_number }}", `"17"`},
		"number":                                 {map[string]any{"$number": "{{ .properties.big }}"}, `9007199254740993`},
		"missing number":                         {map[string]any{"$number": "{{ .properties.missing }}"}, `null`},
		"bool":                                   {map[string]any{"$bool": "{{ .properties.paid }}"}, `true`},
		"comparison as bool":                     {map[string]any{"$bool": "{{ gt .severity_number 16 }}"}, `true`},
		"JSON":                                   {map[string]any{"$json": "{{ json .properties.items }}"}, `["a",2,{"b":"c"}]`},
		"JSON on several lines becomes one line": {map[string]any{"$json": "{\n \"a\": [1,\n 2]\n}"}, `{"a":[1,2]}`},
		"optional text":                          {map[string]any{"id": map[string]any{"$optional": "{{ .user.id }}"}}, `{"id":"u1"}`},
		"missing optional text":                  {map[string]any{"a": 1, "email": map[string]any{"$optional": "{{ .user.email }}"}, "z": 2}, `{"a":1,"z":2}`},
		"missing optional item":                  {[]any{map[string]any{"$optional": "{{ .none }}"}, "x"}, `["x"]`},
		"missing optional root":                  {map[string]any{"$optional": "{{ .none }}"}, `null`},
		"missing values are empty":               {"<{{ .nothing }}{{ .user.address.city.name }}>", `"<>"`},
		"map as text":                            {"{{ .user }}", `"{\"id\":\"u1\"}"`},
		"numbers as text":                        {"{{ .properties.half }} {{ .properties.whole }} {{ .properties.big }}", `"0.5 12 9007199254740993"`},
		"double keeps its type in JSON":          {map[string]any{"$json": "{{ json .properties.whole }}"}, `12.0`},
		"name with a dot":                        {`{{ get .properties "http.route" }}`, `"/orders"`},
		"range over list":                        {"{{ range $i, $x := .properties.items }}{{ $i }}={{ $x }};{{ end }}", `"0=a;1=2;2={\"b\":\"c\"};"`},
		"range over map is sorted":               {"{{ range $k, $v := .properties }}{{ $k }} {{ end }}", `"big half http.route items lines none paid whole "`},
		"range over missing value":               {"{{ range .nothing }}x{{ else }}none{{ end }}", `"none"`},
		"range over single value":                {"{{ range .name }}x{{ end }}", `"x"`},
		"conditions":                             {`{{ if and (eq .severity_number 17) (ne .name "x") .user.id }}yes{{ else }}no{{ end }}`, `"yes"`},
		"with of missing value":                  {`{{ with .user.email }}{{ . }}{{ else }}-{{ end }}`, `"-"`},
		"field of a variable":                    {`{{ $u := .user }}{{ $u.id }}{{ $.name | len }}{{ (get . "user").id }}`, `"u118u1"`},
		"missing value is less than 1":           {`{{ lt .missing 1 }}{{ eq .missing "" }}{{ ge 2.5 2 }}`, `"truetruetrue"`},
		"text functions":                         {`{{ .user.id | upper | lower | trim }}{{ default "none" .x }}{{ replace "o" "0" "foo" }}{{ contains "b" "abc" }}{{ hasPrefix "a" "abc" }}{{ hasSuffix "a" "abc" }}{{ join "," .properties.items }}`, `"u1nonef00truetruefalsea,2,{\"b\":\"c\"}"`},
		"date":                                   {`{{ date "2006-01-02 15:04" .timestamp }} {{ date "2006" "soon" }}`, `"2023-11-14 22:13 soon"`},
		"truncate counts UTF-16 code units":      {`{{ truncate 4 "😀😀😀" }}{{ truncate 3 "abc" }}{{ truncate 0 "abc" }}{{ truncate 2 "abc" }}`, `"😀…abca…"`},
		"dot is the document":                    {`{{ len . }}{{ (json .) | contains "u1" }}`, `"5true"`},
		"urlquery":                               {`{{ urlquery "a b&c" }}`, `"a+b%26c"`},
		"escapes for Slack count":                {`{{ mrkdwn 11 "<<<" }}{{ mrkdwn 12 "<<<" }}`, `"&lt;&lt;…&lt;&lt;&lt;"`},
		"escapes for Markdown count":             {`{{ markdown 100 "[a](b) *c*" }} {{ markdown 3 "***" }}`, `"\\[a\\]\\(b\\) \\*c\\* \\*…"`},
		"members that fit":                       {map[string]any{"$json": `{{ members 45 .properties }}`}, `{"big":9007199254740993,"…":7}`},
		"pairs":                                  {map[string]any{"$json": `{{ pairs "title" "value" 2 4 100 .properties }}`}, `[{"title":"big","value":"9007199254740993"},{"title":"half","value":"0.5"}]`},
		"invalid UTF-8 is replaced":              {"{{ \"a\\xffb\" }}", `"a` + "\uFFFD" + `b"`},
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

func TestParseErrorNamesKeyAndLine(t *testing.T) {
	for name, tt := range map[string]struct {
		tree any
		want string
	}{
		"missing brace":                     {map[string]any{"text": "one\n{{ .name }"}, `template::text: line 2: unexpected "}"`},
		"undefined function":                {map[string]any{"a": []any{"x", "one\ntwo\n{{ env \"HOME\" }}"}}, `template::a::1: line 3: function "env" not defined`},
		"function of text/template":         {`{{ printf "%1000000000d" 1 }}`, `template: line 1: unknown function "printf"; the functions are and, contains, `},
		"internal function":                 {`{{ _count $ }}`, `unknown function "_count"`},
		"too few arguments":                 {"\n{{ truncate 3 }}", "template: line 2: wrong number of arguments; usage: truncate length text"},
		"too many arguments":                {"{{ .name | lower 1 }}", "usage: lower text"},
		"function as argument":              {"{{ lower upper }}", "usage: upper text"},
		"arguments without a function":      {`{{ .name "x" }}`, "only functions have arguments"},
		"define":                            {`{{ define "a" }}x{{ end }}`, "define and block are not supported"},
		"block":                             {`{{ block "a" . }}x{{ end }}`, "define and block are not supported"},
		"template":                          {"\n\n{{ template \"a\" }}", "line 3: template is not supported"},
		"range without end":                 {"{{ range .a }}", "template: line 1: unexpected EOF"},
		"declared type with another member": {map[string]any{"$number": "1", "b": 2}, "template::$number: must be the only key of its map"},
		"literal that is not a number":      {map[string]any{"total": map[string]any{"$number": "many"}}, "template::total::$number: is not a number"},
		"literal that is not JSON":          {map[string]any{"$json": `{"a":1,"a":2}`}, "template::$json: is not JSON"},
		"declared type of a map":            {map[string]any{"$bool": map[string]any{"a": 1}}, "template::$bool: is a map[string]interface {}; write a template"},
		"other type":                        {struct{}{}, "template: is a struct {}; write strings"},
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

func TestRenderErrorsContainNoValues(t *testing.T) {
	for name, tt := range map[string]struct {
		tree any
		want string
	}{
		"text that is not a number": {map[string]any{"a": map[string]any{"$number": "{{ .name }}"}}, "template::a::$number: is not a number"},
		"NaN":                       {map[string]any{"$number": "{{ .nan }}"}, "template::$number: is not a number"},
		"text that is not a bool":   {map[string]any{"$bool": "{{ .name }}"}, "template::$bool: is not true or false"},
		"text that is not JSON":     {map[string]any{"$json": "{{ .name }}"}, "template::$json: is not JSON"},
		"wrong type of argument":    {"\n{{ truncate .name \"x\" }}", "template: line 2: cannot be rendered: an argument has the wrong type"},
		"too many iterations":       {`{{ range $a := .many }}{{ range $b := $.many }}{{ range $c := $.many }}x{{ end }}{{ end }}{{ end }}`, "template: line 1: takes more than 10000 iterations of range"},
		"exponential growth":        {`{{ $x := "aaaaaaaa" }}{{ range .many }}{{ $x = replace "a" "aaaaaaaa" $x }}{{ end }}{{ $x }}`, "template: line 1: writes more than 262144 bytes"},
		"text too long":             {`{{ range .many }}{{ $.long }}{{ end }}`, "template: writes more than 262144 bytes"},
		"texts too long together":   {[]any{"{{ .long }}", "{{ .long }}", "{{ .long }}"}, "template::2: writes more than 262144 bytes"},
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

func TestRenderingEndsAfterMaxTime(t *testing.T) {
	text, err := ParseText("\n{{ range .many }}x{{ end }}", "template")
	require.NoError(t, err)
	r := newRun(map[string]any{"many": make([]any, 3)})
	r.started = r.started.Add(-maxTime - 1)
	_, err = text.render(r)
	require.EqualError(t, err, "template: line 2: takes longer than 5s")
}

// FuzzAppend checks that any template renders JSON or an error for any document.
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

func TestTruncatedTextFits(t *testing.T) {
	text := strings.Repeat("a\"\n\x01é😀<&*", 50)
	for n := range 300 {
		inJSON, err := json.Marshal(fit(text, n))
		require.NoError(t, err)
		_ = inJSON // encoding/json escapes < and & too, so the size is counted below
		size := 0
		for _, r := range fit(text, n) {
			size += bytesInJSON(r)
		}
		assert.LessOrEqual(t, size, n)
		for _, short := range []string{truncate(text, n, units), mrkdwn(text, n), markdown(text, n)} {
			size := 0
			for _, r := range short {
				size += units(r)
			}
			assert.LessOrEqual(t, size, n)
			assert.True(t, n < 3 || size >= n-6, "%d of %d", size, n)
		}
		object := members(n+20, map[string]any{"a": text, "b": int64(1), "c": []any{text}, "d": text})
		assert.LessOrEqual(t, len(object), n+20)
		assert.True(t, json.Valid([]byte(object)), object)
	}
}
