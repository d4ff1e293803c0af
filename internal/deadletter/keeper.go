// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"context"
	"errors"
	"time"
)

// Errors of a [Keeper].
var (
	// ErrUnknownExporter: no exporter with this id is running, or has dead letters.
	ErrUnknownExporter = errors.New("no exporter with this id is running or has dead letters")
	// ErrUnknownLetter: there is no dead letter with this key, or no longer.
	ErrUnknownLetter = errors.New("there is no dead letter with this key; it may have been replayed, deleted or evicted")
	// ErrPaused: the exporter is paused, so it sends nothing.
	ErrPaused = errors.New("the exporter is paused; resume it, then replay")
	// ErrBusy: a replay or deletion of the exporter's dead letters is running.
	ErrBusy = errors.New("a replay or deletion of its dead letters is running; wait until it ends, or stop the replay")
	// ErrNotRunning: the exporter is not running, so nothing can be replayed.
	ErrNotRunning = errors.New("the exporter is not running; add it to a pipeline, then replay its dead letters")
	// ErrInvalidPayload: the edited payload cannot take the place of the original. The error says why.
	ErrInvalidPayload = errors.New("the edited payload is invalid")
)

// MaxEditedPayload is how many bytes an edited payload may have.
const MaxEditedPayload = 16 << 20

// Keeper lets an operator look through a store of dead letters, and act on them. Its methods are safe
// for concurrent use; errors wrap those above.
type Keeper interface {
	Store

	// Summaries returns a summary of each exporter that is running or has dead letters, sorted by id.
	Summaries() []Summary

	// MaxSize is how many bytes the store may hold.
	MaxSize() int64

	// Find calls visit with an exporter's dead letters that the filter selects, newest first, until
	// visit returns false or ctx ends. It may read all of the exporter's files, one at a time.
	Find(ctx context.Context, exporter string, which Filter, visit func(key Key, letter *Letter) bool) error

	// Get returns one dead letter.
	Get(exporter string, key Key) (Letter, error)

	// ReplayOne replays one dead letter, with another payload (or record, if it has no payload) unless
	// that is nil. The dead letter stays in the store, as it was before, until all of it is delivered.
	// If it is refused again, the result's first letter has the status and the message.
	ReplayOne(ctx context.Context, exporter string, key Key, payload []byte) (Replayed, error)

	// StartReplay replays the dead letters that the filter selects, oldest first, in the background.
	StartReplay(exporter string, which Filter) (Progress, error)

	// StopReplay ends the running replay of an exporter after what is being sent. It does not wait for
	// that. If none is running, it returns the progress of the last one; Begun is zero without one.
	StopReplay(exporter string) (Progress, error)

	// Replays returns the progress of the last replay of each exporter that had one.
	Replays() []Progress

	// Delete removes the dead letters that the filter selects, oldest first, and returns how many they
	// were. The zero filter removes lines that are not dead letters too.
	Delete(exporter string, which Filter) (int, error)

	// RequiresAuth reports whether the store's own API asks its callers to authenticate.
	RequiresAuth() bool
}

// Key identifies a dead letter in the store of its exporter, for as long as it does not change. Two
// identical dead letters may have the same key: then each request by key acts on one of them.
type Key string

// Filter selects dead letters; the zero value selects all.
type Filter struct {
	Reason Reason
	// Status is the HTTP status, or 0 for any.
	Status int
	// ID is the id of the event. Name is a part of its name, in any case.
	ID, Name string
	// Key is the key of one dead letter.
	Key Key
	// Before selects those that failed before a time, unless it is zero.
	Before time.Time
	// Limit is how many at most; 0 for all.
	Limit int
}

// Summary summarizes the dead letters of one exporter.
type Summary struct {
	Exporter string
	// Running is true if the exporter is running, so that its dead letters can be replayed.
	Running bool
	Events  int
	Bytes   int64
	// Unreadable is the number of lines that are not dead letters.
	Unreadable int
	// Oldest and Newest are when the first and the last of them failed; zero without dead letters.
	Oldest, Newest time.Time
	Reasons        map[Reason]int
}

// Progress is the progress of a replay.
type Progress struct {
	Exporter string
	Filter   Filter
	Begun    time.Time
	// Ended is zero while the replay is running.
	Ended time.Time
	// Total is the number of dead letters to replay, or 0 until they are counted. Replayed were sent so
	// far: Delivered, Refused again, or Kept because the backend failed.
	Total, Replayed, Delivered, Refused, Kept int
	// Unreadable is the number of lines so far that are not dead letters.
	Unreadable int
	// Stopped says why the replay ended early; empty if it did not.
	Stopped string
}
