// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// clock is a fake clock.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(by time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
	return c.now
}

// exporterOf describes an exporter of an id such as webhook/audit.
func exporterOf(t testing.TB, id, signal string) *statusfeed.Exporter {
	t.Helper()
	e := &statusfeed.Exporter{Signal: signal}
	if err := e.ID.UnmarshalText([]byte(id)); err != nil {
		t.Fatal(err)
	}
	return e
}

// reporter reports as package delivery does.
type reporter struct {
	statusfeed.Feed
	clock *clock
}

func newReporter(t testing.TB, set Settings, id string) (*Registry, *reporter) {
	t.Helper()
	c := newClock()
	set.Now = c.Now
	r := New(set)
	return r, &reporter{r.AddExporter(exporterOf(t, id, "logs")), c}
}

// accept passes events to the exporter; they know their entries.
func (r *reporter) accept(events ...batch.Event) []batch.Event {
	r.Accepted(len(events))
	b := batch.Of(events)
	b.Arrive(&batch.Arrival{Entry: r.Enter(b)})
	return b.Events()
}

// attempt sends events in one request, which takes 10 ms.
func (r *reporter) attempt(status int, message string, events ...batch.Event) {
	begun := r.clock.Now()
	r.clock.advance(10 * time.Millisecond)
	r.Attempted([]statusfeed.Exchange{{
		Events: events, Begun: begun, Took: 10 * time.Millisecond, Status: status, Message: messageOf(message),
	}}, nil)
}

// messageOf returns the message of an exchange on each event.
func messageOf(message string) func(int) string {
	if message == "" {
		return nil
	}
	return func(int) string { return message }
}

// retry notes that the events are sent again after a second, for a minute.
func (r *reporter) retry(events ...batch.Event) {
	r.Attempted(nil, &statusfeed.Pending{Events: events, Next: r.clock.Now().Add(time.Second), GivesUp: r.clock.Now().Add(time.Minute)})
}

func (r *reporter) settle(outcome statusfeed.Outcome, reason string, status int, message string, events ...batch.Event) {
	if outcome == statusfeed.Delivered {
		r.Delivered([]statusfeed.Delivery{{Events: events, Status: status}})
		return
	}
	r.Settled(outcome, reason, len(events), func(i int) statusfeed.Event {
		e := &events[i]
		return statusfeed.Event{
			Entry: e.Entry, ID: e.ID, Name: e.Name, Time: e.Time.AsTime(), Status: status, Message: message, Payload: e.Payload,
		}
	})
}

// skip skips events as soon as they are passed to the exporter.
func (r *reporter) skip(reason string, events ...batch.Event) {
	r.Accepted(len(events))
	r.settle(statusfeed.Skipped, reason, 0, "", events...)
}

func (r *reporter) replay(delivered bool, ids ...string) {
	letters := make([]statusfeed.ReplayedLetter, len(ids))
	for i, id := range ids {
		letters[i] = statusfeed.ReplayedLetter{ID: id, Delivered: delivered}
	}
	r.Replayed(letters)
}

func eventWith(id string) batch.Event {
	return batch.Event{Meta: batch.Meta{ID: id, Name: "order_placed", Time: 1}, Payload: []byte("{}")}
}

func idsOf(events []Event) (ids []string) {
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	return ids
}

var webhook = component.MustNewIDWithName("webhook", "audit")
