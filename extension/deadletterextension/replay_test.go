// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// fakeBackend is a replayer whose backend responds as the test says. By default it delivers
// everything.
type fakeBackend struct {
	outcome func(*deadletter.Letter) deadletter.Replayed
	// chunk, if set, is called with each chunk first.
	chunk func(ctx context.Context, letters []deadletter.Letter)
	// paused is set while the exporter is paused.
	paused atomic.Bool

	mu     sync.Mutex
	got    []deadletter.Letter
	chunks []int
}

func (b *fakeBackend) Replay(ctx context.Context, letters []deadletter.Letter) []deadletter.Replayed {
	if b.chunk != nil {
		b.chunk(ctx, letters)
	}
	b.mu.Lock()
	b.got = append(b.got, letters...)
	b.chunks = append(b.chunks, len(letters))
	b.mu.Unlock()
	outcomes := make([]deadletter.Replayed, len(letters))
	for i := range letters {
		outcomes[i].Outcome = deadletter.OutcomeDelivered
		if b.outcome != nil {
			outcomes[i] = b.outcome(&letters[i])
		}
	}
	return outcomes
}

func (b *fakeBackend) Paused() bool { return b.paused.Load() }

func (b *fakeBackend) ids() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	ids := make([]string, len(b.got))
	for i := range b.got {
		ids[i] = b.got[i].ID
	}
	return ids
}

func outcome(o deadletter.Outcome) func(*deadletter.Letter) deadletter.Replayed {
	return func(*deadletter.Letter) deadletter.Replayed { return deadletter.Replayed{Outcome: o} }
}

// refusedAgain returns the outcome of a dead letter that the backend refuses again.
func refusedAgain(l *deadletter.Letter) deadletter.Replayed {
	again := *l
	again.Attempts++
	again.Reason = deadletter.ReasonTooLarge
	again.Message = "too large this time, and with a longer message"
	again.FailedAt = noon.Add(time.Hour)
	return deadletter.Replayed{Outcome: deadletter.OutcomeRefused, Letters: []deadletter.Letter{again}}
}

func (s *testStore) mustReplay(t *testing.T, which deadletter.Filter) result {
	t.Helper()
	got, err := s.folder(audit.String()).replay(t.Context(), which)
	require.NoError(t, err)
	s.check(t)
	return resultOf(&got)
}

func numbered(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprint("e", i)
	}
	return ids
}

func TestDeliveredDeadLettersLeaveStore(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf(numbered(250)...)))
	require.NoError(t, s.put(other, lettersOf("o1")))
	backend := &fakeBackend{}
	defer s.register(audit.String(), "logs", backend)()
	assert.Equal(t, result{Replayed: 250, Delivered: 250}, s.mustReplay(t, deadletter.Filter{}))
	assert.Equal(t, numbered(250), backend.ids(), "oldest first, each once")
	assert.Equal(t, []int{100, 100, 50}, backend.chunks)
	assert.Empty(t, s.filesOf(t, audit))
	assert.Equal(t, []string{"o1"}, s.ids(t, other), "the other exporter's stay")
	want := letterOf("e0", deadletter.ReasonRefused)
	want.Exporter = "webhook/audit"
	assert.Equal(t, want, backend.got[0], "unchanged")
	assert.Equal(t, result{}, s.mustReplay(t, deadletter.Filter{}), "nothing is left")
}

func TestReplayOutcomes(t *testing.T) {
	for name, tt := range map[string]struct {
		outcome func(*deadletter.Letter) deadletter.Replayed
		want    result
		left    []string
	}{
		"delivered": {outcome(deadletter.OutcomeDelivered), result{Replayed: 4, Delivered: 4}, nil},
		"refused":   {refusedAgain, result{Replayed: 4, Refused: 4}, []string{"e0", "e1", "e2", "e3"}},
		"kept":      {outcome(deadletter.OutcomeKept), result{Replayed: 4, Kept: 4, Stopped: stoppedBusy}, []string{"e0", "e1", "e2", "e3"}},
		"mixed": {func(l *deadletter.Letter) deadletter.Replayed {
			switch l.ID {
			case "e0":
				return refusedAgain(l)
			case "e2":
				return deadletter.Replayed{Outcome: deadletter.OutcomeDelivered}
			default:
				return deadletter.Replayed{}
			}
		}, result{Replayed: 4, Delivered: 1, Refused: 1, Kept: 2}, []string{"e0", "e1", "e3"}},
	} {
		t.Run(name, func(t *testing.T) {
			directory := t.TempDir()
			s := openTestStore(t, directory)
			require.NoError(t, s.put(audit, lettersOf(numbered(4)...)))
			defer s.register(audit.String(), "logs", &fakeBackend{outcome: tt.outcome})()
			assert.Equal(t, tt.want, s.mustReplay(t, deadletter.Filter{}))
			assert.Equal(t, tt.left, s.ids(t, audit))
			require.NoError(t, s.put(audit, lettersOf("new")))
			require.NoError(t, s.close())
			assert.Equal(t, append(tt.left, "new"), openTestStore(t, directory).ids(t, audit))
		})
	}
}

