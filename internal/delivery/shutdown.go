// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// lifetime is when an exporter stops, and when sending has to be over. Its methods are safe for
// concurrent use.
type lifetime struct {
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

func newLifetime() *lifetime {
	l := &lifetime{begun: make(chan struct{})}
	l.over, l.cancel = context.WithCancel(context.Background())
	return l
}

// announce notes that the collector stops its exporters, and since when.
func (l *lifetime) announce(since time.Time) { l.announced.CompareAndSwap(nil, &since) }

// begin begins the end of the exporter, which may go on sending for the timeout.
func (l *lifetime) begin(timeout time.Duration) {
	l.once.Do(func() {
		l.timer = time.AfterFunc(l.left(timeout, time.Now()), l.cancel)
		close(l.begun)
	})
}

// left is how long the exporter may go on sending. The time of all exporters runs from when the
// first is told to stop, since the collector stops one after the other: the last would else wait
// for all before it to end. A tenth is left in any case.
func (l *lifetime) left(timeout time.Duration, now time.Time) time.Duration {
	since := l.announced.Load()
	if since == nil {
		return timeout
	}
	return max(timeout-now.Sub(*since), timeout/10)
}

func (l *lifetime) end() {
	if l.timer != nil {
		l.timer.Stop()
	}
	l.cancel()
}

// isStopping reports whether the exporter was told to stop.
func (l *lifetime) isStopping() bool {
	select {
	case <-l.begun:
		return true
	default:
		return false
	}
}

// isOver reports whether nothing may be sent any more.
func (l *lifetime) isOver() bool { return l.over.Err() != nil }

// bound is ctx, but it ends when the time for sending does.
func (l *lifetime) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	release := context.AfterFunc(l.over, cancel)
	return ctx, func() {
		release()
		cancel()
	}
}

// sleep waits. It reports false when the exporter is told to stop, or ctx ends, before that.
func (l *lifetime) sleep(ctx context.Context, wait time.Duration) bool {
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
