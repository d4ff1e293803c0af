// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// found returns the ids of the dead letters that a filter selects, newest first.
func (s *testStore) found(t testing.TB, which deadletter.Filter) []string {
	t.Helper()
	ids := []string{}
	selected := newFilter(which)
	require.NoError(t, s.find(t.Context(), s.folder(audit.String()), &selected, func(_ letterKey, l *deadletter.Letter) bool {
		ids = append(ids, l.ID)
		return true
	}))
	return ids
}

// assorted puts dead letters that differ in what filters select by.
func (s *testStore) assorted(t testing.TB) {
	t.Helper()
	letters := lettersOf("e0", "e1", "e2", "e3")
	letters[1].Reason, letters[1].Status, letters[1].Name = deadletter.ReasonExhausted, 503, "Ärger_Reported"
	letters[2].FailedAt, letters[2].Name = noon.Add(-time.Hour), `"hostile"\u0000 name`
	letters[3].FailedAt, letters[3].Status, letters[3].ID = noon.Add(time.Hour), 0, "e\u0000\"3"
	require.NoError(t, s.put(audit, letters))
}

var filters = map[string]struct {
	which deadletter.Filter
	want  []string // newest first
}{
	"all":                      {deadletter.Filter{}, []string{"e\u0000\"3", "e2", "e1", "e0"}},
	"a limit":                  {deadletter.Filter{Limit: 3}, []string{"e\u0000\"3", "e2", "e1"}},
	"a reason":                 {deadletter.Filter{Reason: deadletter.ReasonRefused}, []string{"e\u0000\"3", "e2", "e0"}},
	"a reason and a limit":     {deadletter.Filter{Reason: deadletter.ReasonRefused, Limit: 2}, []string{"e\u0000\"3", "e2"}},
	"a reason that none has":   {deadletter.Filter{Reason: deadletter.ReasonGone}, []string{}},
	"a status":                 {deadletter.Filter{Status: 503}, []string{"e1"}},
	"an id":                    {deadletter.Filter{ID: "e0"}, []string{"e0"}},
	"a part of an id":          {deadletter.Filter{ID: "e"}, []string{}},
	"a hostile id":             {deadletter.Filter{ID: "e\u0000\"3"}, []string{"e\u0000\"3"}},
	"a part of a name":         {deadletter.Filter{Name: "äRGER"}, []string{"e1"}},
	"a hostile name":           {deadletter.Filter{Name: `"HOSTILE"\u`}, []string{"e2"}},
	"before a time":            {deadletter.Filter{Before: noon}, []string{"e2"}},
	"before any time":          {deadletter.Filter{Before: noon.Add(-time.Hour)}, []string{}},
	"several together":         {deadletter.Filter{Reason: deadletter.ReasonRefused, Status: 400, Before: noon.Add(time.Minute), Name: "order"}, []string{"e0"}},
	"several that exclude":     {deadletter.Filter{Reason: deadletter.ReasonRefused, Status: 503}, []string{}},
	"a malformed key":          {deadletter.Filter{Key: "../../etc/passwd"}, []string{}},
	"a key of another file":    {deadletter.Filter{Key: "7-9f86d081884c7d659a2feaa0c55ad015"}, []string{}},
	"a key of another content": {deadletter.Filter{Key: "1-9f86d081884c7d659a2feaa0c55ad015"}, []string{}},
}

func TestFind(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	s.assorted(t)
	for name, tt := range filters {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tt.want, s.found(t, tt.which)) })
	}
	for i, key := range s.keys(t, audit) {
		assert.Equal(t, filters["all"].want[3-i:4-i], s.found(t, deadletter.Filter{Key: key}))
		assert.Empty(t, s.found(t, deadletter.Filter{Key: key, Status: 1}))
	}
}

