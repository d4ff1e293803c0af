// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

func TestKeysSurviveRestartsAndReplaysOfOthers(t *testing.T) {
	directory := t.TempDir()
	s := openTestStore(t, directory)
	require.NoError(t, s.put(audit, []deadletter.Letter{
		letterOf("e0", deadletter.ReasonRefused), letterOf("e1", deadletter.ReasonExhausted), letterOf("e2", deadletter.ReasonRefused),
	}))
	before := s.keys(t, audit)
	defer s.register(audit.String(), "logs", &fakeBackend{outcome: func(l *deadletter.Letter) deadletter.Replayed {
		if l.ID == "e0" {
			return deadletter.Replayed{Outcome: deadletter.OutcomeDelivered}
		}
		return refusedAgain(l)
	}})()
	s.mustReplay(t, deadletter.Filter{Reason: deadletter.ReasonRefused})
	after := s.keys(t, audit)
	require.Len(t, after, 2)
	assert.Equal(t, before[1], after[0], "e1 is unchanged")
	assert.NotEqual(t, before[2], after[1], "e2 has changed")
	require.NoError(t, s.close())

	again := openTestStore(t, directory)
	assert.Equal(t, after, again.keys(t, audit))
	letter, err := again.get(t.Context(), again.folder(audit.String()), before[1])
	require.NoError(t, err)
	assert.Equal(t, "e1", letter.ID)
	for _, gone := range []deadletter.Key{before[0], before[2]} {
		_, err = again.get(t.Context(), again.folder(audit.String()), gone)
		require.ErrorIs(t, err, deadletter.ErrUnknownLetter)
	}
}

func TestIdenticalDeadLettersShareKey(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("twin", "e1", "twin")))
	keys := s.keys(t, audit)
	require.Equal(t, keys[0], keys[2])
	require.NotEqual(t, keys[0], keys[1])
	backend := &fakeBackend{}
	defer s.register(audit.String(), "logs", backend)()
	got, err := s.folder(audit.String()).replayOne(t.Context(), keys[0], nil)
	require.NoError(t, err)
	assert.Equal(t, deadletter.OutcomeDelivered, got.Outcome)
	assert.Equal(t, []string{"twin"}, backend.ids(), "one of them")
	assert.Equal(t, []string{"e1", "twin"}, s.ids(t, audit))
	which := newFilter(deadletter.Filter{Key: keys[0]})
	n, err := s.removeSelected(s.folder(audit.String()), &which)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.Equal(t, []string{"e1"}, s.ids(t, audit))
	s.check(t)
}

func TestKeyOpensOneFile(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	for _, id := range numbered(4) {
		require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky(id, 40_000)}))
	}
	keys, paths := s.keys(t, audit), s.filesOf(t, audit)
	require.Len(t, paths, 4)
	for _, path := range append(paths[:1:1], paths[2:]...) {
		require.NoError(t, os.Remove(path))
		require.NoError(t, os.Mkdir(path, 0o700)) // a folder cannot be read
	}
	letter, err := s.get(t.Context(), s.folder(audit.String()), keys[1])
	require.NoError(t, err)
	assert.Equal(t, audit.String(), letter.Exporter)
	_, err = s.get(t.Context(), s.folder(audit.String()), keys[2])
	require.ErrorContains(t, err, "is a directory")
}

func TestKeysHaveOneSpelling(t *testing.T) {
	const digest = "9f86d081884c7d659a2feaa0c55ad015"
	for _, text := range []deadletter.Key{"1-" + digest, "0-" + digest, "999999999999999999-" + digest} {
		key, ok := parseKey(text)
		require.True(t, ok, text)
		assert.Equal(t, string(text), key.String())
	}
	for _, text := range []string{
		"", "1", "-" + digest, "01-" + digest, "+1-" + digest, "1-" + strings.ToUpper(digest), "1-" + digest[1:], "1-" + digest + "0",
		"1-" + digest + "\n", " 1-" + digest, "1000000000000000000-" + digest, "1_" + digest, "../1-" + digest, "1-" + strings.Repeat("g", 32),
	} {
		_, ok := parseKey(deadletter.Key(text))
		assert.False(t, ok, "%q", text)
	}
}

func FuzzKey(f *testing.F) {
	f.Add("1-9f86d081884c7d659a2feaa0c55ad015")
	f.Add("18446744073709551616-9f86d081884c7d659a2feaa0c55ad015")
	f.Fuzz(func(t *testing.T, text string) {
		if key, ok := parseKey(deadletter.Key(text)); ok && key.String() != text {
			t.Fatalf("%q is read as %q", text, key)
		}
		key := keyOf(uint64(len(text)), []byte(text))
		if back, ok := parseKey(deadletter.Key(key.String())); !ok || back != key {
			t.Fatalf("%v came back as %v", key, back)
		}
	})
}
