// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

// ring remembers the last entries of a backend in three regions, each of which replaces its oldest
// entry when it is full. An entry begins in latest. If its event is undelivered when its place there
// is needed, it moves to undelivered, where floods of delivered events do not reach it. Skipped
// events have a region of their own.
type ring struct {
	size    int     // of the regions together
	entries []entry // made with the first entry; a place that was never used has number 0
	order   []links // of entries at the same places; apart, since they fit into the processor's cache
	count   int     // entries that are remembered

	latest, undelivered, skipped region
	// places are those of the entries in undelivered, by number.
	places   map[uint64]int32
	payloads keptPayloads
	// chunks are events of latest that have no entries yet, oldest first; texts copies those of events
	// that get one.
	chunks []*chunk
	texts  texts

	// next is the number of the next entry, nextSkipped that of the next skipped event. The first
	// ones have 1 and firstSkipped.
	next, nextSkipped uint64
	changes           uint64 // number of changes so far
	newest            int32  // the place of the entry that changed last; -1 without one
	losses            losses
}

// region is a part of the places, which are taken in turn.
type region struct {
	first, size int32
	next        int32 // the place to take next, counted from the first
}

func (g *region) take() int32 {
	at := g.first + g.next
	g.next = (g.next + 1) % g.size
	return at
}

// links are the places of the entries that changed next and before.
type links struct{ newer, older int32 }

const nowhere int32 = -1

// firstSkipped keeps the numbers of skipped events apart from the others, which follow one another in
// a batch. It is exact in JSON for JavaScript.
const firstSkipped uint64 = 1 << 52

// newRing returns a ring with a place for each of the latest events, and beside these a quarter more for
// undelivered ones and a tenth more for skipped ones.
func newRing(events int) ring {
	latest := int32(events) //nolint:gosec // at most Settings.RecentEvents
	undelivered, skipped := (latest+3)/4, (latest+9)/10
	return ring{
		size: int(latest + undelivered + skipped), next: 1, nextSkipped: firstSkipped, newest: nowhere,
		latest:      region{size: latest},
		undelivered: region{first: latest, size: undelivered},
		skipped:     region{first: latest + undelivered, size: skipped},
	}
}

// enter makes an entry, in place of the oldest one if the region is full. It is valid until the next
// one, as those of the other methods are.
func (r *ring) enter(now int64) *entry {
	number := r.take(1)
	return r.put(r.placeOf(number), number, now)
}

// take returns the first of the next n numbers, at most as many as latest has places, which are free then.
func (r *ring) take(n int) (first uint64) {
	r.allocate()
	first = r.next
	r.next += uint64(n)             //nolint:gosec // not negative
	places := uint64(r.latest.size) //nolint:gosec // not negative
	last := r.next - min(r.next, places)
	for number := max(first-min(first, places), 1); number < last; {
		if c := r.chunkOf(number); c != nil {
			number += uint64(r.forget(int(last - number))) //nolint:gosec // not negative
			continue
		}
		r.vacate(r.placeOf(number))
		number++
	}
	return first
}

// placeOf returns the place in latest of the entry with a number.
func (r *ring) placeOf(number uint64) int32 {
	return int32((number - 1) % uint64(r.latest.size)) //nolint:gosec // below the size
}

// vacate makes a place in latest free.
func (r *ring) vacate(at int32) {
	if e := &r.entries[at]; e.number != 0 && e.isUndelivered() {
		r.move(at)
	} else {
		r.lose(at)
	}
}

// enterSkipped makes an entry for a skipped event.
func (r *ring) enterSkipped(now int64) *entry {
	r.allocate()
	number := r.nextSkipped
	r.nextSkipped++
	at := r.skipped.take()
	r.lose(at)
	return r.put(at, number, now)
}

// enterUndelivered makes an entry with the number of one that was replaced before its event failed. The
// places are allocated, since there was such an entry.
func (r *ring) enterUndelivered(number uint64, now int64) *entry {
	at := r.undelivered.take()
	r.lose(at)
	r.places[number] = at
	return r.put(at, number, now)
}

// allocate makes the places when the first one is needed.
func (r *ring) allocate() {
	if r.entries == nil {
		r.entries, r.order = make([]entry, r.size), make([]links, r.size)
		r.losses.changes = make([]uint64, r.size)
		r.places = map[uint64]int32{}
	}
}

// move moves the entry at a place of latest to undelivered.
func (r *ring) move(from int32) {
	to := r.undelivered.take()
	r.lose(to)
	e := &r.entries[to]
	*e = r.entries[from]
	e.place = to
	e.ownTexts()
	r.entries[from].payload, r.entries[from].number = nil, 0
	r.places[e.number] = to
	l := r.order[from]
	r.order[to] = l
	if l.older != nowhere {
		r.order[l.older].newer = to
	}
	if l.newer != nowhere {
		r.order[l.newer].older = to
	} else {
		r.newest = to
	}
}

// lose forgets the entry at a place, if there is one.
func (r *ring) lose(at int32) {
	e := &r.entries[at]
	if e.number == 0 {
		return
	}
	r.unlink(at)
	r.count--
	r.payloads.drop(e)
	if at >= r.undelivered.first && at < r.skipped.first {
		delete(r.places, e.number)
	}
	r.losses.add(e.change)
	e.number = 0
}

// put makes an entry at a place that is free.
func (r *ring) put(at int32, number uint64, now int64) *entry {
	e := &r.entries[at]
	e.reset(number, at, now)
	r.count++
	r.link(at)
	r.changed(e, now)
	return e
}

// get returns the entry with a number, or nil if there was none, or it was replaced.
func (r *ring) get(number uint64) *entry {
	if number == 0 || len(r.entries) == 0 {
		return nil
	}
	if e := &r.entries[r.placeOf(number)]; e.number == number {
		return e
	}
	if c := r.chunkOf(number); c != nil {
		r.makeEntries(c)
		return &r.entries[r.placeOf(number)]
	}
	if at, found := r.places[number]; found {
		return &r.entries[at]
	}
	return nil
}

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

// byChange yields the entries, the one that changed last first. All events get theirs.
func (r *ring) byChange(yield func(*entry) bool) {
	r.makeAllEntries()
	for at := r.newest; at != nowhere; at = r.order[at].older {
		if !yield(&r.entries[at]) {
			return
		}
	}
}

// losses remembers which entries a ring has lost, for as many of the last ones as it has places.
type losses struct {
	changes []uint64 // the number of the last change of each
	count   uint64   // of all losses
	// unseen is the number of events that never had an entry, because a report had too many.
	unseen uint64
}

func (l *losses) add(change uint64) {
	l.changes[l.count%uint64(len(l.changes))] = change
	l.count++
}

// seen is the state of a ring when a subscription last looked at it.
type seen struct {
	change       uint64 // the number of the last change
	entries      int
	lost, unseen uint64 // the counts of losses
}

func (r *ring) seen() seen { return seen{r.changes, r.count, r.losses.count, r.losses.unseen} }

// lostSince returns how many entries have changed since, and are not remembered any more.
func (r *ring) lostSince(s seen) int {
	l := &r.losses
	known := max(l.count-min(l.count, uint64(len(l.changes))), s.lost) // the first one whose change is known
	lost := max(int(known-s.lost)-s.entries, 0)                        //nolint:gosec // those that had been seen went first
	for i := known; i < l.count; i++ {
		if l.changes[i%uint64(len(l.changes))] > s.change {
			lost++
		}
	}
	return lost + int(l.unseen-s.unseen) //nolint:gosec // a number of events
}
