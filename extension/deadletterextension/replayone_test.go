// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

func (s *testStore) replayOne(t testing.TB, key deadletter.Key, payload []byte) (deadletter.Replayed, error) {
	t.Helper()
	got, err := s.folder(audit.String()).replayOne(t.Context(), key, payload)
	s.check(t)
	return got, err
}

func TestEditedDeadLetterIsDelivered(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e0", "e1", "e2")))
	backend := &fakeBackend{}
	defer s.register(audit.String(), "logs", backend)()
	got, err := s.replayOne(t, s.keys(t, audit)[1], []byte(`{"id":"e1","right":true}`))
	require.NoError(t, err)
	assert.Equal(t, deadletter.OutcomeDelivered, got.Outcome)
	require.Len(t, backend.got, 1)
	want := letterOf("e1", deadletter.ReasonRefused)
	want.Exporter, want.Payload = audit.String(), []byte(`{"id":"e1","right":true}`)
	assert.Equal(t, want, backend.got[0], "all but the payload is unchanged")
	assert.Equal(t, []string{"e0", "e2"}, s.ids(t, audit))
	assert.Empty(t, s.replays(), "a single dead letter has no progress")
}

func TestOriginalStaysUntilDelivered(t *testing.T) {
	parts := []deadletter.Letter{letterOf("part", deadletter.ReasonRefused)}
	for name, tt := range map[string]struct {
		outcome func(*deadletter.Letter) deadletter.Replayed
		want    deadletter.Outcome
	}{
		"refused":             {refusedAgain, deadletter.OutcomeRefused},
		"kept":                {outcome(deadletter.OutcomeKept), deadletter.OutcomeKept},
		"delivered in part":   {func(*deadletter.Letter) deadletter.Replayed { return deadletter.Replayed{Letters: parts} }, deadletter.OutcomeKept},
		"no outcome is known": {nil, deadletter.OutcomeKept},
	} {
		t.Run(name, func(t *testing.T) {
			s := openTestStore(t, t.TempDir())
			require.NoError(t, s.put(audit, lettersOf("e0", "e1")))
			path := s.filesOf(t, audit)[0]
			before, err := os.ReadFile(path)
			require.NoError(t, err)
			var backend deadletter.Replayer = &fakeBackend{outcome: tt.outcome}
			if tt.outcome == nil {
				backend = silentReplayer{}
			}
			defer s.register(audit.String(), "logs", backend)()
			for _, payload := range [][]byte{nil, []byte(`{"edited":true}`)} {
				got, err := s.replayOne(t, s.keys(t, audit)[0], payload)
				require.NoError(t, err)
				assert.Equal(t, tt.want, got.Outcome)
				if tt.want == deadletter.OutcomeRefused {
					assert.Equal(t, "too large this time, and with a longer message", got.Letters[0].Message)
					assert.Equal(t, 400, got.Letters[0].Status)
				}
				after, err := os.ReadFile(path)
				require.NoError(t, err)
				assert.Equal(t, before, after)
			}
		})
	}
}

// silentReplayer returns no outcomes.
type silentReplayer struct{}

func (silentReplayer) Replay(context.Context, []deadletter.Letter) []deadletter.Replayed { return nil }
func (silentReplayer) Paused() bool                                                      { return false }

func TestEditedRecordIsSent(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	letter := letterOf("e0", deadletter.ReasonEncoding)
	letter.Payload, letter.OTLP = nil, []byte(otlpLogs)
	require.NoError(t, s.put(audit, []deadletter.Letter{letter}))
	backend := &fakeBackend{}
	defer s.register(audit.String(), "logs", backend)()
	key := s.keys(t, audit)[0]
	_, err := s.replayOne(t, key, []byte(`{}`))
	require.ErrorIs(t, err, deadletter.ErrInvalidPayload)
	assert.Empty(t, backend.ids(), "a record without events would count as delivered")
	edited := strings.Replace(otlpLogs, `"x"`, `"right"`, 1)
	_, err = s.replayOne(t, key, []byte(edited))
	require.NoError(t, err)
	assert.Equal(t, edited, string(backend.got[0].OTLP))
	assert.Empty(t, s.ids(t, audit))
}

func TestSingleReplayErrors(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	letters := lettersOf("e0", "e1", "e2")
	letters[1].Signal = "traces"
	require.NoError(t, s.put(audit, letters))
	keys := s.keys(t, audit)
	_, err := s.replayOne(t, keys[0], nil)
	require.ErrorIs(t, err, deadletter.ErrNotRunning)

	backend := &fakeBackend{}
	defer s.register(audit.String(), "logs", backend)()
	_, err = s.replayOne(t, keys[1], nil)
	require.ErrorIs(t, err, deadletter.ErrNotRunning)
	require.ErrorContains(t, err, "webhook/audit has no pipeline for traces")
	_, err = s.replayOne(t, keys[0], []byte(`[]`))
	require.ErrorIs(t, err, deadletter.ErrInvalidPayload)
	_, err = s.replayOne(t, "1-9f86d081884c7d659a2feaa0c55ad015", nil)
	require.ErrorIs(t, err, deadletter.ErrUnknownLetter)
	_, err = s.replayOne(t, "nonsense", nil)
	require.ErrorIs(t, err, deadletter.ErrUnknownLetter)
	assert.Empty(t, backend.ids())
	assert.Len(t, s.ids(t, audit), 3)

	s.stopActivities()
	_, err = s.replayOne(t, keys[0], nil)
	require.ErrorIs(t, err, errStopping)
	assert.Len(t, s.ids(t, audit), 3)
}

