// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Filter selects events; the zero value selects all.
type Filter struct {
	// Backends are ids of exporters.
	Backends []string
	// Outcomes are outcomes and progress.
	Outcomes []string
	Reason   string
	// Status is the HTTP status; 0 for any.
	Status int
	// ID is the id of the event, or its end. Name is a part of its name, in any case.
	ID, Name string
	// Limit is how many events at most; 0 for all.
	Limit int
}

// Find returns the events that the filter selects, the one that changed last first, and the number
// of all events that are remembered.
func (r *Registry) Find(f Filter) (events []Event, kept int) { return r.find(newSelection(f)) }

// Event returns an event at each backend that remembers it, the one that changed last first. It may
// have several entries at a backend.
func (r *Registry) Event(id string) []Event {
	if id == "" {
		return nil
	}
	events, _ := r.find(&selection{exactID: id, cutID: cut(id, maxID)})
	return events
}

func (r *Registry) find(s *selection) (events []Event, kept int) {
	var after time.Time // once there are enough events, only those that changed later are described
	for _, b := range r.sorted() {
		found, all := b.find(s, after)
		events, kept = append(events, found...), kept+all
		slices.SortStableFunc(events, func(a, b Event) int { return b.Changed.Compare(a.Changed) })
		if s.Limit > 0 && len(events) >= s.Limit {
			events = events[:s.Limit]
			after = events[s.Limit-1].Changed
		}
	}
	showPayloads(events, math.MaxInt)
	return events, kept
}

// find returns the events that changed after a time, the one that changed last first, and the number of
// all that are remembered.
func (b *backend) find(s *selection, after time.Time) (events []Event, kept int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept = b.ring.count
	if !s.isOf(b) {
		return nil, kept
	}
	from := nanos(after)
	for e := range b.ring.byChange {
		if e.changed <= from {
			break
		}
		if s.selects(e, !b.pausedAt.IsZero()) {
			events = append(events, b.event(e))
		}
		if s.Limit > 0 && len(events) == s.Limit {
			break
		}
	}
	return events, kept
}

// selection is a filter that is compared with many entries.
type selection struct {
	Filter
	exactID string
	// cutID is the id as an entry has it, lowerName the part of the name in lower case.
	cutID, lowerName string
}

func newSelection(f Filter) *selection {
	return &selection{Filter: f, cutID: cut(f.ID, maxID), lowerName: strings.ToLower(f.Name)}
}

// isOf reports whether the backend's entries may be selected.
func (s *selection) isOf(b *backend) bool {
	return len(s.Backends) == 0 || slices.Contains(s.Backends, b.name)
}

func (s *selection) selects(e *entry, paused bool) bool {
	switch {
	case s.exactID != "" && e.id != s.cutID && shown(e.id) != s.exactID,
		s.Status != 0 && int(e.status) != s.Status,
		s.Reason != "" && e.reason != s.Reason,
		s.ID != "" && e.id != s.cutID && !strings.HasSuffix(shown(e.id), s.ID):
		return false
	case len(s.Outcomes) > 0 && !slices.Contains(s.Outcomes, e.outcomeOrProgress(paused)):
		return false
	}
	return s.lowerName == "" || strings.Contains(strings.ToLower(e.name), s.lowerName)
}

// shown returns a text as JSON shows it: with U+FFFD for each byte that is not valid UTF-8.
func shown(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return string([]rune(text))
}