func TestRefusedReplayUpdatesDeadLetter(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e1", "e2")))
	defer s.register(audit.String(), "logs", &fakeBackend{outcome: func(l *deadletter.Letter) deadletter.Replayed {
		if l.ID == "e2" {
			return deadletter.Replayed{}
		}
		got := refusedAgain(l)
		got.Letters[0].Exporter, got.Letters[0].Signal = "", ""
		return got
	}})()
	s.mustReplay(t, deadletter.Filter{})
	text, err := os.ReadFile(s.filesOf(t, audit)[0])
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(text), "\n")
	letter, err := deadletter.ParseLine([]byte(first))
	require.NoError(t, err)
	want := letterOf("e1", deadletter.ReasonTooLarge)
	want.Exporter, want.Attempts, want.FailedAt = "webhook/audit", 2, noon.Add(time.Hour)
	want.Message = "too large this time, and with a longer message"
	assert.Equal(t, want, letter)
	_, sum, _ := s.known(audit.String())
	assert.Equal(t, map[deadletter.Reason]int{"too_large": 1, "refused": 1}, sum.count.reasons)
	assert.Equal(t, noon.Add(time.Hour), sum.count.newest)
}

func TestReplacementOfSameLengthIsCounted(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e1")))
	defer s.register(audit.String(), "logs", &fakeBackend{outcome: func(l *deadletter.Letter) deadletter.Replayed {
		again := *l
		again.Reason = "refuted"
		return deadletter.Replayed{Outcome: deadletter.OutcomeRefused, Letters: []deadletter.Letter{again}}
	}})()
	s.mustReplay(t, deadletter.Filter{})
}

func TestUnwritableReplacementKeepsOldDeadLetter(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e1")))
	defer s.register(audit.String(), "logs", &fakeBackend{outcome: outcome(deadletter.OutcomeRefused)})()
	assert.Equal(t, 1, s.mustReplay(t, deadletter.Filter{}).Refused)
	assert.Equal(t, []string{"e1"}, s.ids(t, audit))
}

func TestMissingOutcomesKeepDeadLetters(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e1", "e2")))
	defer s.register(audit.String(), "logs", shortReplayer{})()
	assert.Equal(t, result{Replayed: 2, Delivered: 1, Kept: 1}, s.mustReplay(t, deadletter.Filter{}))
	assert.Equal(t, []string{"e2"}, s.ids(t, audit))
}

type shortReplayer struct{}

func (shortReplayer) Replay(context.Context, []deadletter.Letter) []deadletter.Replayed {
	return []deadletter.Replayed{{Outcome: deadletter.OutcomeDelivered}}
}

func (shortReplayer) Paused() bool { return false }

func TestReplayOfAPausedExporterIsAConflict(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e1")))
	logs, traces := &fakeBackend{}, &fakeBackend{}
	defer s.register(audit.String(), "logs", logs)()
	defer s.register(audit.String(), "traces", traces)()
	traces.paused.Store(true)
	_, err := s.folder(audit.String()).replay(t.Context(), deadletter.Filter{})
	require.EqualError(t, err, "webhook/audit: the exporter is paused; resume it, then replay")
	require.ErrorIs(t, err, deadletter.ErrPaused)
	_, err = s.folder(audit.String()).startReplay(deadletter.Filter{})
	require.ErrorIs(t, err, deadletter.ErrPaused)
	_, err = s.folder(audit.String()).replayOne(t.Context(), s.keys(t, audit)[0], nil)
	require.ErrorIs(t, err, deadletter.ErrPaused)
	status, _, _ := s.ask(t, "POST", "/v1/dead_letters/webhook/audit/replay")
	assert.Equal(t, http.StatusConflict, status)
	assert.Empty(t, logs.ids())
	assert.Equal(t, []string{"e1"}, s.ids(t, audit))

	traces.paused.Store(false)
	assert.Equal(t, 1, s.mustReplay(t, deadletter.Filter{}).Delivered)
}

