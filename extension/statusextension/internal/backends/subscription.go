// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"slices"
	"time"
)

// Subscription reads the changes of events. It serves one goroutine. Reports do not know of it: it
// looks for the entries that changed since it last looked, so it may be forgotten without being
// closed.
type Subscription struct {
	registry  *Registry
	selection *selection
	seen      map[*backend]seen
}

// maxRead is how many events [Subscription.Read] returns at most, and maxReadPayloads how many bytes of
// payloads: to look for secrets in more of them would keep a processor busy for each reader.
const (
	maxRead         = 1000
	maxReadPayloads = 256 << 10
)

// Subscribe returns the changes from now on of the events that the filter selects. Its limit is
// that of each Read; at most, and without one, it is 1,000.
func (r *Registry) Subscribe(f Filter) *Subscription {
	if f.Limit <= 0 || f.Limit > maxRead {
		f.Limit = maxRead
	}
	s := &Subscription{r, newSelection(f), map[*backend]seen{}}
	for _, b := range r.sorted() {
		b.mu.Lock()
		s.seen[b] = b.ring.seen()
		b.mu.Unlock()
	}
	return s
}

// Read returns the events that changed since the last Read, oldest change first, in their present
// state. An event that changed several times is there once. lost is how many more there were: those
// beyond the limit, and those that are not remembered any more, whether or not the filter selects
// them.
func (s *Subscription) Read() (events []Event, lost int) {
	var from time.Time // once there are enough events, those that changed before are only counted
	for _, b := range s.registry.sorted() {
		if !s.selection.isOf(b) {
			continue
		}
		changed, more := s.read(b, from)
		events, lost = append(events, changed...), lost+more
		slices.SortStableFunc(events, func(a, b Event) int { return a.Changed.Compare(b.Changed) })
		if more := len(events) - s.selection.Limit; more >= 0 {
			events, lost = events[more:], lost+more
			from = events[0].Changed
		}
	}
	showPayloads(events, maxReadPayloads)
	return events, lost
}

// read returns the changes of one backend since a time, oldest first. Earlier ones are lost.
func (s *Subscription) read(b *backend, since time.Time) (events []Event, lost int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	last := s.seen[b] // that of a new backend is zero
	s.seen[b] = b.ring.seen()
	lost = b.ring.lostSince(last)
	from := nanos(since)
	for e := range b.ring.byChange {
		switch {
		case e.change <= last.change:
			slices.Reverse(events)
			return events, lost
		case !s.selection.selects(e, !b.pausedAt.IsZero()):
		case len(events) == s.selection.Limit, e.changed < from:
			lost++
		default:
			events = append(events, b.event(e))
		}
	}
	slices.Reverse(events)
	return events, lost
}
