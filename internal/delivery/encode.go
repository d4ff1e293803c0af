// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// workspace is what encoding needs, with an encoder of the exporter's signal.
type workspace struct {
	logs   Encoder
	traces TracesEncoder
	writer Writer
}

const (
	// encodedAtOnce is how many bytes are encoded before they are handed on: a small request can become a large one, where
	// every event repeats what its resource says.
	encodedAtOnce = 4 << 20
	// keptMemory is the size up to which a workspace's memory is kept for the next call.
	keptMemory = 1 << 20
)

// logsExporter is the exporter of logs that the pipeline sees.
type logsExporter struct{ *chain }

// ConsumeLogs implements consumer.Logs.
func (e *logsExporter) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	ws := e.encoders.Get().(*workspace)
	defer e.release(ws)
	if preparer, ok := ws.logs.(Preparer[plog.Logs]); ok {
		preparer.Prepare(ld)
	}
	for event := range appevent.Logs(ld) {
		err := ws.encode(func(w *Writer) error { return ws.logs.Encode(w, event) })
		if err != nil {
			e.unencoded(err, func() deadletter.Letter { return letterOfRecord(event) })
		}
		if err := e.handOn(ctx, ws, encodedAtOnce); err != nil {
			return err
		}
	}
	return e.handOn(ctx, ws, 1)
}

// tracesExporter is the exporter of traces that the pipeline sees.
type tracesExporter struct{ *chain }

// ConsumeTraces implements consumer.Traces.
func (e *tracesExporter) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	ws := e.encoders.Get().(*workspace)
	defer e.release(ws)
	if preparer, ok := ws.traces.(Preparer[ptrace.Traces]); ok {
		preparer.Prepare(td)
	}
	for source, span := range spans(td) {
		err := ws.encode(func(w *Writer) error { return ws.traces.EncodeSpan(w, source, span) })
		if err != nil {
			e.unencoded(err, func() deadletter.Letter { return letterOfSpan(source, span) })
		}
		if err := e.handOn(ctx, ws, encodedAtOnce); err != nil {
			return err
		}
	}
	return e.handOn(ctx, ws, 1)
}

// spans yields every span with its source, which is one pointer for those of one resource and scope.
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

// encode takes back what an encoder wrote before it failed. What it left out stays counted only where all is left out: a dead letter
// is encoded anew when it is replayed.
func (ws *workspace) encode(encode func(*Writer) error) error {
	mark, count, skips := len(ws.writer.buf), ws.writer.count, len(ws.writer.skips)
	err := encode(&ws.writer)
	if err == nil {
		return nil
	}
	ws.writer.rollback(mark, count)
	if _, skipped := errors.AsType[Skip](err); !skipped {
		ws.writer.skips = ws.writer.skips[:skips]
	}
	return err
}

// handOn hands on what is encoded, if it is as many bytes.
func (c *chain) handOn(ctx context.Context, ws *workspace, atLeast int) error {
	c.countSkips(&ws.writer)
	if len(ws.writer.buf) < atLeast {
		return nil
	}
	p := ws.writer.take()
	c.ledger.accepted(p.count)
	return c.deliver(ctx, p)
}

// countSkips counts what encoders left out of spans that they have otherwise written.
func (d *deliverer) countSkips(w *Writer) {
	for _, reason := range w.skips {
		d.ledger.accepted(1)
		d.ledger.skipped(string(reason))
	}
	w.skips = w.skips[:0]
}

func (d *deliverer) release(ws *workspace) {
	if ws.logs != nil {
		ws.logs.Reset()
	}
	if ws.traces != nil {
		ws.traces.Reset()
	}
	ws.writer.Reset()
	if cap(ws.writer.buf) > keptMemory {
		ws.writer.buf = nil
	}
	d.encoders.Put(ws)
}

// unencoded settles an event that the backend is not meant to get, or that has no bytes of the backend's.
func (d *deliverer) unencoded(err error, letterOf func() deadletter.Letter) {
	d.ledger.accepted(1)
	if skip, ok := errors.AsType[Skip](err); ok {
		d.ledger.skipped(string(skip))
		return
	}
	letter := letterOf()
	letter.Reason, letter.Message, letter.FailedAt = deadletter.ReasonEncoding, err.Error(), time.Now()
	d.ledger.bury([]deadletter.Letter{letter})
}

// letterOfRecord is a letter that holds the record, since it holds no bytes.
func letterOfRecord(e *appevent.Event) deadletter.Letter {
	letter := deadletter.Letter{ID: e.ID(), Name: e.Name}
	if e.Time != 0 {
		letter.Time = e.Time.AsTime()
	}
	letter.OTLP, _ = (&plog.JSONMarshaler{}).MarshalLogs(e.Logs()) // it cannot fail
	return letter
}

func letterOfSpan(source *appevent.Source, span ptrace.Span) deadletter.Letter {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	source.Resource.CopyTo(rs.Resource())
	ss := rs.ScopeSpans().AppendEmpty()
	source.Scope.CopyTo(ss.Scope())
	span.CopyTo(ss.Spans().AppendEmpty())
	letter := deadletter.Letter{ID: span.SpanID().String(), Name: span.Name(), Time: span.StartTimestamp().AsTime()}
	letter.OTLP, _ = (&ptrace.JSONMarshaler{}).MarshalTraces(td) // it cannot fail
	return letter
}

// encodeLetter encodes anew what a letter holds.
func (ws *workspace) encodeLetter(letter *deadletter.Letter) error {
	if ws.traces != nil {
		td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(letter.OTLP)
		if err != nil {
			return err
		}
		for source, span := range spans(td) {
			if err := ws.traces.EncodeSpan(&ws.writer, source, span); err != nil {
				return err
			}
		}
		return nil
	}
	ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(letter.OTLP)
	if err != nil {
		return err
	}
	for event := range appevent.Logs(ld) {
		if err := ws.logs.Encode(&ws.writer, event); err != nil {
			return err
		}
	}
	return nil
}