func TestSingleReplayWaitsForNoOther(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e0", "e1")))
	keys := s.keys(t, audit)
	entered, ended := make(chan struct{}), make(chan struct{})
	unregister := s.register(audit.String(), "logs", hanging(entered))
	go func() {
		defer close(ended)
		got, err := s.folder(audit.String()).replayOne(context.Background(), keys[0], nil)
		assert.NoError(t, err)
		assert.Equal(t, deadletter.OutcomeKept, got.Outcome)
	}()
	<-entered
	_, err := s.folder(audit.String()).replayOne(t.Context(), keys[1], nil)
	require.ErrorIs(t, err, deadletter.ErrBusy)
	_, err = s.folder(audit.String()).startReplay(deadletter.Filter{})
	require.ErrorIs(t, err, deadletter.ErrBusy)
	for _, which := range []deadletter.Filter{{}, {Key: keys[1]}} {
		selected := newFilter(which)
		_, err = s.removeSelected(s.folder(audit.String()), &selected)
		require.ErrorIs(t, err, deadletter.ErrBusy)
	}
	unregister()
	<-ended
	assert.Len(t, s.ids(t, audit), 2)
}

func TestSingleReplayLeavesCurrentFileOpenIfItIsAnother(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	for i := range 3 {
		require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky(fmt.Sprint(i), 40_000)}))
	}
	files := len(s.filesOf(t, audit))
	defer s.register(audit.String(), "logs", &fakeBackend{outcome: refusedAgain})()
	for range 5 {
		_, err := s.replayOne(t, s.keys(t, audit)[0], nil)
		require.NoError(t, err)
		require.NoError(t, s.put(audit, lettersOf("small")))
	}
	assert.Len(t, s.filesOf(t, audit), files, "no file is started for each replay")
}

func TestFileOfSingleReplayIsNotEvicted(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky("oldest", 40_000)}))
	key := s.keys(t, audit)[0]
	backend := &fakeBackend{chunk: func(context.Context, []deadletter.Letter) {
		for i := range 60 {
			s.advance(time.Second)
			assert.NoError(t, s.put(audit, []deadletter.Letter{s.bulky(fmt.Sprint(i), 40_000)}))
		}
		_, err := s.get(context.Background(), s.folder(audit.String()), key)
		assert.NoError(t, err, "others are evicted")
	}}
	defer s.register(audit.String(), "logs", backend)()
	got, err := s.replayOne(t, key, nil)
	require.NoError(t, err)
	assert.Equal(t, deadletter.OutcomeDelivered, got.Outcome)
}

func TestEvictedDeadLetterIsUnknown(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky("oldest", 40_000)}))
	key := s.keys(t, audit)[0]
	for i := range 60 {
		s.advance(time.Second)
		require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky(fmt.Sprint(i), 40_000)}))
	}
	defer s.register(audit.String(), "logs", &fakeBackend{})()
	_, err := s.replayOne(t, key, nil)
	require.ErrorIs(t, err, deadletter.ErrUnknownLetter)
}

func TestFailedRemovalAfterDeliveryIsReported(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e0", "e1")))
	path := s.filesOf(t, audit)[0]
	backend := &fakeBackend{chunk: func(context.Context, []deadletter.Letter) {
		// A file cannot replace a folder.
		assert.NoError(t, os.Rename(path, path+".aside"))
		assert.NoError(t, os.MkdirAll(filepath.Join(path, "x"), 0o700))
	}}
	key := s.keys(t, audit)[0]
	defer s.register(audit.String(), "logs", backend)()
	got, err := s.folder(audit.String()).replayOne(t.Context(), key, []byte(`{"edited":1}`))
	require.ErrorContains(t, err, "delivered dead letters may be delivered again")
	assert.Equal(t, deadletter.OutcomeDelivered, got.Outcome)
	assert.NoFileExists(t, path+temporarySuffix)
	text, err := os.ReadFile(path + ".aside")
	require.NoError(t, err)
	assert.Equal(t, 2, bytes.Count(text, []byte("\n")), "the original is still there")
}

const childDirectory = "DEAD_LETTERS_OF_CHILD"

