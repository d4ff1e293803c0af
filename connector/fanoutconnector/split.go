// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import "go.opentelemetry.io/collector/pdata/pcommon"

// group holds the records of a batch that go to the same pipelines, as a batch of their own.
type group[T any] struct {
	data    T
	to      set
	records int
}

// splitter moves the records of a batch to their groups.
type splitter[T comparable] struct {
	create     func() T
	assignment *assignment
	staying    int32 // the group whose records stay in the batch
	next       int   // the index of the next record
	groups     []group[T]
}

// split returns the groups of a batch. The records of the largest group stay in the batch, those of
// the others are moved to new batches, and records that go to no pipeline are removed.
func (o *operations[T]) split(data T, a *assignment) []group[T] {
	staying := a.largest()
	if staying == noGroup {
		return nil
	}
	groups := make([]group[T], len(a.groups))
	for i := range groups {
		groups[i] = group[T]{to: a.groups[i].to, records: a.groups[i].records}
	}
	groups[staying].data = data
	if len(groups) > 1 {
		o.move(data, &splitter[T]{create: o.create, assignment: a, staying: staying, groups: groups})
	}
	return groups
}

// batch returns the batch of a group, which it creates on first use.
func (s *splitter[T]) batch(at int32) T {
	var none T
	if s.groups[at].data == none {
		s.groups[at].data = s.create()
	}
	return s.groups[at].data
}

// The methods of pdata's slices, resources, scopes, records and spans that walk uses.
type (
	slice[E any] interface {
		AppendEmpty() E
		EnsureCapacity(int)
		Len() int
		RemoveIf(func(E) bool)
	}
	resource[R any] interface {
		MoveTo(R)
		Resource() pcommon.Resource
		SchemaUrl() string
		SetSchemaUrl(string)
	}
	scope interface {
		Scope() pcommon.InstrumentationScope
		SchemaUrl() string
		SetSchemaUrl(string)
	}
	record[E any] interface{ MoveTo(E) }
)

// newMove returns the function that moves records to their groups, for logs or traces. The
// arguments are the methods that lead from a batch to its records.
func newMove[T comparable, RS slice[R], R resource[R], SS slice[S], S scope, ES slice[E], E record[E]](
	resources func(T) RS, scopes func(R) SS, records func(S) ES,
) func(T, *splitter[T]) {
	return func(data T, s *splitter[T]) {
		w := &walk[T, RS, R, SS, S, ES, E]{
			splitter: s, resources: resources, scopes: scopes, records: records, cursors: make([]cursor[R, ES], len(s.groups)),
		}
		resources(data).RemoveIf(w.resource)
	}
}

// walk goes through a batch and moves its records.
type walk[T comparable, RS slice[R], R resource[R], SS slice[S], S scope, ES slice[E], E record[E]] struct {
	*splitter[T]
	resources func(T) RS
	scopes    func(R) SS
	records   func(S) ES
	cursors   []cursor[R, ES] // by group

	// The resource and scope being split, and the index of each.
	currentResource           R
	currentScope              S
	resourceIndex, scopeIndex int
	scopeRecords              int
}

// cursor is the place where a group appends records: its copy of the resource and scope with these
// indexes.
type cursor[R, ES any] struct {
	resourceIndex, scopeIndex int
	resource                  R
	records                   ES
}

// resource splits a resource, and reports whether to remove it because no record stays.
func (w *walk[T, RS, R, SS, S, ES, E]) resource(r R) bool {
	n := 0
	w.scopes(r).RemoveIf(func(s S) bool {
		n += w.records(s).Len()
		return false
	})
	if n == 0 {
		return true
	}
	if at, ok := w.assignment.uniform(w.next, n); ok {
		w.next += n
		return w.whole(r, at)
	}
	w.currentResource = r
	w.resourceIndex++
	w.scopes(r).RemoveIf(w.scope)
	return w.scopes(r).Len() == 0
}

// whole moves a resource whose records all belong to one group, and reports whether to remove it
// from the batch.
func (w *walk[T, RS, R, SS, S, ES, E]) whole(r R, at int32) bool {
	if at == w.staying {
		return false
	}
	if w.groups[at].to != 0 {
		r.MoveTo(w.resources(w.batch(at)).AppendEmpty())
	}
	return true
}

// scope splits a scope, and reports whether to remove it because no record stays.
func (w *walk[T, RS, R, SS, S, ES, E]) scope(s S) bool {
	records := w.records(s)
	w.currentScope, w.scopeRecords = s, records.Len()
	w.scopeIndex++
	records.RemoveIf(w.record)
	return records.Len() == 0
}

// record moves a record, and reports whether to remove it from the batch.
func (w *walk[T, RS, R, SS, S, ES, E]) record(e E) bool {
	at := w.assignment.groupOf[w.next]
	w.next++
	if at == w.staying {
		return false
	}
	if w.groups[at].to != 0 {
		e.MoveTo(w.destination(at).AppendEmpty())
	}
	return true
}

// destination returns the slice to which a group appends records of the current scope.
func (w *walk[T, RS, R, SS, S, ES, E]) destination(at int32) ES {
	c := &w.cursors[at]
	if c.scopeIndex == w.scopeIndex {
		return c.records
	}
	if c.resourceIndex != w.resourceIndex {
		c.resourceIndex = w.resourceIndex
		c.resource = w.resources(w.batch(at)).AppendEmpty()
		w.currentResource.Resource().CopyTo(c.resource.Resource())
		c.resource.SetSchemaUrl(w.currentResource.SchemaUrl())
	}
	c.scopeIndex = w.scopeIndex
	s := w.scopes(c.resource).AppendEmpty()
	w.currentScope.Scope().CopyTo(s.Scope())
	s.SetSchemaUrl(w.currentScope.SchemaUrl())
	c.records = w.records(s)
	c.records.EnsureCapacity(min(w.assignment.groups[at].records, w.scopeRecords))
	return c.records
}
