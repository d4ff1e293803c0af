// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"context"
	"unsafe"

	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/xpdata/pref"
	"go.opentelemetry.io/collector/pipeline"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// logs routes log records by the name of their event.
type logs struct {
	*fanout[plog.Logs]
}

func newLogs(set connector.Settings, cfg *Config, router connector.LogsRouterAndConsumer) (connector.Logs, error) {
	f, err := newFanout(set, cfg, pipeline.SignalLogs, router.PipelineIDs(), operations[plog.Logs]{
		clone: cloneLogs,
		mark:  pref.MarkPipelineOwnedLogs, unref: pref.UnrefLogs,
		direct: hasPointers[plog.LogRecordSlice](),
		target: func(id pipeline.ID) (target[plog.Logs], error) {
			next, err := router.Consumer(id)
			if err != nil {
				return target[plog.Logs]{}, err
			}
			return target[plog.Logs]{consume: next.ConsumeLogs, mutates: next.Capabilities().MutatesData}, nil
		},
	})
	if err != nil {
		return nil, err
	}
	return &logs{f}, nil
}

// Capabilities implements consumer.Logs. Ids are written into the records, and these are moved, not copied, where they part.
func (*logs) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: true} }

// ConsumeLogs implements consumer.Logs. Its error is that of the sync pipelines.
func (c *logs) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	if ld.IsReadOnly() { // nobody should hand us shared records
		ld = cloneLogs(ld)
	}
	return c.deliver(ctx, c.sort(ld))
}

// sort looks at each record once, which is most of what routing costs.
func (c *logs) sort(ld plog.Logs) []part[plog.Logs] {
	p := c.begin()
	defer c.end(p)
	stamped := true
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				marks := readMarks(record.Attributes())
				stamped = stamped && marks.hasID
				p.add(nameOf(record, marks.kind), marks.kind, marks.destinations, c.counts)
			}
		}
	}
	if !stamped {
		appevent.StampIDs(ld)
	}
	return splitLogs(ld, p, c.direct)
}

func cloneLogs(ld plog.Logs) plog.Logs {
	clone := plog.NewLogs()
	ld.CopyTo(clone)
	return clone
}

// splitLogs makes a batch of each part of the plan that goes anywhere. The largest stays where it is.
func splitLogs(ld plog.Logs, p *plan, direct bool) []part[plog.Logs] {
	home := p.home()
	if home == noPart {
		return nil
	}
	parts := make([]part[plog.Logs], len(p.parts))
	for i := range parts {
		parts[i] = part[plog.Logs]{to: p.parts[i].to, records: p.parts[i].records}
	}
	parts[home].data = ld
	if len(parts) > 1 {
		s := logsSplit{plan: p, home: home, direct: direct, places: make([]logsPlace, len(parts)), slices: make([]*[]unsafe.Pointer, len(parts)), parts: parts}
		ld.ResourceLogs().RemoveIf(s.resource)
	}
	return parts
}

// logsSplit moves records to their parts.
type logsSplit struct {
	plan   *plan
	home   int32
	direct bool // whether pointers are moved
	next   int  // the record whose turn it is
	parts  []part[plog.Logs]
	places []logsPlace

	slices  []*[]unsafe.Pointer // where pointers are moved to, by part
	dropped []unsafe.Pointer

	// What is being split, and the how manieth it is.
	rl                        plog.ResourceLogs
	sl                        plog.ScopeLogs
	resourceCount, scopeCount int
	scopeSize                 int
}

// logsPlace is where the records of a part go, if they are of the resource and scope that have these numbers.
type logsPlace struct {
	resource, scope int
	rl              plog.ResourceLogs
	records         plog.LogRecordSlice
	pointers        *[]unsafe.Pointer // of these, where they are moved so
}

// resource reports whether nothing of the resource stays.
func (s *logsSplit) resource(rl plog.ResourceLogs) bool {
	n := 0
	for _, sl := range rl.ScopeLogs().All() {
		n += sl.LogRecords().Len()
	}
	if n == 0 {
		return true
	}
	if at, ok := s.plan.uniform(s.next, n); ok {
		s.next += n
		return s.whole(rl, at)
	}
	s.rl = rl
	s.resourceCount++
	rl.ScopeLogs().RemoveIf(s.scope)
	return rl.ScopeLogs().Len() == 0
}

// whole moves a resource whose records all belong to one part.
func (s *logsSplit) whole(rl plog.ResourceLogs, at int32) bool {
	if at == s.home {
		return false
	}
	if s.parts[at].to != 0 {
		rl.MoveTo(s.logs(at).ResourceLogs().AppendEmpty())
	}
	return true
}

func (s *logsSplit) scope(sl plog.ScopeLogs) bool {
	s.sl, s.scopeSize = sl, sl.LogRecords().Len()
	s.scopeCount++
	if s.direct {
		s.deal(pointers(sl.LogRecords()))
	} else {
		sl.LogRecords().RemoveIf(s.record)
	}
	return sl.LogRecords().Len() == 0
}

func (s *logsSplit) record(record plog.LogRecord) bool {
	at := s.plan.partOf[s.next]
	s.next++
	if at == s.home {
		return false
	}
	if s.parts[at].to == 0 {
		return true
	}
	record.MoveTo(s.enter(at).records.AppendEmpty())
	return true
}

func (s *logsSplit) deal(elements *[]unsafe.Pointer) {
	clear(s.slices)
	s.slices[s.home] = elements
	next := s.next
	s.next += len(*elements)
	s.plan.deal(elements, next, s.slices, s.slice)
}

// slice is where the pointers of the part go.
func (s *logsSplit) slice(at int32) *[]unsafe.Pointer {
	if s.parts[at].to == 0 {
		return &s.dropped
	}
	return s.enter(at).pointers
}

// enter is the place in the part for records of the scope.
func (s *logsSplit) enter(at int32) *logsPlace {
	place := &s.places[at]
	if place.scope == s.scopeCount {
		return place
	}
	if place.resource != s.resourceCount {
		place.resource = s.resourceCount
		place.rl = s.logs(at).ResourceLogs().AppendEmpty()
		s.rl.Resource().CopyTo(place.rl.Resource())
		place.rl.SetSchemaUrl(s.rl.SchemaUrl())
	}
	place.scope = s.scopeCount
	sl := place.rl.ScopeLogs().AppendEmpty()
	s.sl.Scope().CopyTo(sl.Scope())
	sl.SetSchemaUrl(s.sl.SchemaUrl())
	place.records = sl.LogRecords()
	place.records.EnsureCapacity(min(s.plan.parts[at].records, s.scopeSize))
	if s.direct {
		place.pointers = pointers(place.records)
	}
	return place
}

// logs is the batch of the part.
func (s *logsSplit) logs(at int32) plog.Logs {
	if s.parts[at].data == (plog.Logs{}) {
		s.parts[at].data = plog.NewLogs()
	}
	return s.parts[at].data
}
