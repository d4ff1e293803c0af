// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// durable is a webhook with a queue on disk.
const durable = "batching: array, sending_queue: {storage: file_storage, batch: {flush_timeout: 50ms}}, " +
	"retry_on_failure: {initial_interval: 20ms, max_interval: 100ms, max_elapsed_time: 0}"

func TestDurableQueueSurvivesKill(t *testing.T) {
	t.Parallel()
	const rounds, together = 5, 10
	var asked atomic.Int64
	flapping := func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
		if asked.Add(1)%3 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return false
		}
		return accepting(w, r, events, body)
	}
	b, s := newBackend(t, flapping), newDataFolders(t)
	var mu sync.Mutex
	accepted := map[int]bool{} // by the number in the event
	first := 0                 // the next to send

	for round := range rounds {
		p := startInstrumented(t, s, webhook{"b", b.URL, durable})
		app := newSDK(p)
		began := make(chan struct{})
		begin := sync.OnceFunc(func() { close(began) })
		life := 20*time.Millisecond + rand.N(400*time.Millisecond)
		var killer sync.WaitGroup
		killer.Go(func() {
			select {
			case <-began:
				time.Sleep(life)
			case <-time.After(waitTimeout):
			}
			p.kill()
		})
		var sent atomic.Int64
		inParallel(100_000, func(i int) bool {
			status, _, err := app.post(recordsWithoutID(first+i*together, together))
			if err != nil || status/100 != 2 {
				return false // it was killed
			}
			mu.Lock()
			defer mu.Unlock()
			for n := range together {
				accepted[first+i*together+n] = true
			}
			sent.Add(together)
			begin()
			return true
		})
		killer.Wait()
		first += 10_000_000
		different, again := b.tally()
		t.Logf("round %d: killed after %s; %d events accepted; the backend has %d so far, and got %d again", round+1, life, sent.Load(), different, again)
	}

	p := startInstrumented(t, s, webhook{"b", b.URL, durable})
	p.waitFor("every accepted event at the backend", func() bool {
		time.Sleep(20 * time.Millisecond)
		return len(undelivered(b, accepted)) == 0
	})
	p.stop()
	different, again := b.tally()
	t.Logf("%d events accepted; %d arrived, %d of them again; %d requests", len(accepted), different, again, b.requested())
	assert.GreaterOrEqual(t, different, len(accepted))
	assert.Empty(t, s.text(t), "dead letters")
	assertOneID(t, b)
}

// undelivered returns the numbers of events that have not arrived.
func undelivered(b *backend, accepted map[int]bool) []int {
	left := maps.Clone(accepted)
	for _, n := range b.numbers() {
		delete(left, n)
	}
	return slices.Sorted(maps.Keys(left))
}

// numbers returns the numbers of the events that arrived, including repeats.
func (b *backend) numbers() []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	var numbers []int
	for _, events := range b.events {
		for _, e := range events {
			numbers = append(numbers, numberOf(e))
		}
	}
	return numbers
}

// numberOf returns the number that the sender gave an event.
func numberOf(e event) int {
	properties, _ := e["properties"].(map[string]any)
	text, _ := properties["n"].(json.Number)
	n, err := strconv.Atoi(string(text))
	if err != nil {
		return -1
	}
	return n
}

// assertOneID checks that an event had the same id each time, and that no other event had it.
func assertOneID(t *testing.T, b *backend) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	ids := map[int]string{}
	for id, events := range b.events {
		n := numberOf(events[0])
		if other, ok := ids[n]; ok {
			assert.Fail(t, "an event has two ids", "%d: %s, %s", n, id, other)
		}
		ids[n] = id
		for _, e := range events[1:] {
			assert.Equal(t, events[0], e, "repeated events are identical")
		}
	}
}

func TestDurableQueueKeepsUndeliveredEventsForNextStart(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		failure behavior
	}{
		{"responds 503", refusing(http.StatusServiceUnavailable, "busy")},
		{"it hangs", hanging},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			const events, together = 500, 10
			const shutdownTimeout = time.Second
			b, s := newBackend(t, tt.failure), newDataFolders(t)
			w := webhook{"b", b.URL, fmt.Sprintf("shutdown_timeout: %s, %s", shutdownTimeout, durable)}
			p := startInstrumented(t, s, w)
			app := newSDK(p)
			inParallel(events/together, func(i int) bool {
				return assert.NoError(t, app.export(records(i*together, together)))
			})
			p.waitFor("a request", func() bool { return b.requested() > 0 })
			before := p.eventCounts("webhook/b")
			assert.Equal(t, events, before.accepted)
			assert.Empty(t, before.outcomes, "no event has an outcome")

			began := time.Now()
			p.stop()
			took := time.Since(began)
			assert.Less(t, took, shutdownTimeout+20*time.Second)
			assert.Empty(t, s.text(t), "dead letters")

			b.setBehavior(accepting)
			p = startInstrumented(t, s, w)
			p.waitFor("every event at the backend", func() bool { return len(b.missing(events)) == 0 })
			p.waitFor("delivery to webhook/b", func() bool { return p.eventCounts("webhook/b").outcomes["delivered"] >= events })
			assert.Equal(t, map[string]int{"delivered": events}, p.eventCounts("webhook/b").outcomes,
				"both processes delivered all accepted events")
			p.stop()
			different, again := b.tally()
			t.Logf("stopped in %s; %d events arrived after the next start, %d again", took, different, again)
			require.Equal(t, events, different)
			assert.Zero(t, again, "events that arrived again")
		})
	}
}
