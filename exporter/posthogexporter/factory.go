// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/exporter"

	"github.com/otelcol-fanout/otelcol-fanout/exporter/posthogexporter/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// NewFactory returns the factory of the posthog exporter.
func NewFactory() exporter.Factory {
	return delivery.NewFactory(delivery.Definition[Config]{
		Type:                metadata.Type,
		CreateDefaultConfig: createDefaultConfig,
		Logs:                metadata.LogsStability,
		Traces:              metadata.TracesStability,
		Settings: func(cfg *Config) (*delivery.Config, confighttp.ClientConfig) {
			return &cfg.Delivery, cfg.ClientConfig
		},
		New: func(cfg *Config, set exporter.Settings) (delivery.Backend, delivery.Options, error) {
			b, err := newBackend(cfg, set)
			if err != nil {
				return nil, delivery.Options{}, err
			}
			return b, delivery.Options{Endpoint: b.batch.url, NewTracesEncoder: b.newTracesEncoder, CompleteMeta: completeMeta, Close: b.others.Close}, nil
		},
	})
}