func TestReplayStopsWhenBackendAcceptsNothing(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf(numbered(1000)...)))
	n := 0
	backend := &fakeBackend{outcome: func(*deadletter.Letter) deadletter.Replayed {
		if n++; n > 150 { // it fails
			return deadletter.Replayed{}
		}
		return deadletter.Replayed{Outcome: deadletter.OutcomeDelivered}
	}}
	defer s.register(audit.String(), "logs", backend)()
	assert.Equal(t, result{Replayed: 400, Delivered: 150, Kept: 250, Stopped: stoppedBusy}, s.mustReplay(t, deadletter.Filter{}))
	assert.Equal(t, numbered(1000)[150:], s.ids(t, audit))
}

func TestReplayPassesOverStuckDeadLetters(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf(numbered(450)...)))
	n := 0
	defer s.register(audit.String(), "logs", &fakeBackend{outcome: func(*deadletter.Letter) deadletter.Replayed {
		if n++; n <= 100 { // the first chunk is stuck
			return deadletter.Replayed{}
		}
		return deadletter.Replayed{Outcome: deadletter.OutcomeDelivered}
	}})()
	assert.Equal(t, result{Replayed: 450, Delivered: 350, Kept: 100}, s.mustReplay(t, deadletter.Filter{}))
	assert.Equal(t, numbered(450)[:100], s.ids(t, audit))
}

func TestReplayLeavesPartsOfDeadLetter(t *testing.T) {
	for name, o := range map[string]deadletter.Outcome{"kept": deadletter.OutcomeKept, "refused": deadletter.OutcomeRefused} {
		t.Run(name, func(t *testing.T) {
			s := openTestStore(t, t.TempDir())
			require.NoError(t, s.put(audit, lettersOf("e0", "span", "e2")))
			defer s.register(audit.String(), "logs", &fakeBackend{outcome: func(l *deadletter.Letter) deadletter.Replayed {
				if l.ID != "span" {
					return deadletter.Replayed{Outcome: deadletter.OutcomeDelivered}
				}
				first, second := *l, *l
				first.ID, second.ID = "first", "second"
				return deadletter.Replayed{Outcome: o, Letters: []deadletter.Letter{first, second}}
			}})()
			got := s.mustReplay(t, deadletter.Filter{})
			assert.Equal(t, 2, got.Delivered)
			assert.Equal(t, 1, got.Kept+got.Refused)
			assert.Equal(t, []string{"first", "second"}, s.ids(t, audit))
		})
	}
}

func TestReplayOfOneReason(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	for i := range 300 {
		reason := deadletter.ReasonRefused
		if i%3 == 0 {
			reason = deadletter.ReasonExhausted
		}
		require.NoError(t, s.put(audit, []deadletter.Letter{letterOf(fmt.Sprint(i), reason)}))
	}
	backend := &fakeBackend{}
	defer s.register(audit.String(), "logs", backend)()
	assert.Equal(t, result{Replayed: 100, Delivered: 100}, s.mustReplay(t, deadletter.Filter{Reason: deadletter.ReasonExhausted}))
	assert.Len(t, s.ids(t, audit), 200)
	for _, letter := range backend.got {
		assert.Equal(t, deadletter.ReasonExhausted, letter.Reason)
	}
}

func TestReplayLimit(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf(numbered(500)...)))
	backend := &fakeBackend{}
	defer s.register(audit.String(), "logs", backend)()
	assert.Equal(t, result{Replayed: 130, Delivered: 130}, s.mustReplay(t, deadletter.Filter{Limit: 130}))
	assert.Equal(t, []int{100, 30}, backend.chunks)
	assert.Equal(t, numbered(500)[130:], s.ids(t, audit))
}

