// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"iter"
	"time"
)

// Arrival is a batch as it was accepted, for the status extension. Its events refer to it through
// merging, splitting and retries.
type Arrival struct {
	// Entry is the number of the entry of the first event; the others follow in order. 0 means that
	// the events have no entries.
	Entry uint64
	// At is when the batch was accepted.
	At time.Time
	// Left is for the queue of package delivery: the number of events that it still holds.
	Left int
}

// entry returns the number of the entry of the event at a position.
func (a *Arrival) entry(position int) uint64 {
	if a == nil || a.Entry == 0 {
		return 0
	}
	return a.Entry + uint64(position) //nolint:gosec // a position is not negative
}

// Arrive sets the arrival of all events of a batch that is neither merged nor split yet.
func (b *Batch) Arrive(arrival *Arrival) {
	first := 0
	for i := range b.parts {
		b.parts[i].arrival, b.parts[i].first = arrival, first
		first += b.parts[i].count
	}
}

// Arrivals yields the arrivals of the events, in order, each with the number of its events that follow
// one another. An arrival is nil if unknown.
func (b *Batch) Arrivals() iter.Seq2[*Arrival, int] {
	return func(yield func(*Arrival, int) bool) {
		for i := range b.parts {
			if !yield(b.parts[i].arrival, b.parts[i].count) {
				return
			}
		}
	}
}

// Records yields the record and the payload of each event, without decoding either. [ReadMeta] reads
// a record. A record that is kept keeps the records of the whole batch in memory; a payload is valid
// until Release.
func (b *Batch) Records() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for i := range b.parts {
			p := &b.parts[i]
			records, payloads := p.records, p.payloads
			for len(records) > 0 {
				record, payload, err := recordSizes(records)
				if err != nil {
					break // cannot happen: Unmarshal has checked
				}
				if !yield(records[:record], payloads[:payload:payload]) {
					return
				}
				records, payloads = records[record:], payloads[payload:]
			}
		}
	}
}

// Records are the records of a batch, without the payloads. They may be kept: nothing changes them.
type Records []string

// Kept returns the records of the batch.
func (b *Batch) Kept() Records {
	kept := make(Records, len(b.parts))
	for i := range b.parts {
		kept[i] = b.parts[i].records
	}
	return kept
}

// Size returns the number of bytes.
func (r Records) Size() (size int) {
	for _, part := range r {
		size += len(part)
	}
	return size
}

// From yields the records from the i-th one, as [Batch.Records] does.
func (r Records) From(i int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, part := range r {
			for ; len(part) > 0; i-- {
				record, _, err := recordSizes(part)
				if err != nil {
					break // cannot happen: Unmarshal has checked
				}
				if i <= 0 && !yield(part[:record]) {
					return
				}
				part = part[record:]
			}
		}
	}
}

// ReadMeta returns the Meta of a record that [Batch.Records] yielded. Its strings are parts of the
// record.
func ReadMeta(record string) (m Meta) {
	_ = readFields(&m, record[recordHead:]) // cannot fail: Unmarshal has checked
	return m
}
