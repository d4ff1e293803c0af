// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/otelcol-fanout/otelcol-fanout/extension/deadletterextension/internal/metadatatest"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

func (s *testStore) assertEvicted(t *testing.T, exporter component.ID, reason string, events int) {
	t.Helper()
	metadatatest.AssertEqualFanoutDeadLettersEvicted(t, s.tel, []metricdata.DataPoint[int64]{{
		Attributes: attribute.NewSet(attribute.String("exporter", exporter.String()), attribute.String("reason", reason)),
		Value:      int64(events),
	}}, metricdatatest.IgnoreTimestamp())
}

func TestOldestFilesAreEvictedAcrossExporters(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	for i := range 6 { // two to a file
		require.NoError(t, s.put(other, []deadletter.Letter{s.bulky(fmt.Sprint("old", i), 30_000)}))
		s.advance(time.Second)
	}
	put := 0
	for ; s.events(other) == 6; put++ {
		require.Less(t, put, 200, "the old files are never evicted")
		require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky(fmt.Sprint("new", put), 30_000)}))
		s.advance(time.Second)
		require.LessOrEqual(t, s.total, s.maxSize)
	}
	assert.Greater(t, s.total, s.maxSize*9/10, "no more was evicted than necessary")
	assert.Equal(t, []string{"old2", "old3", "old4", "old5"}, s.ids(t, other))
	assert.Equal(t, put, s.events(audit))
	s.assertEvicted(t, other, "size", 2)
	s.check(t)
}

func TestOldestFileIsEvictedEvenIfCurrent(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	require.NoError(t, s.put(other, []deadletter.Letter{s.bulky("idle", 100)}))
	s.advance(time.Hour)
	for i := range 40 {
		require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky(fmt.Sprint(i), 50_000)}))
		s.advance(time.Second)
	}
	assert.Empty(t, s.filesOf(t, other))
	require.NoError(t, s.put(other, []deadletter.Letter{s.bulky("again", 100)}))
	assert.Equal(t, []string{"again"}, s.ids(t, other))
	s.check(t)
}

func TestFilesBeingWrittenAreNotEvicted(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	require.NoError(t, s.put(other, []deadletter.Letter{s.bulky("oldest", 100)}))
	s.advance(time.Hour)
	slow := s.folder(other.String())
	slow.mu.Lock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 40 {
			assert.NoError(t, s.put(audit, []deadletter.Letter{s.bulky(fmt.Sprint(i), 50_000)}))
			s.advance(time.Second)
		}
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Error("one exporter waits for another one's disk")
	}
	slow.mu.Unlock()
	<-done
	assert.Equal(t, []string{"oldest"}, s.ids(t, other))
	s.check(t)
}

func TestLargePutEvictsItsOwnExportersFile(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky("e1", 600_000)}))
	s.advance(time.Second)
	require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky("e2", 600_000)}))
	assert.Equal(t, []string{"e2"}, s.ids(t, audit))
	s.check(t)
}

func TestPutLargerThanMaxSizeIsRefused(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	require.NoError(t, s.put(audit, lettersOf("e1")))
	err := s.put(audit, []deadletter.Letter{s.bulky("e2", minMaxSize)})
	require.ErrorContains(t, err, "bytes of dead letters exceeds max_size (1048576); raise max_size")
	assert.Equal(t, []string{"e1"}, s.ids(t, audit))
	s.check(t)
}

func TestMaxSizeHoldsUnderConcurrentPuts(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	var group sync.WaitGroup
	for _, exporter := range []component.ID{audit, other, component.MustNewID("sentry")} {
		for range 2 {
			group.Go(func() {
				for i := range 60 {
					assert.NoError(t, s.put(exporter, []deadletter.Letter{s.bulky(fmt.Sprint(i), 20_000)}))
					s.advance(time.Millisecond)
				}
			})
		}
	}
	group.Wait()
	assert.LessOrEqual(t, s.total, s.maxSize)
	s.check(t)
}

func TestLoweredMaxSizeAppliesAtStart(t *testing.T) {
	directory := t.TempDir()
	s := openTestStore(t, directory, func(cfg *Config) { cfg.MaxSize = 4 << 20 })
	for i := range 60 {
		require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky(fmt.Sprint(i), 50_000)}))
		s.advance(time.Second)
	}
	require.NoError(t, s.close())
	again := openTestStore(t, directory, small)
	assert.LessOrEqual(t, again.total, int64(minMaxSize))
	ids := again.ids(t, audit)
	assert.Equal(t, "59", ids[len(ids)-1])
	again.check(t)
}

func TestMaxAge(t *testing.T) {
	s := openTestStore(t, t.TempDir(), func(cfg *Config) { cfg.MaxAge = 8 * time.Hour })
	for i := range 24 { // one an hour
		require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky(fmt.Sprint(i), 10)}))
		s.advance(time.Hour)
		s.expire()
	}
	ids := s.ids(t, audit)
	assert.LessOrEqual(t, len(ids), 10, "none is more than an eighth older than max_age")
	assert.GreaterOrEqual(t, len(ids), 8, "none is removed too soon")
	assert.Equal(t, "23", ids[len(ids)-1])
	s.check(t)

	s.advance(9 * time.Hour)
	s.expire()
	assert.Empty(t, s.filesOf(t, audit), "the current file is removed too")
	s.assertEvicted(t, audit, "age", 24)
	require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky("e", 10)}))
	assert.Equal(t, []string{"e"}, s.ids(t, audit))
}

