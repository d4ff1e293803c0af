// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

func TestSubscriptionReadsEachChangeOnce(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 10}, "webhook")
	before := f.accept(eventWith("before"), eventWith("before, but it changes"))
	s := r.Subscribe(Filter{})
	read := func() []string {
		t.Helper()
		events, lost := s.Read()
		assert.Zero(t, lost)
		return idsOf(events)
	}
	assert.Empty(t, read())
	f.clock.advance(time.Second)
	f.accept(eventWith("a"), eventWith("b"))
	f.clock.advance(time.Second)
	f.settle(statusfeed.Delivered, "", 200, "", before[1])
	assert.Equal(t, []string{"a", "b", "before, but it changes"}, read(), "oldest change first")
	assert.Empty(t, read())

	f.settle(statusfeed.DeadLettered, "refused", 400, "", before[0])
	f.clock.advance(time.Second)
	f.replay(true, "before")
	assert.Equal(t, []string{"before"}, read(), "once, though it changed twice")

	other := &reporter{r.AddExporter(exporterOf(t, "posthog", "logs")), f.clock}
	other.accept(eventWith("of a backend that started later"))
	assert.Equal(t, []string{"of a backend that started later"}, read())
}

func TestSlowSubscriptionIsToldWhatItLost(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 100}, "webhook")
	f.accept(newEvents(30)...)
	s, small, picky := r.Subscribe(Filter{}), r.Subscribe(Filter{Limit: 10}), r.Subscribe(Filter{Backends: []string{"posthog"}})
	f.accept(newEvents(1000)...)

	events, lost := s.Read()
	assert.Len(t, events, 100)
	assert.Equal(t, 900, lost)
	events, lost = small.Read()
	assert.Len(t, events, 10)
	assert.EqualValues(t, 1030, events[9].Entry, "the newest ones are left")
	assert.Equal(t, 990, lost)
	events, lost = picky.Read()
	assert.Empty(t, events)
	assert.Zero(t, lost)

	f.accept(newEvents(7)...)
	for _, reader := range []*Subscription{s, small} {
		events, lost = reader.Read()
		assert.Len(t, events, 7)
		assert.Zero(t, lost)
	}
}

func TestEvictedChangesAreLost(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 10}, "webhook")
	sent := f.accept(newEvents(10)...)
	s := r.Subscribe(Filter{})
	f.settle(statusfeed.Delivered, "", 200, "", sent[:3]...)
	f.accept(newEvents(2)...)
	events, lost := s.Read()
	assert.Len(t, events, 3)
	assert.Equal(t, 2, lost, "the outcomes of two events were not seen")

	f.accept(newEvents(5)...)
	events, lost = s.Read()
	assert.Len(t, events, 5)
	assert.Zero(t, lost, "what was evicted had not changed since it was seen")

	f.accept(newEvents(13)...)
	events, lost = s.Read()
	assert.Len(t, events, 10)
	assert.Equal(t, 3, lost)
	f.accept(newEvents(33)...)
	events, lost = s.Read()
	assert.Len(t, events, 10)
	assert.Equal(t, 23, lost)
}

func TestLimitOfASubscriptionCountsAllBackends(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 100}, "webhook")
	g := &reporter{r.AddExporter(exporterOf(t, "posthog", "logs")), f.clock}
	s := r.Subscribe(Filter{Limit: 10})
	g.accept(newEvents(8)...)
	f.clock.advance(time.Second)
	f.accept(newEvents(8)...)
	events, lost := s.Read()
	assert.Len(t, events, 10)
	assert.Equal(t, 6, lost)
	assert.Equal(t, 8, len(events)-slices.IndexFunc(events, func(e Event) bool { return e.Backend == "webhook" }))
}

func TestSubscriptionFilters(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 10}, "webhook")
	s := r.Subscribe(Filter{Outcomes: []string{"delivered"}})
	sent := f.accept(eventWith("a"), eventWith("b"))
	events, lost := s.Read()
	assert.Empty(t, events)
	assert.Zero(t, lost)
	f.settle(statusfeed.Delivered, "", 200, "", sent[0])
	events, _ = s.Read()
	assert.Equal(t, []string{"a"}, idsOf(events))
}
