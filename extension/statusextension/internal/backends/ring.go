// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

// ring remembers the last entries of a backend. It knows them in the order in which they entered,
// and in that of their last changes.
type ring struct {
	size    int
	entries []entry // grows up to size; entry n is at (n-1) % size
	order   []links // of entries at the same places; apart, since they fit into the processor's cache
	next    uint64  // the number of the next entry; the first one has 1
	changes uint64  // number of changes so far
	newest  int32   // the place of the entry that changed last; -1 without one
}

// links are the places of the entries that changed next and before.
type links struct{ newer, older int32 }

const nowhere int32 = -1

func newRing(size int) ring { return ring{size: size, next: 1, newest: nowhere} }

// enter makes an entry, in place of the oldest one if the ring is full. It is valid until the next
// one.
func (r *ring) enter(now int64) *entry {
	number := r.next
	r.next++
	at := r.place(number)
	if int(at) < len(r.entries) {
		r.unlink(at)
	} else {
		r.grow()
	}
	e := &r.entries[at]
	e.reset(number, at, now)
	r.link(at)
	r.changed(e, now)
	return e
}

// grow adds a place. The memory never exceeds size entries.
func (r *ring) grow() {
	if len(r.entries) == cap(r.entries) {
		size := min(max(2*cap(r.entries), packed), r.size)
		r.entries = append(make([]entry, 0, size), r.entries...)
		r.order = append(make([]links, 0, size), r.order...)
	}
	r.entries = r.entries[:len(r.entries)+1]
	r.order = r.order[:len(r.order)+1]
}

// get returns the entry with a number, or nil if there is none, or no longer.
func (r *ring) get(number uint64) *entry {
	if number >= r.next || number < r.first() {
		return nil
	}
	return &r.entries[r.place(number)]
}

// first returns the lowest number of an entry.
func (r *ring) first() uint64 { return r.next - uint64(len(r.entries)) }

func (r *ring) place(number uint64) int32 { return int32((number - 1) % uint64(r.size)) } //nolint:gosec // below size

// touch notes that an entry has changed.
func (r *ring) touch(e *entry, now int64) {
	if e.place != r.newest {
		r.unlink(e.place)
		r.link(e.place)
	}
	r.changed(e, now)
}

func (r *ring) changed(e *entry, now int64) {
	r.changes++
	e.change, e.changed = r.changes, now
}

// link makes the entry at a place the newest one, unlink takes it out of the order.
func (r *ring) link(at int32) {
	r.order[at] = links{nowhere, r.newest}
	if r.newest != nowhere {
		r.order[r.newest].newer = at
	}
	r.newest = at
}

func (r *ring) unlink(at int32) {
	l := r.order[at]
	if l.newer == nowhere {
		r.newest = l.older
	} else {
		r.order[l.newer].older = l.older
	}
	if l.older != nowhere {
		r.order[l.older].newer = l.newer
	}
}

// evicted returns how many entries changed after a change and are not remembered any more. next was
// the number of the next entry at that change.
func (r *ring) evicted(change, next uint64) int {
	entered := max(next, r.first())
	lost := entered - max(next, 1)   // those that entered since, and are gone already
	wrapped := next + uint64(r.size) //nolint:gosec // not negative
	for number := entered; number < min(r.next, wrapped); number++ {
		if r.get(number).replaced > change {
			lost++
		}
	}
	return int(lost) //nolint:gosec // a number of events
}

// byChange yields the entries, the one that changed last first.
func (r *ring) byChange(yield func(*entry) bool) {
	for at := r.newest; at != nowhere; at = r.order[at].older {
		if !yield(&r.entries[at]) {
			return
		}
	}
}
