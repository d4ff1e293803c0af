// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"context"
	"errors"
	"sync"

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

// backends are those of the exporters that exist. The logs and the traces of one exporter have the same configuration, and so
// the same endpoint: its rate limit, its handshake, and that it is gone.
type backends struct {
	mu       sync.Mutex
	byConfig map[*Config]*usedBackend
}

type usedBackend struct {
	*backend
	users int
}

func (bs *backends) acquire(cfg *Config, id component.ID) (*backend, error) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	used, ok := bs.byConfig[cfg]
	if !ok {
		b, err := newBackend(cfg, id.String())
		if err != nil {
			return nil, err
		}
		if bs.byConfig == nil {
			bs.byConfig = map[*Config]*usedBackend{}
		}
		b.close = func() { bs.release(cfg) }
		used = &usedBackend{backend: b}
		bs.byConfig[cfg] = used
	}
	used.users++
	return used.backend, nil
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
	b, err := bs.acquire(cfg, set.ID)
	if err != nil {
		return nil, err
	}
	logs, err := delivery.NewLogs(ctx, set, &cfg.Delivery, cfg.ClientConfig, b)
	if err != nil {
		bs.release(cfg)
		return nil, err
	}
	return logs, nil
}

func (bs *backends) createTraces(ctx context.Context, set exporter.Settings, c component.Config) (exporter.Traces, error) {
	cfg := c.(*Config)
	b, err := bs.acquire(cfg, set.ID)
	if err != nil {
		return nil, err
	}
	if cfg.Format == FormatOTLPJSON && b.templates.hasTarget() {
		bs.release(cfg)
		return nil, errSpanTarget
	}
	traces, err := delivery.NewTraces(ctx, set, &cfg.Delivery, cfg.ClientConfig, b)
	if err != nil {
		bs.release(cfg)
		return nil, err
	}
	return traces, nil
}

var errSpanTarget = errors.New("request: has templates over events, and otlp_json sends whole spans, which are none; write another exporter for traces, without them")
