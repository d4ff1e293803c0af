// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// model is a slow version of a backend: all events that are remembered, in the region of each one, and
// the oldest first.
type model struct {
	latest, undelivered, skipped modelRegion
	next                         uint64
	accepted                     int64
	outcomes                     map[OutcomeCount]int64
}

type modelRegion struct {
	size   int
	events []modelEvent
}

type modelEvent struct {
	entry    uint64
	id       string
	outcome  statusfeed.Outcome
	reason   string
	attempts int
	retrying bool
}

func newModel(size int) *model {
	return &model{
		latest:      modelRegion{size: size},
		undelivered: modelRegion{size: int(math.Ceil(float64(size) / 4))},
		skipped:     modelRegion{size: int(math.Ceil(float64(size) / 10))},
		outcomes:    map[OutcomeCount]int64{},
	}
}

// add adds an event, and returns the one that it replaces.
func (r *modelRegion) add(e modelEvent) (replaced modelEvent) {
	r.events = append(r.events, e)
	if len(r.events) > r.size {
		replaced = r.events[0]
		r.events = r.events[1:]
	}
	return replaced
}

// enter makes an entry for an event.
func (m *model) enter(e modelEvent) {
	m.next++
	e.entry = m.next
	replaced := m.latest.add(e)
	if replaced.retrying || replaced.outcome == statusfeed.DeadLettered || replaced.outcome == statusfeed.Dropped {
		m.undelivered.add(replaced)
	}
}

// get returns an event on its way, or nil if it is not remembered.
func (m *model) get(e *batch.Event) *modelEvent {
	for _, region := range [...]*modelRegion{&m.latest, &m.undelivered} {
		for i := range region.events {
			if known := &region.events[i]; known.entry == e.Entry && known.outcome == "" {
				return known
			}
		}
	}
	return nil
}

// TestBackendIsLikeASlowModel reports at random, and compares all that can be seen.
func TestBackendIsLikeASlowModel(t *testing.T) {
	for seed := range uint64(15) {
		random := rand.New(rand.NewPCG(seed, 3))
		size := 1 + random.IntN(100)
		payloads := []Payloads{PayloadsNone, PayloadsFailures, PayloadsAll}[random.IntN(3)]
		r, f := newReporter(t, Settings{RecentEvents: size, Payloads: payloads}, "webhook")
		m := newModel(size)
		reader, seen := r.Subscribe(Filter{}), map[uint64]Event{}
		var way []batch.Event // events on their way
		for step := range 150 {
			f.clock.advance(time.Duration(random.IntN(3)) * time.Second)
			switch random.IntN(5) {
			case 0:
				m.skip(f, random.IntN(20), step)
			case 1:
				way = append(way, m.accept(f, random.IntN(80), step)...)
			case 2:
				m.attempt(f, some(random, way))
			default:
				settled := some(random, way)
				way = slices.DeleteFunc(way, func(e batch.Event) bool {
					return slices.ContainsFunc(settled, func(other batch.Event) bool { return other.ID == e.ID })
				})
				if random.IntN(5) == 0 {
					settled = append(settled, eventWith(fmt.Sprintf("restored-%d", step)))
					m.accepted++
					f.Accepted(1)
				}
				m.settle(f, settled, random.IntN(3))
			}
			if random.IntN(3) > 0 {
				continue // without a question most entries are not made
			}
			m.check(t, r, len(way))
			checkPayloads(t, r.backend("webhook"))
			if random.IntN(2) == 0 {
				events, lost := reader.Read()
				for _, e := range events {
					seen[e.Entry] = e
				}
				found, _ := r.Find(Filter{})
				for _, e := range found {
					if lost == 0 {
						require.Equal(t, e, seen[e.Entry], "a reader that lost nothing knows all")
					}
				}
			}
		}
	}
}

func some(random *rand.Rand, way []batch.Event) []batch.Event {
	var chosen []batch.Event
	for _, e := range way {
		if random.IntN(3) == 0 {
			chosen = append(chosen, e)
		}
	}
	return chosen
}

