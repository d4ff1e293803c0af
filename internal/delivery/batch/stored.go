// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"slices"
	"sync"
)

// Stored is a batch in a queue on disk, with the events of it that are settled: delivered, or kept as
// dead letters. It outlives merging and splitting, so that after a restart only the other events of
// the stored batch are sent. Its methods are safe for concurrent use.
type Stored struct {
	// Index is the number under which the queue stores the batch, and Sum a checksum of its bytes.
	Index, Sum uint64
	// Noted is for package progress: some events were noted as settled.
	Noted bool

	mu      sync.Mutex
	settled []byte // a bit for each event
	left    int    // events that are not settled
}

// NewStored returns a stored batch whose settled events are those of [Stored.Settled], or none if
// settled is empty.
func NewStored(index, sum uint64, settled []byte) *Stored {
	return &Stored{Index: index, Sum: sum, Noted: len(settled) > 0, settled: slices.Clone(settled)}
}

// Settled returns a bit for each event, the lowest bit of the first byte first, as it is stored.
func (s *Stored) Settled() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.settled)
}

// IsSettled reports whether all events are settled.
func (s *Stored) IsSettled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left == 0
}

// open sets the number of events, as a stored batch is read.
func (s *Stored) open(count int) {
	s.left = count
	bits := make([]byte, (count+7)/8)
	copy(bits, s.settled)
	s.settled = bits
	for i := range count {
		if s.has(i) {
			s.left--
		}
	}
}

func (s *Stored) has(i int) bool { return s.settled[i/8]&(1<<(i%8)) != 0 }

func (s *Stored) hasSettled(i int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.has(i)
}

func (s *Stored) settle(i int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.has(i) {
		s.settled[i/8] |= 1 << (i % 8)
		s.left--
	}
}

// Settle notes in the stored batch that an event is settled. It returns the stored batch, or nil if
// the event is not from a queue on disk.
func (e *Event) Settle() *Stored {
	if e.stored != nil {
		e.stored.settle(e.position)
	}
	return e.stored
}

// UnmarshalStored is [Unmarshal] for a batch that a queue on disk stores. It holds the settled events
// too, because the queue accounts for the whole batch: see [Batch.Unsettled].
func UnmarshalStored(data []byte, complete func(*Event), stored *Stored) (*Batch, error) {
	b, err := Unmarshal(data, complete)
	if err != nil {
		return nil, err
	}
	stored.open(b.count)
	first := 0
	for i := range b.parts {
		b.parts[i].stored, b.parts[i].first = stored, first
		first += b.parts[i].count
	}
	return b, nil
}

// Unsettled returns the events that were not settled when their stored batch was read, or since.
func (b *Batch) Unsettled() []Event {
	events := b.Events()
	if !slices.ContainsFunc(b.parts, func(p part) bool { return p.stored != nil }) {
		return events
	}
	return slices.DeleteFunc(events, func(e Event) bool { return e.stored != nil && e.stored.hasSettled(e.position) })
}

// Stored returns the stored batch that all of the batch was read from; nil if there is no such one.
func (b *Batch) Stored() *Stored {
	if len(b.parts) == 0 {
		return nil
	}
	return b.parts[0].stored
}
