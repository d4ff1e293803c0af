// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import "github.com/otelcol-fanout/otelcol-fanout/internal/appevent"

// plan says which part of a batch each of its records belongs to. The records of a part go to the same pipelines. A plan is
// used again, so that in the long run it allocates nothing.
type plan struct {
	table *table
	// partOf is the part of each record, in their order.
	partOf []int32
	parts  []planned
	// byRoute is the part of records of the route without destinations of their own, or noPart.
	byRoute []int32
	bySet   map[set]int32
	// ofRoute counts these records.
	ofRoute []int64
}

// planned is one part.
type planned struct {
	to      set
	records int
}

const noPart = -1

func newPlan(t *table) *plan {
	return &plan{table: t, byRoute: make([]int32, len(t.routes)), ofRoute: make([]int64, len(t.routes)), bySet: map[set]int32{}}
}

func (p *plan) reset() {
	p.partOf, p.parts = p.partOf[:0], p.parts[:0]
	for i := range p.byRoute {
		p.byRoute[i], p.ofRoute[i] = noPart, 0
	}
	clear(p.bySet)
}

// add decides on the next record, and counts it. An event of another kind than track has two names, say Pricing and page: the first
// route that matches either wins.
func (p *plan) add(name string, kind appevent.Kind, destinations switches, counts *counts) {
	at := p.table.find(name)
	if kind != appevent.KindTrack {
		at = min(at, p.table.find(kind.String()))
	}
	part := p.byRoute[at]
	switch {
	case destinations.any:
		to := p.table.destinations.narrow(p.table.routes[at].to, destinations.Map)
		counts.narrowed(at, to)
		part = p.part(to)
	case part == noPart:
		part = p.part(p.table.routes[at].to)
		p.byRoute[at] = part
		fallthrough
	default:
		p.ofRoute[at]++
	}
	p.parts[part].records++
	p.partOf = append(p.partOf, part)
}

func (p *plan) part(to set) int32 {
	part, ok := p.bySet[to]
	if !ok {
		part = int32(len(p.parts)) //nolint:gosec // there are fewer parts than records
		p.parts = append(p.parts, planned{to: to})
		p.bySet[to] = part
	}
	return part
}

// home is the part that needs no moving: the largest of those that go anywhere. It is noPart where none does.
func (p *plan) home() int32 {
	home := int32(noPart)
	for i := range p.parts {
		if p.parts[i].to != 0 && (home == noPart || p.parts[i].records > p.parts[home].records) {
			home = int32(i)
		}
	}
	return home
}

// uniform is the part of the next n records where they all belong to one.
func (p *plan) uniform(from, n int) (int32, bool) {
	first := p.partOf[from]
	for _, part := range p.partOf[from+1 : from+n] {
		if part != first {
			return noPart, false
		}
	}
	return first, true
}
