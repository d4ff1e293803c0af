// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

func TestEventGoesThroughItsProgress(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 10}, "webhook/audit")
	received := f.clock.Now()
	sent := f.accept(batch.Event{Meta: batch.Meta{ID: "a", Name: "order_placed", Time: 5}})

	want := Event{
		Backend: "webhook/audit", Signal: "logs", Entry: 1, ID: "a", Name: "order_placed",
		Time: time.Unix(0, 5).UTC(), Received: received, Changed: received, Progress: Waiting,
	}
	assert.Equal(t, []Event{want}, r.Event("a"))

	f.attempt(503, "busy", sent...)
	f.retry(sent...)
	want.Progress, want.Status, want.Message, want.Attempts, want.Duration = Retrying, 503, "busy", 1, 10*time.Millisecond
	want.Tries = []Try{{received, 503, 10 * time.Millisecond, "busy"}}
	want.Changed = received.Add(10 * time.Millisecond)
	want.NextAttempt, want.GivesUp = want.Changed.Add(time.Second), want.Changed.Add(time.Minute)
	assert.Equal(t, []Event{want}, r.Event("a"))

	second := f.clock.advance(time.Second)
	f.attempt(200, "", sent...)
	f.settle(statusfeed.Delivered, "", 200, "", sent...)
	want.Progress, want.Outcome, want.Status, want.Message, want.Attempts = "", statusfeed.Delivered, 200, "", 2
	want.Tries = append(want.Tries, Try{second, 200, 10 * time.Millisecond, ""})
	want.NextAttempt, want.GivesUp, want.Changed = time.Time{}, time.Time{}, second.Add(10*time.Millisecond)
	assert.Equal(t, []Event{want}, r.Event("a"))
}

func TestPausedEventsAreHeld(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 10}, "webhook")
	sent := f.accept(eventWith("a"), eventWith("b"))
	f.attempt(503, "busy", sent[0])
	f.retry(sent[0])
	f.settle(statusfeed.Delivered, "", 200, "", sent[1])
	r.backend("webhook").setPaused(f.clock.Now())
	held := r.Event("a")[0]
	assert.Equal(t, Held, held.Progress)
	assert.Zero(t, held.NextAttempt, "it waits until the backend is resumed")
	assert.Zero(t, held.GivesUp)
	assert.Empty(t, r.Event("b")[0].Progress)
	found, _ := r.Find(Filter{Outcomes: []string{"held"}})
	assert.Equal(t, []string{"a"}, idsOf(found))
	r.backend("webhook").setPaused(time.Time{})
	assert.False(t, r.Event("a")[0].NextAttempt.IsZero())
}

func TestFirstAndLastTwoAttemptsAreKept(t *testing.T) {
	for attempts, want := range map[int][]string{1: {"1"}, 2: {"1", "2"}, 3: {"1", "2", "3"}, 4: {"1", "3", "4"}, 6: {"1", "5", "6"}} {
		r, f := newReporter(t, Settings{RecentEvents: 10}, "webhook")
		sent := f.accept(eventWith("a"))
		for i := range attempts {
			f.attempt(500+i, string(rune('1'+i)), sent...)
		}
		e := r.Event("a")[0]
		assert.Equal(t, attempts, e.Attempts)
		var messages []string
		for _, try := range e.Tries {
			messages = append(messages, try.Message)
		}
		assert.Equal(t, want, messages)
		assert.Equal(t, 499+attempts, e.Status)
	}
}

func TestSettledEventWithoutEntryEntersAnew(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 2}, "webhook")
	f.settle(statusfeed.Delivered, "", 200, "", eventWith("of an earlier process"))
	assert.Equal(t, statusfeed.Delivered, r.Event("of an earlier process")[0].Outcome)

	evicted := f.accept(eventWith("evicted"))
	f.accept(eventWith("b"), eventWith("c"))
	assert.Empty(t, r.Event("evicted"))
	f.attempt(200, "", evicted...)
	f.retry(evicted...)
	assert.Empty(t, r.Event("evicted"), "its attempt did not fail")
	f.settle(statusfeed.DeadLettered, "refused", 400, "bad", evicted...)
	again := r.Event("evicted")
	require.Len(t, again, 1)
	assert.Equal(t, statusfeed.DeadLettered, again[0].Outcome)
	assert.Equal(t, "refused", again[0].Reason)
	assert.Equal(t, "bad", again[0].Message)
	assert.Zero(t, again[0].Attempts, "they are not known")
	assert.Zero(t, again[0].Received, "it is not known")
}

