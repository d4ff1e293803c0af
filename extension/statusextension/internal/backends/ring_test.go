// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// ringModel is a slow ring: the numbers of the entries in each region, oldest first, and of all in the
// order of their changes.
type ringModel struct {
	latest, undelivered, skipped, changed []uint64
	failed                                map[uint64]bool
}

func (m *ringModel) change(number uint64) {
	m.changed = append(slices.DeleteFunc(m.changed, func(n uint64) bool { return n == number }), number)
}

// add adds an entry to a region of a size. It returns the one that was replaced, or 0.
func (m *ringModel) add(region *[]uint64, size int32, number uint64) (replaced uint64) {
	*region = append(*region, number)
	if len(*region) > int(size) {
		replaced = (*region)[0]
		*region = (*region)[1:]
	}
	return replaced
}

func (m *ringModel) lose(number uint64) {
	m.changed = slices.DeleteFunc(m.changed, func(n uint64) bool { return n == number })
}

func (m *ringModel) enter(r *ring, number uint64) {
	replaced := m.add(&m.latest, r.latest.size, number)
	if m.failed[replaced] {
		replaced = m.add(&m.undelivered, r.undelivered.size, replaced)
	}
	m.lose(replaced)
	m.change(number)
}

// TestRingIsLikeASlowModel enters and changes entries at random.
func TestRingIsLikeASlowModel(t *testing.T) {
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 1))
		r := newRing(1 + random.IntN(70))
		m := &ringModel{failed: map[uint64]bool{}}
		for step := range int64(300) {
			switch choice := random.IntN(5); {
			case choice == 0:
				number := r.enterSkipped(step).number
				m.lose(m.add(&m.skipped, r.skipped.size, number))
				m.change(number)
			case choice == 1 && len(m.changed) > 0:
				number := m.changed[random.IntN(len(m.changed))]
				if number < firstSkipped {
					e := r.get(number)
					e.retrying = random.IntN(3) > 0
					m.failed[number] = e.retrying
					r.touch(e, step)
					m.change(number)
				}
			case choice == 2 && r.next > 1:
				if number := 1 + random.Uint64N(r.next-1); r.get(number) == nil {
					r.enterUndelivered(number, step)
					m.lose(m.add(&m.undelivered, r.undelivered.size, number))
					m.change(number)
				}
			default:
				m.enter(&r, r.enter(step).number)
			}
			m.check(t, &r)
		}
	}
}

func (m *ringModel) check(t *testing.T, r *ring) {
	t.Helper()
	var got []uint64
	last := r.changes + 1
	for e := range r.byChange {
		got = append(got, e.number)
		require.Less(t, e.change, last)
		last = e.change
	}
	slices.Reverse(got)
	require.Equal(t, m.changed, got)
	require.Equal(t, len(got), r.count)
	require.LessOrEqual(t, r.count, r.size)
	require.Len(t, r.places, len(m.undelivered))
	remembered := map[uint64]bool{}
	for _, number := range got {
		remembered[number] = number < firstSkipped
	}
	for number := range r.next + 1 {
		if e := r.get(number); (e != nil) != remembered[number] || e != nil && e.number != number {
			t.Fatal("the wrong entry", number, e)
		}
	}
}

// TestRecentEventsAreAllRemembered checks that neither undelivered nor skipped events take a place of the
// latest ones.
func TestRecentEventsAreAllRemembered(t *testing.T) {
	for size, further := range map[int]struct{ undelivered, skipped int }{
		1: {1, 1}, 2: {1, 1}, 4: {1, 1}, 5: {2, 1}, 10: {3, 1}, 11: {3, 2}, 100: {25, 10}, 10_000: {2500, 1000},
	} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			r, f := newReporter(t, Settings{RecentEvents: size}, "webhook")
			f.skip("plain_log", newEvents(2*size)...)
			f.settle(statusfeed.DeadLettered, "refused", 400, "bad", f.accept(newEvents(2*size)...)...)
			last := f.accept(newEvents(size)...)
			f.skip("plain_log", newEvents(2*size)...)
			f.settle(statusfeed.Delivered, "", 200, "", last...)

			found, kept := r.Find(Filter{})
			assert.Equal(t, size+further.undelivered+further.skipped, kept)
			events := map[statusfeed.Outcome]int{}
			entries := map[uint64]bool{}
			for _, e := range found {
				events[e.Outcome]++
				entries[e.Entry] = true
			}
			assert.Equal(t, map[statusfeed.Outcome]int{
				statusfeed.Delivered: size, statusfeed.DeadLettered: further.undelivered, statusfeed.Skipped: further.skipped,
			}, events)
			for i := range last {
				require.True(t, entries[last[i].Entry])
			}
		})
	}
}

