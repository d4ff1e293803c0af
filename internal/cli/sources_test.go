// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestKeyIsFoundInTheDocumentThatDecides(t *testing.T) {
	s := &sources{}
	s.add("file:a.yaml", "exporters:\n  x: &x\n    key: 1\n  y: *x\nlists:\n  - a\n  - {b: c}\n")
	s.add("file:b.yaml", "exporters:\n\n  x: {other: 1}\nincluded: ${file:c.yaml}\n")
	s.add("yaml:exporters::x::set: 1", "exporters::x::set: 1")
	s.add("file:c.yaml", "deep:\n  deeper: 1\nself: ${file:c.yaml}\n")
	s.add("file:loop.yaml", "${file:loop.yaml}")
	s.add("file:broken.yaml", "a: [")
	for path, want := range map[string]string{
		"exporters::x::key":                       "a.yaml:3",
		"exporters::x::other":                     "b.yaml:3",
		"exporters::x::absent":                    "b.yaml:3",
		"exporters::y::key":                       "a.yaml:3",
		"exporters::x::set":                       "",
		"lists::0":                                "a.yaml:6",
		"lists::1::b":                             "a.yaml:7",
		"lists::9":                                "a.yaml:5",
		"included::deep::deeper":                  "c.yaml:2",
		"included" + strings.Repeat("::self", 50): "c.yaml:3",
		"included::" + "absent":                   "b.yaml:4",
		"absent":                                  "",
	} {
		assert.Equal(t, want, s.find(strings.Split(path, "::")).String(), path)
	}
	s.add("file:a.yaml", "# read again\nlists:\n  - a\n")
	assert.Equal(t, "a.yaml:3", s.find([]string{"lists", "0"}).String())
}

func TestEachMistakeGetsItsLine(t *testing.T) {
	s := &sources{}
	s.add("file:a.yaml", "exporters:\n  x:\n    key: 1\n  y.z/a:\n    key: [a]\nservice:\n  pipelines:\n    logs:\n      receivers: a\n")
	for text, want := range map[string]string{
		"exporters::x: key: is bad; exporters::y.z/a::key: is bad":    "invalid configuration: a.yaml:3: exporters::x: key: is bad; a.yaml:5: exporters::y.z/a::key: is bad",
		"invalid configuration: exporters: is a list":                 "invalid configuration: a.yaml:1: exporters: is a list",
		"invalid configuration: service.pipelines[logs].receivers: x": "invalid configuration: a.yaml:9: service.pipelines[logs].receivers: x",
		"invalid configuration: receivers::a: x":                      "invalid configuration: receivers::a: x",
		`cannot start "a": exporters are late`:                        `cannot start "a": exporters are late`,
	} {
		assert.EqualError(t, s.oneLine(errors.New(text)), want)
	}
}

func FuzzSyntaxError(f *testing.F) {
	for _, text := range []string{"a: [", "a:\n\tb: c", "a: 1\na: 2", "*a", "a: *b\nb: 1", "{a: ${env:X}}", "\xff", "a: \"x\ny: z"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := document{uri: "file:a.yaml", text: text}
		if mistake := d.syntaxError(); mistake != "" && !strings.HasPrefix(mistake, "a.yaml:") {
			t.Fatalf("%q has no file: %q", mistake, text)
		}
	})
}
