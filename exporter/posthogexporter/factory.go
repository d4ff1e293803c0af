// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"

	"github.com/otelcol-fanout/otelcol-fanout/exporter/posthogexporter/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// NewFactory returns the factory of the posthog exporter.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(metadata.Type, createDefaultConfig,
		exporter.WithLogs(createLogs, metadata.LogsStability),
		exporter.WithTraces(createTraces, metadata.TracesStability))
}

func createLogs(ctx context.Context, set exporter.Settings, c component.Config) (exporter.Logs, error) {
	cfg := c.(*Config)
	b, err := newBackend(cfg, set)
	if err != nil {
		return nil, err
	}
	return delivery.NewLogs(ctx, set, &cfg.Delivery, cfg.ClientConfig, b)
}

func createTraces(ctx context.Context, set exporter.Settings, c component.Config) (exporter.Traces, error) {
	cfg := c.(*Config)
	b, err := newBackend(cfg, set)
	if err != nil {
		return nil, err
	}
	return delivery.NewTraces(ctx, set, &cfg.Delivery, cfg.ClientConfig, b)
}
