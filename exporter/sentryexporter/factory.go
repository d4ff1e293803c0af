// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/exporter"

	"github.com/otelcol-fanout/otelcol-fanout/exporter/sentryexporter/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// NewFactory returns the factory of the sentry exporter. The logs and traces exporters of one
// configuration share a backend, and with it rate limits, paired exceptions and client reports.
func NewFactory() exporter.Factory {
	return delivery.NewFactory(delivery.Definition[Config]{
		Type: metadata.Type, CreateDefaultConfig: createDefaultConfig, Logs: metadata.LogsStability, Traces: metadata.TracesStability,
		Settings: func(cfg *Config) (*delivery.Config, confighttp.ClientConfig) { return &cfg.Delivery, cfg.ClientConfig },
		New: func(cfg *Config, set exporter.Settings) (delivery.Backend, delivery.Options, error) {
			b := newBackend(cfg, set.BuildInfo.Version)
			options := b.options()
			return b, options, nil
		},
	})
}
