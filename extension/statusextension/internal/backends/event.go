// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// Event is an event at one backend. Its texts are cut off, and may contain any bytes.
type Event struct {
	// Backend is the id of the exporter, and Signal logs or traces.
	Backend, Signal string
	// Entry is the number of the entry, which is unique within the backend.
	Entry    uint64
	ID, Name string
	// Time is the event's own; zero if it is unknown.
	Time time.Time
	// Received is when the exporter got the event, zero if that is unknown, as after a restart.
	// Changed is when the entry last changed.
	Received, Changed time.Time
	// Outcome is the final outcome, Progress how far the event is without one; the other one is
	// empty.
	Outcome  statusfeed.Outcome
	Progress Progress
	Reason   string
	// Status and Duration are those of the last response; 0 without one.
	Status   int
	Duration time.Duration
	// Attempts is the number of attempts; 0 if it is unknown. Tries are the first and the last two.
	Attempts int
	Tries    []Try
	// NextAttempt is when the next attempt is due, and GivesUp when the last one is over; zero if
	// there is none, or while the event is held.
	NextAttempt, GivesUp time.Time
	// Replayed is delivered or refused if the event was a dead letter that was replayed, otherwise
	// empty.
	Replayed string
	// Message is the backend's last message, or the error.
	Message string
	// Payload is the encoded event without secrets, if Settings.Payloads says so.
	Payload          string
	PayloadTruncated bool

	stored *payload
}

// Try is an attempt to send an event.
type Try struct {
	Time time.Time
	// Status is the HTTP status; 0 without a response.
	Status   int
	Duration time.Duration
	// Message is the backend's message, or the error; empty if the backend accepted the event.
	Message string
}

// Progress says how far an event is that has no outcome yet.
type Progress string

// The progress of events. Events of a paused backend are held.
const (
	Waiting  Progress = "waiting"
	Retrying Progress = "retrying"
	Held     Progress = "held"
)
