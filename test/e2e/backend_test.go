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

// behavior answers a request to a backend, and tells whether the backend has taken its events.
type behavior func(w http.ResponseWriter, r *http.Request, events []event, body []byte) (taken bool)

// backend is a webhook that may be sick: what it does can be changed at any time. Unlike an inbox it takes an event as
// often as it is sent, and counts.
type backend struct {
	URL string

	t *testing.T
	// open takes the events out of what they were sent in; nil where they are the body.
	open func(header http.Header, body []byte) (events []byte)

	mu       sync.Mutex
	behave   behavior
	requests int
	events   map[string][]event // those that it has taken, by id
}

func newBackend(t *testing.T, behave behavior) *backend {
	t.Helper()
	b := &backend{t: t, behave: behave, events: map[string][]event{}}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	b.URL = server.URL + "/hook"
	return b
}

// become changes what it does.
func (b *backend) become(behave behavior) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.behave = behave
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the collector has gone
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

// eventsOf reads a body that is an event, or an array of them.
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

// requested is how many requests there were.
func (b *backend) requested() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.requests
}

// tally is how many different events it has taken, and how many were sent again after that.
func (b *backend) tally() (different, again int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, events := range b.events {
		again += len(events) - 1
	}
	return len(b.events), again
}

// missing are the ids, of those from 0 to n-1, of events that it has not taken.
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

// What a backend may do.

func well(w http.ResponseWriter, _ *http.Request, _ []event, _ []byte) bool {
	w.WriteHeader(http.StatusOK)
	return true
}

// refusing answers with a status and a text.
func refusing(status int, said string) behavior {
	return func(w http.ResponseWriter, _ *http.Request, _ []event, _ []byte) bool {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, said)
		return false
	}
}

// hanging does not answer while the collector waits.
func hanging(_ http.ResponseWriter, r *http.Request, _ []event, _ []byte) bool {
	<-r.Context().Done()
	return false
}

// held answers when it is released.
func held(release <-chan struct{}) behavior {
	return func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
		select {
		case <-release:
			return well(w, r, events, body)
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
