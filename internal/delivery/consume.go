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
	ws.logs.Prepare(ld)
	for event := range appevent.Logs(ld) {
		mark := ws.writer.Mark()
		if err := ws.logs.Encode(ws.writer, event); err != nil {
			e.notEncoded(ws.writer, mark, err, func() deadletter.Letter { return letterOfRecord(event) })
		}
		if err := e.flush(ctx, ws.writer, maxEncoded); err != nil {
			return err
		}
	}
	return e.flush(ctx, ws.writer, 1)
}

// tracesExporter is the traces exporter that the pipeline sees.
type tracesExporter struct{ *base }

// ConsumeTraces implements consumer.Traces.
func (e *tracesExporter) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	ws := e.encoders.get()
	defer e.encoders.put(ws)
	ws.traces.Prepare(td)
	for source, span := range spans(td) {
		mark := ws.writer.Mark()
		if err := ws.traces.EncodeSpan(ws.writer, source, span); err != nil {
			e.notEncoded(ws.writer, mark, err, func() deadletter.Letter { return letterOfSpan(source, span) })
		}
		if err := e.flush(ctx, ws.writer, maxEncoded); err != nil {
			return err
		}
	}
	return e.flush(ctx, ws.writer, 1)
}

// notEncoded takes back what was written of an event, which is then skipped or a dead letter.
func (e *base) notEncoded(w *Writer, mark batch.Mark, err error, letterOf func() deadletter.Letter) {
	skip, skipped := errors.AsType[Skip](err)
	w.Rollback(mark, skipped)
	if skipped {
		w.Skip(skip) // counted by flush
		return
	}
	e.recorder.Accepted(1)
	letter := letterOf()
	letter.Reason, letter.Message, letter.FailedAt = deadletter.ReasonEncoding, err.Error(), time.Now()
	e.recorder.DeadLetter([]deadletter.Letter{letter})
}

// maxEncoded is the number of bytes encoded before they are offered to the queue. A small call can
// become large, because each encoded event repeats the attributes of its resource.
const maxEncoded = 4 << 20

// flush offers the encoded events to the queue once they have at least that many bytes.
func (e *base) flush(ctx context.Context, w *Writer, atLeast int) error {
	for _, reason := range w.TakeSkips() {
		e.recorder.Accepted(1)
		e.recorder.Skipped(string(reason))
	}
	if w.Size() < atLeast {
		return nil
	}
	b := w.Take()
	e.recorder.Accepted(b.Count())
	return e.offer(ctx, b)
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