func TestReusedEntryHasNothingOfTheFormerEvent(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 1, Payloads: PayloadsAll}, "webhook")
	former := f.accept(eventWith("former"))
	f.attempt(503, "busy", former...)
	f.attempt(503, "still busy", former...)
	f.retry(former...)
	pending := f.accept(eventWith("retrying at last"))
	f.attempt(503, "busy", pending...)
	f.retry(pending...)
	check := func(id string) {
		t.Helper()
		f.accept(batch.Event{Meta: batch.Meta{ID: id}})
		now := f.clock.Now()
		e := r.Event(id)[0]
		e.Entry = 0
		assert.Equal(t, Event{Backend: "webhook", Signal: "logs", ID: id, Received: now, Changed: now, Progress: Waiting}, e)
	}
	check("after one that is sent again")
	dead := f.accept(eventWith("dead"))
	f.settle(statusfeed.DeadLettered, "refused", 400, "bad", dead...)
	f.replay(true, "dead")
	check("after a dead letter")
}

func TestSecondOutcomeEntersAnew(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 10}, "webhook")
	sent := f.accept(eventWith("a"))
	f.settle(statusfeed.Delivered, "", 200, "", sent...)
	f.settle(statusfeed.Dropped, "queue_full", 0, "", sent...)
	assert.Len(t, r.Event("a"), 2, "as the counts have it")
}

func TestWithoutRecentEventsOnlyCountsAreKept(t *testing.T) {
	r, f := newReporter(t, Settings{}, "webhook")
	sent := f.accept(eventWith("a"))
	assert.Zero(t, sent[0].Entry)
	f.attempt(200, "", sent...)
	f.retry(sent...)
	f.settle(statusfeed.Delivered, "", 200, "", sent...)
	f.replay(true, "a")
	found, kept := r.Find(Filter{})
	assert.Empty(t, found)
	assert.Zero(t, kept)
	b, _ := r.Backend("webhook")
	assert.EqualValues(t, 1, b.Counts.Of(statusfeed.Delivered))
}

func TestReplayIsNotedInTheEntryOfTheDeadLetter(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 10}, "webhook")
	long := strings.Repeat("i", 1000)
	sent := f.accept(eventWith("a"), eventWith(long), eventWith("delivered"))
	f.settle(statusfeed.DeadLettered, "refused", 400, "bad", sent[:2]...)
	f.settle(statusfeed.Delivered, "", 200, "", sent[2])
	f.replay(false, "a")
	f.replay(true, long, "delivered", "unknown")
	assert.Equal(t, "refused", r.Event("a")[0].Replayed)
	assert.Equal(t, "delivered", r.Event(long)[0].Replayed)
	assert.Empty(t, r.Event("delivered")[0].Replayed)
	b, _ := r.Backend("webhook")
	assert.EqualValues(t, 3, b.Counts.ReplayedDelivered)
	assert.EqualValues(t, 1, b.Counts.ReplayedRefused)
	assert.EqualValues(t, 2, b.Counts.Of(statusfeed.DeadLettered))
}

func TestBatchLargerThanTheRingLeavesTheLastEvents(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 100}, "webhook")
	sent := f.accept(newEvents(1000)...)
	require.EqualValues(t, 1, sent[0].Entry)
	require.EqualValues(t, 1000, sent[999].Entry)
	f.settle(statusfeed.Delivered, "", 200, "", sent[900:]...)
	found, kept := r.Find(Filter{})
	assert.Equal(t, 100, kept)
	for i, e := range found {
		assert.Equal(t, sent[999-i].ID, e.ID)
		assert.Equal(t, sent[999-i].Entry, e.Entry)
	}
}

