// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"errors"
	"sync"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
)

// workspace holds what encoding needs: a writer, and an encoder of the exporter's signal. It also holds
// what a call has skipped.
type workspace struct {
	writer *Writer
	logs   Encoder
	traces TracesEncoder

	skippedRecords skips[skippedRecord]
	skippedSpans   skips[ptrace.Span]
}

// encoders pools the workspaces of an exporter. Each workspace serves one goroutine at a time.
type encoders struct {
	new    func(*Writer) *workspace
	idle   sync.Pool // *workspace
	memory batch.Pool
}

func (s *encoders) get() *workspace {
	if ws, ok := s.idle.Get().(*workspace); ok {
		return ws
	}
	return s.new(batch.NewWriter(&s.memory))
}

func (s *encoders) put(ws *workspace) {
	if ws.logs != nil {
		ws.logs.Reset()
	}
	if ws.traces != nil {
		ws.traces.Reset()
	}
	ws.writer.Reset()
	s.idle.Put(ws)
}

// encodeOTLP encodes the OTLP JSON that a dead letter holds.
func (s *encoders) encodeOTLP(otlp []byte) ([]Event, error) {
	ws := s.get()
	defer s.put(ws)
	encode := ws.encodeLogs
	if ws.traces != nil {
		encode = ws.encodeTraces
	}
	if err := encode(otlp); err != nil {
		return nil, err
	}
	return ws.writer.Take().Events(), nil
}

var errNoRecord = errors.New("the dead letter holds no record; correct its otlp, or delete it")

func (ws *workspace) encodeLogs(otlp []byte) error {
	ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(otlp)
	if err != nil {
		return err
	}
	if ld.LogRecordCount() == 0 {
		return errNoRecord
	}
	ws.logs.Prepare(ld)
	for event := range appevent.Logs(ld) {
		mark := ws.writer.Mark()
		if err := ws.passSkip(mark, ws.logs.Encode(ws.writer, event)); err != nil {
			return err
		}
	}
	return nil
}

func (ws *workspace) encodeTraces(otlp []byte) error {
	td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(otlp)
	if err != nil {
		return err
	}
	if td.SpanCount() == 0 {
		return errNoRecord
	}
	ws.traces.Prepare(td)
	for source, span := range spans(td) {
		mark := ws.writer.Mark()
		if err := ws.passSkip(mark, ws.traces.EncodeSpan(ws.writer, source, span)); err != nil {
			return err
		}
	}
	return nil
}

// passSkip returns err unless it is a [Skip] of one record: the dead letter's others are still sent.
func (ws *workspace) passSkip(mark batch.Mark, err error) error {
	if _, skipped := errors.AsType[Skip](err); !skipped {
		return err
	}
	ws.writer.Rollback(mark, true)
	return nil
}

// spans yields every span with its source, which is the same pointer for all spans of one resource
// and scope.
func spans(td ptrace.Traces) func(yield func(*appevent.Source, ptrace.Span) bool) {
	return func(yield func(*appevent.Source, ptrace.Span) bool) {
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				source := appevent.NewSource(rs.Resource(), ss.Scope())
				for _, span := range ss.Spans().All() {
					if !yield(source, span) {
						return
					}
				}
			}
		}
	}
}
