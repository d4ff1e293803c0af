// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"context"
	"unsafe"

	"go.opentelemetry.io/collector/connector"
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
		create: plog.NewLogs, decide: decideLogs, move: moveLogs,
		mark: pref.MarkPipelineOwnedLogs, unref: pref.UnrefLogs,
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

// ConsumeLogs implements consumer.Logs. Its error is that of the sync pipelines.
func (c *logs) ConsumeLogs(ctx context.Context, ld plog.Logs) error { return c.consume(ctx, ld) }

// decideLogs looks at each record once, which is most of what routing costs.
func decideLogs(ld plog.Logs, p *plan, counts *counts) {
	stamped := true
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				marks := readMarks(record.Attributes())
				stamped = stamped && marks.hasID
				p.add(nameOf(record, marks.kind), marks.kind, marks.destinations, counts)
			}
		}
	}
	if !stamped {
		appevent.StampIDs(ld)
	}
}

func moveLogs(ld plog.Logs, s *split[plog.Logs]) {
	logs := logsSplit{split: s, places: make([]logsPlace, len(s.parts))}
	ld.ResourceLogs().RemoveIf(logs.resource)
}

// logsSplit moves records to their parts.
type logsSplit struct {
	*split[plog.Logs]
	places []logsPlace

	// What is being split.
	rl        plog.ResourceLogs
	sl        plog.ScopeLogs
	scopeSize int
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
		rl.MoveTo(s.of(at).ResourceLogs().AppendEmpty())
	}
	return true
}

func (s *logsSplit) scope(sl plog.ScopeLogs) bool {
	s.sl, s.scopeSize = sl, sl.LogRecords().Len()
	s.scopeCount++
	if s.direct {
		s.deal(pointers(sl.LogRecords()), s.slice)
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

// slice is where the pointers of the part go.
func (s *logsSplit) slice(at int32) *[]unsafe.Pointer { return s.enter(at).pointers }

// enter is the place in the part for records of the scope.
func (s *logsSplit) enter(at int32) *logsPlace {
	place := &s.places[at]
	if place.scope == s.scopeCount {
		return place
	}
	if place.resource != s.resourceCount {
		place.resource = s.resourceCount
		place.rl = s.of(at).ResourceLogs().AppendEmpty()
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