func TestEachSignalHasItsReplayer(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	letters := lettersOf(numbered(9)...)
	for i := range letters {
		letters[i].Signal = []string{"logs", "traces", "metrics"}[i%3]
	}
	require.NoError(t, s.put(audit, letters))
	logs, traces := &fakeBackend{}, &fakeBackend{outcome: refusedAgain}
	defer s.register(audit.String(), "logs", logs)()
	defer s.register(audit.String(), "traces", traces)()
	assert.Equal(t, result{Replayed: 9, Delivered: 3, Refused: 3, Kept: 3}, s.mustReplay(t, deadletter.Filter{}))
	assert.Equal(t, []string{"e0", "e3", "e6"}, logs.ids())
	assert.Equal(t, []string{"e1", "e4", "e7"}, traces.ids())
	assert.Equal(t, []string{"e1", "e2", "e4", "e5", "e7", "e8"}, s.ids(t, audit), "in the same order")
}

func TestLargeDeadLettersUseSmallerChunks(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	for i := range 10 {
		require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky(fmt.Sprint(i), 1<<20)}))
	}
	backend := &fakeBackend{}
	defer s.register(audit.String(), "logs", backend)()
	s.mustReplay(t, deadletter.Filter{})
	assert.Equal(t, []int{4, 4, 2}, backend.chunks)
}

func TestUnreadableLinesStayInPlace(t *testing.T) {
	directory := t.TempDir()
	folder := filepath.Join(directory, "webhook%2Faudit")
	require.NoError(t, os.MkdirAll(folder, 0o700))
	line := func(id string) string {
		return `{"exporter":"webhook/audit","signal":"logs","id":"` + id + `","payload":{}}`
	}
	long := strings.Repeat("x", maxLineSize+100)
	text := strings.Join([]string{line("e1"), "mending this", "", line("e2"), long, line("e3"), `{"exporter":`}, "\n")
	require.NoError(t, os.WriteFile(filepath.Join(folder, "00000001.jsonl"), []byte(text), 0o600))
	s := openTestStore(t, directory)
	defer s.register(audit.String(), "logs", &fakeBackend{outcome: func(l *deadletter.Letter) deadletter.Replayed {
		return deadletter.Replayed{Outcome: map[bool]deadletter.Outcome{true: deadletter.OutcomeDelivered}[l.ID != "e2"]}
	}})()
	assert.Equal(t, result{Replayed: 3, Delivered: 2, Kept: 1, Unreadable: 3}, s.mustReplay(t, deadletter.Filter{}))
	left, err := os.ReadFile(filepath.Join(folder, "00000001.jsonl"))
	require.NoError(t, err)
	want := strings.Join([]string{"mending this", line("e2"), long, `{"exporter":`}, "\n") + "\n"
	if want != string(left) { // too long to print
		t.Errorf("%d bytes, want %d", len(left), len(want))
	}
	assert.Len(t, s.logs.FilterMessageSnippet("Skipped lines").All(), 1, "one warning per file")
}

func TestNewDeadLettersWaitForNextReplay(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e1", "e2")))
	backend := &fakeBackend{chunk: func(context.Context, []deadletter.Letter) {
		assert.NoError(t, s.put(audit, lettersOf("new")))
	}}
	defer s.register(audit.String(), "logs", backend)()
	assert.Equal(t, result{Replayed: 2, Delivered: 2}, s.mustReplay(t, deadletter.Filter{}))
	assert.Equal(t, []string{"new"}, s.ids(t, audit))
	assert.Equal(t, result{Replayed: 1, Delivered: 1}, s.mustReplay(t, deadletter.Filter{}))
	assert.Equal(t, []string{"new"}, s.ids(t, audit))
}

func TestLongReplaySavesProgress(t *testing.T) {
	const checkpoint = 500
	const n, died = 3*checkpoint + 250, checkpoint + 200
	directory, copied := t.TempDir(), t.TempDir()
	s := openTestStore(t, directory)
	s.checkpoint = checkpoint
	require.NoError(t, s.put(audit, lettersOf(numbered(n)...)))
	sent := 0
	backend := &fakeBackend{
		outcome: func(l *deadletter.Letter) deadletter.Replayed {
			if sent++; sent%10 == 0 {
				return refusedAgain(l)
			}
			return deadletter.Replayed{Outcome: deadletter.OutcomeDelivered}
		},
		chunk: func(context.Context, []deadletter.Letter) {
			if sent == died {
				assert.NoError(t, os.CopyFS(copied, os.DirFS(directory)))
			}
		},
	}
	defer s.register(audit.String(), "logs", backend)()
	assert.Equal(t, result{Replayed: n, Delivered: n * 9 / 10, Refused: n / 10}, s.mustReplay(t, deadletter.Filter{}))
	assert.Equal(t, numbered(n), backend.ids(), "each once, in order")
	assert.Len(t, s.ids(t, audit), n/10)

	again := openTestStore(t, copied)
	left := map[string]bool{}
	for _, id := range again.ids(t, audit) {
		left[id] = true
	}
	assert.Len(t, left, n-checkpoint*9/10, "those delivered by the first part are removed")
	for _, id := range numbered(n)[died:] {
		require.True(t, left[id], "nothing is lost")
	}
	paths := again.filesOf(t, audit)
	assert.Len(t, paths, 1, "the unfinished new version is removed")
}

