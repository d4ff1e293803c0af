// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package lifetime says when an exporter stops, and when its sending has to be over.
package lifetime

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Lifetime is that of one exporter. Its methods are safe for concurrent use.
type Lifetime struct {
	// begun is closed when the exporter is told to stop.
	begun chan struct{}
	once  sync.Once
	// over ends when the time for sending is.
	over   context.Context //nolint:containedctx // it is the life of the exporter, not of a call
	cancel context.CancelFunc
	timer  *time.Timer
	// announced is when the first exporter of the collector was told to stop.
	announced atomic.Pointer[time.Time]
}

// New returns the lifetime of an exporter that has not been told to stop.
func New() *Lifetime {
	l := &Lifetime{begun: make(chan struct{})}
	l.over, l.cancel = context.WithCancel(context.Background())
	return l
}

// Announce notes that the collector stops its exporters, and since when.
func (l *Lifetime) Announce(since time.Time) { l.announced.CompareAndSwap(nil, &since) }

// Begin begins the end of the exporter, which may go on sending for the timeout.
func (l *Lifetime) Begin(timeout time.Duration) {
	l.once.Do(func() {
		l.timer = time.AfterFunc(l.Left(timeout, time.Now()), l.cancel)
		close(l.begun)
	})
}

// Left is how long the exporter may go on sending. The time of all exporters runs from when the
// first is told to stop, since the collector stops one after the other, and the last would else
// wait for all before it. A tenth is left in any case.
func (l *Lifetime) Left(timeout time.Duration, now time.Time) time.Duration {
	since := l.announced.Load()
	if since == nil {
		return timeout
	}
	return max(timeout-now.Sub(*since), timeout/10)
}

// End frees what the lifetime holds, when nothing is sent any more.
func (l *Lifetime) End() {
	if l.timer != nil {
		l.timer.Stop()
	}
	l.cancel()
}

// IsStopping reports whether the exporter was told to stop.
func (l *Lifetime) IsStopping() bool {
	select {
	case <-l.begun:
		return true
	default:
		return false
	}
}

// IsOver reports whether nothing may be sent any more.
func (l *Lifetime) IsOver() bool { return l.over.Err() != nil }

// Bound is ctx, but it ends when the time for sending does.
func (l *Lifetime) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	release := context.AfterFunc(l.over, cancel)
	return ctx, func() {
		release()
		cancel()
	}
}

// Sleep waits. It reports false when the exporter is told to stop, or ctx ends, before that.
func (l *Lifetime) Sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.begun:
		return false
	case <-ctx.Done():
		return false
	}
}
