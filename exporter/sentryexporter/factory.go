// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"

	"github.com/otelcol-fanout/otelcol-fanout/exporter/sentryexporter/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// NewFactory returns the factory of the sentry exporter.
func NewFactory() exporter.Factory {
	shared := &backends{}
	return exporter.NewFactory(metadata.Type, createDefaultConfig,
		exporter.WithLogs(shared.createLogs, metadata.LogsStability),
		exporter.WithTraces(shared.createTraces, metadata.TracesStability))
}

// backends are those of the exporters that exist. Logs and traces share the rate limits, the memory of exceptions and the reports.
type backends struct {
	delivery.Shared[*Config, *backend]
}

func (bs *backends) acquire(cfg *Config, version string) *backend {
	b, _ := bs.Acquire(cfg, func() (*backend, error) { // which never fails
		b := newBackend(cfg, version)
		b.close = func() { bs.Release(cfg) }
		return b, nil
	})
	return b
}

func (bs *backends) createLogs(ctx context.Context, set exporter.Settings, c component.Config) (exporter.Logs, error) {
	cfg := c.(*Config)
	logs, err := delivery.NewLogs(ctx, set, &cfg.Delivery, cfg.ClientConfig, bs.acquire(cfg, set.BuildInfo.Version))
	if err != nil {
		bs.Release(cfg)
	}
	return logs, err
}

func (bs *backends) createTraces(ctx context.Context, set exporter.Settings, c component.Config) (exporter.Traces, error) {
	cfg := c.(*Config)
	traces, err := delivery.NewTraces(ctx, set, &cfg.Delivery, cfg.ClientConfig, bs.acquire(cfg, set.BuildInfo.Version))
	if err != nil {
		bs.Release(cfg)
	}
	return traces, err
}