func TestCrashDuringReplayLosesNothing(t *testing.T) {
	directory := t.TempDir()
	s := openTestStore(t, directory)
	ids := numbered(300)
	require.NoError(t, s.put(audit, lettersOf(ids[:150]...)))
	require.NoError(t, s.put(audit, lettersOf(ids[150:]...)))
	delivered := map[string]bool{}
	random := rand.New(rand.NewPCG(1, 2))
	for crashes := 0; ; crashes++ {
		require.Less(t, crashes, 100)
		copied := t.TempDir()
		stop := random.IntN(3)
		backend := &fakeBackend{}
		backend.outcome = func(l *deadletter.Letter) deadletter.Replayed {
			delivered[l.ID] = true
			return deadletter.Replayed{Outcome: deadletter.OutcomeDelivered}
		}
		backend.chunk = func(context.Context, []deadletter.Letter) {
			if stop--; stop == 0 {
				assert.NoError(t, os.CopyFS(copied, os.DirFS(directory)))
			}
		}
		unregister := s.register(audit.String(), "logs", backend)
		s.mustReplay(t, deadletter.Filter{Limit: 120})
		unregister()
		require.NoError(t, s.close())
		if entries, err := os.ReadDir(copied); err == nil && len(entries) > 0 {
			directory = copied
		}
		s = openTestStore(t, directory)
		left := s.ids(t, audit)
		for _, id := range ids {
			require.True(t, delivered[id] || slices.Contains(left, id), "%s is lost", id)
		}
		if len(left) == 0 {
			return
		}
	}
}

func TestReplayEndsWhenClientContextEnds(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf(numbered(500)...)))
	client, leave := context.WithCancel(t.Context())
	backend := &fakeBackend{chunk: func(ctx context.Context, _ []deadletter.Letter) {
		leave()
		assert.NoError(t, ctx.Err(), "the current chunk is finished")
	}}
	defer s.register(audit.String(), "logs", backend)()
	got, err := s.folder(audit.String()).replay(client, deadletter.Filter{})
	require.NoError(t, err)
	assert.Equal(t, result{Replayed: 100, Delivered: 100, Stopped: stoppedClient}, resultOf(&got))
	assert.Len(t, s.ids(t, audit), 400)
	s.check(t)
}

// hanging is a backend that does not respond until ctx ends.
func hanging(entered chan<- struct{}) *fakeBackend {
	return &fakeBackend{
		outcome: outcome(deadletter.OutcomeKept),
		chunk: func(ctx context.Context, _ []deadletter.Letter) {
			entered <- struct{}{}
			<-ctx.Done()
		},
	}
}

func TestStoppingExporterEndsReplay(t *testing.T) {
	for name, end := range map[string]struct {
		stop       func(s *testStore, unregister func())
		want, next error
	}{
		"the exporter":  {func(_ *testStore, unregister func()) { unregister() }, errExporterStopping, deadletter.ErrNotRunning},
		"the extension": {func(s *testStore, _ func()) { s.stopActivities() }, errStopping, errStopping},
	} {
		t.Run(name, func(t *testing.T) {
			s := openTestStore(t, t.TempDir())
			require.NoError(t, s.put(audit, lettersOf(numbered(300)...)))
			entered := make(chan struct{})
			unregister := s.register(audit.String(), "logs", hanging(entered))
			defer unregister()
			var got deadletter.Progress
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				var err error
				got, err = s.folder(audit.String()).replay(context.Background(), deadletter.Filter{})
				assert.NoError(t, err)
			}()
			<-entered
			end.stop(s, unregister)
			f, _, _ := s.known(audit.String())
			s.store.mu.Lock()
			assert.Nil(t, f.active, "unregister waits for the replay")
			s.store.mu.Unlock()
			<-ended
			assert.Equal(t, result{Replayed: 100, Kept: 100, Stopped: end.want.Error()}, resultOf(&got))
			assert.Len(t, s.ids(t, audit), 300)
			_, err := s.folder(audit.String()).replay(context.Background(), deadletter.Filter{})
			assert.ErrorIs(t, err, end.next)
		})
	}
}

