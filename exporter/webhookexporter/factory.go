// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"

	"github.com/otelcol-fanout/otelcol-fanout/exporter/webhookexporter/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// NewFactory returns the factory of the webhook exporter.
func NewFactory() exporter.Factory {
	shared := &backends{}
	return exporter.NewFactory(metadata.Type, createDefaultConfig,
		exporter.WithLogs(shared.createLogs, metadata.LogsStability),
		exporter.WithTraces(shared.createTraces, metadata.TracesStability))
}

// backends are those of the exporters that exist. Logs and traces share the endpoint: its rate limit, its handshake, and that it is gone.
type backends struct {
	delivery.Shared[*Config, *backend]
}

func (bs *backends) acquire(cfg *Config, id component.ID) (*backend, error) {
	return bs.Acquire(cfg, func() (*backend, error) {
		b, err := newBackend(cfg, id.String())
		if err != nil {
			return nil, err
		}
		b.close = func() { bs.Release(cfg) }
		return b, nil
	})
}

func (bs *backends) createLogs(ctx context.Context, set exporter.Settings, c component.Config) (exporter.Logs, error) {
	cfg := c.(*Config)
	b, err := bs.acquire(cfg, set.ID)
	if err != nil {
		return nil, err
	}
	logs, err := delivery.NewLogs(ctx, set, &cfg.Delivery, cfg.ClientConfig, b)
	if err != nil {
		bs.Release(cfg)
	}
	return logs, err
}

func (bs *backends) createTraces(ctx context.Context, set exporter.Settings, c component.Config) (exporter.Traces, error) {
	cfg := c.(*Config)
	b, err := bs.acquire(cfg, set.ID)
	if err != nil {
		return nil, err
	}
	if cfg.Format == FormatOTLPJSON && b.templates.hasTarget() {
		bs.Release(cfg)
		return nil, errSpanTarget
	}
	traces, err := delivery.NewTraces(ctx, set, &cfg.Delivery, cfg.ClientConfig, b)
	if err != nil {
		bs.Release(cfg)
	}
	return traces, err
}

var errSpanTarget = errors.New("request: has templates over events, and otlp_json sends whole spans, which are none; write another exporter for traces, without them")
