// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// journal records all requests to a backend, whatever the response.
type journal struct {
	mu       sync.Mutex
	entries  []entry
	inFlight int
	peak     int
}

// entry is a request with its time and events.
type entry struct {
	at     time.Time
	events []event
}

// of wraps a behavior, and records its requests.
func (j *journal) of(behave behavior) behavior {
	return func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
		j.enter(events)
		defer j.leave()
		return behave(w, r, events, body)
	}
}

func (j *journal) enter(events []event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = append(j.entries, entry{time.Now(), events})
	j.inFlight++
	j.peak = max(j.peak, j.inFlight)
}

func (j *journal) leave() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.inFlight--
}

// written returns all entries so far.
func (j *journal) written() []entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.entries)
}

// most is the maximum number of concurrent requests.
func (j *journal) most() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.peak
}

// byID returns the times at which each event was sent.
func (j *journal) byID() map[string][]time.Time {
	times := map[string][]time.Time{}
	for _, e := range j.written() {
		for _, sent := range e.events {
			times[sent.id()] = append(times[sent.id()], e.at)
		}
	}
	return times
}
