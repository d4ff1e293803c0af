// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

func (s *testStore) removed(t testing.TB, which deadletter.Filter) int {
	t.Helper()
	selected := newFilter(which)
	n, err := s.removeSelected(s.folder(audit.String()), &selected)
	require.NoError(t, err)
	return n
}

func TestRemoveSelected(t *testing.T) {
	for name, tt := range filters {
		t.Run(name, func(t *testing.T) {
			directory := t.TempDir()
			s := openTestStore(t, directory)
			s.assorted(t)
			all := s.found(t, deadletter.Filter{})
			unlimited := tt.which
			unlimited.Limit = 0
			selected := s.found(t, unlimited)
			if limit := tt.which.Limit; limit > 0 { // the oldest are removed
				selected = selected[max(len(selected)-limit, 0):]
			}
			want := slices.DeleteFunc(slices.Clone(all), func(id string) bool { return slices.Contains(selected, id) })
			assert.Equal(t, len(selected), s.removed(t, tt.which))
			assert.Equal(t, want, s.found(t, deadletter.Filter{}))
			s.check(t)
			require.NoError(t, s.put(audit, lettersOf("new")))
			s.check(t)
			require.NoError(t, s.close())
			assert.Len(t, openTestStore(t, directory).ids(t, audit), len(want)+1)
		})
	}
}

func TestRemoveSelectedKeepsUnreadableLines(t *testing.T) {
	directory := t.TempDir()
	require.NoError(t, os.MkdirAll(directory+"/webhook%2Faudit", 0o700))
	path := directory + "/webhook%2Faudit/00000001.jsonl"
	good := `{"exporter":"webhook/audit","reason":"gone","payload":{}}` + "\n"
	require.NoError(t, os.WriteFile(path, []byte("wrong\n"+good+"wrong too\n"+good), 0o600))
	s := openTestStore(t, directory)
	assert.Equal(t, 2, s.removed(t, deadletter.Filter{Reason: deadletter.ReasonGone}))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "wrong\nwrong too\n", string(text))
	s.check(t)
	assert.Zero(t, s.removed(t, deadletter.Filter{}))
	assert.NoFileExists(t, path)
	s.check(t)
}

func TestRemovalAcrossFilesHoldsLimit(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	for i := range 100 {
		require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky(fmt.Sprint("e", i), 3000)}))
	}
	require.Greater(t, len(s.filesOf(t, audit)), 3)
	assert.Equal(t, 70, s.removed(t, deadletter.Filter{Status: 400, Limit: 70}))
	assert.Equal(t, numbered(100)[70:], s.ids(t, audit))
	s.check(t)
	assert.Equal(t, 30, s.removed(t, deadletter.Filter{Status: 400, Limit: 70}))
	assert.Empty(t, s.filesOf(t, audit))
}

func TestFailedRemovalLosesNothing(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e0", "e1")))
	path := s.filesOf(t, audit)[0]
	require.NoError(t, os.MkdirAll(filepath.Join(path+temporarySuffix, "x"), 0o700))
	which := newFilter(deadletter.Filter{ID: "e0"})
	_, err := s.removeSelected(s.folder(audit.String()), &which)
	require.ErrorContains(t, err, "removing dead letters: ")
	assert.Equal(t, []string{"e0", "e1"}, s.ids(t, audit))
	require.NoError(t, os.RemoveAll(path+temporarySuffix))
	assert.Equal(t, 1, s.removed(t, deadletter.Filter{ID: "e0"}), "the next one may begin")
}

func TestRemovalSkipsFilesOfOtherPrograms(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	for i := range 3 {
		require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky(fmt.Sprint(i), 40_000)}))
	}
	require.NoError(t, os.Remove(s.filesOf(t, audit)[0]))
	assert.Equal(t, 2, s.removed(t, deadletter.Filter{Status: 400}))
	assert.Zero(t, s.total)
}

func TestRemovalIsPossibleWhileExporterStops(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e0")))
	unregister := s.register(audit.String(), "logs", &fakeBackend{})
	f := s.folder(audit.String())
	a := &activity{cancel: func(error) { t.Error("a removal does not depend on the exporter") }, done: make(chan struct{})}
	require.NoError(t, f.begin(a))
	unregister()
	f.end(nil)
	s.stopActivities()
	which := newFilter(deadletter.Filter{ID: "e0"})
	_, err := s.removeSelected(f, &which)
	require.ErrorIs(t, err, errStopping)
	assert.Equal(t, []string{"e0"}, s.ids(t, audit))
}

func TestDeadLettersWithoutTimeAreNotBefore(t *testing.T) {
	directory := t.TempDir()
	require.NoError(t, os.MkdirAll(directory+"/webhook%2Faudit", 0o700))
	text := `{"exporter":"webhook/audit","id":"timeless","payload":{}}` + "\n" + `{"exporter":"webhook/audit","id":"old","failed_at":"2020-01-01T00:00:00Z","payload":{}}` + "\n"
	require.NoError(t, os.WriteFile(directory+"/webhook%2Faudit/00000001.jsonl", []byte(text), 0o600))
	s := openTestStore(t, directory)
	assert.Equal(t, 1, s.removed(t, deadletter.Filter{Before: noon.Add(24 * time.Hour)}))
	assert.Equal(t, []string{"timeless"}, s.ids(t, audit))
}
