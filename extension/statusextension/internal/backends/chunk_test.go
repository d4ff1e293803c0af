// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// twins are two backends that get the same reports. The entries of the first are made at once, since it
// is asked after each report; those of the second when somebody asks, if ever.
type twins struct {
	registries  [2]*Registry
	reporters   [2]*reporter
	subscribers [2]*Subscription
	way         []batch.Event // on their way, in the order of their numbers
	settled     []batch.Event // by the last report
	step        int
}

func newTwins(t *testing.T, random *rand.Rand) *twins {
	w := &twins{}
	set := Settings{RecentEvents: 1 + random.IntN(300), Payloads: []Payloads{PayloadsNone, PayloadsFailures}[random.IntN(2)]}
	filter := Filter{Limit: random.IntN(2) * 20}
	for i := range w.registries {
		w.registries[i], w.reporters[i] = newReporter(t, set, "webhook")
		w.subscribers[i] = w.registries[i].Subscribe(filter)
	}
	return w
}

// both makes the same report to both.
func (w *twins) both(report func(f *reporter)) {
	for i, f := range w.reporters {
		report(f)
		if i == 0 {
			w.registries[0].Find(Filter{Limit: 1})
		}
	}
}

func (w *twins) accept(random *rand.Rand) {
	events := make([]batch.Event, 1+random.IntN(120))
	for i := range events {
		events[i] = eventWith(fmt.Sprintf("%d-%d", w.step, i))
		if random.IntN(500) == 0 {
			events[i].Name = strings.Repeat("long", 200) // sometimes too long for a chunk
		}
	}
	var accepted []batch.Event
	w.both(func(f *reporter) { accepted = f.accept(events...) })
	w.way = append(w.way, accepted...)
}

// some chooses events that are on their way: parts of batches, several batches, or a few events.
func (w *twins) some(random *rand.Rand) []batch.Event {
	if len(w.way) == 0 {
		return nil
	}
	first := random.IntN(len(w.way))
	if random.IntN(3) == 0 {
		first = 0
	}
	chosen := slices.Clone(w.way[first : first+random.IntN(len(w.way)-first+1)])
	switch random.IntN(6) {
	case 0:
		chosen = some(random, chosen)
	case 1:
		slices.Reverse(chosen)
	case 2: // the second half first, as another worker does
		chosen = slices.Concat(chosen[len(chosen)/2:], chosen[:len(chosen)/2])
	}
	return chosen
}

func (w *twins) report(random *rand.Rand) {
	w.step++
	for _, f := range w.reporters {
		f.clock.advance(time.Duration(w.step%3) * time.Second)
	}
	chosen := w.some(random)
	switch random.IntN(12) {
	case 0:
		w.both(func(f *reporter) { f.skip("plain_log", newEvents(1+w.step%7)...) })
	case 1:
		w.both(func(f *reporter) { f.attempt(503, "busy", chosen...) })
	case 2:
		w.both(func(f *reporter) { f.retry(chosen...) })
	case 3:
		w.settle(statusfeed.DeadLettered, "refused", chosen)
		if len(chosen) > 0 {
			w.both(func(f *reporter) { f.replay(true, chosen[0].ID) })
		}
	case 4:
		w.both(func(f *reporter) { f.attempt(200, "", chosen...) })
	case 5:
		if random.IntN(4) == 0 { // a second outcome
			w.both(func(f *reporter) { f.attempt(200, "", w.settled...) })
			w.both(func(f *reporter) { f.settle(statusfeed.Delivered, "", 204, "", w.settled...) })
		}
	case 6, 7, 8:
		w.both(func(f *reporter) { f.attempt(200, "", chosen...) })
		w.settle(statusfeed.Delivered, "", chosen)
	default:
		w.accept(random)
	}
}

func (w *twins) settle(outcome statusfeed.Outcome, reason string, events []batch.Event) {
	if len(events) == 0 {
		return
	}
	w.settled = events
	w.both(func(f *reporter) { f.settle(outcome, reason, 200, "", events...) })
	w.way = slices.DeleteFunc(w.way, func(e batch.Event) bool {
		return slices.ContainsFunc(events, func(other batch.Event) bool { return other.Entry == e.Entry })
	})
}

