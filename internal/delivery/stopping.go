// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pipeline"
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
	// foretold is when the first exporter of the collector was told to stop.
	foretold atomic.Pointer[time.Time]
}

func (s *stopping) init() {
	s.begun = make(chan struct{})
	s.over, s.cancel = context.WithCancel(context.Background())
}

// foretell says that the collector stops its exporters, and since when.
func (s *stopping) foretell(since time.Time) { s.foretold.CompareAndSwap(nil, &since) }

func (s *stopping) begin(timeout time.Duration) {
	s.once.Do(func() {
		s.timer = time.AfterFunc(s.left(timeout, time.Now()), s.cancel)
		close(s.begun)
	})
}

// left is how long the exporter may go on sending. The time of all exporters runs from when the first is told to stop, since the
// collector stops one after the other: the last would else wait for all before it to end. A tenth is left in any case.
func (s *stopping) left(timeout time.Duration, now time.Time) time.Duration {
	since := s.foretold.Load()
	if since == nil {
		return timeout
	}
	return max(timeout-now.Sub(*since), timeout/10)
}

// exporterHost is a host that knows all exporters of the collector, as its own does (service/internal/graph).
type exporterHost interface {
	GetExporters() map[pipeline.Signal]map[component.ID]component.Component
}

// foretellAll tells all exporters of ours that the collector stops.
func foretellAll(host component.Host, now time.Time) {
	h, ok := host.(exporterHost)
	if !ok {
		return
	}
	for _, exporters := range h.GetExporters() {
		for _, e := range exporters {
			if ours, ok := e.(interface{ foretell(since time.Time) }); ok {
				ours.foretell(now)
			}
		}
	}
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
