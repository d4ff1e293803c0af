// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPageShowsTheDialects compares the table of dialects in language-models.md with the code's. Use
// -update to rewrite it.
func TestPageShowsTheDialects(t *testing.T) {
	const begin, end = "<!-- The table of dialects; go test -run Dialects -update writes it. -->\n", "<!-- The end of the table. -->"
	page, err := os.ReadFile("language-models.md")
	require.NoError(t, err)
	head, rest, ok := strings.Cut(string(page), begin)
	require.True(t, ok)
	table, tail, ok := strings.Cut(rest, end)
	require.True(t, ok)
	want := dialectTable()
	if *update {
		require.NoError(t, os.WriteFile("language-models.md", []byte(head+begin+want+end+tail), 0o600))
		table = want
	}
	assert.Equal(t, want, table)
}

func dialectTable() string {
	var b strings.Builder
	b.WriteString("| property | attributes of the span |\n|---|---|\n")
	for f := range aiTargets {
		fmt.Fprintf(&b, "| %s | %s |\n", quoted(aiTargets[f].property), sourcesText(aiTargets[f].sources))
	}
	for _, parameter := range slices.Compact(slices.Sorted(maps.Values(aiParameters))) {
		var names []string
		for _, name := range slices.Sorted(maps.Keys(aiParameters)) {
			if aiParameters[name] == parameter {
				names = append(names, quoted(name))
			}
		}
		fmt.Fprintf(&b, "| `$ai_model_parameters`, member `%s` | %s |\n", parameter, strings.Join(names, ", "))
	}
	fmt.Fprintf(&b, "| `$ai_model_parameters`, all other members | `%s` (JSON) |\n", strings.Join(aiParameterMaps[:], "`, `"))
	return b.String()
}

// quoted returns a name as code, up to a comma.
func quoted(name string) string {
	code, words, found := strings.Cut(name, ",")
	if found {
		return "`" + code + "`," + words
	}
	return "`" + name + "`"
}

// sourcesText groups sources of one dialect and reading.
func sourcesText(sources []aiSource) string {
	var groups []string
	for i := 0; i < len(sources); {
		s, names := &sources[i], []string(nil)
		for i < len(sources) && sources[i].dialect == s.dialect && sources[i].read == s.read && sources[i].only == s.only {
			for _, name := range sources[i].names {
				names = append(names, quoted(name))
			}
			i++
		}
		groups = append(groups, string(s.dialect)+": "+strings.Join(names, ", ")+noteText(s))
	}
	return strings.Join(groups, "; ")
}

func noteText(s *aiSource) string {
	var notes []string
	if s.read != readText {
		notes = append(notes, string(s.read))
	}
	switch s.only {
	case modelCall:
		notes = append(notes, "of generations and embeddings")
	case otherSpan:
		notes = append(notes, "of other spans")
	}
	if notes == nil {
		return ""
	}
	return " (" + strings.Join(notes, "; ") + ")"
}

func TestPrefixEndsAtTheIndex(t *testing.T) {
	for name, want := range map[string][2]string{
		"gen_ai.prompt.0.role": {"gen_ai.prompt.", "0.role"}, "a.12": {"a.", "12"}, "a": {}, "a.": {}, "": {}, "a.b.c": {}, "0.a": {}, "a..1": {"a..", "1"},
	} {
		prefix, rest := prefixOf(name)
		assert.Equal(t, want, [2]string{prefix, rest}, name)
	}
}

func TestHiddenContentIsHiddenInEveryDialect(t *testing.T) {
	full, err := os.ReadFile("testdata/ai_other_libraries/want.batch")
	require.NoError(t, err)
	require.Greater(t, strings.Count(string(full), "sunny"), 30, "the texts of the spans")
	for _, dir := range []string{"ai_other_libraries_redacted", "ai_other_libraries_without_content"} {
		hidden, err := os.ReadFile("testdata/" + dir + "/want.batch")
		require.NoError(t, err)
		assert.NotContains(t, string(hidden), "sunny", dir)
	}
}

func TestLastWordOfAName(t *testing.T) {
	for name, want := range map[string]string{
		"ai.result.toolCalls": "calls", "gcp.vertex.agent.llm_request": "request", "final_result": "result", "events": "events",
		"URL": "url", "a.": "", "": "", "userID": "id", "x-y": "y",
	} {
		assert.Equal(t, want, lastWord(name), name)
	}
}
