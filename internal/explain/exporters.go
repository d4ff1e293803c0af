// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/callresult"
)

// otlpFactory creates recorders in the place of the exporters of one factory, which is not one of this
// distribution. They record OTLP.
func (r *run) otlpFactory(f exporter.Factory) exporter.Factory {
	return exporter.NewFactory(f.Type(), f.CreateDefaultConfig,
		exporter.WithLogs(func(_ context.Context, set exporter.Settings, _ component.Config) (exporter.Logs, error) {
			return &otlpLogs{otlpRecorder{run: r, id: set.ID}}, nil
		}, component.StabilityLevelStable),
		exporter.WithTraces(func(_ context.Context, set exporter.Settings, _ component.Config) (exporter.Traces, error) {
			return &otlpTraces{otlpRecorder{run: r, id: set.ID}}, nil
		}, component.StabilityLevelStable),
		exporter.WithMetrics(func(_ context.Context, set exporter.Settings, _ component.Config) (exporter.Metrics, error) {
			return &otlpMetrics{otlpRecorder{run: r, id: set.ID}}, nil
		}, component.StabilityLevelStable))
}

// otlp holds everything that one exporter got, merged into one batch of each signal.
type otlp struct {
	logs    plog.Logs
	traces  ptrace.Traces
	metrics pmetric.Metrics
}

// otlpOf returns what an exporter got so far. The caller must hold the lock.
func (r *run) otlpOf(exporter component.ID) *otlp {
	got, ok := r.otlp[exporter]
	if !ok {
		got = &otlp{logs: plog.NewLogs(), traces: ptrace.NewTraces(), metrics: pmetric.NewMetrics()}
		r.otlp[exporter] = got
	}
	return got
}

// recordings returns the batches as OTLP JSON.
func (o *otlp) recordings() ([]recording, error) {
	var all []recording
	if o.logs.LogRecordCount() > 0 {
		body, err := (&plog.JSONMarshaler{}).MarshalLogs(o.logs)
		if err != nil {
			return nil, err
		}
		all = append(all, recording{signal: "logs", body: body})
	}
	if o.traces.SpanCount() > 0 {
		body, err := (&ptrace.JSONMarshaler{}).MarshalTraces(o.traces)
		if err != nil {
			return nil, err
		}
		all = append(all, recording{signal: "traces", body: body})
	}
	if o.metrics.MetricCount() > 0 {
		body, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(o.metrics)
		if err != nil {
			return nil, err
		}
		all = append(all, recording{signal: "metrics", body: body})
	}
	return all, nil
}

// took notes what an exporter got, and its error.
func (r *run) took(exporter component.ID, events []Event, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken[exporter] = append(r.taken[exporter], events...)
	if err != nil {
		r.failed[exporter] = err
	}
}

// otlpRecorder is the part of a recorder that does not depend on the signal.
type otlpRecorder struct {
	inert
	run *run
	id  component.ID
}

// Capabilities implements consumer.Logs, consumer.Traces and consumer.Metrics.
func (*otlpRecorder) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

type otlpLogs struct{ otlpRecorder }

// ConsumeLogs implements consumer.Logs.
func (o *otlpLogs) ConsumeLogs(_ context.Context, ld plog.Logs) error {
	o.run.took(o.id, eventsOfLogs(ld), nil)
	o.run.mu.Lock()
	defer o.run.mu.Unlock()
	for _, rl := range ld.ResourceLogs().All() {
		rl.CopyTo(o.run.otlpOf(o.id).logs.ResourceLogs().AppendEmpty())
	}
	return nil
}

type otlpTraces struct{ otlpRecorder }

// ConsumeTraces implements consumer.Traces.
func (o *otlpTraces) ConsumeTraces(_ context.Context, td ptrace.Traces) error {
	o.run.took(o.id, eventsOfTraces(td), nil)
	o.run.mu.Lock()
	defer o.run.mu.Unlock()
	for _, rs := range td.ResourceSpans().All() {
		rs.CopyTo(o.run.otlpOf(o.id).traces.ResourceSpans().AppendEmpty())
	}
	return nil
}

type otlpMetrics struct{ otlpRecorder }

// ConsumeMetrics implements consumer.Metrics.
func (o *otlpMetrics) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	o.run.took(o.id, eventsOfMetrics(md), nil)
	o.run.mu.Lock()
	defer o.run.mu.Unlock()
	for _, rm := range md.ResourceMetrics().All() {
		rm.CopyTo(o.run.otlpOf(o.id).metrics.ResourceMetrics().AppendEmpty())
	}
	return nil
}

// ownFactory is the factory of one of this distribution's exporters.
type ownFactory struct {
	exporter.Factory
	run *run
}

// CreateLogs implements exporter.Factory.
func (f *ownFactory) CreateLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	e, err := f.Factory.CreateLogs(ctx, set, cfg)
	if err != nil {
		return nil, err
	}
	return &ownLogs{Logs: e, run: f.run, id: set.ID}, nil
}

// CreateTraces implements exporter.Factory.
func (f *ownFactory) CreateTraces(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Traces, error) {
	e, err := f.Factory.CreateTraces(ctx, set, cfg)
	if err != nil {
		return nil, err
	}
	return &ownTraces{Traces: e, run: f.run, id: set.ID}, nil
}

// ownLogs is a logs exporter whose events are noted.
type ownLogs struct {
	exporter.Logs
	run *run
	id  component.ID
}

// ConsumeLogs implements consumer.Logs.
func (e *ownLogs) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	events := eventsOfLogs(ld)
	err := keepRefused(ctx, func(ctx context.Context) error { return e.Logs.ConsumeLogs(ctx, ld) })
	e.run.took(e.id, events, err)
	return err
}

// ownTraces is a traces exporter whose spans are noted.
type ownTraces struct {
	exporter.Traces
	run *run
	id  component.ID
}

// ConsumeTraces implements consumer.Traces.
func (e *ownTraces) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	events := eventsOfTraces(td)
	err := keepRefused(ctx, func(ctx context.Context) error { return e.Traces.ConsumeTraces(ctx, td) })
	e.run.took(e.id, events, err)
	return err
}

// keepRefused makes an exporter keep the events that it refuses as dead letters, which have the reason
// for each. It would return them to the caller if the caller could send all of them again.
func keepRefused(ctx context.Context, consume func(context.Context) error) error {
	ctx, call, end := callresult.Open(callresult.Without(ctx))
	defer end()
	call.Delivered()
	return consume(ctx)
}