// TestEntriesMadeLaterAreTheSame checks that nobody can tell whether the entries were made at once.
func TestEntriesMadeLaterAreTheSame(t *testing.T) {
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 5))
		w := newTwins(t, random)
		every := 1 + random.IntN(12)
		for range 120 {
			w.report(random)
			rings := [2]*ring{&w.registries[0].backend("webhook").ring, &w.registries[1].backend("webhook").ring}
			require.Equal(t, rings[0].seen(), rings[1].seen(), "seed %d step %d", seed, w.step)
			switch random.IntN(2 * every) {
			case 0:
				events, kept := w.registries[0].Find(Filter{})
				got, gotKept := w.registries[1].Find(Filter{})
				require.Equal(t, events, got, "seed %d step %d", seed, w.step)
				require.Equal(t, kept, gotKept)
			case 1:
				events, lost := w.subscribers[0].Read()
				got, gotLost := w.subscribers[1].Read()
				require.Equal(t, events, got, "seed %d step %d", seed, w.step)
				require.Equal(t, lost, gotLost, "seed %d step %d", seed, w.step)
			case 2:
				id := fmt.Sprintf("%d-%d", w.step-random.IntN(9), random.IntN(20))
				require.Equal(t, w.registries[0].Event(id), w.registries[1].Event(id))
			}
			require.Equal(t, rings[0].losses, rings[1].losses, "seed %d step %d", seed, w.step)
		}
	}
}

// made returns how many entries of a backend are made.
func made(r *Registry) (n int) {
	for _, e := range r.backend("webhook").ring.entries {
		if e.number != 0 {
			n++
		}
	}
	return n
}

func TestDeliveredEventsNeedNoEntries(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 1000}, "webhook")
	for range 30 {
		first, second := f.accept(newEvents(100)...), f.accept(newEvents(50)...)
		together := slices.Concat(first, second)
		for _, request := range [][]batch.Event{together[:70], together[70:]} { // batches are merged and split
			f.attempt(200, "", request...)
			f.settle(statusfeed.Delivered, "", 200, "", request...)
		}
	}
	assert.Zero(t, made(r))
	failed := f.accept(newEvents(100)...)
	f.attempt(503, "busy", failed[:3]...)
	assert.Equal(t, 100, made(r), "those of a batch of which an event failed")
	found, kept := r.Find(Filter{})
	assert.Len(t, found, 1000)
	assert.Equal(t, 1000, kept)
	assert.Equal(t, 1000, made(r))
}

func TestChunksPinLittleMemory(t *testing.T) {
	long := strings.Repeat("x", 30_000)
	for name, events := range map[string][]batch.Event{
		"a long name":                {{Meta: batch.Meta{Name: long}}},
		"a single event":             {eventWith("a")},
		"a batch larger than a ring": newEvents(1001),
		"one long name of many":      append(newEvents(20), batch.Event{Meta: batch.Meta{Name: long}}),
	} {
		t.Run(name, func(t *testing.T) {
			r, f := newReporter(t, Settings{RecentEvents: 1000}, "webhook")
			f.accept(events...)
			assert.Equal(t, min(len(events), 1000), made(r), "at once")
			assert.Empty(t, r.backend("webhook").ring.chunks)
		})
	}
	r, f := newReporter(t, Settings{RecentEvents: 1000, Payloads: PayloadsAll}, "webhook")
	sent := f.accept(newEvents(100)...)
	f.attempt(200, "", sent...)
	assert.Equal(t, 100, made(r), "their payloads are kept")
}

// TestChunksAreSmall measures the memory of the records that chunks keep.
func TestChunksAreSmall(t *testing.T) {
	const size = 2000
	for _, batchSize := range []int{2, 5, 50, size - 1} {
		t.Run(fmt.Sprint(batchSize), func(t *testing.T) {
			r, f := newReporter(t, Settings{RecentEvents: size}, "webhook")
			before := heap()
			text := strings.Repeat("x", maxRecord-chunkSize/batchSize-40)
			for range 2*size/batchSize + 1 {
				events := make([]batch.Event, batchSize)
				for i := range events {
					events[i].Key = text
				}
				f.accept(events...)
			}
			kept := r.backend("webhook").ring.count
			assert.Equal(t, size, kept)
			assert.NotEmpty(t, r.backend("webhook").ring.chunks)
			t.Log((heap() - before) / int64(kept))
			assert.LessOrEqual(t, (heap()-before)/int64(kept), int64(1024), "bytes an event")
			runtime.KeepAlive(r)
		})
	}
}
