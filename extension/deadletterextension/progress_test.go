// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// ended waits for the end of the last replay, and returns its progress and how often it had changed.
func (s *testStore) ended(t testing.TB) (last deadletter.Progress, changes int) {
	t.Helper()
	require.Eventually(t, func() bool {
		all := s.replays()
		if len(all) != 1 {
			return false
		}
		if now := all[0]; now != last {
			assert.GreaterOrEqual(t, now.Replayed, last.Replayed)
			assert.GreaterOrEqual(t, now.Total, now.Replayed)
			last, changes = now, changes+1
		}
		return !last.Ended.IsZero()
	}, time.Minute, 100*time.Microsecond)
	s.background.Wait()
	return last, changes
}

func TestProgressOfTenThousandDeadLetters(t *testing.T) {
	const n = 10_000
	s := openTestStore(t, t.TempDir(), func(cfg *Config) { cfg.MaxSize = 8 << 20 })
	letters := lettersOf(numbered(n)...)
	for i := range letters {
		letters[i].Message, letters[i].Payload = "", []byte(`{}`)
		if i%10 == 0 {
			letters[i].Status = 503
		}
	}
	for i := 0; i < n; i += 100 {
		require.NoError(t, s.put(audit, letters[i:i+100]))
	}
	require.Equal(t, n, s.events(audit), "all have room")
	require.Greater(t, len(s.filesOf(t, audit)), 10)
	entered, leave := make(chan struct{}), make(chan struct{})
	backend := &fakeBackend{
		chunk: func(context.Context, []deadletter.Letter) { entered <- struct{}{}; <-leave; s.advance(time.Second) },
		outcome: func(l *deadletter.Letter) deadletter.Replayed {
			if l.Status == 503 {
				return refusedAgain(l)
			}
			return deadletter.Replayed{Outcome: deadletter.OutcomeDelivered}
		},
	}
	defer s.register(audit.String(), "logs", backend)()
	begun, err := s.folder(audit.String()).startReplay(deadletter.Filter{})
	require.NoError(t, err)
	assert.Equal(t, deadletter.Progress{Exporter: "webhook/audit", Begun: noon}, begun)
	require.Len(t, s.replays(), 1, "it is shown from the start")
	for chunk := range n / maxChunkLetters {
		<-entered
		now := s.replays()[0]
		assert.Equal(t, n, now.Total, "counted before the first is sent")
		assert.Equal(t, chunk*maxChunkLetters, now.Replayed)
		assert.True(t, now.Ended.IsZero())
		leave <- struct{}{}
	}
	got, _ := s.ended(t)
	assert.Equal(t, deadletter.Progress{
		Exporter: "webhook/audit", Begun: noon, Ended: noon.Add(n / maxChunkLetters * time.Second),
		Total: n, Replayed: n, Delivered: n * 9 / 10, Refused: n / 10,
	}, got)
	assert.Len(t, s.ids(t, audit), n/10)
	s.check(t)
}

func TestReplayOfSelectedCountsThem(t *testing.T) {
	for name, tt := range filters {
		t.Run(name, func(t *testing.T) {
			s := openTestStore(t, t.TempDir())
			s.assorted(t)
			path := s.filesOf(t, audit)[0]
			before, err := os.Stat(path)
			require.NoError(t, err)
			backend := &fakeBackend{}
			defer s.register(audit.String(), "logs", backend)()
			got, err := s.folder(audit.String()).replay(t.Context(), tt.which)
			require.NoError(t, err)
			want := len(tt.want)
			assert.Equal(t, deadletter.Progress{Exporter: "webhook/audit", Filter: tt.which, Begun: noon, Ended: noon, Total: want, Replayed: want, Delivered: want}, got)
			if tt.which.Limit == 0 {
				assert.ElementsMatch(t, tt.want, backend.ids())
			}
			assert.Len(t, s.ids(t, audit), 4-want)
			if want == 0 {
				after, err := os.Stat(path)
				require.NoError(t, err)
				assert.True(t, os.SameFile(before, after), "a file with nothing to replay is not rewritten")
			}
			s.check(t)
		})
	}
}

