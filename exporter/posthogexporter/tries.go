// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"sync"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// try is a request of capture v1, which PostHog wants to know again when what is owed of it is sent again.
type try struct {
	// id and createdAt stay the same; attempt counts from 1.
	id, createdAt string
	attempt       int
}

// tries remembers which request an event that is owed was part of, by its uuid. Its methods are safe for concurrent use.
type tries struct {
	mu   sync.Mutex
	owed map[uuid]try
}

// maxOwed bounds the memory. What is forgotten is sent as a new request, which does no harm.
const maxOwed = 50_000

// remember notes that events of a request are owed.
func (ts *tries) remember(events []delivery.Event, t try) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.owed == nil || len(ts.owed)+len(events) > maxOwed {
		ts.owed = map[uuid]try{}
	}
	for i := range events {
		ts.owed[uuidIn(events[i].Payload)] = t
	}
}

// take returns the requests that events were part of, and forgets them.
func (ts *tries) take(events []delivery.Event) map[uuid]try {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if len(ts.owed) == 0 {
		return nil
	}
	taken := map[uuid]try{}
	for i := range events {
		id := uuidIn(events[i].Payload)
		if t, ok := ts.owed[id]; ok {
			taken[id] = t
			delete(ts.owed, id)
		}
	}
	return taken
}

// forget notes that an event is no longer owed.
func (ts *tries) forget(id uuid) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	delete(ts.owed, id)
}