// The child replays single dead letters, edited, and removes others, until it is killed.
func TestKilledProcessKeepsOriginalOrNothing(t *testing.T) {
	if directory := os.Getenv(childDirectory); directory != "" {
		changeUntilKilled(t, directory)
		return
	}
	const n = 400
	directory := t.TempDir()
	store := filepath.Join(directory, "store")
	s := openTestStore(t, store)
	ids := numbered(n)
	require.NoError(t, s.put(audit, lettersOf(ids...)))
	require.NoError(t, s.close())
	for round := range 8 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledProcessKeepsOriginalOrNothing$")
		child.Env = append(os.Environ(), childDirectory+"="+directory)
		require.NoError(t, child.Start())
		done := filepath.Join(directory, "done")
		before, _ := os.ReadFile(done)
		require.Eventually(t, func() bool {
			now, err := os.ReadFile(done)
			return err == nil && len(now) > len(before)+round*10
		}, time.Minute, time.Millisecond)
		require.NoError(t, child.Process.Kill())
		_ = child.Wait()

		s = openTestStore(t, store)
		left := s.ids(t, audit)
		assert.Len(t, slices.Compact(slices.Sorted(slices.Values(left))), len(left), "none is there twice")
		text, err := os.ReadFile(done)
		require.NoError(t, err)
		gone := strings.Fields(string(text))
		for _, id := range ids {
			require.True(t, slices.Contains(left, id) || slices.Contains(gone, id), "%s is lost", id)
		}
		s.check(t)
		require.NoError(t, s.close())
	}
}

func changeUntilKilled(t *testing.T, directory string) {
	done, err := os.OpenFile(filepath.Join(directory, "done"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	note := func(id string) {
		_, err := done.WriteString(id + "\n")
		assert.NoError(t, err)
	}
	s := openTestStore(t, filepath.Join(directory, "store"))
	s.register(audit.String(), "logs", &fakeBackend{outcome: func(l *deadletter.Letter) deadletter.Replayed {
		if !strings.Contains(string(l.Payload), "edited") {
			return refusedAgain(l)
		}
		note(l.ID)
		return deadletter.Replayed{Outcome: deadletter.OutcomeDelivered}
	}})
	f := s.folder(audit.String())
	for {
		keys := s.keys(t, audit)
		if len(keys) == 0 {
			note(strings.Repeat(" ", 100)) // all is done: let the parent go on
			time.Sleep(time.Millisecond)
			continue
		}
		key := keys[rand.IntN(len(keys))]
		switch rand.IntN(3) {
		case 0:
			_, err = f.replayOne(t.Context(), key, nil)
		case 1:
			_, err = f.replayOne(t.Context(), key, []byte(`{"edited":true}`))
		default:
			letter, found := s.get(t.Context(), f, key)
			require.NoError(t, found)
			note(letter.ID)
			which := newFilter(deadletter.Filter{Key: key})
			_, err = s.removeSelected(f, &which)
		}
		require.NoError(t, err)
	}
}

func TestConcurrentSingleReplaysPutsAndRemovals(t *testing.T) {
	const puts = 60
	s := openTestStore(t, t.TempDir(), small)
	backend := &fakeBackend{outcome: func(l *deadletter.Letter) deadletter.Replayed {
		if l.Attempts%2 == 0 {
			return refusedAgain(l)
		}
		return deadletter.Replayed{Outcome: deadletter.OutcomeDelivered}
	}}
	defer s.register(audit.String(), "logs", backend)()
	f := s.folder(audit.String())
	expected := []error{nil, deadletter.ErrBusy, deadletter.ErrUnknownLetter}
	var group sync.WaitGroup
	for worker := range 2 {
		group.Go(func() {
			for i := range puts {
				letter := s.bulky(fmt.Sprintf("%d-%d", worker, i), 20_000) // some are evicted
				letter.Attempts = i
				s.advance(time.Second)
				assert.NoError(t, s.put(audit, []deadletter.Letter{letter}))
			}
		})
		group.Go(func() {
			for i := range puts {
				keys := s.keys(t, audit)
				if len(keys) == 0 {
					continue
				}
				var payload []byte
				if i%2 == 0 {
					payload = []byte(`{"edited":true}`)
				}
				_, err := f.replayOne(context.Background(), keys[i%len(keys)], payload)
				assert.True(t, slices.ContainsFunc(expected, func(want error) bool { return errors.Is(err, want) }), "%v", err)
			}
		})
	}
	group.Go(func() {
		for range puts / 2 {
			which := newFilter(deadletter.Filter{Before: s.clock().Add(-time.Minute), Limit: 3})
			_, err := s.removeSelected(f, &which)
			assert.True(t, err == nil || errors.Is(err, deadletter.ErrBusy), "%v", err)
		}
	})
	group.Go(func() {
		for range puts / 4 {
			if _, err := f.startReplay(deadletter.Filter{Limit: 2}); err != nil {
				assert.ErrorIs(t, err, deadletter.ErrBusy)
			}
			s.replays()
			f.stopReplay()
		}
	})
	group.Wait()
	s.stopActivities()
	s.check(t)
}
