// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package deadletter defines dead letters and the interface between exporters and the store that
// keeps them. The dead_letter extension implements the store; internal/delivery uses it.
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
	// ReasonEncoding: the event could not be encoded for the backend. The dead letter has the
	// record.
	ReasonEncoding Reason = "encoding"
	// ReasonRefused: the backend refused the event for good.
	ReasonRefused Reason = "refused"
	// ReasonTooLarge: the event alone is larger than the backend accepts.
	ReasonTooLarge Reason = "too_large"
	// ReasonUnauthorized: the backend refused the credentials.
	ReasonUnauthorized Reason = "unauthorized"
	// ReasonRedirected: the backend responded with a redirect. Redirects are not followed.
	ReasonRedirected Reason = "redirected"
	// ReasonRateLimited: the backend accepts no more events of this kind for now.
	ReasonRateLimited Reason = "rate_limited"
	// ReasonExhausted: the backend failed until the retries ran out.
	ReasonExhausted Reason = "exhausted"
	// ReasonQueueFull: the queue had no room for the event.
	ReasonQueueFull Reason = "queue_full"
	// ReasonStorageFailed: the queue's storage could not store the event.
	ReasonStorageFailed Reason = "storage_failed"
	// ReasonGone: the endpoint responded with 410. Nothing more is sent to it.
	ReasonGone Reason = "gone"
	// ReasonBlocked: the exporter may not connect to the endpoint's address.
	ReasonBlocked Reason = "blocked"
	// ReasonShutdown: the collector stopped before delivery, and the queue was in memory.
	ReasonShutdown Reason = "shutdown"
	// ReasonExpired: the event was older than max_age.
	ReasonExpired Reason = "expired"
)

// Reasons returns all reasons of dead letters. Tests check that the list is complete, and that each
// has a remedy in the log and a row in docs/delivery.md.
func Reasons() []Reason {
	return []Reason{
		ReasonEncoding, ReasonRefused, ReasonTooLarge, ReasonUnauthorized, ReasonRedirected, ReasonRateLimited, ReasonExhausted,
		ReasonQueueFull, ReasonStorageFailed, ReasonGone, ReasonBlocked, ReasonShutdown, ReasonExpired,
	}
}

// Letter is a dead letter: an event that was not delivered. It is stored as one line of JSON.
type Letter struct {
	// Exporter is the id of the exporter, such as webhook/audit, and Signal is logs or traces.
	Exporter string
	Signal   string

	// ID, Name and Time are the event's. Name may be empty, and Time may be zero.
	ID   string
	Name string
	Time time.Time

	Reason Reason
	// Status is the HTTP status of the last response, 0 without one.
	Status int
	// Message is the backend's message, or the error. It contains no secret.
	Message string
	// Attempts is how often the event was sent.
	Attempts int
	// FailedAt is when the event was given up.
	FailedAt time.Time

	// Category and Destination are backend-specific: the kind of data, and whose it is. Both may be
	// empty.
	Category    string
	Destination string

	// Entry is the number of the event's entry in the status extension, 0 if it has none. It is not
	// stored.
	Entry uint64

	// Payload is the encoded event as it was sent. It is empty for ReasonEncoding.
	Payload []byte
	// OTLP is the record with its resource and scope as OTLP JSON, if there is no payload.
	OTLP []byte
}

// Store keeps dead letters. Its methods are safe for concurrent use.
type Store interface {
	component.Component

	// Put stores dead letters of one exporter. When it returns nil, they survive the process.
	Put(exporter component.ID, letters []Letter) error

	// Register lets the store replay an exporter's dead letters. An exporter registers each signal
	// when it starts, and calls unregister before it stops. unregister ends a running replay and
	// waits for it.
	Register(exporter component.ID, signal string, replayer Replayer) (unregister func())
}

// Replayer sends dead letters again.
type Replayer interface {
	// Replay sends the dead letters, oldest first, and returns their outcomes in the same order. It
	// waits while the backend is busy, and returns early if ctx ends.
	Replay(ctx context.Context, letters []Letter) []Replayed

	// Paused reports whether the exporter is paused: then it sends nothing, and all dead letters are
	// kept.
	Paused() bool
}

// Replayed is the result of replaying one dead letter.
type Replayed struct {
	// Outcome says whether the dead letter leaves the store.
	Outcome Outcome
	// Letters take the place of the old dead letter: for OutcomeRefused the one with the new reason,
	// message and attempts. They may be several if the old one held several events, also for
	// OutcomeKept: then some were delivered, and these are left. Empty leaves it as it is.
	Letters []Letter
}

// Outcome is the outcome of replaying one dead letter.
type Outcome int

const (
	// OutcomeKept leaves the dead letter unchanged: it was not sent, or the backend fails for now.
	OutcomeKept Outcome = iota
	// OutcomeDelivered removes the dead letter from the store.
	OutcomeDelivered
	// OutcomeRefused replaces the dead letter with the new one.
	OutcomeRefused
)

// String returns the outcome as metrics and APIs name it: kept, delivered or refused.
func (o Outcome) String() string {
	switch o {
	case OutcomeDelivered:
		return "delivered"
	case OutcomeRefused:
		return "refused"
	default:
		return "kept"
	}
}
