// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// given is the optional <case>.given.json: the arguments of Parse other than the text.
type given struct {
	// Language defaults to the folder's.
	Language *string `json:"language"`
	Type     string  `json:"type"`
	Message  string  `json:"message"`
}

// sample is a text in testdata, with the other arguments of Parse.
type sample struct {
	path, name   string
	language     Language
	typ, message string
	text         string
}

// samples returns the samples of one language, or of all for "*".
func samples(t testing.TB, language string) []sample {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", language, "*.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	all := make([]sample, 0, len(paths))
	for _, path := range paths {
		all = append(all, readSample(t, path))
	}
	return all
}

func readSample(t testing.TB, path string) sample {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	folder := filepath.Base(filepath.Dir(path))
	s := sample{path: strings.TrimSuffix(path, ".txt"), language: named(t, folder), text: string(text)}
	s.name = folder + "/" + filepath.Base(s.path)
	other, err := os.ReadFile(s.path + ".given.json")
	if os.IsNotExist(err) {
		return s
	}
	require.NoError(t, err)
	var g given
	require.NoError(t, json.Unmarshal(other, &g))
	s.typ, s.message = g.Type, g.Message
	if g.Language != nil {
		s.language = named(t, *g.Language)
	}
	return s
}

func named(t testing.TB, name string) Language {
	t.Helper()
	for l := Unknown; l <= Swift; l++ {
		if l.String() == name {
			return l
		}
	}
	t.Fatalf("unknown language %q", name)
	return Unknown
}

func TestGolden(t *testing.T) {
	var p Parser // shared: nothing of one stack may leak into the next
	for _, s := range samples(t, "*") {
		t.Run(s.name, func(t *testing.T) {
			got := render(p.Parse(s.language, s.typ, s.message, s.text))
			golden := s.path + ".want.json"
			if *update {
				require.NoError(t, os.WriteFile(golden, got, 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), string(got))
		})
	}
}

// render writes a stack as JSON, one frame per line. Unparsed is a bool, since it equals the text.
func render(s *Stack) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n  \"language\": %q,\n  \"unparsed\": %t,\n  \"exceptions\": [", s.Language, s.Unparsed != "")
	for i := range s.Exceptions {
		e := &s.Exceptions[i]
		comma(&b, i)
		fmt.Fprintf(&b, "\n    {\n      \"type\": %s, \"module\": %s,\n      \"message\": %s,\n", quoted(e.Type), quoted(e.Module), quoted(e.Message))
		fmt.Fprintf(&b, "      \"parent\": %d, \"relation\": %s, \"group\": %t,\n", e.Parent, quoted(e.Relation), e.Group)
		renderFrames(&b, e.Frames)
		b.WriteString("\n    }")
	}
	b.WriteString("\n  ],\n  \"threads\": [")
	for i := range s.Threads {
		th := &s.Threads[i]
		comma(&b, i)
		fmt.Fprintf(&b, "\n    {\n      \"id\": %s, \"name\": %s, \"state\": %s,\n", quoted(th.ID), quoted(th.Name), quoted(th.State))
		renderFrames(&b, th.Frames)
		b.WriteString("\n    }")
	}
	b.WriteString("\n  ]\n}\n")
	return b.Bytes()
}

func renderFrames(b *bytes.Buffer, frames []Frame) {
	b.WriteString("      \"frames\": [")
	for i := 0; i < len(frames); {
		times := 1
		for i+times < len(frames) && frames[i+times] == frames[i] {
			times++
		}
		comma(b, i)
		b.WriteString("\n        ")
		b.Write(renderFrame(&frames[i], times))
		i += times
	}
	b.WriteString("\n      ]")
}

// renderFrame writes a frame and how many times it occurs in a row.
func renderFrame(f *Frame, times int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\"in_app\": %t", f.InApp)
	for _, field := range []struct{ name, value string }{
		{"function", f.Function}, {"module", f.Module}, {"package", f.Package}, {"filename", f.Filename}, {"abs_path", f.AbsPath},
		{"context_line", f.ContextLine},
	} {
		if field.value != "" {
			fmt.Fprintf(&b, ", %q: %s", field.name, quoted(field.value))
		}
	}
	if f.Line != 0 {
		fmt.Fprintf(&b, ", \"line\": %d", f.Line)
	}
	if f.Column != 0 {
		fmt.Fprintf(&b, ", \"column\": %d", f.Column)
	}
	if f.Native {
		b.WriteString(", \"native\": true")
	}
	if times > 1 {
		fmt.Fprintf(&b, ", \"times\": %d", times)
	}
	b.WriteByte('}')
	return b.Bytes()
}

func comma(b *bytes.Buffer, i int) {
	if i > 0 {
		b.WriteByte(',')
	}
}

func quoted(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s)
	return strings.TrimSuffix(b.String(), "\n")
}
