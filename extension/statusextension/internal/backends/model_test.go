// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// model is a slow version of a backend: all that was ever reported, the entry that changed last at
// the end.
type model struct {
	size     int
	events   []modelEvent
	next     uint64
	accepted int64
	outcomes map[OutcomeCount]int64
}

type modelEvent struct {
	entry    uint64
	id       string
	outcome  statusfeed.Outcome
	reason   string
	attempts int
	retrying bool
}

// update changes an event, or makes one.
func (m *model) update(e modelEvent) {
	if e.entry == 0 {
		m.next++
		e.entry = m.next
	}
	m.events = slices.DeleteFunc(m.events, func(other modelEvent) bool {
		return other.entry == e.entry || other.entry+uint64(m.size) <= m.next
	})
	m.events = append(m.events, e)
}

// get returns an event on its way, or one without an entry.
func (m *model) get(e *batch.Event) modelEvent {
	i := slices.IndexFunc(m.events, func(other modelEvent) bool { return other.entry == e.Entry && other.outcome == "" })
	if i < 0 {
		return modelEvent{id: e.ID}
	}
	return m.events[i]
}

// TestBackendIsLikeASlowModel reports at random, and compares all that can be seen.
func TestBackendIsLikeASlowModel(t *testing.T) {
	for seed := range uint64(15) {
		random := rand.New(rand.NewPCG(seed, 3))
		size := 1 + random.IntN(100)
		r, f := newReporter(t, Settings{RecentEvents: size}, "webhook")
		m := &model{size: size, outcomes: map[OutcomeCount]int64{}}
		reader, seen := r.Subscribe(Filter{}), map[uint64]Event{}
		var way []batch.Event // events on their way
		for step := range 150 {
			f.clock.advance(time.Duration(random.IntN(3)) * time.Second)
			switch random.IntN(4) {
			case 0:
				way = append(way, m.accept(f, random.IntN(80), step)...)
			case 1:
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
				m.settle(f, settled, random.IntN(4))
			}
			m.check(t, r, len(way))
			if random.IntN(3) == 0 {
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
		m.update(modelEvent{id: events[i].ID})
	}
	return f.accept(events...)
}

func (m *model) attempt(f *reporter, events []batch.Event) {
	f.attempt(503, "busy", events...)
	f.retry(events...)
	for range 2 { // both reports change the entries in order
		for i := range events {
			if e := m.get(&events[i]); e.entry != 0 {
				e.retrying = true
				m.update(e)
			}
		}
	}
	for i := range m.events {
		e := &m.events[i]
		if slices.ContainsFunc(events, func(other batch.Event) bool { return other.Entry == e.entry }) && e.outcome == "" {
			e.attempts++
		}
	}
}

func (m *model) settle(f *reporter, events []batch.Event, kind int) {
	outcome := []statusfeed.Outcome{statusfeed.Delivered, statusfeed.Skipped, statusfeed.DeadLettered, statusfeed.Dropped}[kind]
	reason := []string{"", "plain_log", "refused", "queue_full"}[kind]
	f.settle(outcome, reason, 200, "", events...)
	m.outcomes[OutcomeCount{Outcome: outcome, Reason: reason}] += int64(len(events))
	for i := range events {
		e := m.get(&events[i])
		e.outcome, e.reason, e.retrying = outcome, reason, false
		m.update(e)
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
	require.Equal(t, len(m.events), kept)
	got := make([]modelEvent, 0, len(found))
	shown := map[OutcomeCount]int64{}
	for _, e := range found {
		got = append(got, modelEvent{e.Entry, e.ID, e.Outcome, e.Reason, e.Attempts, e.Progress == Retrying})
		if e.Outcome != "" {
			shown[OutcomeCount{Outcome: e.Outcome, Reason: e.Reason}]++
		}
	}
	for outcome, n := range shown {
		require.LessOrEqual(t, n, counted[outcome], "no outcome is shown that was not counted")
	}
	require.ElementsMatch(t, m.events, got)
}
