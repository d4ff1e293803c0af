// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

// Format is what an event looks like on the wire.
type Format string

// FormatEvent is the event JSON that the event receiver takes in.
const FormatEvent Format = "event"

// Batching is how events are put into requests.
type Batching string

const (
	// BatchingSingle is one request an event, whose body is the event.
	BatchingSingle Batching = "single"
	// BatchingArray is one request a batch, whose body is a JSON array of events.
	BatchingArray Batching = "array"
)

const (
	defaultTimeout  = 30 * time.Second
	defaultBatchMax = 100 // events
)

// Config is the configuration of the webhook exporter.
type Config struct {
	// ClientConfig is the HTTP client: endpoint (required: the URL that events are posted to), headers, timeout
	// (default 30s, one attempt), tls, auth, compression (default none) and the other keys of confighttp.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`

	// Delivery is how events get there: dispatch, dead_letter, max_in_flight, shutdown_timeout, sending_queue and
	// retry_on_failure. A batch holds up to 100 events.
	Delivery delivery.Config `mapstructure:",squash"`

	// Endpoint is the endpoint of ClientConfig once more, so that it is hidden where the configuration is printed: the path
	// of a webhook is often a secret.
	Endpoint configopaque.String `mapstructure:"endpoint"`

	// Format is what an event looks like: event (default).
	Format Format `mapstructure:"format"`

	// Batching is how events are put into requests: single (default) or array.
	Batching Batching `mapstructure:"batching"`
}

// Unmarshal implements confmap.Unmarshaler: a key that does not exist is an error.
// An empty word, which is what an environment variable that is set to nothing leaves, is as good as none.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error {
	if err := strictconf.Unmarshal(conf, cfg); err != nil {
		return err
	}
	if cfg.Format == "" {
		cfg.Format = FormatEvent
	}
	if cfg.Batching == "" {
		cfg.Batching = BatchingSingle
	}
	return nil
}

// Validate implements confmap.Validator. Its errors do not repeat the endpoint, which may hold a secret.
func (cfg *Config) Validate() error {
	if err := validateEndpoint(cfg.ClientConfig.Endpoint); err != nil {
		return fmt.Errorf("endpoint: %w", err)
	}
	if _, err := url.Parse(cfg.ClientConfig.ProxyURL); err != nil {
		return errors.New("proxy_url: is not a URL; write one such as http://proxy.example.com:3128")
	}
	if cfg.Format != FormatEvent {
		return fmt.Errorf("format: %q is not a format; write %s", cfg.Format, FormatEvent)
	}
	if cfg.Batching != BatchingSingle && cfg.Batching != BatchingArray {
		return fmt.Errorf("batching: %q is not a way of batching; write %s (one request an event) or %s (a JSON array of events)", cfg.Batching, BatchingSingle, BatchingArray)
	}
	return cfg.Delivery.Check()
}

func validateEndpoint(endpoint string) error {
	if endpoint == "" {
		return errors.New("is missing; write the URL that events are posted to, such as https://example.com/hook (is an environment variable unset?)")
	}
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return errors.New("is not a URL; write one such as https://example.com/hook")
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("has the scheme %q; write a URL that begins with https:// or http://", u.Scheme)
	case u.Host == "":
		return errors.New("is a URL without a host; write one such as https://example.com/hook")
	}
	return nil
}

func createDefaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = defaultTimeout
	return &Config{
		ClientConfig: client,
		Delivery:     delivery.NewDefaultConfig(defaultBatchMax),
		Format:       FormatEvent,
		Batching:     BatchingSingle,
	}
}
