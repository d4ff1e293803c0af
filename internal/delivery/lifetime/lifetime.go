// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package lifetime tracks when an exporter is stopping, and until when it may send.
package lifetime

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Lifetime is the lifetime of one exporter. Its methods are safe for concurrent use.
type Lifetime struct {
	// begun is closed when the exporter begins to stop.
	begun chan struct{}
	once  sync.Once
	// over is canceled when nothing may be sent any more.
	over   context.Context //nolint:containedctx // it spans the life of the exporter, not a call
	cancel context.CancelFunc
	timer  *time.Timer
	// announced is when the collector began to stop its exporters.
	announced atomic.Pointer[time.Time]
}

// New returns the lifetime of a running exporter.
func New() *Lifetime {
	l := &Lifetime{begun: make(chan struct{})}
	l.over, l.cancel = context.WithCancel(context.Background())
	return l
}

// Announce notes since when the collector has been stopping its exporters.
func (l *Lifetime) Announce(since time.Time) { l.announced.CompareAndSwap(nil, &since) }

// Begin begins the shutdown. The exporter may go on sending for the timeout.
func (l *Lifetime) Begin(timeout time.Duration) {
	l.once.Do(func() {
		l.timer = time.AfterFunc(l.Left(timeout, time.Now()), l.cancel)
		close(l.begun)
	})
}

// Left returns how long the exporter may go on sending. The collector stops its exporters one after
// another, so the timeout of all of them counts from when the first was stopped; otherwise they
// would add up. Each exporter gets at least a tenth of its timeout.
func (l *Lifetime) Left(timeout time.Duration, now time.Time) time.Duration {
	since := l.announced.Load()
	if since == nil {
		return timeout
	}
	return max(timeout-now.Sub(*since), timeout/10)
}

// End releases the lifetime's resources, once nothing is sent any more.
func (l *Lifetime) End() {
	if l.timer != nil {
		l.timer.Stop()
	}
	l.cancel()
}

// Stopping returns a channel that is closed when the shutdown begins.
func (l *Lifetime) Stopping() <-chan struct{} { return l.begun }

// IsStopping reports whether the shutdown has begun.
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

// Bound returns a context that ends with ctx, and when nothing may be sent any more.
func (l *Lifetime) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	release := context.AfterFunc(l.over, cancel)
	return ctx, func() {
		release()
		cancel()
	}
}

// Sleep waits. It returns false if the shutdown begins, or ctx ends, before that.
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
