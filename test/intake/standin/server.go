// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// Server is the server of a stand-in, with its requests. R is the stand-in's type for a request.
type Server[R any] struct {
	t         testing.TB
	vendor    string
	recording bool
	server    *httptest.Server
	closing   chan struct{} // closed when the test ends, to end hanging responses

	mu         sync.Mutex
	requests   []R
	violations []Violation
}

// Start starts the server, which stops with the test. A broken rule fails the test, unless it is
// only recorded.
func (s *Server[R]) Start(t testing.TB, vendor string, recording bool, handler http.Handler) {
	s.t, s.vendor, s.recording, s.closing = t, vendor, recording, make(chan struct{})
	s.server = httptest.NewServer(handler)
	t.Cleanup(func() {
		close(s.closing)
		s.server.Close()
	})
}

// URL returns the server's address.
func (s *Server[R]) URL() string { return s.server.URL }

// Do calls a function while holding the lock.
func (s *Server[R]) Do(something func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	something()
}

// Requests returns all requests, in the order of their responses.
func (s *Server[R]) Requests() []R { return All(s, &s.requests) }

// Violations returns the rules broken so far.
func (s *Server[R]) Violations() []Violation { return All(s, &s.violations) }

// All returns a copy of the items so far.
func All[R, T any](s *Server[R], things *[]T) []T {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(*things)
}

// Hold delays a reply as it asks, and returns it, or a reset if the client no longer waits.
func (s *Server[R]) Hold(r *http.Request, reply Reply) Reply {
	if reply.Hang == nil && reply.Delay == 0 {
		return reply
	}
	var delay <-chan time.Time
	if reply.Delay > 0 {
		delay = time.After(reply.Delay)
	}
	select {
	case <-reply.Hang:
	case <-delay:
	case <-s.closing:
		return Reply{Reset: true}
	case <-r.Context().Done():
	}
	if r.Context().Err() != nil {
		return Reply{Reset: true}
	}
	return reply
}

// Note records a request and its violations, and fails the test for them with the line and the
// body. It must be called within Do.
func (s *Server[R]) Note(request R, violations []Violation, line string, body []byte) {
	s.requests = append(s.requests, request)
	s.violations = append(s.violations, violations...)
	if !s.recording && len(violations) > 0 {
		s.t.Errorf("the request breaks these rules of %s:%s\n%s\n%.2000s", s.vendor, report(violations), line, body)
	}
}
