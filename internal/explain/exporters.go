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
// distribution. They record OTLP JSON.
func (r *run) otlpFactory(f exporter.Factory) exporter.Factory {
	return exporter.NewFactory(f.Type(), f.CreateDefaultConfig,
		exporter.WithLogs(func(_ context.Context, set exporter.Settings, _ component.Config) (exporter.Logs, error) {
			return r.otlpRecorder(set.ID), nil
		}, component.StabilityLevelStable),
		exporter.WithTraces(func(_ context.Context, set exporter.Settings, _ component.Config) (exporter.Traces, error) {
			return r.otlpRecorder(set.ID), nil
		}, component.StabilityLevelStable),
		exporter.WithMetrics(func(_ context.Context, set exporter.Settings, _ component.Config) (exporter.Metrics, error) {
			return r.otlpRecorder(set.ID), nil
		}, component.StabilityLevelStable))
}

func (r *run) otlpRecorder(id component.ID) *otlpRecorder {
	return &otlpRecorder{run: r, id: id}
}

type otlpRecorder struct {
	inert
	run *run
	id  component.ID
}

func (o *otlpRecorder) record(events []Event, signal string, otlp []byte, err error) error {
	o.run.took(o.id, events, err)
	if err == nil {
		o.run.recorded(o.id, recording{signal: signal, body: otlp})
	}
	return err
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

// Capabilities implements consumer.Logs, consumer.Traces and consumer.Metrics.
func (*otlpRecorder) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs implements consumer.Logs.
func (o *otlpRecorder) ConsumeLogs(_ context.Context, ld plog.Logs) error {
	otlp, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
	return o.record(eventsOfLogs(ld), "logs", otlp, err)
}

// ConsumeTraces implements consumer.Traces.
func (o *otlpRecorder) ConsumeTraces(_ context.Context, td ptrace.Traces) error {
	otlp, err := (&ptrace.JSONMarshaler{}).MarshalTraces(td)
	return o.record(eventsOfTraces(td), "traces", otlp, err)
}

// ConsumeMetrics implements consumer.Metrics.
func (o *otlpRecorder) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	otlp, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(md)
	return o.record(eventsOfMetrics(md), "metrics", otlp, err)
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