func TestWithoutMaxAgeDeadLettersStay(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e1")))
	s.advance(100 * 365 * 24 * time.Hour)
	s.expire()
	assert.Equal(t, []string{"e1"}, s.ids(t, audit))
}

func TestExpiredFilesAreRemovedAtStart(t *testing.T) {
	directory := t.TempDir()
	s := openTestStore(t, directory)
	require.NoError(t, s.put(audit, []deadletter.Letter{{Payload: []byte("{}"), FailedAt: noon.Add(-time.Hour)}}))
	require.NoError(t, s.close())
	assert.Empty(t, openTestStore(t, directory, func(cfg *Config) { cfg.MaxAge = time.Minute }).ids(t, audit))
}

func TestFileWithoutTimesUsesModificationTime(t *testing.T) {
	directory := t.TempDir()
	folder := filepath.Join(directory, "posthog")
	require.NoError(t, os.Mkdir(folder, 0o700))
	for i, age := range []time.Duration{time.Minute, time.Hour} {
		path := filepath.Join(folder, fmt.Sprintf("%08d.jsonl", i+1))
		require.NoError(t, os.WriteFile(path, []byte(`{"exporter":"posthog","payload":{}}`+"\n"), 0o600))
		require.NoError(t, os.Chtimes(path, time.Time{}, noon.Add(-age)))
	}
	s := openTestStore(t, directory, func(cfg *Config) { cfg.MaxAge = 30 * time.Minute })
	require.Len(t, s.filesOf(t, other), 1)
	assert.Equal(t, "00000001.jsonl", filepath.Base(s.filesOf(t, other)[0]))
}

func TestEvictionsAreLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openTestStore(t, t.TempDir(), small)
		fill := func() {
			for range 60 {
				require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky("secret-id", 50_000)}))
			}
		}
		fill()
		logged := s.logs.FilterMessageSnippet("Removed the oldest dead letters")
		require.Equal(t, 1, logged.Len())
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, 2, s.logs.FilterMessageSnippet("Removed the oldest dead letters").Len(), "the others a minute later")
		fill()
		logged = s.logs.FilterMessageSnippet("Removed the oldest dead letters")
		require.Equal(t, 2, logged.Len())
		require.NoError(t, s.close())
		logged = s.logs.FilterMessageSnippet("Removed the oldest dead letters")
		require.Equal(t, 3, logged.Len(), "close logs the remaining evictions")
		var sum int64
		for _, entry := range logged.All() {
			sum += entry.ContextMap()["events_over_max_size"].(int64)
		}
		assert.Equal(t, int64(120-s.events(audit)), sum)
		for _, entry := range s.logs.All() {
			assert.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), "secret-id")
		}
	})
}

func TestUnremovableFileStillCounts(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	for i := range 3 {
		require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky(fmt.Sprint(i), 300_000)}))
		s.advance(time.Second)
	}
	// A folder that is not empty cannot be removed, not even by root.
	path := s.filesOf(t, audit)[0]
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.MkdirAll(filepath.Join(path, "x"), 0o700))
	require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky("3", 300_000)}))
	assert.Equal(t, []string{"2", "3"}, s.ids(t, audit), "the next file was evicted instead")
	assert.Equal(t, 1, s.logs.FilterMessageSnippet("Cannot remove an old file").Len())
}

func TestReplayedFileIsNotEvicted(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	for i := range 3 {
		require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky(fmt.Sprint(i), 300_000)}))
		s.advance(time.Second)
	}
	backend := &fakeBackend{}
	first := true
	backend.outcome = func(*deadletter.Letter) deadletter.Replayed {
		if first { // the store fills up meanwhile
			first = false
			for i := range 10 {
				s.advance(time.Second)
				assert.NoError(t, s.put(other, []deadletter.Letter{s.bulky(fmt.Sprint(i), 200_000)}))
				assert.LessOrEqual(t, s.total, s.maxSize)
			}
			assert.Len(t, s.filesOf(t, audit), 2, "the replayed file and its new version")
		}
		return deadletter.Replayed{Outcome: deadletter.OutcomeDelivered}
	}
	defer s.register(audit.String(), "logs", backend)()
	got, err := s.folder(audit.String()).replay(context.Background(), deadletter.Filter{})
	require.NoError(t, err)
	assert.Equal(t, result{Replayed: 1, Delivered: 1}, resultOf(&got), "the others were evicted before they were replayed")
	assert.Equal(t, "0", strings.Join(backend.ids(), " "))
	assert.Empty(t, s.filesOf(t, audit))
	s.check(t)
}

func TestPutIsRefusedWithoutEvictableFile(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky("e1", 900_000)}))
	backend := &fakeBackend{outcome: func(*deadletter.Letter) deadletter.Replayed {
		assert.ErrorContains(t, s.put(other, []deadletter.Letter{s.bulky("e2", 300_000)}), "max_size is reached")
		return deadletter.Replayed{Outcome: deadletter.OutcomeDelivered}
	}}
	defer s.register(audit.String(), "logs", backend)()
	_, err := s.folder(audit.String()).replay(context.Background(), deadletter.Filter{})
	require.NoError(t, err)
	require.NoError(t, s.put(other, []deadletter.Letter{s.bulky("e2", 300_000)}))
	s.check(t)
}
