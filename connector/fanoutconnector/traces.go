// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"context"
	"unsafe"

	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/xpdata/pref"
	"go.opentelemetry.io/collector/pipeline"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// traces routes spans by their name. The events of a span, exceptions too, follow it.
type traces struct {
	*fanout[ptrace.Traces]
}

func newTraces(set connector.Settings, cfg *Config, router connector.TracesRouterAndConsumer) (connector.Traces, error) {
	f, err := newFanout(set, cfg, pipeline.SignalTraces, router.PipelineIDs(), operations[ptrace.Traces]{
		create: ptrace.NewTraces, decide: decideTraces, move: moveTraces,
		mark: pref.MarkPipelineOwnedTraces, unref: pref.UnrefTraces,
		direct: hasPointers[ptrace.SpanSlice](),
		target: func(id pipeline.ID) (target[ptrace.Traces], error) {
			next, err := router.Consumer(id)
			if err != nil {
				return target[ptrace.Traces]{}, err
			}
			return target[ptrace.Traces]{consume: next.ConsumeTraces, mutates: next.Capabilities().MutatesData}, nil
		},
	})
	if err != nil {
		return nil, err
	}
	return &traces{f}, nil
}

// ConsumeTraces implements consumer.Traces. Its error is that of the sync pipelines.
func (c *traces) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	return c.consume(ctx, td)
}

func decideTraces(td ptrace.Traces, p *plan, counts *counts) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				p.add(span.Name(), appevent.KindTrack, readMarks(span.Attributes()).destinations, counts)
			}
		}
	}
}

func moveTraces(td ptrace.Traces, s *split[ptrace.Traces]) {
	traces := tracesSplit{split: s, places: make([]tracesPlace, len(s.parts))}
	td.ResourceSpans().RemoveIf(traces.resource)
}

// tracesSplit moves spans to their parts.
type tracesSplit struct {
	*split[ptrace.Traces]
	places []tracesPlace

	// What is being split.
	rs        ptrace.ResourceSpans
	ss        ptrace.ScopeSpans
	scopeSize int
}

// tracesPlace is where the spans of a part go, if they are of the resource and scope that have these numbers.
type tracesPlace struct {
	resource, scope int
	rs              ptrace.ResourceSpans
	spans           ptrace.SpanSlice
	pointers        *[]unsafe.Pointer // of these, where they are moved so
}

// resource reports whether nothing of the resource stays.
func (s *tracesSplit) resource(rs ptrace.ResourceSpans) bool {
	n := 0
	for _, ss := range rs.ScopeSpans().All() {
		n += ss.Spans().Len()
	}
	if n == 0 {
		return true
	}
	if at, ok := s.plan.uniform(s.next, n); ok {
		s.next += n
		return s.whole(rs, at)
	}
	s.rs = rs
	s.resourceCount++
	rs.ScopeSpans().RemoveIf(s.scope)
	return rs.ScopeSpans().Len() == 0
}

// whole moves a resource whose spans all belong to one part.
func (s *tracesSplit) whole(rs ptrace.ResourceSpans, at int32) bool {
	if at == s.home {
		return false
	}
	if s.parts[at].to != 0 {
		rs.MoveTo(s.of(at).ResourceSpans().AppendEmpty())
	}
	return true
}

func (s *tracesSplit) scope(ss ptrace.ScopeSpans) bool {
	s.ss, s.scopeSize = ss, ss.Spans().Len()
	s.scopeCount++
	if s.direct {
		s.deal(pointers(ss.Spans()), s.slice)
	} else {
		ss.Spans().RemoveIf(s.span)
	}
	return ss.Spans().Len() == 0
}

func (s *tracesSplit) span(span ptrace.Span) bool {
	at := s.plan.partOf[s.next]
	s.next++
	if at == s.home {
		return false
	}
	if s.parts[at].to == 0 {
		return true
	}
	span.MoveTo(s.enter(at).spans.AppendEmpty())
	return true
}

// slice is where the pointers of the part go.
func (s *tracesSplit) slice(at int32) *[]unsafe.Pointer { return s.enter(at).pointers }

// enter is the place in the part for spans of the scope.
func (s *tracesSplit) enter(at int32) *tracesPlace {
	place := &s.places[at]
	if place.scope == s.scopeCount {
		return place
	}
	if place.resource != s.resourceCount {
		place.resource = s.resourceCount
		place.rs = s.of(at).ResourceSpans().AppendEmpty()
		s.rs.Resource().CopyTo(place.rs.Resource())
		place.rs.SetSchemaUrl(s.rs.SchemaUrl())
	}
	place.scope = s.scopeCount
	ss := place.rs.ScopeSpans().AppendEmpty()
	s.ss.Scope().CopyTo(ss.Scope())
	ss.SetSchemaUrl(s.ss.SchemaUrl())
	place.spans = ss.Spans()
	place.spans.EnsureCapacity(min(s.plan.parts[at].records, s.scopeSize))
	if s.direct {
		place.pointers = pointers(place.spans)
	}
	return place
}