func TestFindAcrossFilesKeepsOrderAndLimit(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	var want []string
	for i := range 250 {
		letter := s.bulky(fmt.Sprint("e", i), 1000)
		if i%3 == 0 {
			letter.Status = 503
			want = append([]string{letter.ID}, want...)
		}
		require.NoError(t, s.put(audit, []deadletter.Letter{letter}))
	}
	require.Greater(t, len(s.filesOf(t, audit)), 2)
	assert.Equal(t, want, s.found(t, deadletter.Filter{Status: 503}))
	for _, limit := range []int{1, 20, 83, 84, 1000} {
		assert.Equal(t, want[:min(limit, len(want))], s.found(t, deadletter.Filter{Status: 503, Limit: limit}))
	}
}

// Counts rule files out only as long as no other program has changed them.
func TestFindReadsOnlyFilesThatMayHaveSelected(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	for i := range 3 {
		letter := s.bulky(fmt.Sprint("e", i), 40_000)
		letter.Reason = deadletter.Reasons()[i]
		letter.FailedAt = noon.Add(time.Duration(i) * time.Hour)
		require.NoError(t, s.put(audit, []deadletter.Letter{letter}))
	}
	paths := s.filesOf(t, audit)
	require.Len(t, paths, 3)
	selected := newFilter(deadletter.Filter{Reason: deadletter.Reasons()[1]})
	files := s.files(s.folder(audit.String()), &selected)
	require.Len(t, files, 1)
	assert.Equal(t, paths[1], files[0].path)
	selected = newFilter(deadletter.Filter{Before: noon.Add(time.Minute)})
	assert.Len(t, s.files(s.folder(audit.String()), &selected), 1)

	edited := `{"exporter":"webhook/audit","signal":"logs","id":"edited","reason":"by_hand","payload":{}}` + "\n"
	require.NoError(t, os.WriteFile(paths[0], []byte(edited), 0o600))
	assert.Equal(t, []string{"edited"}, s.found(t, deadletter.Filter{Reason: "by_hand"}))
}

func TestFindPassesOverUnreadableLines(t *testing.T) {
	directory := t.TempDir()
	require.NoError(t, os.MkdirAll(directory+"/webhook%2Faudit", 0o700))
	good := `{"exporter":"webhook/audit","id":"good","payload":{}}`
	text := "wrong\n" + good + "\n" + strings.Repeat("x", maxLineSize+1) + "\n" + strings.Replace(good, "good", "spaced", 1) + "  \r\n" + good[:30]
	require.NoError(t, os.WriteFile(directory+"/webhook%2Faudit/00000001.jsonl", []byte(text), 0o600))
	s := openTestStore(t, directory)
	assert.Equal(t, []string{"spaced", "good"}, s.found(t, deadletter.Filter{}))
	keys := s.keys(t, audit)
	assert.Equal(t, []string{"spaced"}, s.found(t, deadletter.Filter{Key: keys[1]}), "white space around the line is not part of the key")
}

func TestSearchEndsWithItsContext(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	for i := range 4 {
		require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky(fmt.Sprint(i), 40_000)}))
	}
	ctx, cancel := context.WithCancel(t.Context())
	visited := 0
	err := s.find(ctx, s.folder(audit.String()), &filter{}, func(letterKey, *deadletter.Letter) bool {
		visited++
		cancel()
		return true
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 1, visited)

	for range maxSearches {
		s.searches <- struct{}{}
	}
	require.ErrorIs(t, s.find(ctx, s.folder(audit.String()), &filter{}, nil), context.Canceled, "a search that waits for its turn ends too")
	for range maxSearches {
		<-s.searches
	}
}

func TestVisitorMayWaitWithoutBlockingSearches(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e0")))
	depth := 0
	var visit func(letterKey, *deadletter.Letter) bool
	visit = func(letterKey, *deadletter.Letter) bool {
		if depth++; depth <= 2*maxSearches {
			assert.NoError(t, s.find(t.Context(), s.folder(audit.String()), &filter{}, visit))
		}
		return true
	}
	visit(letterKey{}, nil)
	assert.Equal(t, 2*maxSearches+1, depth)
}
