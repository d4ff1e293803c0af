// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package deadletter says what a dead letter is, and how an exporter and the store that keeps its dead letters know
// each other. The dead_letter extension is that store; internal/delivery is what exporters put in.
package deadletter

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
)

// Reason is why an event was not delivered.
type Reason string

// The reasons.
const (
	// ReasonEncoding: the event could not be written in the backend's form. Its letter holds the record.
	ReasonEncoding Reason = "encoding"
	// ReasonRefused: the backend refused the event for good.
	ReasonRefused Reason = "refused"
	// ReasonTooLarge: the event alone is larger than the backend takes.
	ReasonTooLarge Reason = "too_large"
	// ReasonUnauthorized: the backend refused our credentials.
	ReasonUnauthorized Reason = "unauthorized"
	// ReasonRedirected: the backend is elsewhere, and redirects are not followed.
	ReasonRedirected Reason = "redirected"
	// ReasonRateLimited: the backend takes no more of its kind for now.
	ReasonRateLimited Reason = "rate_limited"
	// ReasonExhausted: the backend failed until the retries ran out.
	ReasonExhausted Reason = "exhausted"
	// ReasonQueueFull: the queue had no room for it.
	ReasonQueueFull Reason = "queue_full"
	// ReasonStorageFailed: the storage of the queue could not take it.
	ReasonStorageFailed Reason = "storage_failed"
	// ReasonGone: the endpoint has answered that it is gone for good (410), and is sent nothing more.
	ReasonGone Reason = "gone"
	// ReasonBlocked: the endpoint's address is one that is not connected to.
	ReasonBlocked Reason = "blocked"
	// ReasonShutdown: the collector stopped before it was delivered, and the queue was in memory.
	ReasonShutdown Reason = "shutdown"
)

// Letter is one event that was not delivered. It is kept as one JSON object on one line.
type Letter struct {
	// Exporter is the id of the exporter, such as webhook/audit, and Signal is logs or traces.
	Exporter string
	Signal   string

	// ID, Name and Time are the event's; Name may be empty, Time zero.
	ID   string
	Name string
	Time time.Time

	Reason Reason
	// Status is the HTTP status of the last answer, 0 where there was none.
	Status int
	// Message is what the backend said, or what failed. It holds no secret.
	Message string
	// Attempts is how often the event was sent.
	Attempts int
	// FailedAt is when it was given up.
	FailedAt time.Time

	// Category and Destination are the backend's own: what sort of data it is, and whose. They may be empty.
	Category    string
	Destination string

	// Payload is the backend's bytes as they were refused. It is empty for ReasonEncoding.
	Payload []byte
	// OTLP is the record with its resource and scope as OTLP JSON, where there is no payload.
	OTLP []byte
}

// Store keeps dead letters. Its methods are safe for concurrent use.
type Store interface {
	component.Component

	// Put keeps the letters of one exporter. When it returns nil they are written, and survive the process.
	Put(exporter component.ID, letters []Letter) error

	// Register makes an exporter known, so that its letters can be replayed. An exporter registers once for each
	// signal when it starts, and calls unregister before it stops; unregister waits for a replay under way to end.
	Register(exporter component.ID, signal string, replayer Replayer) (unregister func())
}

// Replayer sends letters again.
type Replayer interface {
	// Replay sends the letters, oldest first, and tells for each what became of it, in their order. It waits while the
	// backend is busy, and ends early when ctx does.
	Replay(ctx context.Context, letters []Letter) []Replayed
}

// Replayed is what became of one letter.
type Replayed struct {
	// Outcome says whether the letter leaves the store.
	Outcome Outcome
	// Letter takes the place of the old one for OutcomeRefused: its reason, message and attempts are the new ones.
	Letter Letter
}

// Outcome is the outcome of a replay for one letter.
type Outcome int

const (
	// OutcomeKept leaves the letter as it is: it was not sent, or the backend fails for now.
	OutcomeKept Outcome = iota
	// OutcomeDelivered takes the letter out of the store.
	OutcomeDelivered
	// OutcomeRefused puts the new letter in the old one's place.
	OutcomeRefused
)
