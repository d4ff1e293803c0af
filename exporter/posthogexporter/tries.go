// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"strings"
	"sync"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// try identifies a request of capture v1. When its events are resent, the request has the same id
// and createdAt, and the next attempt number.
type try struct {
	id, createdAt string
	attempt       int // from 1; 0 for a request that was not sent yet
}

// tries remembers the last request of each pending event, by the event's uuid. Its methods are safe
// for concurrent use.
type tries struct {
	mu      sync.Mutex
	pending map[string]try
}

// maxPending bounds the size of tries. When it is reached, all earlier tries are forgotten, and
// their events are resent in new requests, which is harmless.
const maxPending = 50_000

// remember records that the events of a request are pending.
func (ts *tries) remember(events []delivery.Event, t try) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.pending == nil || len(ts.pending)+len(events) > maxPending {
		ts.pending = map[string]try{}
	}
	for i := range events {
		// Without the clone, the string would keep the whole batch in memory.
		ts.pending[strings.Clone(eventUUID(&events[i]))] = t
	}
}

// take returns the last request of each event, by the event's uuid, and forgets it.
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

// tryGroup holds events that may share requests: those of one try or, if try is the zero value,
// those that are sent for the first time.
type tryGroup struct {
	try    try
	events []delivery.Event
}

// group groups events by their last request.
func (ts *tries) group(events []delivery.Event) []tryGroup {
	taken := ts.take(events)
	if len(taken) == 0 {
		return []tryGroup{{events: events}}
	}
	var groups []tryGroup
	places := map[string]int{} // indexes in groups, by the id of the request
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
