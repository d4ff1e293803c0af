// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"strings"
	"sync"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// try identifies a request of capture v1. Events of it that are sent again carry the same id and
// time, and the next attempt.
type try struct {
	id, createdAt string
	attempt       int // counts from 1; 0 is a request that was not sent yet
}

// tries remembers the request that each pending event was last part of, by the event's uuid. Its
// methods are safe for concurrent use.
type tries struct {
	mu      sync.Mutex
	pending map[string]try
}

// maxPending bounds the memory of tries. When it is reached, all earlier tries are forgotten; their
// events are sent again in new requests, which does no harm.
const maxPending = 50_000

// remember records that events of a request are pending.
func (ts *tries) remember(events []delivery.Event, t try) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.pending == nil || len(ts.pending)+len(events) > maxPending {
		ts.pending = map[string]try{}
	}
	for i := range events {
		// The clone does not keep the texts of the whole batch in memory.
		ts.pending[strings.Clone(eventUUID(&events[i]))] = t
	}
}

// take returns the requests that events were part of, and forgets them.
func (ts *tries) take(events []delivery.Event) map[string]try {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if len(ts.pending) == 0 {
		return nil
	}
	taken := map[string]try{}
	for i := range events {
		id := eventUUID(&events[i])
		if t, ok := ts.pending[id]; ok {
			taken[id] = t
			delete(ts.pending, id)
		}
	}
	return taken
}

// forget records that an event is no longer pending.
func (ts *tries) forget(e *delivery.Event) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	delete(ts.pending, eventUUID(e))
}

// tryGroup is events that go into requests of their own: those of one try, or with its zero value
// those that are sent for the first time.
type tryGroup struct {
	try    try
	events []delivery.Event
}

// group groups events by the request that they were last part of.
func (ts *tries) group(events []delivery.Event) []tryGroup {
	taken := ts.take(events)
	if len(taken) == 0 {
		return []tryGroup{{events: events}}
	}
	var groups []tryGroup
	places := map[string]int{} // by the id of the request
	for i := range events {
		t := taken[eventUUID(&events[i])]
		place, ok := places[t.id]
		if !ok {
			place = len(groups)
			places[t.id] = place
			groups = append(groups, tryGroup{try: t})
		}
		groups[place].events = append(groups[place].events, events[i])
	}
	return groups
}