// TestUndeliveredEventsSurviveFloods checks that an operator finds what went wrong after many more
// events were delivered or skipped.
func TestUndeliveredEventsSurviveFloods(t *testing.T) {
	for name, flood := range map[string]func(*reporter){
		"of delivered events": func(f *reporter) {
			f.settle(statusfeed.Delivered, "", 200, "", f.accept(newEvents(5000)...)...)
		},
		"of delivered events, one by one": func(f *reporter) {
			for range 500 {
				f.settle(statusfeed.Delivered, "", 200, "", f.accept(newEvents(1)...)...)
			}
		},
		"of restored events": func(f *reporter) { f.settle(statusfeed.Delivered, "", 200, "", newEvents(5000)...) },
		"of waiting events":  func(f *reporter) { f.accept(newEvents(5000)...) },
		"of skipped events":  func(f *reporter) { f.skip("plain_log", newEvents(5000)...) },
	} {
		t.Run(name, func(t *testing.T) {
			r, f := newReporter(t, Settings{RecentEvents: 40}, "webhook")
			failures := map[statusfeed.Outcome]string{
				statusfeed.DeadLettered: "dead letter", statusfeed.Dropped: "dropped", statusfeed.Returned: "returned",
			}
			for outcome, id := range failures {
				f.settle(outcome, "", 503, "busy", f.accept(eventWith(id))...)
			}
			retrying := f.accept(eventWith("retrying"))
			f.attempt(503, "busy", retrying...)
			f.retry(retrying...)
			for range 3 {
				flood(f)
			}
			for outcome, id := range failures {
				found := r.Event(id)
				require.Len(t, found, 1, id)
				assert.Equal(t, outcome, found[0].Outcome)
				assert.Equal(t, "busy", found[0].Message)
			}
			f.attempt(503, "still busy", retrying...)
			f.retry(retrying...)
			flood(f)
			found := r.Event("retrying")
			require.Len(t, found, 1)
			assert.Equal(t, Retrying, found[0].Progress)
			assert.Equal(t, 2, found[0].Attempts)
			assert.Equal(t, "order_placed", found[0].Name)

			f.settle(statusfeed.Delivered, "", 200, "", retrying...)
			found = r.Event("retrying")
			require.Len(t, found, 1, "there is no other entry of it")
			assert.Equal(t, statusfeed.Delivered, found[0].Outcome)
			f.replay(true, "dead letter")
			assert.Equal(t, "delivered", r.Event("dead letter")[0].Replayed)
		})
	}
}

// TestEventThatFailsLateIsRemembered checks an event whose entry was replaced before its first attempt.
func TestEventThatFailsLateIsRemembered(t *testing.T) {
	for _, size := range []int{1, 40} {
		r, f := newReporter(t, Settings{RecentEvents: size}, "webhook")
		late, fine := f.accept(eventWith("late")), f.accept(eventWith("fine"))
		f.accept(newEvents(5000)...)
		assert.Empty(t, r.Event("late"))
		f.attempt(200, "", fine...)
		assert.Empty(t, r.Event("fine"))
		for n := range 2 {
			f.attempt(503, "busy", late...)
			f.retry(late...)
			found := r.Event("late")
			require.Len(t, found, 1)
			assert.Equal(t, Retrying, found[0].Progress)
			assert.Equal(t, n+1, found[0].Attempts)
			assert.Zero(t, found[0].Received, "unknown")
			f.settle(statusfeed.Delivered, "", 200, "", f.accept(newEvents(5000)...)...)
		}
		f.attempt(200, "", late...)
		f.settle(statusfeed.Delivered, "", 200, "", late...)
		found := r.Event("late")
		require.Len(t, found, 1)
		assert.Equal(t, statusfeed.Delivered, found[0].Outcome)
		assert.Equal(t, 3, found[0].Attempts)

		f.attempt(503, "busy", eventWith("of an earlier process"))
		assert.Empty(t, r.Event("of an earlier process"), "its next attempt could not be found")
	}
}

func TestFloodOfSkippedEventsTakesATenthMore(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 40}, "webhook")
	s := r.Subscribe(Filter{})
	f.settle(statusfeed.Delivered, "", 200, "", f.accept(newEvents(40)...)...)
	var asked []int
	f.Accepted(1000)
	f.Settled(statusfeed.Skipped, "plain_log", 1000, func(i int) statusfeed.Event {
		asked = append(asked, i)
		return statusfeed.Event{ID: fmt.Sprint("skipped-", i), Name: "n"}
	})
	assert.Equal(t, []int{996, 997, 998, 999}, asked, "no other id is needed")
	found, kept := r.Find(Filter{Outcomes: []string{"skipped"}})
	assert.Equal(t, []string{"skipped-999", "skipped-998", "skipped-997", "skipped-996"}, idsOf(found))
	assert.Equal(t, 44, kept)
	assert.Equal(t, "plain_log", found[0].Reason)
	assert.Equal(t, f.clock.Now(), found[0].Received, "skipped as soon as it was received")
	assert.NotEqual(t, found[0].Entry, found[1].Entry)
	events, lost := s.Read()
	assert.Len(t, events, 44)
	assert.Equal(t, 996, lost)
	b, _ := r.Backend("webhook")
	assert.EqualValues(t, 1000, b.Counts.Of(statusfeed.Skipped))
}

func TestLastDeliveredEventsOfAReportEnterAnew(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 100}, "webhook")
	replaced := f.accept(newEvents(50)...)
	f.accept(newEvents(1000)...)
	s := r.Subscribe(Filter{Outcomes: []string{"delivered"}})
	f.settle(statusfeed.Delivered, "", 200, "", replaced...)
	events, lost := s.Read()
	assert.Equal(t, idsOf(events), func() (ids []string) {
		for i := range replaced[50-maxReentered:] {
			ids = append(ids, replaced[50-maxReentered+i].ID)
		}
		return ids
	}())
	assert.Equal(t, 50-maxReentered, lost)
	b, _ := r.Backend("webhook")
	assert.EqualValues(t, 50, b.Counts.Of(statusfeed.Delivered))
}
