// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// backend remembers one exporter id, for all its signals.
type backend struct {
	id       component.ID
	name     string // id.String()
	payloads Payloads
	emptied  *bell

	mu           sync.Mutex
	exporters    []*feed // those that run
	signals      []signal
	pausedAt     time.Time // zero if it is not paused
	ring         ring
	counts       counts
	series       series
	times        responseTimes
	lastError    *Error
	lastDelivery time.Time
	lastActivity time.Time
}

// signal is a signal of a backend.
type signal struct {
	name string
	health
}

func newBackend(id component.ID, set *Settings, emptied *bell) *backend {
	return &backend{
		id: id, name: id.String(), payloads: set.Payloads, emptied: emptied,
		ring: newRing(set.RecentEvents), series: series{began: set.Now()},
	}
}

// add returns the feed of an exporter that has started.
func (b *backend) add(e *statusfeed.Exporter, now func() time.Time) *feed {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.signals, func(s signal) bool { return s.name == e.Signal })
	if i < 0 {
		i = len(b.signals)
		b.signals = append(b.signals, signal{e.Signal, health{state: Starting, since: now()}})
	}
	f := &feed{backend: b, exporter: e, signal: uint8(i), now: now} //nolint:gosec // there are few signals
	b.exporters = append(b.exporters, f)
	return f
}

func (b *backend) remove(f *feed) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.exporters = slices.DeleteFunc(b.exporters, func(other *feed) bool { return other == f })
}

// running returns the feeds of the exporters that run. Their functions must not be called with b.mu
// locked: they may wait for what reports to this backend.
func (b *backend) running() []*feed {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.exporters)
}

// reenter makes an entry for an event that has none, or whose entry was replaced. When it was received is
// unknown.
func (b *backend) reenter(event *statusfeed.Event, signal uint8, now int64) *entry {
	b.ring.texts.add(event.ID, event.Name, nanos(event.Time))
	e := b.ring.texts.enter(b.ring.enter, signal, now)
	e.received = 0
	return e
}

// enterFailed makes an entry for an event whose attempt failed after its entry was replaced. It
// returns nil if there can be none.
func (b *backend) enterFailed(event *batch.Event, signal uint8, now int64) *entry {
	if event.Entry == 0 || b.ring.size == 0 {
		return nil
	}
	b.ring.texts.add(event.ID, event.Name, int64(event.Time)) //nolint:gosec // until the year 2262
	e := b.ring.texts.enter(func(now int64) *entry { return b.ring.enterUndelivered(event.Entry, now) }, signal, now)
	e.received = 0
	return e
}

// event returns what an entry says.
func (b *backend) event(e *entry) Event {
	event := e.event(!b.pausedAt.IsZero())
	event.Backend, event.Signal = b.name, b.signals[e.signal].name
	return event
}
