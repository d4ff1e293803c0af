// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
)

// NewLogs returns a logs exporter that delivers to the backend. client configures the HTTP client;
// its endpoint is left to the backend.
func NewLogs(ctx context.Context, set exporter.Settings, cfg *Config, client confighttp.ClientConfig, backend Backend, options Options) (exporter.Logs, error) {
	e, err := newBase(set, cfg, client, signalLogs, backend, &options)
	if err != nil {
		return nil, err
	}
	e.encoders.new = func(w *Writer) *workspace { return &workspace{writer: w, logs: backend.NewEncoder()} }
	helperSet, settings := e.helperSettings()
	if e.helper, err = newLogsHelper(ctx, helperSet, settings); err != nil {
		return nil, err
	}
	return &logsExporter{e}, nil
}

// NewTraces is NewLogs for traces. The options must have a NewTracesEncoder.
func NewTraces(ctx context.Context, set exporter.Settings, cfg *Config, client confighttp.ClientConfig, backend Backend, options Options) (exporter.Traces, error) {
	if _, err := options.NewTracesEncoder(); err != nil {
		return nil, err
	}
	e, err := newBase(set, cfg, client, signalTraces, backend, &options)
	if err != nil {
		return nil, err
	}
	e.encoders.new = func(w *Writer) *workspace {
		encoder, _ := options.NewTracesEncoder() // tried above
		return &workspace{writer: w, traces: encoder}
	}
	helperSet, settings := e.helperSettings()
	if e.helper, err = newTracesHelper(ctx, helperSet, settings); err != nil {
		return nil, err
	}
	return &tracesExporter{e}, nil
}

// logsExporter is the logs exporter that the pipeline sees.
type logsExporter struct{ *base }

// ConsumeLogs implements consumer.Logs.
func (e *logsExporter) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	ws := e.encoders.get()
	defer e.encoders.put(ws)
	ctx, c := e.begin(ctx)
	ws.logs.Prepare(ld)
	for event := range appevent.Logs(ld) {
		if event.Malformed != 0 {
			e.recorder.Malformed(event.Malformed)
		}
		mark := ws.writer.Mark()
		if err := ws.logs.Encode(ws.writer, event); err != nil {
			e.notEncoded(c, ws.writer, mark, err, func() deadletter.Letter { return letterOfRecord(event) })
		}
		if skips := ws.writer.TakeSkips(); len(skips) > 0 {
			ws.skippedRecords.add(skips, skippedRecord{event.Source, event.Record()}, e.recorder.Reports())
		}
		e.flush(ctx, c, ws.writer, maxEncoded)
	}
	ws.skippedRecords.record(e.recorder, skippedRecord.describe)
	return e.finish(ctx, c, ws.writer)
}

// tracesExporter is the traces exporter that the pipeline sees.
type tracesExporter struct{ *base }

// ConsumeTraces implements consumer.Traces.
func (e *tracesExporter) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	ws := e.encoders.get()
	defer e.encoders.put(ws)
	ctx, c := e.begin(ctx)
	ws.traces.Prepare(td)
	for source, span := range spans(td) {
		mark := ws.writer.Mark()
		if err := ws.traces.EncodeSpan(ws.writer, source, span); err != nil {
			e.notEncoded(c, ws.writer, mark, err, func() deadletter.Letter { return letterOfSpan(source, span) })
		}
		if skips := ws.writer.TakeSkips(); len(skips) > 0 {
			ws.skippedSpans.add(skips, span, e.recorder.Reports())
		}
		e.flush(ctx, c, ws.writer, maxEncoded)
	}
	ws.skippedSpans.record(e.recorder, describeSpan)
	return e.finish(ctx, c, ws.writer)
}

// begin returns the call if its caller waits, otherwise nil.
func (e *base) begin(ctx context.Context) (context.Context, *call) {
	if e.deliverer.async {
		return ctx, nil
	}
	return newCall(ctx, e.recorder)
}

// notEncoded takes back what was written of an event, which is skipped, refused or a dead letter.
func (e *base) notEncoded(c *call, w *Writer, mark batch.Mark, err error, letterOf func() deadletter.Letter) {
	skip, skipped := errors.AsType[Skip](err)
	w.Rollback(mark, skipped)
	if skipped {
		w.Skip(skip)
		return
	}
	e.recorder.Accepted(1)
	letter := letterOf()
	letter.Reason, letter.Message, letter.FailedAt = deadletter.ReasonEncoding, err.Error(), time.Now()
	if c != nil {
		c.notEncoded(letter)
		return
	}
	e.recorder.DeadLetter([]deadletter.Letter{letter})
}

// maxEncoded is the number of bytes encoded before they are offered to the queue. A small call can
// become large, because each encoded event repeats the attributes of its resource.
const maxEncoded = 4 << 20

// flush queues or sends the encoded events once they have at least that many bytes.
func (e *base) flush(ctx context.Context, c *call, w *Writer, atLeast int) {
	if w.Size() < atLeast {
		return
	}
	b := w.Take()
	e.recorder.Accepted(b.Count())
	e.recorder.Arrived(b)
	if c != nil {
		e.send(ctx, c, b)
		return
	}
	e.offer(ctx, b)
}

// finish flushes the last events, and returns the error for a caller that waits.
func (e *base) finish(ctx context.Context, c *call, w *Writer) error {
	e.flush(ctx, c, w, 1)
	if c == nil {
		return nil
	}
	return c.finish()
}

// letterOfRecord returns a dead letter that holds the record, because there is no payload.
func letterOfRecord(e *appevent.Event) deadletter.Letter {
	letter := deadletter.Letter{ID: e.ID(), Name: e.Name}
	if e.Time != 0 {
		letter.Time = e.Time.AsTime()
	}
	letter.OTLP, _ = (&plog.JSONMarshaler{}).MarshalLogs(e.Logs()) // it cannot fail
	return letter
}

// letterOfSpan is letterOfRecord for a span.
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
