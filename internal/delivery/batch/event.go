// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package batch holds encoded events: in memory, packed without pointers, and on disk. A [Writer]
// packs events, a [Batch] is merged, split, stored and read back. Nothing here knows what a payload
// means.
package batch

import "go.opentelemetry.io/collector/pdata/pcommon"

// Meta is what later stages need to know of an encoded event. It travels beside the payload: in the
// queue, on disk and in dead letters. Texts are UTF-8, and are cut off beyond 65,535 bytes.
type Meta struct {
	// ID is the event's id, the same at every backend and on every retry.
	ID string
	// Name is the event's name; it may be empty.
	Name string
	// Time is when the event happened; 0 where unknown.
	Time pcommon.Timestamp
	// Category is the kind of data, for backends that send kinds apart; it may be empty.
	Category string
	// Destination is whose data it is, such as a DSN or a user, for backends that send these apart;
	// it may be empty.
	Destination string
	// VendorID is the id that the backend knows the event by, where that is not ID.
	VendorID string
	// Key is for the backend alone: whatever BuildRequests and ClassifyResponse need to know of the
	// event, so that they never look it up in the payload.
	Key string
}

// Event is one encoded event. Its texts may be kept; its payload is a view of memory that is used
// again, and is never changed.
type Event struct {
	Meta
	// Payload is the event in the backend's own encoding.
	Payload []byte
	// Index tells the events of one attempt apart. The attempt sets it.
	Index int
}

// Skip is the error of an encoder for an event that the backend is not meant to get. Its text is
// the reason, one word such as plain_log, which the metrics count.
type Skip string //nolint:errname // an encoder that returns Skip("plain_log") reads as what it does

func (s Skip) Error() string { return "skipped: " + string(s) }
