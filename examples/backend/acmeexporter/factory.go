// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package acmeexporter

import (
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/exporter"

	"github.com/otelcol-fanout/otelcol-fanout/examples/backend/acmeexporter/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// NewFactory returns the factory of the acme exporter.
func NewFactory() exporter.Factory {
	return delivery.NewFactory(delivery.Definition[Config]{
		Type: metadata.Type, CreateDefaultConfig: createDefaultConfig, Logs: metadata.LogsStability,
		Settings: func(cfg *Config) (*delivery.Config, confighttp.ClientConfig) {
			return &cfg.Delivery, cfg.ClientConfig
		},
		New: func(cfg *Config, _ exporter.Settings) (delivery.Backend, delivery.Options, error) {
			return newBackend(cfg), delivery.Options{}, nil
		},
	})
}
