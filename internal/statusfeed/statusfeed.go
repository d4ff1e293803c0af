// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package statusfeed defines how exporters and the fanout connector tell the status extension what
// became of events. They find the extension when they start ([Find]); without it they report nothing,
// which costs a comparison with nil.
//
// An exporter reports an event when it is accepted, after each attempt, and when it is settled, which
// happens once. The extension remembers the last events in entries, which have numbers; the
// number travels with the event, so that a report finds its entry without a search.
package statusfeed

import (
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
)

// Registry is the status extension. Its methods may be called before it is started, and are safe for
// concurrent use.
type Registry interface {
	component.Component

	// AddExporter registers an exporter of one signal, which calls it when it starts. An operator may
	// have paused the exporter before: then AddExporter calls SetPaused before it returns.
	AddExporter(e *Exporter) Feed

	// AddRouter registers the routing table of one signal of a fanout connector, which calls it when
	// it starts, and calls remove when it stops.
	AddRouter(r *Router) (remove func())
}

// Find returns the status extension of a host, or nil if it has none.
func Find(host component.Host) Registry {
	for _, extension := range host.GetExtensions() {
		if registry, ok := extension.(Registry); ok {
			return registry
		}
	}
	return nil
}

// Exporter describes an exporter of one signal. Its functions are safe for concurrent use until
// [Feed.Close].
type Exporter struct {
	ID component.ID
	// Signal is logs or traces.
	Signal string
	// Endpoint is the URL of the backend without secrets; empty if there is no single one.
	Endpoint string
	// Sync is true if callers wait for the backend, Durable if the queue is on disk.
	Sync, Durable bool
	// DeadLetter is the extension that keeps what cannot be delivered, or nil.
	DeadLetter *component.ID
	// Queue returns what waits; nil if callers wait instead.
	Queue func() Queue
	// InFlight returns the number of requests that are being sent.
	InFlight func() int
	// SetPaused pauses or resumes the exporter.
	SetPaused func(paused bool)
}

// Queue is the state of an exporter's queue. Events that are being sent, or wait for another attempt,
// are in it.
type Queue struct {
	Events, Bytes int64
	// Size and Capacity are in the unit of sending_queue::sizer: bytes, items or requests.
	Size, Capacity int64
	Sizer          string
	// Oldest is when the oldest event was accepted; zero if the queue is empty, or if an earlier
	// process accepted it.
	Oldest time.Time
}

// Feed takes the reports of one exporter of one signal. Its methods are safe for concurrent use. None
// of them keeps a slice, or the bytes of a payload, after it returns.
type Feed interface {
	// Accepted counts events that were passed to the exporter.
	Accepted(events int)

	// Enter makes entries for the events of a batch, in the state waiting. It returns the number of
	// the first one; the others follow in order.
	Enter(b *batch.Batch) (first uint64)

	// Attempted adds an attempt to the entries of the events of each exchange. The events that are sent
	// again are pending.
	Attempted(exchanges []Exchange, pending *Pending)

	// Delivered counts events that were delivered, just after the metrics do, and sets this outcome in
	// their entries.
	Delivered(deliveries []Delivery)

	// Settled counts n events with another final outcome, just after the metrics do, and sets it in
	// their entries. event returns the i-th of them; not every one is asked for.
	Settled(outcome Outcome, reason string, n int, event func(i int) Event)

	// Replayed notes in the entries of dead letters, if there still are any, that they were replayed.
	Replayed(letters []ReplayedLetter)

	// Requested notes a request that has ended; status 0 means that it got no response.
	Requested(status int, took time.Duration, events int)

	// Works notes that the backend accepted events. Fails notes a failure of the backend, or that it
	// refused events.
	Works()
	Fails(p *Problem)

	// Close ends the reports: the exporter has stopped.
	Close()
}

// Outcome is the final outcome of an event, as the metrics name it.
type Outcome string

// The outcomes. Each accepted event gets one of them.
const (
	Delivered    Outcome = "delivered"
	Skipped      Outcome = "skipped"
	DeadLettered Outcome = "dead_lettered"
	Dropped      Outcome = "dropped"
	Returned     Outcome = "returned"
)

// Event is an event in a report.
type Event struct {
	// Entry is the number of the event's entry; 0 if it has none, as after a restart.
	Entry uint64
	// ID, Name and Time are the event's. They are used if it has no entry, or its entry was replaced.
	ID, Name string
	Time     time.Time
	// Status is the HTTP status of the last response, 0 without one.
	Status int
	// Message is the backend's message, or the error; without secrets.
	Message string
	// Payload is the encoded event; empty if it was not encoded.
	Payload []byte
}

// Exchange is a request, and its response if there was one.
type Exchange struct {
	Events []batch.Event
	Begun  time.Time
	Took   time.Duration
	// Status is the HTTP status; 0 without a response.
	Status int
	// Message returns the backend's message on the i-th event, or the error; empty if the backend
	// accepted it. It is nil if the backend accepted all.
	Message func(i int) string
}

// Delivery is events that the backend accepted in one request.
type Delivery struct {
	Events []batch.Event
	// Status is the HTTP status.
	Status int
}

// Pending are the events of an attempt that are sent again.
type Pending struct {
	Events []batch.Event
	// Next is when the next attempt is due, and GivesUp when the last one is over; zero if never, or if
	// that is unknown, because a pause ended the attempt.
	Next, GivesUp time.Time
}

// ReplayedLetter is a dead letter that was replayed.
type ReplayedLetter struct {
	// ID is the event's.
	ID string
	// Delivered is false if the backend refused the event again.
	Delivered bool
}

// State is the state of a backend.
type State string

// The states that a problem leads to.
const (
	Failing      State = "failing"
	Unauthorized State = "unauthorized"
	RateLimited  State = "rate_limited"
)

// Problem is a failure of a backend.
type Problem struct {
	// State is empty if the backend works, but refused events.
	State State
	// Status is the HTTP status; 0 without a response.
	Status int
	// Message is the backend's message, or the error, and Remedy the advice for an operator; both
	// without secrets.
	Message, Remedy string
	// Until is when the backend may be asked again, if it asked for a wait; otherwise zero.
	Until time.Time
}

// Router describes the routing table of one signal of a fanout connector.
type Router struct {
	ID component.ID
	// Signal is logs or traces.
	Signal string
	// Routes returns the routes in the order in which they are tried, with their counts. The last one
	// is the default pipelines.
	Routes func() []Route
	// Unrouted returns how many events went to no pipeline, by reason.
	Unrouted func() map[string]int64
	// RouteOf returns the index of the route that an event took, by the event's id. Only recent events
	// are known.
	RouteOf func(id string) (route int, known bool)
}

// Route is a route of a fanout connector.
type Route struct {
	// Events are the names and patterns of the route; empty for the default pipelines.
	Events []string
	// Count is the number of events that took the route.
	Count int64
	// Pipelines are where they went.
	Pipelines []Pipeline
}

// Pipeline is a pipeline of a route.
type Pipeline struct {
	ID string
	// Disabled is true if the pipeline was removed, because what it needs is switched off. Sync is true
	// if callers wait for it.
	Disabled, Sync bool
	// Count is the number of events that the route sent to it.
	Count int64
}
