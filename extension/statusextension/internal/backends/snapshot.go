// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"slices"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// Backend describes a backend and its present state. Times are zero if they are unknown.
type Backend struct {
	// ID is the exporter's, such as webhook/audit, and Kind its type.
	ID, Kind string
	// Signals are logs, traces or both.
	Signals []string
	State   State
	// Since is when the backend got into its state.
	Since time.Time
	// Endpoint is the URL without secrets; empty if there is no single one.
	Endpoint string
	// Sync is true if callers wait for the backend, Durable if its queue is on disk, and CanPause
	// if SetPaused works.
	Sync, Durable, CanPause bool
	// DeadLetter is the id of the extension that keeps what cannot be delivered; empty without one.
	DeadLetter string
	// PausedAt is when an operator paused it, RateLimitedUntil when the backend may be asked again.
	PausedAt, RateLimitedUntil time.Time
	// LastError is nil if there was none.
	LastError *Error
	// LastDelivery is when it last accepted events, and LastActivity when the last request ended.
	LastDelivery, LastActivity time.Time
	Counts                     Counts
	// LastMinute and LastFiveMinutes are events per minute.
	LastMinute, LastFiveMinutes Rates
	// Queue is nil if callers wait instead. That of two signals is the sum of both.
	Queue *statusfeed.Queue
	// InFlight is the number of requests that are being sent.
	InFlight     int
	ResponseTime ResponseTime
	Series       Series
}

// Error is the last error of a backend.
type Error struct {
	Time time.Time
	// Status is the HTTP status; 0 without a response.
	Status int
	// Message is the backend's message, or the error, and Remedy the advice for an operator.
	Message, Remedy string
}

// Counts count the events of a backend since the start.
type Counts struct {
	Accepted int64
	// Outcomes are sorted by outcome and reason.
	Outcomes []OutcomeCount
	// Waiting have no outcome yet. It includes those that an earlier process accepted and stored.
	Waiting int64
	// ReplayedDelivered and ReplayedRefused count replayed dead letters.
	ReplayedDelivered, ReplayedRefused int64
}

// Of returns the number of events with an outcome, for any reason.
func (c *Counts) Of(outcome statusfeed.Outcome) (events int64) {
	for _, counted := range c.Outcomes {
		if counted.Outcome == outcome {
			events += counted.Events
		}
	}
	return events
}

// OutcomeCount is the number of events with one outcome for one reason.
type OutcomeCount struct {
	Outcome statusfeed.Outcome
	Reason  string
	Events  int64
}

// Rates are events per minute. NotDelivered are dead-lettered, dropped and returned.
type Rates struct{ Accepted, Delivered, NotDelivered float64 }

// ResponseTime summarizes the times of the last requests that got a response, at most 100.
type ResponseTime struct {
	Requests       int
	Mean, P50, P95 time.Duration
}

// Series counts the events of the last 15 minutes in steps, oldest first.
type Series struct {
	Step time.Duration
	// Until is the end of the last step, which is not over yet.
	Until                   time.Time
	Delivered, NotDelivered []int64
}

// Snapshot returns all backends, sorted by id.
func (r *Registry) Snapshot() []Backend {
	all := r.sorted()
	snapshots := make([]Backend, 0, len(all))
	for _, b := range all {
		snapshots = append(snapshots, b.snapshot(r.set.Now()))
	}
	return snapshots
}

// Backend returns one backend.
func (r *Registry) Backend(id string) (b Backend, found bool) {
	known := r.backend(id)
	if known == nil {
		return Backend{}, false
	}
	return known.snapshot(r.set.Now()), true
}

func (b *backend) snapshot(now time.Time) Backend {
	result := Backend{ID: b.name, Kind: b.id.Type().String()}
	for _, f := range b.running() {
		f.call(result.ask)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.addState(&result)
	if b.lastError != nil {
		last := *b.lastError
		result.LastError = &last
	}
	result.LastDelivery, result.LastActivity = b.lastDelivery, b.lastActivity
	result.Counts = b.counts.snapshot()
	result.Counts.Waiting = b.counts.waiting(result.queued())
	result.LastMinute, result.LastFiveMinutes = b.series.rates(now, time.Minute), b.series.rates(now, 5*time.Minute)
	result.ResponseTime, result.Series = b.times.summary(), b.series.steps(now)
	return result
}

// ask adds what an exporter says of itself.
func (b *Backend) ask(e *statusfeed.Exporter) {
	b.Endpoint, b.Sync, b.Durable, b.CanPause = e.Endpoint, e.Sync, e.Durable, e.SetPaused != nil
	if e.DeadLetter != nil {
		b.DeadLetter = e.DeadLetter.String()
	}
	if e.InFlight != nil {
		b.InFlight += e.InFlight()
	}
	if e.Queue == nil {
		return
	}
	queue := e.Queue()
	if b.Queue != nil {
		queue.Events, queue.Bytes = queue.Events+b.Queue.Events, queue.Bytes+b.Queue.Bytes
		queue.Size, queue.Capacity = queue.Size+b.Queue.Size, queue.Capacity+b.Queue.Capacity
		if oldest := b.Queue.Oldest; queue.Oldest.IsZero() || !oldest.IsZero() && oldest.Before(queue.Oldest) {
			queue.Oldest = oldest
		}
	}
	b.Queue = &queue
}

func (b *Backend) queued() int64 {
	if b.Queue == nil {
		return 0
	}
	return b.Queue.Events
}

// addState adds the signals and the worst state of them.
func (b *backend) addState(result *Backend) {
	var worst health
	for _, s := range b.signals {
		result.Signals = append(result.Signals, s.name)
		worst = worse(s.health, worst)
	}
	slices.Sort(result.Signals)
	result.State, result.Since = worst.state, worst.since
	if worst.state == RateLimited {
		result.RateLimitedUntil = worst.until
	}
	if !b.pausedAt.IsZero() {
		result.State, result.Since, result.PausedAt = Paused, b.pausedAt, b.pausedAt
	}
}
