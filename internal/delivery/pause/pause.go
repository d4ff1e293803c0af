// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package pause lets an operator pause an exporter: while it is paused, nothing is sent.
package pause

import (
	"context"
	"sync"
	"time"
)

// Switch pauses and resumes one exporter of one signal. Its methods are safe for concurrent use.
type Switch struct {
	mu sync.Mutex
	// running is canceled when the exporter is paused; resumed is closed when it is resumed.
	running context.Context //nolint:containedctx // it spans the time between two pauses, not a call
	cancel  context.CancelFunc
	resumed chan struct{}
	// since is when the present pause began; zero without one. before is how long the others lasted.
	since  time.Time
	before time.Duration
}

// New returns the switch of an exporter that is not paused.
func New() *Switch {
	s := &Switch{}
	s.running, s.cancel = context.WithCancel(context.Background())
	return s
}

// Set pauses or resumes the exporter, and reports whether that changes anything.
func (s *Switch) Set(paused bool) (changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if paused == s.isPaused() {
		return false
	}
	now := time.Now()
	if paused {
		s.since, s.resumed = now, make(chan struct{})
		s.cancel()
		return true
	}
	s.before, s.since = s.before+now.Sub(s.since), time.Time{}
	s.running, s.cancel = context.WithCancel(context.Background())
	close(s.resumed)
	return true
}

// IsPaused reports whether the exporter is paused.
func (s *Switch) IsPaused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isPaused()
}

func (s *Switch) isPaused() bool { return !s.since.IsZero() }

// Wait waits while the exporter is paused. It returns early if ctx ends or stopping is closed.
func (s *Switch) Wait(ctx context.Context, stopping <-chan struct{}) {
	for {
		s.mu.Lock()
		paused, resumed := s.isPaused(), s.resumed
		s.mu.Unlock()
		if !paused {
			return
		}
		select {
		case <-resumed: // it may be paused again by now
		case <-stopping:
			return
		case <-ctx.Done():
			return
		}
	}
}

// Bound returns a context that ends with ctx, and when the exporter is paused.
func (s *Switch) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	s.mu.Lock()
	running := s.running
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	release := context.AfterFunc(running, cancel)
	return ctx, func() {
		release()
		cancel()
	}
}

// Now returns the time of a clock that stands still while the exporter is paused. It serves to measure
// times without those pauses.
func (s *Switch) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.isPaused() {
		now = s.since
	}
	return now.Add(-s.before)
}
