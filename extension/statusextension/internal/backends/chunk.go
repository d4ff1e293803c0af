// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"cmp"
	"slices"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
)

// chunk is events of one batch that have no entries yet: most are delivered at the first attempt, and
// replaced before anybody asks for them. Their numbers follow one another, as do their changes, and
// nobody can tell them from events with entries: the ring counts them, and [ring.get] and
// [ring.byChange] make the entries.
type chunk struct {
	all   entry // what is the same for all of them; number and change are those of the first one
	count int
	// records holds those of the events, from the record at index skip.
	records batch.Records
	skip    int
}

// Limits of chunks. The records of a chunk are in memory until its last event is replaced or has an entry.
const (
	maxRecord   = 360 // bytes an event, on average
	chunkSize   = 512 // bytes of a chunk, with a margin
	minCoverage = 8   // events that a report must cover, unless it covers the whole chunk
)

// cut returns the first n events, and leaves the others.
func (c *chunk) cut(n int) *chunk {
	head := new(chunk)
	*head = *c
	head.count = n
	c.drop(n)
	return head
}

// drop leaves out the first n events.
func (c *chunk) drop(n int) {
	c.count -= n
	c.skip += n
	c.all.number += uint64(n) //nolint:gosec // not negative
	c.all.change += uint64(n) //nolint:gosec // not negative
}

// has reports whether an event with this number is in the chunk.
func (c *chunk) has(number uint64) bool {
	return number >= c.all.number && number < c.all.number+uint64(c.count) //nolint:gosec // not negative
}

// mayEnterLater reports whether a batch becomes a chunk.
func (r *ring) mayEnterLater(events *batch.Batch) bool {
	n := events.Count()
	return n <= int(r.latest.size) && events.Kept().Size()+chunkSize <= n*maxRecord
}

// enterLater remembers the events of a batch as a chunk. It returns the number of the first one.
func (r *ring) enterLater(events *batch.Batch, signal uint8, now int64) (first uint64) {
	n := events.Count()
	first = r.take(n)
	c := &chunk{all: entry{number: first, signal: signal, received: now}, count: n, records: events.Kept()}
	r.chunks = append(r.chunks, c)
	r.count += n
	r.touchChunk(c, now)
	return first
}

// touchChunk notes that the events of a chunk have changed.
func (r *ring) touchChunk(c *chunk, now int64) {
	c.all.change, c.all.changed = r.changes+1, now
	r.changes += uint64(c.count) //nolint:gosec // not negative
}

// forget forgets at most n of the oldest events in chunks, and returns how many.
func (r *ring) forget(n int) int {
	c := r.chunks[0]
	n = min(n, c.count)
	for i := range n {
		r.losses.add(c.all.change + uint64(i))
	}
	r.count -= n
	if c.drop(n); c.count == 0 {
		r.chunks[0] = nil // its records are not needed any more
		r.chunks = r.chunks[1:]
	}
	return n
}

// find returns the index of the chunk with a number, or where it would be.
func (r *ring) find(number uint64) (i int, found bool) {
	if len(r.chunks) == 0 || number < r.chunks[0].all.number {
		return 0, false
	}
	return slices.BinarySearchFunc(r.chunks, number, func(c *chunk, number uint64) int {
		if c.has(number) {
			return 0
		}
		return cmp.Compare(c.all.number, number)
	})
}

// chunkOf returns the chunk with a number, or nil.
func (r *ring) chunkOf(number uint64) *chunk {
	if i, found := r.find(number); found {
		return r.chunks[i]
	}
	return nil
}

// coveredChunk returns a chunk of exactly the first of the events, without an outcome. It splits one
// if need be. It is nil if the first event has an entry, has none at all, or should get one.
func (r *ring) coveredChunk(events []batch.Event) *chunk {
	first := events[0].Entry
	i, found := r.find(first)
	if !found || r.chunks[i].all.outcome != 0 {
		return nil
	}
	c := r.chunks[i]
	before := int(first - c.all.number) //nolint:gosec // below the count
	covered := 1
	for covered < min(len(events), c.count-before) && events[covered].Entry == first+uint64(covered) {
		covered++
	}
	if covered < c.count && covered < minCoverage {
		return nil
	}
	if before > 0 {
		r.chunks = slices.Insert(r.chunks, i, c.cut(before))
		i++
	}
	if covered < c.count {
		c = c.cut(covered)
		r.chunks = slices.Insert(r.chunks, i, c)
	}
	return c
}

// makeAllEntries makes the entries of all chunks.
func (r *ring) makeAllEntries() {
	if len(r.chunks) > 0 {
		r.makeEntries(slices.Clone(r.chunks)...)
	}
}

// makeEntriesFor makes the entries of the chunks that have any of the events.
func (r *ring) makeEntriesFor(events []batch.Event) {
	if len(r.chunks) == 0 {
		return
	}
	var chunks []*chunk
	for i := range events {
		if n := len(chunks); n > 0 && chunks[n-1].has(events[i].Entry) {
			continue
		}
		if c := r.chunkOf(events[i].Entry); c != nil {
			chunks = append(chunks, c)
		}
	}
	if len(chunks) > 0 {
		r.makeEntries(chunks...)
	}
}

// makeEntries makes the entries of chunks, in one pass over the order of changes.
func (r *ring) makeEntries(chunks ...*chunk) {
	slices.SortFunc(chunks, func(a, b *chunk) int { return cmp.Compare(b.all.change, a.all.change) })
	newer, older := nowhere, r.newest
	for _, c := range slices.Compact(chunks) {
		for older != nowhere && r.entries[older].change > c.all.change {
			newer, older = older, r.order[older].older
		}
		r.makeEntriesOf(c, newer, older)
		newer = r.placeOf(c.all.number)
		c.count = 0
	}
	r.chunks = slices.DeleteFunc(r.chunks, func(c *chunk) bool { return c.count == 0 })
}

// makeEntriesOf makes the entries of a chunk between two places in the order of changes.
func (r *ring) makeEntriesOf(c *chunk, newer, older int32) {
	made := c.all
	enter := func(int64) *entry {
		e := &r.entries[r.placeOf(made.number)]
		made.place = r.placeOf(made.number)
		*e = made
		r.order[made.place] = links{newer, older}
		if older != nowhere {
			r.order[older].newer = made.place
		}
		older = made.place
		made.number++
		made.change++
		return e
	}
	i := 0
	for record := range c.records.From(c.skip) {
		if i == c.count {
			break
		}
		if r.texts.count == packed {
			r.texts.enter(enter, c.all.signal, 0)
		}
		m := batch.ReadMeta(record)
		r.texts.add(m.ID, m.Name, int64(m.Time)) //nolint:gosec // until the year 2262
		i++
	}
	r.texts.enter(enter, c.all.signal, 0)
	if newer != nowhere {
		r.order[newer].older = older
	} else {
		r.newest = older
	}
}