func (m *model) accept(f *reporter, n, step int) []batch.Event {
	if n == 0 {
		return nil
	}
	events := make([]batch.Event, n)
	for i := range events {
		events[i] = eventWith(fmt.Sprintf("%d-%d", step, i))
	}
	m.accepted += int64(n)
	for i := range events {
		m.enter(modelEvent{id: events[i].ID})
	}
	return f.accept(events...)
}

func (m *model) skip(f *reporter, n, step int) {
	events := make([]batch.Event, n)
	for i := range events {
		events[i] = eventWith(fmt.Sprintf("skipped-%d-%d", step, i))
		m.skipped.add(modelEvent{id: events[i].ID, outcome: statusfeed.Skipped, reason: "plain_log"})
	}
	if n > 0 {
		f.skip("plain_log", events...)
		m.accepted += int64(n)
		m.outcomes[OutcomeCount{Outcome: statusfeed.Skipped, Reason: "plain_log"}] += int64(n)
	}
}

func (m *model) attempt(f *reporter, events []batch.Event) {
	f.attempt(503, "busy", events...)
	f.retry(events...)
	for i := range events {
		known := m.get(&events[i])
		if known == nil {
			m.undelivered.add(modelEvent{entry: events[i].Entry, id: events[i].ID})
			known = m.get(&events[i])
		}
		if known != nil {
			known.attempts++
		}
	}
	for i := range events {
		if known := m.get(&events[i]); known != nil {
			known.retrying = true
		}
	}
}

func (m *model) settle(f *reporter, events []batch.Event, kind int) {
	outcome := []statusfeed.Outcome{statusfeed.Delivered, statusfeed.DeadLettered, statusfeed.Dropped}[kind]
	reason := []string{"", "refused", "queue_full"}[kind]
	f.settle(outcome, reason, 200, "", events...)
	m.outcomes[OutcomeCount{Outcome: outcome, Reason: reason}] += int64(len(events))
	for i := range events {
		if known := m.get(&events[i]); known != nil {
			known.outcome, known.reason, known.retrying = outcome, reason, false
		} else if outcome != statusfeed.Delivered || len(events)-i <= maxReentered {
			m.enter(modelEvent{id: events[i].ID, outcome: outcome, reason: reason})
		}
	}
}

func (m *model) check(t *testing.T, r *Registry, waiting int) {
	t.Helper()
	b, _ := r.Backend("webhook")
	require.Equal(t, m.accepted, b.Counts.Accepted)
	require.EqualValues(t, waiting, b.Counts.Waiting)
	total := b.Counts.Waiting
	counted := map[OutcomeCount]int64{}
	for _, c := range b.Counts.Outcomes {
		total += c.Events
		counted[OutcomeCount{Outcome: c.Outcome, Reason: c.Reason}] = c.Events
	}
	require.Equal(t, b.Counts.Accepted, total, "the numbers add up")
	require.Equal(t, m.outcomes, counted)

	found, kept := r.Find(Filter{})
	want := slices.Concat(m.latest.events, m.undelivered.events, m.skipped.events)
	require.Equal(t, len(want), kept)
	got := make([]modelEvent, 0, len(found))
	shown := map[OutcomeCount]int64{}
	for _, e := range found {
		if e.Outcome == statusfeed.Skipped {
			require.GreaterOrEqual(t, e.Entry, firstSkipped)
			e.Entry = 0
		}
		got = append(got, modelEvent{e.Entry, e.ID, e.Outcome, e.Reason, e.Attempts, e.Progress == Retrying})
		if e.Outcome != "" {
			shown[OutcomeCount{Outcome: e.Outcome, Reason: e.Reason}]++
		}
	}
	for outcome, n := range shown {
		require.LessOrEqual(t, n, counted[outcome], "no outcome is shown that was not counted")
	}
	require.ElementsMatch(t, want, got)
}
