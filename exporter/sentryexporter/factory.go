// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"context"
	"sync"

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

// backends are those of the exporters that exist. The logs and the traces of one exporter have the same configuration, and so
// the same backend: its rate limits, its memory of exceptions and its reports.
type backends struct {
	mu       sync.Mutex
	byConfig map[*Config]*usedBackend
}

type usedBackend struct {
	*backend
	users int
}

func (bs *backends) acquire(cfg *Config, version string) *backend {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	used, ok := bs.byConfig[cfg]
	if !ok {
		if bs.byConfig == nil {
			bs.byConfig = map[*Config]*usedBackend{}
		}
		used = &usedBackend{backend: newBackend(cfg, version)}
		used.close = func() { bs.release(cfg) }
		bs.byConfig[cfg] = used
	}
	used.users++
	return used.backend
}

func (bs *backends) release(cfg *Config) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	used := bs.byConfig[cfg]
	if used.users--; used.users == 0 {
		delete(bs.byConfig, cfg)
	}
}

func (bs *backends) createLogs(ctx context.Context, set exporter.Settings, c component.Config) (exporter.Logs, error) {
	cfg := c.(*Config)
	logs, err := delivery.NewLogs(ctx, set, &cfg.Delivery, cfg.ClientConfig, bs.acquire(cfg, set.BuildInfo.Version))
	if err != nil {
		bs.release(cfg)
		return nil, err
	}
	return logs, nil
}

func (bs *backends) createTraces(ctx context.Context, set exporter.Settings, c component.Config) (exporter.Traces, error) {
	cfg := c.(*Config)
	traces, err := delivery.NewTraces(ctx, set, &cfg.Delivery, cfg.ClientConfig, bs.acquire(cfg, set.BuildInfo.Version))
	if err != nil {
		bs.release(cfg)
		return nil, err
	}
	return traces, nil
}