func TestHostileTextsAreCut(t *testing.T) {
	const size = 1 << 20
	for name, text := range map[string]string{
		"ASCII":      strings.Repeat("a", size),
		"CJK":        strings.Repeat("界", size/3),
		"emoji":      strings.Repeat("😀", size/4),
		"bidi":       strings.Repeat("\u202e", size/3),
		"control":    strings.Repeat("\x00\x1b", size/2),
		"invalid":    strings.Repeat("\xff\x80", size/2),
		"lone bytes": strings.Repeat("\x80", size),
		"unfinished": strings.Repeat("a", 236) + "\xf0\x9f",
	} {
		t.Run(name, func(t *testing.T) {
			r, f := newReporter(t, Settings{RecentEvents: 10}, "webhook")
			sent := f.accept(batch.Event{Meta: batch.Meta{ID: text, Name: text}})
			f.attempt(400, text, sent...)
			f.settle(statusfeed.Dropped, "refused", 400, "x"+text, sent...)
			f.settle(statusfeed.Dropped, "refused", 400, text, batch.Event{Meta: batch.Meta{ID: text + "2", Name: text}})
			f.Fails(&statusfeed.Problem{State: statusfeed.Failing, Message: text, Remedy: text})

			events, _ := r.Find(Filter{})
			require.Len(t, events, 2)
			for _, e := range events {
				checkText(t, e.ID, maxID)
				checkText(t, e.Name, maxName)
				checkText(t, e.Message, maxMessage)
				for _, try := range e.Tries {
					checkText(t, try.Message, maxMessage)
				}
			}
			assert.NotEmpty(t, r.Event(text), "it is found by the whole id")
			b, _ := r.Backend("webhook")
			checkText(t, b.LastError.Message, maxErrorTexts)
			checkText(t, b.LastError.Remedy, maxErrorTexts)
			encoded, err := json.Marshal(events)
			require.NoError(t, err)
			assert.True(t, utf8.Valid(encoded))
			var inJSON []Event
			require.NoError(t, json.Unmarshal(encoded, &inJSON))
			for _, e := range inJSON {
				assert.NotEmpty(t, r.Event(e.ID), "it is found by the id that JSON shows")
			}
		})
	}
}

// checkText checks that a text is within the limit, and that cutting it broke no character.
func checkText(t *testing.T, text string, limit int) {
	t.Helper()
	assert.LessOrEqual(t, len(text), limit)
	whole, isCut := strings.CutSuffix(text, ellipsis)
	if r, size := utf8.DecodeLastRuneInString(whole); isCut && r == utf8.RuneError && size == 1 {
		last := whole[len(whole)-1]
		assert.False(t, utf8.RuneStart(last) && last >= utf8.RuneSelf && last < 0xf8, "%q ends within a character", whole[max(len(whole)-8, 0):])
	}
}

func TestClosedFeedCallsNothing(t *testing.T) {
	c := newClock()
	r := New(Settings{RecentEvents: 10, Now: c.Now})
	closed := false
	e := exporterOf(t, "webhook", "logs")
	e.Queue = func() statusfeed.Queue {
		assert.False(t, closed)
		return statusfeed.Queue{Events: 3}
	}
	e.InFlight = func() int {
		assert.False(t, closed)
		return 2
	}
	e.SetPaused = func(bool) { assert.False(t, closed) }
	f := r.AddExporter(e)
	b, _ := r.Backend("webhook")
	assert.EqualValues(t, 3, b.Queue.Events)
	assert.Equal(t, 2, b.InFlight)
	f.Close()
	f.Close()
	closed = true
	b, _ = r.Backend("webhook")
	assert.Nil(t, b.Queue)
	assert.Zero(t, b.InFlight)
	require.NoError(t, r.SetPaused("webhook", true))
	left, _ := r.Waiting()
	assert.Empty(t, left)
}

func TestReplaysOfEqualIDsAreNotedInOneEntryEach(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 10}, "webhook")
	for range 3 {
		f.settle(statusfeed.DeadLettered, "refused", 400, "bad", f.accept(eventWith("a"))...)
	}
	results := func() (all []string) {
		for _, e := range r.Event("a") {
			all = append(all, e.Replayed)
		}
		slices.Sort(all)
		return all
	}
	f.replay(true, "a")
	assert.Equal(t, []string{"", "", "delivered"}, results())
	f.replay(false, "a", "a")
	assert.Equal(t, []string{"delivered", "refused", "refused"}, results(), "a dead letter that was delivered is not replayed again")
	f.replay(true, "a", "a", "a")
	assert.Equal(t, []string{"delivered", "delivered", "delivered"}, results())
}
