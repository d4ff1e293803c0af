// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-fanout/otelcol-fanout/internal/explain/entrypoint"
)

// entrance takes the place of a receiver. It passes on what it is given, for each signal that the
// receiver has pipelines for.
type entrance struct {
	logs    consumer.Logs
	traces  consumer.Traces
	metrics consumer.Metrics
	http    *entrypoint.Entry // nil if the receiver takes OTLP only
}

// entranceFactory creates the entrances for the receivers of one factory.
func (r *run) entranceFactory(f receiver.Factory) receiver.Factory {
	entryFactory, _ := f.(entrypoint.Factory)
	return receiver.NewFactory(f.Type(), f.CreateDefaultConfig,
		receiver.WithLogs(func(ctx context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
			e := r.entrance(set.ID)
			e.logs = next
			if entryFactory == nil {
				return inert{}, nil
			}
			var err error
			if e.http, err = entryFactory.CreateEntry(ctx, set, cfg, &limited{next, r}); err != nil {
				return nil, fmt.Errorf("receivers::%s: %w", set.ID, err)
			}
			return inert{close: e.http.Close}, nil
		}, component.StabilityLevelStable),
		receiver.WithTraces(func(_ context.Context, set receiver.Settings, _ component.Config, next consumer.Traces) (receiver.Traces, error) {
			r.entrance(set.ID).traces = next
			return inert{}, nil
		}, component.StabilityLevelStable),
		receiver.WithMetrics(func(_ context.Context, set receiver.Settings, _ component.Config, next consumer.Metrics) (receiver.Metrics, error) {
			r.entrance(set.ID).metrics = next
			return inert{}, nil
		}, component.StabilityLevelStable))
}

func (r *run) entrance(id component.ID) *entrance {
	e, ok := r.entrances[id]
	if !ok {
		e = &entrance{}
		r.entrances[id] = e
	}
	return e
}

// limited passes on the events of a request unless there are too many.
type limited struct {
	consumer.Logs
	run *run
}

// ConsumeLogs implements consumer.Logs.
func (l *limited) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	if err := l.run.admit(ld.LogRecordCount()); err != nil {
		return err
	}
	return l.Logs.ConsumeLogs(ctx, ld)
}

// inert is a component that does nothing but call close as it stops; close may be nil.
type inert struct{ close func() }

// Start implements component.Component.
func (inert) Start(context.Context, component.Host) error { return nil }

// Shutdown implements component.Component.
func (i inert) Shutdown(context.Context) error {
	if i.close != nil {
		i.close()
	}
	return nil
}
