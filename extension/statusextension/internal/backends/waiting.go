// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// Left is the number of events of a backend that wait or are being sent.
type Left struct {
	Backend string
	Events  int64
	// Paused is true if the backend sends nothing.
	Paused bool
}

// Waiting returns the backends with events that wait or are being sent, of those with the ids or,
// without ids, of all. changed is closed when a backend may have become empty. Its queue may notice
// this a little later: ask again after 100 ms too.
func (r *Registry) Waiting(ids ...string) (left []Left, changed <-chan struct{}) {
	changed = r.emptied.wait() // before the look, so that no change is missed
	for _, b := range r.sorted() {
		if len(ids) > 0 && !slices.Contains(ids, b.name) {
			continue
		}
		if one := b.left(); one.Events > 0 {
			left = append(left, one)
		}
	}
	return left, changed
}

func (b *backend) left() Left {
	var queued int64
	for _, f := range b.running() {
		f.call(func(e *statusfeed.Exporter) {
			if e.Queue != nil {
				queued += e.Queue().Events
			}
		})
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return Left{b.name, b.counts.waiting(queued), !b.pausedAt.IsZero()}
}

// bell wakes all that wait. If nobody does, ringing costs one atomic load.
type bell struct {
	awaited atomic.Bool
	mu      sync.Mutex
	next    chan struct{} // closed by the next ring; nil if nobody waits
}

func (b *bell) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == nil {
		b.next = make(chan struct{})
		b.awaited.Store(true)
	}
	return b.next
}

func (b *bell) ring() {
	if !b.awaited.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next != nil {
		close(b.next)
		b.next = nil
		b.awaited.Store(false)
	}
}
