// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import "slices"

// Batch holds encoded events in order. Batches that were split from one another share memory; each
// serves one goroutine at a time.
type Batch struct {
	parts []part
	count int
	size  int
}

// part holds events: their records, whose strings may outlive it, and their payloads in the same
// order.
type part struct {
	records  string
	payloads []byte
	count    int
	memory   *memory // holds the payloads; nil if it is not reused

	// arrival is the batch as which the events were accepted; nil if unknown. stored is the stored
	// batch that they were read from; nil if none. Their positions, the same in both, are positions
	// or, if that is nil, first and the following ones.
	arrival   *Arrival
	stored    *Stored
	first     int
	positions []int
}

// position returns the position of the i-th event in its arrival and its stored batch.
func (p *part) position(i int) int {
	if p.positions != nil {
		return p.positions[i]
	}
	return p.first + i
}

func (p *part) size() int { return len(p.records) + len(p.payloads) }

// Of copies events into a batch.
func Of(events []Event) *Batch {
	b := &Batch{}
	for len(events) > 0 {
		first := &events[0]
		n := slices.IndexFunc(events, func(e Event) bool { return e.stored != first.stored || e.arrival != first.arrival })
		if n < 0 {
			n = len(events)
		}
		b.add(partOf(events[:n]))
		events = events[n:]
	}
	return b
}

// partOf copies events, which have one arrival and one stored batch, or none, into a part.
func partOf(events []Event) part {
	var w Writer
	for i := range events {
		w.End(append(w.Begin(events[i].Meta), events[i].Payload...))
	}
	p := w.Take().parts[0]
	p.arrival, p.stored = events[0].arrival, events[0].stored
	if p.arrival != nil || p.stored != nil {
		p.positions = make([]int, len(events))
		for i := range events {
			p.positions[i] = events[i].position
		}
	}
	return p
}

// Count is the number of events.
func (b *Batch) Count() int { return b.count }

// Size is the number of bytes that the events occupy in memory.
func (b *Batch) Size() int { return b.size }

// Events returns the events. Their payloads are valid until Release, their strings forever.
func (b *Batch) Events() []Event {
	events, n := make([]Event, b.count), 0
	for i := range b.parts {
		p := &b.parts[i]
		payloads := p.payloads
		for records, i := p.records, 0; len(records) > 0; i++ {
			record, payload, err := recordSizes(records)
			if err != nil {
				break // cannot happen: Unmarshal has checked
			}
			e := &events[n]
			_ = readFields(&e.Meta, records[recordHead:record]) // cannot fail, as above
			e.Payload = payloads[:payload:payload]
			if p.stored != nil || p.arrival != nil {
				e.stored, e.position = p.stored, p.position(i)
				e.arrival, e.Entry = p.arrival, p.arrival.entry(e.position)
			}
			n++
			records, payloads = records[record:], payloads[payload:]
		}
	}
	return events[:n]
}

// Append moves the events of the other batch to the end of this one. The other batch must not be
// used any more. No event is copied.
func (b *Batch) Append(other *Batch) {
	for _, p := range other.parts {
		b.add(p)
	}
}

func (b *Batch) add(p part) {
	b.parts = append(b.parts, p)
	b.count += p.count
	b.size += p.size()
}

// Split moves the events into batches of at most maxEvents and maxBytes; b must not be used any more.
// An event larger than maxBytes gets a batch of its own. No event is copied.
func (b *Batch) Split(maxEvents, maxBytes int) []*Batch {
	var all []*Batch
	current := &Batch{}
	for _, p := range b.parts {
		for p.count > 0 {
			if current.count > 0 && (current.count >= maxEvents || current.size >= maxBytes) {
				all = append(all, current)
				current = &Batch{}
			}
			head, tail := p.split(maxEvents-current.count, maxBytes-current.size)
			if current.count > 0 && current.size+head.size() > maxBytes { // split always takes one event
				all = append(all, current)
				current = &Batch{}
				continue
			}
			current.add(head)
			if tail.count > 0 {
				tail.memory.hold()
			}
			p = tail
		}
	}
	return append(all, current)
}

// split cuts off as many events as fit into the limits, and at least one.
func (p *part) split(maxEvents, maxBytes int) (head, tail part) {
	if p.count <= maxEvents && p.size() <= maxBytes {
		return *p, part{}
	}
	records, payloads, n := 0, 0, 0
	for n < p.count && n < maxEvents {
		record, payload, err := recordSizes(p.records[records:])
		if err != nil || n > 0 && records+record+payloads+payload > maxBytes {
			break
		}
		records += record
		payloads += payload
		n++
	}
	head = part{p.records[:records], p.payloads[:payloads:payloads], n, p.memory, p.arrival, p.stored, p.first, nil}
	tail = part{p.records[records:], p.payloads[payloads:], p.count - n, p.memory, p.arrival, p.stored, p.first + n, nil}
	if p.positions != nil {
		head.positions, tail.positions = p.positions[:n:n], p.positions[n:]
	}
	return head, tail
}

// Release returns the memory of the payloads to its pool. No payload may be used any more.
func (b *Batch) Release() {
	for i := range b.parts {
		b.parts[i].memory.release()
		b.parts[i].memory = nil
	}
}
