// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package batch holds encoded events in memory, packed without pointers, and on disk. A [Writer]
// packs events; a [Batch] is merged, split, stored and read back. Nothing here interprets a payload.
package batch

import "go.opentelemetry.io/collector/pdata/pcommon"

// Meta describes an encoded event for later stages. It travels beside the payload: in the queue, on
// disk and in dead letters. Strings are UTF-8, and are cut off after 65,535 bytes.
type Meta struct {
	// ID is the event's ID, the same at every backend and on every retry.
	ID string
	// Name is the event's name; it may be empty.
	Name string
	// Time is when the event happened; 0 if unknown.
	Time pcommon.Timestamp
	// Category is the kind of data, for backends that send kinds apart; it may be empty.
	Category string
	// Destination says whose data it is, such as a DSN or a user, for backends that send these apart;
	// it may be empty.
	Destination string
	// VendorID is the ID by which the backend knows the event, if that differs from ID.
	VendorID string
	// Key is the backend's own: what BuildRequests and ClassifyResponse need to know of the event,
	// so that they never parse the payload.
	Key string
}

// Event is one encoded event. Its strings may be kept. Its payload is a view of memory that is
// reused later, and must not be changed.
type Event struct {
	Meta
	// Payload is the event in the backend's own encoding.
	Payload []byte
	// Index is the position among the events of one attempt, which sets it.
	Index int
	// Entry is the number of the event's entry in the status extension; 0 if it has none.
	Entry uint64

	// arrival is the batch as which the event was accepted, nil if unknown; stored is the stored batch
	// that it was read from, nil if none. position is the event's position in both.
	arrival  *Arrival
	stored   *Stored
	position int
}

// Skip is an encoder's error for an event that the backend should not get. Its text is the reason,
// one word such as plain_log, by which the metrics count it.
type Skip string //nolint:errname // `return Skip("plain_log")` reads well

func (s Skip) Error() string { return "skipped: " + string(s) }
