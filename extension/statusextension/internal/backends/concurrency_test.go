// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// TestReportsAndQuestionsAtOnce is for the race detector. The counts must add up at every moment.
func TestReportsAndQuestionsAtOnce(t *testing.T) {
	const reporters, rounds, batchSize = 4, 60, 70
	r := New(Settings{RecentEvents: 100, Payloads: PayloadsFailures, Directory: t.TempDir()})
	c := newClock()
	var working, asking sync.WaitGroup
	var done atomic.Bool
	for i := range reporters {
		e := exporterOf(t, fmt.Sprintf("webhook/%d", i%2), []string{"logs", "traces"}[i/2])
		queued := new(atomic.Int64)
		e.Queue = func() statusfeed.Queue { return statusfeed.Queue{Events: queued.Load()} }
		e.InFlight, e.SetPaused = func() int { return 1 }, func(bool) {}
		f := &reporter{r.AddExporter(e), c}
		working.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 4))
			for range rounds {
				sent := f.accept(newEvents(batchSize)...)
				f.attempt(503, "busy", sent...)
				f.retry(sent...)
				f.Fails(&statusfeed.Problem{State: statusfeed.RateLimited, Until: c.Now()})
				half := random.IntN(batchSize)
				f.Requested(200, time.Millisecond, half)
				f.settle(statusfeed.Delivered, "", 200, "", sent[:half]...)
				f.settle(statusfeed.DeadLettered, "refused", 400, "bad", sent[half:]...)
				f.Works()
				f.replay(true, sent[0].ID)
			}
			f.Close()
		})
	}
	ask := func(question func()) {
		asking.Go(func() {
			for !done.Load() {
				question()
			}
		})
	}
	ask(func() {
		for _, b := range r.Snapshot() {
			total := b.Counts.Waiting
			for _, counted := range b.Counts.Outcomes {
				total += counted.Events
			}
			assert.Equal(t, b.Counts.Accepted, total)
		}
	})
	ask(func() { r.Find(Filter{Name: "order", Limit: 10}) })
	ask(func() { r.Event("0198c0de-0000-7000-8000-000000000001") })
	ask(func() { r.Waiting() })
	ask(func() { assert.NoError(t, r.SetPaused("webhook/1", rand.IntN(2) == 0)) })
	ask(func() { r.EachPaused(func(string, bool) {}) })
	readers := 2
	for range readers {
		s := r.Subscribe(Filter{})
		ask(func() { s.Read() })
	}
	working.Wait()
	done.Store(true)
	asking.Wait()

	for _, b := range r.Snapshot() {
		assert.EqualValues(t, reporters/2*rounds*batchSize, b.Counts.Accepted)
		assert.Zero(t, b.Counts.Waiting)
	}
	left, _ := r.Waiting()
	assert.Empty(t, left)
}
