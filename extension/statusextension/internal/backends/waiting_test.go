// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

func TestWaitingWakesWhenABackendIsEmpty(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 10}, "webhook")
	sent := f.accept(eventWith("a"), eventWith("b"))
	left, changed := r.Waiting()
	assert.Equal(t, []Left{{"webhook", 2, false}}, left)
	f.settle(statusfeed.Delivered, "", 200, "", sent[0])
	assert.False(t, isClosed(changed))
	f.settle(statusfeed.Dropped, "queue_full", 0, "", sent[1])
	assert.True(t, isClosed(changed))

	left, changed = r.Waiting()
	assert.Empty(t, left)
	assert.False(t, isClosed(changed))
	_, same := r.Waiting()
	f.settle(statusfeed.Delivered, "", 200, "", f.accept(eventWith("c"))...)
	assert.True(t, isClosed(changed))
	assert.True(t, isClosed(same))
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestWaitingNamesBackends(t *testing.T) {
	c := newClock()
	r := New(Settings{Now: c.Now})
	for _, id := range []string{"webhook", "posthog", "sentry"} {
		e := exporterOf(t, id, "logs")
		e.SetPaused = func(bool) {}
		r.AddExporter(e).Accepted(len(id))
	}
	assert.NoError(t, r.SetPaused("posthog", true))
	left, _ := r.Waiting()
	assert.Equal(t, []Left{{"posthog", 7, true}, {"sentry", 6, false}, {"webhook", 7, false}}, left)
	left, _ = r.Waiting("sentry", "unknown")
	assert.Equal(t, []Left{{"sentry", 6, false}}, left)
}

// TestEventsOfAnEarlierProcessWait checks that what a durable queue still has is waited for,
// although this process accepted none of it.
func TestEventsOfAnEarlierProcessWait(t *testing.T) {
	c := newClock()
	r := New(Settings{RecentEvents: 10, Now: c.Now})
	queued := int64(5)
	e := exporterOf(t, "webhook", "logs")
	e.Queue = func() statusfeed.Queue { return statusfeed.Queue{Events: queued} }
	f := &reporter{r.AddExporter(e), c}
	expect := func(events int64) {
		t.Helper()
		var got int64
		if left, _ := r.Waiting(); len(left) > 0 {
			got = left[0].Events
		}
		assert.Equal(t, events, got)
		b, _ := r.Backend("webhook")
		assert.Equal(t, events, b.Counts.Waiting)
	}
	expect(5)
	for range 3 {
		f.settle(statusfeed.Delivered, "", 200, "", eventWith("restored"))
		queued--
	}
	expect(2)
	sent := f.accept(eventWith("new"))
	queued++
	expect(3)
	f.settle(statusfeed.Delivered, "", 200, "", append(sent, eventWith("r"), eventWith("r"))...)
	queued = 0
	expect(0)
}
