// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"sync"
	"time"
)

// stopping is the exporter's end: when it began, and when sending has to be over.
type stopping struct {
	// begun is closed when the exporter is told to stop.
	begun chan struct{}
	once  sync.Once
	// over ends when the time for sending is.
	over   context.Context //nolint:containedctx // it is the life of the exporter, not of a call
	cancel context.CancelFunc
	timer  *time.Timer
}

func (s *stopping) init() {
	s.begun = make(chan struct{})
	s.over, s.cancel = context.WithCancel(context.Background())
}

func (s *stopping) begin(timeout time.Duration) {
	s.once.Do(func() {
		s.timer = time.AfterFunc(timeout, s.cancel)
		close(s.begun)
	})
}

func (s *stopping) end() {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.cancel()
}

// isBegun reports whether the exporter was told to stop.
func (s *stopping) isBegun() bool {
	select {
	case <-s.begun:
		return true
	default:
		return false
	}
}

// isOver reports whether nothing may be sent any more.
func (s *stopping) isOver() bool { return s.over.Err() != nil }

// bound is ctx, but it ends when the time for sending does.
func (s *stopping) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	release := context.AfterFunc(s.over, cancel)
	return ctx, func() {
		release()
		cancel()
	}
}

// backoffs are the batches that wait in exporterhelper to be sent again. At the end it forgets them.
type backoffs struct {
	mu      sync.Mutex
	waiting map[*batch]struct{}
}

func (b *backoffs) add(owed *batch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting == nil {
		b.waiting = map[*batch]struct{}{}
	}
	b.waiting[owed] = struct{}{}
}

func (b *backoffs) remove(owed *batch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.waiting, owed)
}

// all takes out those that are left.
func (b *backoffs) all() []*batch {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := make([]*batch, 0, len(b.waiting))
	for owed := range b.waiting {
		left = append(left, owed)
	}
	clear(b.waiting)
	return left
}
