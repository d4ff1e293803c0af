// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import "go.opentelemetry.io/collector/pdata/pcommon"

// part is those records of a batch that go to the same pipelines.
type part[T any] struct {
	data    T
	to      set
	records int
}

// split is a batch while its records are moved to their parts.
type split[T comparable] struct {
	create func() T
	plan   *plan
	home   int32 // the part that stays where it is
	next   int   // the index of the next record
	parts  []part[T]
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
		o.move(data, &split[T]{create: o.create, plan: p, home: home, parts: parts})
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

// What the walk needs of pdata's types: of slices, resources, scopes, and records or spans.
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

// newMove returns the function that moves the records of a batch to their parts, for logs or traces.
// The arguments are the methods that lead from a batch to its records.
func newMove[T comparable, RS slice[R], R resource[R], SS slice[S], S scope, ES slice[E], E record[E]](
	resources func(T) RS, scopes func(R) SS, records func(S) ES,
) func(T, *split[T]) {
	return func(data T, s *split[T]) {
		w := &walk[T, RS, R, SS, S, ES, E]{
			split: s, resources: resources, scopes: scopes, records: records, places: make([]place[R, ES], len(s.parts)),
		}
		resources(data).RemoveIf(w.resource)
	}
}

// walk goes through a batch, and moves records to their parts.
type walk[T comparable, RS slice[R], R resource[R], SS slice[S], S scope, ES slice[E], E record[E]] struct {
	*split[T]
	resources func(T) RS
	scopes    func(R) SS
	records   func(S) ES
	places    []place[R, ES] // by part

	// The resource and scope being split, and the index of each.
	in                  R
	inScope             S
	atResource, atScope int
	recordsOfScope      int
}

// place is where records of a part go, if they are of the resource and scope with these indexes.
type place[R, ES any] struct {
	atResource, atScope int
	resource            R
	records             ES
}

// resource reports whether nothing of the resource stays.
func (w *walk[T, RS, R, SS, S, ES, E]) resource(r R) bool {
	n := 0
	w.scopes(r).RemoveIf(func(s S) bool {
		n += w.records(s).Len()
		return false
	})
	if n == 0 {
		return true
	}
	if at, ok := w.plan.uniform(w.next, n); ok {
		w.next += n
		return w.whole(r, at)
	}
	w.in = r
	w.atResource++
	w.scopes(r).RemoveIf(w.scope)
	return w.scopes(r).Len() == 0
}

// whole moves a resource whose records all belong to one part.
func (w *walk[T, RS, R, SS, S, ES, E]) whole(r R, at int32) bool {
	if at == w.home {
		return false
	}
	if w.parts[at].to != 0 {
		r.MoveTo(w.resources(w.of(at)).AppendEmpty())
	}
	return true
}

func (w *walk[T, RS, R, SS, S, ES, E]) scope(s S) bool {
	records := w.records(s)
	w.inScope, w.recordsOfScope = s, records.Len()
	w.atScope++
	records.RemoveIf(w.record)
	return records.Len() == 0
}

func (w *walk[T, RS, R, SS, S, ES, E]) record(e E) bool {
	at := w.plan.partOf[w.next]
	w.next++
	if at == w.home {
		return false
	}
	if w.parts[at].to != 0 {
		e.MoveTo(w.enter(at).AppendEmpty())
	}
	return true
}

// enter returns the slice of the part for records of the current scope.
func (w *walk[T, RS, R, SS, S, ES, E]) enter(at int32) ES {
	p := &w.places[at]
	if p.atScope == w.atScope {
		return p.records
	}
	if p.atResource != w.atResource {
		p.atResource = w.atResource
		p.resource = w.resources(w.of(at)).AppendEmpty()
		w.in.Resource().CopyTo(p.resource.Resource())
		p.resource.SetSchemaUrl(w.in.SchemaUrl())
	}
	p.atScope = w.atScope
	s := w.scopes(p.resource).AppendEmpty()
	w.inScope.Scope().CopyTo(s.Scope())
	s.SetSchemaUrl(w.inScope.SchemaUrl())
	p.records = w.records(s)
	p.records.EnsureCapacity(min(w.plan.parts[at].records, w.recordsOfScope))
	return p.records
}