func TestLateUnregisterKeepsNewReplayer(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e1")))
	first := s.register(audit.String(), "logs", &fakeBackend{outcome: outcome(deadletter.OutcomeKept)})
	second := s.register(audit.String(), "logs", &fakeBackend{})
	first()
	first()
	assert.Equal(t, 1, s.mustReplay(t, deadletter.Filter{}).Delivered)
	second()
}

func TestManuallyRemovedFileIsSkipped(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	for i := range 4 {
		require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky(fmt.Sprint(i), 40_000)}))
	}
	paths := s.filesOf(t, audit)
	require.NoError(t, os.Remove(paths[1]))
	defer s.register(audit.String(), "logs", &fakeBackend{})()
	assert.Equal(t, result{Replayed: len(paths) - 1, Delivered: len(paths) - 1}, s.mustReplay(t, deadletter.Filter{}))
	assert.Zero(t, s.total)
}

func TestEditedFileIsReplayed(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	for i := range 3 {
		require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky(fmt.Sprint(i), 40_000)}))
	}
	path := s.filesOf(t, audit)[0]
	edited := `{"exporter":"webhook/audit","signal":"logs","id":"edited","payload":{"right":true}}` + "\n"
	require.NoError(t, os.WriteFile(path+"x", []byte(edited), 0o600))
	require.NoError(t, os.Rename(path+"x", path))
	backend := &fakeBackend{}
	defer s.register(audit.String(), "logs", backend)()
	s.mustReplay(t, deadletter.Filter{})
	assert.Equal(t, "edited", backend.ids()[0])
	assert.JSONEq(t, `{"right":true}`, string(backend.got[0].Payload))
	assert.Zero(t, s.total)
}

func TestUnremovableDeliveredDeadLettersAreReported(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e1", "e2")))
	path := s.filesOf(t, audit)[0]
	backend := &fakeBackend{outcome: func(l *deadletter.Letter) deadletter.Replayed {
		return map[bool]deadletter.Replayed{true: {Outcome: deadletter.OutcomeDelivered}, false: {}}[l.ID == "e1"]
	}}
	backend.chunk = func(context.Context, []deadletter.Letter) {
		// A file cannot replace a folder.
		assert.NoError(t, os.Rename(path, path+".aside"))
		assert.NoError(t, os.MkdirAll(filepath.Join(path, "x"), 0o700))
	}
	defer s.register(audit.String(), "logs", backend)()
	_, err := s.folder(audit.String()).replay(t.Context(), deadletter.Filter{})
	assert.ErrorContains(t, err, "delivered dead letters may be delivered again")
	assert.NoFileExists(t, path+temporarySuffix)
}

func TestConcurrentReplaysAndPuts(t *testing.T) {
	const puts = 100
	s := openTestStore(t, t.TempDir(), func(cfg *Config) { cfg.MaxSize = 4 << 20 })
	var mu sync.Mutex
	delivered := map[string]int{}
	random := rand.New(rand.NewPCG(3, 4))
	backend := &fakeBackend{outcome: func(l *deadletter.Letter) deadletter.Replayed {
		mu.Lock()
		defer mu.Unlock()
		switch random.IntN(3) {
		case 0:
			return refusedAgain(l)
		case 1:
			return deadletter.Replayed{}
		}
		delivered[l.ID]++
		return deadletter.Replayed{Outcome: deadletter.OutcomeDelivered}
	}}
	defer s.register(audit.String(), "logs", backend)()
	var group sync.WaitGroup
	for worker := range 3 {
		group.Go(func() {
			for i := range puts {
				assert.NoError(t, s.put(audit, []deadletter.Letter{s.bulky(fmt.Sprintf("%d-%d", worker, i), 2000)}))
			}
		})
	}
	group.Go(func() {
		for range 8 {
			_, err := s.folder(audit.String()).replay(context.Background(), deadletter.Filter{})
			assert.NoError(t, err)
			s.ids(t, audit)
		}
	})
	group.Wait()
	s.check(t)
	left := s.ids(t, audit)
	assert.Equal(t, 3*puts, len(delivered)+len(left), "each is delivered or kept")
	for id, n := range delivered {
		require.Equal(t, 1, n, id)
	}
}
