// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deliverytest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// Status stands for the status extension of one exporter. It remembers all reports, and checks that each
// of them is about the event that it names, and that no event gets two outcomes. Its methods are safe
// for concurrent use.
type Status struct {
	component.StartFunc
	component.ShutdownFunc

	t      testing.TB
	paused bool // before the exporter starts

	mu       sync.Mutex
	exporter *statusfeed.Exporter
	closed   bool
	accepted int64
	outcomes map[string]int64
	settled  []Entry // events without an entry
	entries  []Entry // the number of the first one is 1
	problems []statusfeed.Problem
	works    int
	replayed []string
	requests []string
	reports  []string
	texts    []string // all that was reported
}

// Entry holds the reports on one event.
type Entry struct {
	// ID and Name are the event's.
	ID, Name string
	// Tries are the attempts, as "STATUS: message", where the message is empty if the event was accepted.
	Tries []string
	// Outcome is the final one, followed by a reason as in dead_lettered/refused, or empty.
	Outcome string
	// Time is when the event happened; zero if it was settled with an entry.
	Time time.Time
	// Message is that of the outcome, and Status the HTTP status.
	Message string
	Status  int
	// Next is when the next attempt is due, and GivesUp when the last one is, according to the last
	// report; zero if there was none.
	Next, GivesUp time.Time
}

var (
	_ statusfeed.Registry = (*Status)(nil)
	_ statusfeed.Feed     = (*reports)(nil)
)

// AddExporter implements statusfeed.Registry.
func (s *Status) AddExporter(e *statusfeed.Exporter) statusfeed.Feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	assert.Nil(s.t, s.exporter, "the exporter registers twice")
	s.exporter, s.outcomes = e, map[string]int64{}
	if s.paused {
		e.SetPaused(true)
	}
	s.texts = append(s.texts, e.Endpoint)
	return (*reports)(s)
}

// AddRouter implements statusfeed.Registry.
func (*Status) AddRouter(*statusfeed.Router) (remove func()) { return func() {} }

// Exporter returns what the exporter says about itself.
func (s *Status) Exporter() *statusfeed.Exporter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exporter
}

// Entries returns the entries in the order in which their events were accepted, followed by events that
// were settled without one.
func (s *Status) Entries() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.entries, s.settled)
}

// Entry returns the only entry of events with a name.
func (s *Status) Entry(name string) Entry {
	s.t.Helper()
	found := slices.DeleteFunc(s.Entries(), func(e Entry) bool { return e.Name != name })
	if assert.Len(s.t, found, 1, "entries of %s", name) {
		return found[0]
	}
	return Entry{}
}

// Outcomes returns the counts of events by outcome, as [Exporter.Outcomes] does.
func (s *Status) Outcomes() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.outcomes)
}

// Accepted returns how many events were accepted.
func (s *Status) Accepted() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted
}

// Problems returns the problems of the backend, and how often it worked.
func (s *Status) Problems() (problems []statusfeed.Problem, works int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.problems), s.works
}

// Replayed returns the replayed dead letters, each as "id delivered" or "id refused".
func (s *Status) Replayed() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.replayed)
}

// Requests returns the requests, each as "STATUS: N events".
func (s *Status) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Reports returns the reports of outcomes, each as "OUTCOME: N" with the number of events.
func (s *Status) Reports() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.reports)
}

// Texts returns everything that was reported.
func (s *Status) Texts() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.texts, "\n")
}

// reports is the feed of a Status.
type reports Status

// lock locks the reports for one of them, and checks that they are still open.
func (r *reports) lock() (unlock func()) {
	r.mu.Lock()
	assert.False(r.t, r.closed, "a report after Close")
	return r.mu.Unlock
}

// Accepted implements statusfeed.Feed.
func (r *reports) Accepted(events int) {
	defer r.lock()()
	assert.Positive(r.t, events)
	r.accepted += int64(events)
}

// Enter implements statusfeed.Feed.
func (r *reports) Enter(b *batch.Batch) (first uint64) {
	defer r.lock()()
	before := len(r.entries)
	for record := range b.Records() {
		meta := batch.ReadMeta(record)
		r.entries = append(r.entries, Entry{ID: meta.ID, Name: meta.Name})
	}
	assert.Len(r.t, r.entries, before+b.Count())
	return uint64(before) + 1
}

