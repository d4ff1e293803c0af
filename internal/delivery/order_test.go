// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
)

// partitionBackend keeps the order of events whose names begin with the same letter. Those of x
// have none.
type partitionBackend struct{ *lineBackend }

func (b *partitionBackend) BuildRequests(events []Event) ([]Request, []Refusal) {
	byLetter, letters := map[byte][]Event{}, []byte{}
	for _, e := range events {
		if _, ok := byLetter[e.Name[0]]; !ok {
			letters = append(letters, e.Name[0])
		}
		byLetter[e.Name[0]] = append(byLetter[e.Name[0]], e)
	}
	var requests []Request
	for _, letter := range letters {
		built, _ := b.lineBackend.BuildRequests(byLetter[letter])
		for i := range built {
			if letter != 'x' {
				built[i].Partition = int(letter)
			}
		}
		requests = append(requests, built...)
	}
	return requests, nil
}

func newOrderedFixture(t *testing.T, most int, configure func(*Config)) *fixture {
	t.Helper()
	f := &fixture{server: newServer(t)}
	cfg := NewDefaultConfig(100)
	deliverytest.Hasten(&cfg.QueueConfig, &cfg.RetryConfig)
	cfg.DeadLetter = deliverytest.DeadLetterID()
	cfg.QueueConfig.Get().NumConsumers = 1
	configure(&cfg)
	backend := &partitionBackend{&lineBackend{url: f.server.URL, header: http.Header{}, most: most}}
	with := deliverytest.Setup{Factory: newFactory(&cfg, confighttp.NewDefaultClientConfig(), backend, Options{Ordered: true}), Config: &cfg}
	if cfg.QueueConfig.Get().StorageID != nil {
		with.Storage = t.TempDir()
	}
	f.Exporter = with.StartLogs(t)
	return f
}

// all holds the requests that the server got, in order.
func (s *server) all() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, lines := range s.requests {
		all = append(all, strings.Join(lines, " "))
	}
	return all
}

func TestRequestsAfterAFailureInTheirPartitionWait(t *testing.T) {
	f := newOrderedFixture(t, 1, func(cfg *Config) { cfg.MaxInFlight = 1 })
	failed := map[string]bool{}
	f.server.on(func(lines []string) (int, http.Header) {
		if (lines[0] == "a2" || lines[0] == "b1") && !failed[lines[0]] {
			failed[lines[0]] = true
			return http.StatusInternalServerError, nil
		}
		return http.StatusOK, nil
	})
	f.send("a1", "b1", "a2", "x1", "b2", "a3", "x2")
	assert.Equal(t, []string{"a1", "a2", "b1", "x1", "x2", "b1", "b2", "a2", "a3"}, f.server.all())
	assert.Equal(t, map[string]int64{"delivered": 7}, f.Outcomes())
}

func TestPendingEventsOfPartitionsKeepTheirOrder(t *testing.T) {
	f := newOrderedFixture(t, 2, func(cfg *Config) { cfg.MaxInFlight = 1 })
	requests := 0
	f.server.on(func([]string) (int, http.Header) {
		if requests++; requests == 2 {
			return http.StatusServiceUnavailable, nil
		}
		return http.StatusOK, nil
	})
	f.send("a1", "a2", "b1", "a3", "a4", "b2", "a5")
	assert.Equal(t, []string{"a1 a2", "a3 a4", "b1 b2", "a3 a4", "a5"}, f.server.all())
}

func TestHalvesOfAPartitionAreInOrder(t *testing.T) {
	f := newOrderedFixture(t, 4, func(cfg *Config) { cfg.MaxInFlight = 1 }) // which would block if halves needed a slot
	failed := false
	f.server.on(func(lines []string) (int, http.Header) {
		switch {
		case strings.Contains(strings.Join(lines, " "), "a3"):
			return http.StatusBadRequest, nil
		case lines[0] == "a1" && !failed:
			failed = true
			return http.StatusBadGateway, nil
		}
		return http.StatusOK, nil
	})
	f.send("a1", "a2", "a3", "a4", "a5")
	assert.Equal(t, []string{"a1 a2 a3 a4", "a1 a2", "a1 a2 a3 a4", "a1 a2", "a3 a4", "a3", "a4", "a5"}, f.server.all())
	assert.Equal(t, map[string]int64{"delivered": 4, "dead_lettered/refused": 1}, f.Outcomes())
}

func TestPartitionsAreSentInParallel(t *testing.T) {
	f := newOrderedFixture(t, 1, func(cfg *Config) { cfg.MaxInFlight = 3 })
	var mu sync.Mutex
	under, partitions, together := map[byte]bool{}, 0, make(chan struct{})
	f.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := deliverytest.ReadBody(r)
		assert.NoError(t, err)
		mu.Lock()
		assert.False(t, under[body[0]], "two requests of a partition")
		under[body[0]] = true
		if partitions++; partitions == 3 {
			close(together)
		}
		mu.Unlock()
		<-together // of which three come at the same time
		mu.Lock()
		under[body[0]] = false
		mu.Unlock()
		w.WriteHeader(http.StatusOK)
	})
	f.send("a1", "a2", "a3", "b1", "b2", "c1", "c2", "d1", "d2")
	assert.Equal(t, map[string]int64{"delivered": 9}, f.Outcomes())
}

