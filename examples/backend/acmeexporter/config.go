// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package acmeexporter

import (
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

const (
	defaultEndpoint = "https://api.acme.example"
	defaultTimeout  = 30 * time.Second
)

// Config is the configuration of the acme exporter.
type Config struct {
	// ClientConfig is the HTTP client: endpoint (default https://api.acme.example), timeout of one
	// attempt (default 30s), compression (default gzip) and the other keys of confighttp.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`

	// Delivery has the keys that all exporters share: dispatch, dead_letter, max_in_flight,
	// max_retries, max_age, shutdown_timeout, sending_queue and retry_on_failure. A batch holds up
	// to 500 events.
	Delivery delivery.Config `mapstructure:",squash"`

	// APIKey is the project's ingest key (required). Acme shows it under Project settings, API
	// keys.
	APIKey configopaque.String `mapstructure:"api_key"`
}

// Unmarshal implements confmap.Unmarshaler. Unknown keys are errors.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error {
	return delivery.Unmarshal(conf, cfg, &cfg.Delivery)
}

// Validate implements confmap.Validator. Its errors never contain a value that may be secret.
func (cfg *Config) Validate() error {
	if err := strictconf.CheckCredential(string(cfg.APIKey), "write the project's ingest key", "ACME_API_KEY"); err != nil {
		return fmt.Errorf("api_key: %w", err)
	}
	if _, err := strictconf.ParseURL(cfg.ClientConfig.Endpoint, defaultEndpoint); err != nil {
		return fmt.Errorf("endpoint: %w", err)
	}
	if err := strictconf.CheckProxy(cfg.ClientConfig.ProxyURL); err != nil {
		return fmt.Errorf("proxy_url: %w", err)
	}
	return cfg.Delivery.Check()
}

func createDefaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	client.Endpoint = defaultEndpoint
	client.Timeout = defaultTimeout
	client.Compression = configcompression.TypeGzip
	return &Config{ClientConfig: client, Delivery: delivery.NewDefaultConfig(maxEvents)}
}
