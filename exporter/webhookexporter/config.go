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
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

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
	defaultTimeout   = 30 * time.Second
	defaultQueueSize = 64 << 20 // bytes, as OTLP
	defaultBatchMax  = 100      // events
)

// Config is the configuration of the webhook exporter.
type Config struct {
	// ClientConfig is the HTTP client: endpoint (required: the URL that events are posted to), headers, timeout
	// (default 30s, one attempt), tls, auth, compression (default none) and the other keys of confighttp.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`

	// QueueConfig is the queue before the webhook and the batches made from it. By default it holds 64 MiB
	// (sizer bytes), and batches hold up to 100 events and wait for them for up to 200ms.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`

	// RetryConfig says how often a request that failed is sent again; on by default (5s, 1.5 times longer each
	// time, 30s at the most, for 5m).
	RetryConfig configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	// Format is what an event looks like: event (default).
	Format Format `mapstructure:"format"`

	// Batching is how events are put into requests: single (default) or array.
	Batching Batching `mapstructure:"batching"`
}

// Unmarshal implements confmap.Unmarshaler: a key that does not exist is an error.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error { return strictconf.Unmarshal(conf, cfg) }

// Validate implements confmap.Validator. Its errors do not repeat the endpoint, which may hold a secret.
func (cfg *Config) Validate() error {
	if err := validateEndpoint(cfg.ClientConfig.Endpoint); err != nil {
		return fmt.Errorf("endpoint: %w", err)
	}
	if cfg.Format != FormatEvent {
		return fmt.Errorf("format: %q is not a format; write %s", cfg.Format, FormatEvent)
	}
	if cfg.Batching != BatchingSingle && cfg.Batching != BatchingArray {
		return fmt.Errorf("batching: %q is not a way of batching; write %s (one request an event) or %s (a JSON array of events)", cfg.Batching, BatchingSingle, BatchingArray)
	}
	return nil
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
	// All requests go to one host, of which net/http would keep two connections only. The field is deprecated, but what
	// takes its place is not in force before a feature gate of confighttp is.
	client.MaxIdleConnsPerHost = client.MaxIdleConns //nolint:staticcheck // see above

	batch := exporterhelper.NewDefaultBatchConfig()
	batch.MinSize = defaultBatchMax
	batch.MaxSize = defaultBatchMax
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.Sizer = exporterhelper.RequestSizerTypeBytes
	queue.QueueSize = defaultQueueSize
	queue.Batch = configoptional.Some(batch)
	return &Config{
		ClientConfig: client,
		QueueConfig:  configoptional.Some(queue),
		RetryConfig:  configretry.NewDefaultBackOffConfig(),
		Format:       FormatEvent,
		Batching:     BatchingSingle,
	}
}
