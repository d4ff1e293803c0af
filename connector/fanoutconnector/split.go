// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import "unsafe"

// part is those records of a batch that go to the same pipelines.
type part[T any] struct {
	data    T
	to      set
	records int
}

// split is a batch while its records are moved to their parts.
type split[T batch[T]] struct {
	*operations[T]
	plan  *plan
	home  int32
	next  int // the record whose turn it is
	parts []part[T]

	slices  []*[]unsafe.Pointer // where pointers are moved to, by part
	dropped []unsafe.Pointer    // those of parts that go nowhere

	// The how manieth resource and scope are being split.
	resourceCount, scopeCount int
}

// parts makes a batch of each part of the plan that goes anywhere. The largest stays where it is.
func (o *operations[T]) parts(data T, p *plan) []part[T] {
	home := p.home()
	if home == noPart {
		return nil
	}
	parts := make([]part[T], len(p.parts))
	for i := range parts {
		parts[i] = part[T]{to: p.parts[i].to, records: p.parts[i].records}
	}
	parts[home].data = data
	if len(parts) > 1 {
		o.move(data, &split[T]{operations: o, plan: p, home: home, parts: parts, slices: make([]*[]unsafe.Pointer, len(parts))})
	}
	return parts
}

// of is the batch of the part.
func (s *split[T]) of(at int32) T {
	var none T
	if s.parts[at].data == none {
		s.parts[at].data = s.create()
	}
	return s.parts[at].data
}

// deal moves the records of a scope as pointers. Slice is where those of a part go.
func (s *split[T]) deal(elements *[]unsafe.Pointer, slice func(part int32) *[]unsafe.Pointer) {
	clear(s.slices)
	for i := range s.parts {
		if s.parts[i].to == 0 {
			s.slices[i] = &s.dropped
		}
	}
	s.slices[s.home] = elements
	next := s.next
	s.next += len(*elements)
	s.plan.deal(elements, next, s.slices, slice)
}
