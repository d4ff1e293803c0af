// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package prose checks the wording of comments, messages, names and pages: plain English, in the
// vocabulary of OpenTelemetry and the vendors.
package prose

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// root is the relative path of the repository.
const root = "../.."

// phrases read as if they were translated. instead is advice for the author.
var phrases = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{phrase(`(is|are|was|were) what`), "say directly what it does"},
	{phrase(`of ours`), "one of our exporters, this package's exporters"},
	{phrase(`be (it|they)`), "whether it is"},
	{phrase(`where there (is|are) (one|none)`), "if any; without one"},
	{phrase(`(that|which) (is|are) none`), "not a ..."},
	{phrase(`(that|which) (is|are) no (JSON|UTF-8|URL|UUID|object|string|number|list|array|map|key|name)`), "that is not a ..."},
	{phrase(`where (it|they) (is|are) (missing|absent|empty|unset|set|zero)`), "if it is ..."},
	{phrase(`so that[^.:;]* so that`), "two sentences"},
	{phrase(`held against`), "checked against, compared with"},
	{phrase(`nobody specified`), "unknown"},
	{phrase(`(is|are) no violation`), "not a violation"},
	{phrase(`so it is with`), "likewise"},
	{phrase(`(is|are) to be`), "must be, will be"},
	{phrase(`(what|which) (it |they )?comes? to`), "means, amounts to, reaches"},
	{phrase(`(has|have) (its|their) own end`), "ends separately"},
	{phrase(`how manieth`), "the index of"},
	{phrase(`goe?s? not`), "does not"},
	{phrase(`is nothing that`), "say what is accepted"},
	{phrase(`is for who`), "use it when"},
	{phrase(`does without`), "does not need"},
	{phrase(`would else`), "would otherwise"},
}

// words have a more common term, which the value gives.
var words = map[string]string{
	"framed":    "built",
	"verdict":   "classification",
	"owe":       "pending",
	"owed":      "pending",
	"postpone":  "defer",
	"postponed": "deferred",
	"bury":      "dead-letter",
	"buried":    "dead-lettered",
	"foretell":  "announce",
	"foretold":  "announced",
	"greet":     "handshake",
	"greeting":  "handshake",
	"lanes":     "partitions",
	"lane":      "partition",
	"memories":  "buffers",
	"ledger":    "outcomes",
	"tellable":  "redacted",
	"memo":      "cache",
	"manieth":   "index",
	"deal":      "distribute",
	"dealt":     "distributed",
}

func phrase(pattern string) *regexp.Regexp { return regexp.MustCompile(`(?i)\b` + pattern + `\b`) }

// TestProseIsPlain checks every comment, string and name in Go code, and all Markdown, YAML, shell
// and make files.
func TestProseIsPlain(t *testing.T) {
	texts := 0
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && isForeign(path, entry.Name()):
			return filepath.SkipDir
		case entry.IsDir():
			return nil
		}
		for _, found := range textsOf(t, path) {
			texts++
			check(t, path, found)
		}
		return nil
	}))
	assert.Greater(t, texts, 1000)
}

// isForeign reports whether a directory is generated, installed or test data.
func isForeign(path, name string) bool {
	foreign := []string{".git", ".venv", "bin", "node_modules", "testdata", "metadata", "metadatatest", "prose"}
	return slices.Contains(foreign, name) || path == filepath.Join(root, "cmd")
}

// text is a passage or a name, with the line of its start.
type text struct {
	line    int
	content string
}

func textsOf(t *testing.T, path string) []text {
	t.Helper()
	content := func() []byte {
		read, err := os.ReadFile(path)
		require.NoError(t, err)
		return read
	}
	switch name := filepath.Base(path); {
	case strings.HasPrefix(name, "generated_"):
		return nil
	case filepath.Ext(name) == ".go":
		return goTexts(content())
	case slices.Contains([]string{".md", ".yaml", ".yml", ".sh"}, filepath.Ext(name)), name == "Makefile":
		return paragraphs(string(content()))
	default:
		return nil
	}
}

// paragraphs splits a page at blank lines.
func paragraphs(page string) []text {
	var all []text
	line := 1
	for paragraph := range strings.SplitSeq(page, "\n\n") {
		all = append(all, text{line, paragraph})
		line += strings.Count(paragraph, "\n") + 2
	}
	return all
}

// goTexts returns the comments, strings and names of a Go file. Consecutive comment lines are one
// text, because a phrase may span two lines.
func goTexts(source []byte) []text {
	var all []text
	files := token.NewFileSet()
	file := files.AddFile("", files.Base(), len(source))
	var s scanner.Scanner
	s.Init(file, source, nil, scanner.ScanComments)
	lastComment := -1
	for {
		pos, tok, literal := s.Scan()
		line := file.Line(pos)
		switch tok {
		case token.EOF:
			return all
		case token.COMMENT:
			comment := strings.TrimPrefix(literal, "//")
			if lastComment >= 0 && lastComment == line-1 {
				all[len(all)-1].content += "\n" + comment
			} else {
				all = append(all, text{line, comment})
			}
			lastComment = line
			continue
		case token.STRING:
			all = append(all, text{line, literal})
		case token.IDENT:
			all = append(all, text{line, wordsOf(literal)})
		case token.SEMICOLON: // added by the scanner at the end of a line
			continue
		}
		lastComment = -1
	}
}

// wordsOf splits a camel-case name into words.
func wordsOf(name string) string {
	var b strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func check(t *testing.T, path string, found text) {
	t.Helper()
	joined := strings.Join(strings.Fields(found.content), " ")
	for _, p := range phrases {
		if match := p.pattern.FindString(joined); match != "" {
			t.Errorf("%s:%d: %q: %s", path, found.line, around(joined, match), p.instead)
		}
	}
	for _, word := range strings.FieldsFunc(strings.ToLower(joined), func(r rune) bool { return !unicode.IsLetter(r) && r != '-' }) {
		if instead, ok := words[word]; ok {
			t.Errorf("%s:%d: %q: the field's term is %s", path, found.line, around(strings.ToLower(joined), word), instead)
		}
	}
}

// around returns a match with its context.
func around(s, match string) string {
	at := strings.Index(s, match)
	return s[max(0, at-40):min(len(s), at+len(match)+40)]
}
