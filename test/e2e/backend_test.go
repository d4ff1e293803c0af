// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// behavior responds to a request, and reports whether the backend accepted its events.
type behavior func(w http.ResponseWriter, r *http.Request, events []event, body []byte) (taken bool)

// backend is a webhook whose behavior can change at any time. Unlike an inbox it accepts repeated
// events, and counts them.
type backend struct {
	URL string

	t *testing.T
	// open extracts the events from a body; nil if the body is the events.
	open func(header http.Header, body []byte) (events []byte)

	mu       sync.Mutex
	behave   behavior
	requests int
	events   map[string][]event // accepted events, by id
}

func newBackend(t *testing.T, behave behavior) *backend {
	t.Helper()
	b := &backend{t: t, behave: behave, events: map[string][]event{}}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	b.URL = server.URL + "/hook"
	return b
}

// setBehavior changes the behavior.
func (b *backend) setBehavior(behave behavior) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.behave = behave
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the collector has disconnected
	}
	if b.open != nil {
		body = b.open(r.Header, body)
	}
	events, err := eventsOf(body)
	if err != nil {
		b.t.Errorf("the backend was sent a bad request: %v: %.1000s", err, body)
	}
	b.mu.Lock()
	b.requests++
	behave := b.behave
	b.mu.Unlock()
	if !behave(w, r, events, body) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range events {
		b.events[e.id()] = append(b.events[e.id()], e)
	}
}

// eventsOf reads a body that is an event or an array of events.
func eventsOf(body []byte) ([]event, error) {
	if len(body) > 0 && body[0] == '[' {
		var events []event
		err := unmarshal(body, &events)
		return events, err
	}
	var e event
	err := unmarshal(body, &e)
	return []event{e}, err
}

// requested returns the number of requests.
func (b *backend) requested() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.requests
}

// tally returns how many distinct events were accepted, and how many were repeated after that.
func (b *backend) tally() (different, again int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, events := range b.events {
		again += len(events) - 1
	}
	return len(b.events), again
}

// missing returns the ids from 0 to n-1 of events that were not accepted.
func (b *backend) missing(n int) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var ids []string
	for i := range n {
		if b.events[eventID(i)] == nil {
			ids = append(ids, eventID(i))
		}
	}
	return ids
}

// Behaviors of a backend.

func accepting(w http.ResponseWriter, _ *http.Request, _ []event, _ []byte) bool {
	w.WriteHeader(http.StatusOK)
	return true
}

// refusing responds with a status and a text.
func refusing(status int, said string) behavior {
	return func(w http.ResponseWriter, _ *http.Request, _ []event, _ []byte) bool {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, said)
		return false
	}
}

// hanging does not respond while the collector waits.
func hanging(_ http.ResponseWriter, r *http.Request, _ []event, _ []byte) bool {
	<-r.Context().Done()
	return false
}

// held responds when it is released.
func held(release <-chan struct{}) behavior {
	return func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
		select {
		case <-release:
			return accepting(w, r, events, body)
		case <-r.Context().Done():
			return false
		}
	}
}

// resetting resets the connection.
func resetting(w http.ResponseWriter, _ *http.Request, _ []event, _ []byte) bool {
	connection, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return false
	}
	_ = connection.(*net.TCPConn).SetLinger(0)
	_ = connection.Close()
	return false
}