// entry returns the entry of an event, nil if it has none.
func (r *reports) entry(number uint64, id string) *Entry {
	if number == 0 {
		return nil
	}
	if !assert.LessOrEqual(r.t, number, uint64(len(r.entries))) {
		return nil
	}
	e := &r.entries[number-1]
	assert.Equal(r.t, e.ID, id, "the event of entry %d", number)
	return e
}

// Attempted implements statusfeed.Feed.
func (r *reports) Attempted(exchanges []statusfeed.Exchange, pending *statusfeed.Pending) {
	defer r.lock()()
	for i := range exchanges {
		x := &exchanges[i]
		assert.False(r.t, x.Begun.IsZero())
		for j := range x.Events {
			message := ""
			if x.Message != nil {
				message = x.Message(j)
			}
			r.texts = append(r.texts, message)
			if e := r.entry(x.Events[j].Entry, x.Events[j].ID); e != nil {
				assert.Empty(r.t, e.Outcome, "%s is attempted after its outcome", e.ID)
				e.Tries = append(e.Tries, fmt.Sprintf("%d: %s", x.Status, message))
			}
		}
	}
	if pending == nil {
		return
	}
	for i := range pending.Events {
		if e := r.entry(pending.Events[i].Entry, pending.Events[i].ID); e != nil {
			assert.Empty(r.t, e.Outcome, "%s is pending after its outcome", e.ID)
			e.Next, e.GivesUp = pending.Next, pending.GivesUp
		}
	}
}

// Delivered implements statusfeed.Feed.
func (r *reports) Delivered(deliveries []statusfeed.Delivery) {
	var events []statusfeed.Event
	for _, d := range deliveries {
		for i := range d.Events {
			e := &d.Events[i]
			events = append(events, statusfeed.Event{Entry: e.Entry, ID: e.ID, Name: e.Name, Time: e.Time.AsTime(), Status: d.Status})
		}
	}
	r.settle(statusfeed.Delivered, "", len(events), func(i int) statusfeed.Event { return events[i] })
}

// Settled implements statusfeed.Feed.
func (r *reports) Settled(outcome statusfeed.Outcome, reason string, n int, event func(i int) statusfeed.Event) {
	assert.NotEqual(r.t, statusfeed.Delivered, outcome)
	r.settle(outcome, reason, n, event)
}

func (r *reports) settle(outcome statusfeed.Outcome, reason string, n int, event func(i int) statusfeed.Event) {
	defer r.lock()()
	assert.Positive(r.t, n)
	name := strings.TrimSuffix(string(outcome)+"/"+reason, "/")
	r.outcomes[name] += int64(n)
	r.reports = append(r.reports, fmt.Sprintf("%s: %d", name, n))
	for i := range n {
		reported := event(i)
		r.texts = append(r.texts, reported.Message)
		e := r.entry(reported.Entry, reported.ID)
		if e == nil {
			r.settled = append(r.settled, Entry{ID: reported.ID, Name: reported.Name, Time: reported.Time})
			e = &r.settled[len(r.settled)-1]
		}
		assert.Empty(r.t, e.Outcome, "%s gets a second outcome", e.ID)
		e.Outcome, e.Message, e.Status = name, reported.Message, reported.Status
	}
}

// Replayed implements statusfeed.Feed.
func (r *reports) Replayed(letters []statusfeed.ReplayedLetter) {
	defer r.lock()()
	for _, letter := range letters {
		result := letter.ID + " refused"
		if letter.Delivered {
			result = letter.ID + " delivered"
		}
		r.replayed = append(r.replayed, result)
	}
}

// Requested implements statusfeed.Feed.
func (r *reports) Requested(status int, _ time.Duration, events int) {
	defer r.lock()()
	r.requests = append(r.requests, fmt.Sprintf("%d: %d events", status, events))
}

// Works implements statusfeed.Feed.
func (r *reports) Works() {
	defer r.lock()()
	r.works++
}

// Fails implements statusfeed.Feed.
func (r *reports) Fails(p *statusfeed.Problem) {
	defer r.lock()()
	assert.NotEmpty(r.t, p.Message)
	assert.NotEmpty(r.t, p.Remedy, p.Message)
	r.problems = append(r.problems, *p)
	r.texts = append(r.texts, p.Message, p.Remedy)
}

// Close implements statusfeed.Feed.
func (r *reports) Close() {
	defer r.lock()()
	r.closed = true
}
