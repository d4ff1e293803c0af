// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import "github.com/otelcol-fanout/otelcol-fanout/internal/appevent"

// assignment assigns each record of a batch to a group; the records of a group go to the same
// pipelines. Assignments are pooled, so that routing rarely allocates memory.
type assignment struct {
	table *table
	// groupOf has the group of each record, in the order of the batch.
	groupOf []int32
	groups  []groupInfo
	// byRoute has the group of each route, or noGroup. It does not apply to records with destinations
	// of their own.
	byRoute []int32
	// bySet has the group of each set of pipelines.
	bySet map[set]int32
	// routed counts, by route, the records without destinations of their own.
	routed []int64
}

// groupInfo says which pipelines get a group, and how many records it has.
type groupInfo struct {
	to      set
	records int
}

const noGroup = -1

func newAssignment(t *table) *assignment {
	return &assignment{table: t, byRoute: make([]int32, len(t.routes)), routed: make([]int64, len(t.routes)), bySet: map[set]int32{}}
}

func (a *assignment) reset() {
	a.groupOf, a.groups = a.groupOf[:0], a.groups[:0]
	for i := range a.byRoute {
		a.byRoute[i], a.routed[i] = noGroup, 0
	}
	clear(a.bySet)
}

// add assigns the next record, counts it, and returns its route.
func (a *assignment) add(name string, kind appevent.Kind, destinations switches, counts *counts) (at int) {
	at = a.table.routeOf(name, kind)
	group := a.byRoute[at]
	switch {
	case destinations.present:
		to := a.table.destinations.narrow(a.table.routes[at].to, destinations.Map)
		counts.addNarrowed(at, to)
		group = a.group(to)
	case group == noGroup:
		group = a.group(a.table.routes[at].to)
		a.byRoute[at] = group
		fallthrough
	default:
		a.routed[at]++
	}
	a.groups[group].records++
	a.groupOf = append(a.groupOf, group)
	return at
}

// group returns the group of a set of pipelines, which it adds if it is new.
func (a *assignment) group(to set) int32 {
	group, ok := a.bySet[to]
	if !ok {
		group = int32(len(a.groups)) //nolint:gosec // there are fewer groups than records
		a.groups = append(a.groups, groupInfo{to: to})
		a.bySet[to] = group
	}
	return group
}

// largest returns the largest group among those that go to any pipeline, or noGroup.
func (a *assignment) largest() int32 {
	largest := int32(noGroup)
	for i := range a.groups {
		if a.groups[i].to != 0 && (largest == noGroup || a.groups[i].records > a.groups[largest].records) {
			largest = int32(i)
		}
	}
	return largest
}

// uniform returns the group of the next n records, and whether they all belong to it.
func (a *assignment) uniform(from, n int) (int32, bool) {
	first := a.groupOf[from]
	for _, group := range a.groupOf[from+1 : from+n] {
		if group != first {
			return noGroup, false
		}
	}
	return first, true
}