func TestStoppedReplayFinishesItsChunk(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf(numbered(300)...)))
	backend := &fakeBackend{chunk: func(ctx context.Context, _ []deadletter.Letter) {
		got := s.folder(audit.String()).stopReplay()
		assert.Equal(t, 300, got.Total)
		assert.True(t, got.Ended.IsZero())
		assert.NoError(t, ctx.Err())
	}}
	defer s.register(audit.String(), "logs", backend)()
	f := s.folder(audit.String())
	assert.Equal(t, deadletter.Progress{Exporter: "webhook/audit"}, f.stopReplay(), "there was none")
	_, err := f.startReplay(deadletter.Filter{})
	require.NoError(t, err)
	got, _ := s.ended(t)
	assert.Equal(t, "stopped on request", got.Stopped)
	assert.Equal(t, 100, got.Delivered)
	assert.Equal(t, 300, got.Total)
	assert.Equal(t, got, f.stopReplay(), "stopping again has no effect")
	assert.Len(t, s.ids(t, audit), 200)

	backend.chunk = nil
	_, err = f.startReplay(deadletter.Filter{})
	require.NoError(t, err, "the next one is not stopped")
	s.background.Wait()
	assert.Empty(t, s.ids(t, audit))
}

func TestOperatorStopsReplayOfClient(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf(numbered(300)...)))
	backend := &fakeBackend{chunk: func(context.Context, []deadletter.Letter) { s.folder(audit.String()).stopReplay() }}
	defer s.register(audit.String(), "logs", backend)()
	assert.Equal(t, result{Replayed: 100, Delivered: 100, Stopped: "stopped on request"}, s.mustReplay(t, deadletter.Filter{}))
}

func TestShutdownEndsBackgroundReplay(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e0")))
	entered := make(chan struct{})
	defer s.register(audit.String(), "logs", hanging(entered))()
	_, err := s.folder(audit.String()).startReplay(deadletter.Filter{})
	require.NoError(t, err)
	<-entered
	s.stopActivities()
	got := s.replays()[0]
	assert.Equal(t, errStopping.Error(), got.Stopped)
	assert.False(t, got.Ended.IsZero())
	_, err = s.folder(audit.String()).startReplay(deadletter.Filter{})
	require.ErrorIs(t, err, errStopping)
}

func TestFailedBackgroundReplayIsReported(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e0")))
	path := s.filesOf(t, audit)[0]
	require.NoError(t, os.Mkdir(path+temporarySuffix, 0o700))
	require.NoError(t, os.WriteFile(path+temporarySuffix+"/x", nil, 0o600))
	backend := &fakeBackend{}
	defer s.register(audit.String(), "logs", backend)()
	_, err := s.folder(audit.String()).startReplay(deadletter.Filter{})
	require.NoError(t, err)
	got, _ := s.ended(t)
	assert.Contains(t, got.Stopped, "is a directory")
	assert.Len(t, s.logs.FilterMessage("A replay of dead letters has failed").All(), 1)
	assert.Empty(t, backend.ids())
	require.NoError(t, os.RemoveAll(path+temporarySuffix))
	assert.Equal(t, result{Replayed: 1, Delivered: 1}, s.mustReplay(t, deadletter.Filter{}), "the next one may begin")
}

func TestEditedAndEvictedFilesCorrectTotal(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf(numbered(10)...)))
	f := s.folder(audit.String())
	f.mu.Lock()
	require.NoError(t, f.seal())
	f.mu.Unlock()
	path := s.filesOf(t, audit)[0]
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, []byte(strings.SplitAfter(string(text), "\n")[0]), 0o600))
	defer s.register(audit.String(), "logs", &fakeBackend{})()
	got, err := f.replay(t.Context(), deadletter.Filter{})
	require.NoError(t, err)
	assert.Equal(t, 1, got.Total)
	assert.Equal(t, 1, got.Delivered)
}

func TestStartAndStopInQuickSuccession(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf(numbered(50)...)))
	defer s.register(audit.String(), "logs", &fakeBackend{outcome: refusedAgain})()
	f := s.folder(audit.String())
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 25 {
				if _, err := f.startReplay(deadletter.Filter{Reason: deadletter.ReasonTooLarge}); err != nil {
					assert.ErrorIs(t, err, deadletter.ErrBusy)
				}
				f.stopReplay()
			}
		})
	}
	group.Wait()
	s.background.Wait()
	assert.Len(t, s.ids(t, audit), 50)
	s.check(t)
}