// exporterhelper's batcher would send the end of a call before its middle.
func TestLargeCallKeepsItsOrder(t *testing.T) {
	f := newOrderedFixture(t, 3, func(cfg *Config) {
		cfg.QueueConfig.Get().Batch.Get().MinSize, cfg.QueueConfig.Get().Batch.Get().MaxSize = 2, 2
	})
	random, requests := rand.New(rand.NewPCG(1, 2)), 0
	f.server.on(func([]string) (int, http.Header) {
		if requests++; requests%3 == 0 {
			return http.StatusServiceUnavailable, nil
		}
		return http.StatusOK, nil
	})
	next := 0
	for range 20 {
		names := make([]string, 1+random.IntN(30))
		for i := range names {
			names[i] = fmt.Sprintf("a%04d", next)
			next++
		}
		require.NoError(t, f.Consume(t.Context(), records(names...)))
	}
	f.Settle()
	assertFirstTimesAscend(t, f.server.all(), next)
}

// The goroutine that flushes a batch on timeout may be slower than the one that makes the
// next.
func TestNextBatchWaitsForTheOneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ordered := newOrder()
		number := 0
		next := func(onto *request) *request {
			b := &request{Batch: batch.Of([]Event{{Payload: []byte{byte(number)}}}), order: ordered}
			number++
			if onto == nil {
				made, err := b.MergeSplit(t.Context(), 2, exporterhelper.RequestSizerTypeItems, nil)
				assert.NoError(t, err)
				return made[0].(*request)
			}
			made, err := onto.MergeSplit(t.Context(), 2, exporterhelper.RequestSizerTypeItems, b)
			assert.NoError(t, err)
			assert.Len(t, made, 1, "it is not split")
			return made[0].(*request)
		}
		first := next(next(next(nil))) // what is added to a batch does not wait
		assert.Equal(t, 3, first.ItemsCount())
		var second *request
		go func() { second = next(nil) }()
		synctest.Wait()
		assert.Nil(t, second)
		first.order.begin()
		synctest.Wait()
		assert.NotNil(t, second)
	})
}

// assertFirstTimesAscend holds that each line that comes for the first time is later than all
// before it.
func assertFirstTimesAscend(t *testing.T, requests []string, want int) {
	t.Helper()
	last, seen := "", map[string]bool{}
	for line := range strings.FieldsSeq(strings.Join(requests, " ")) {
		if seen[line] {
			continue
		}
		seen[line] = true
		assert.Less(t, last, line)
		last = line
	}
	assert.Len(t, seen, want)
}

func TestShutdownSendsRetriesBeforeQueuedEvents(t *testing.T) {
	f := newOrderedFixture(t, 10, func(cfg *Config) {
		cfg.RetryConfig.InitialInterval, cfg.RetryConfig.MaxInterval, cfg.RetryConfig.MaxElapsedTime = time.Minute, time.Minute, 0
		cfg.QueueConfig.Get().Batch.Get().MinSize = 2
	})
	f.server.always(http.StatusServiceUnavailable)
	require.NoError(t, f.Consume(t.Context(), records("a1", "a2")))
	waiting := &f.Component.(*logsExporter).deliverer.waiting
	f.WaitFor("the wait before the next attempt", func() bool { return waiting.len() == 1 })
	f.server.always(http.StatusOK)
	require.NoError(t, f.Consume(t.Context(), records("a3", "a4")))
	require.NoError(t, f.Consume(t.Context(), records("a5", "a6")))
	f.Stop()
	assert.Equal(t, []string{"a1 a2", "a1 a2", "a3 a4", "a5 a6"}, f.server.all())
	assert.Equal(t, map[string]int64{"delivered": 6}, f.Outcomes())
}

// A queue on disk would send what is left at the next start, after the events that have passed it.
func TestShutdownWhileBisectingKeepsTheOrder(t *testing.T) {
	f := newOrderedFixture(t, 10, func(cfg *Config) {
		cfg.QueueConfig.Get().StorageID = deliverytest.StorageID()
		cfg.RetryConfig.InitialInterval, cfg.RetryConfig.MaxInterval, cfg.RetryConfig.MaxElapsedTime = time.Minute, time.Minute, time.Minute
	})
	var alone atomic.Bool
	f.server.on(func(lines []string) (int, http.Header) {
		if !slices.Contains(lines, "a2") {
			return http.StatusOK, nil
		}
		if len(lines) == 1 {
			alone.Store(true)
			for !f.Component.(*logsExporter).deliverer.lifetime.IsStopping() {
				time.Sleep(time.Millisecond)
			}
		}
		return http.StatusInternalServerError, nil
	})
	require.NoError(t, f.Consume(t.Context(), records("a1", "a2", "a3", "a4")))
	f.WaitFor("the request with the bad event alone", alone.Load)
	f.Stop()
	assert.Equal(t, []string{"a1 a2 a3 a4", "a1 a2 a3 a4", "a1 a2", "a1", "a2", "a3 a4"}, f.server.all())
	assert.Equal(t, map[string]int64{"delivered": 3, "dead_lettered/exhausted": 1}, f.Outcomes())
}
