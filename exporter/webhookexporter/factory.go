// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"net/http"
	"sync/atomic"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/exporter"

	"github.com/otelcol-fanout/otelcol-fanout/exporter/webhookexporter/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/signature"
)

// NewFactory returns the factory of the webhook exporter.
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
			b, err := newBackend(cfg, set.ID.String())
			if err != nil {
				return nil, delivery.Options{}, err
			}
			options := b.options()
			return b, options, nil
		},
	})
}

// backend is one endpoint. The logs and traces exporters of one configuration share its rate limit,
// its handshake and whether it has responded with 410.
type backend struct {
	cfg        *Config
	exporterID string // such as webhook/audit
	endpoint   endpoint
	header     http.Header
	batching   Batching
	joins      joins
	signer     signature.Signer // nil: requests are not signed
	templates  *templates
	pacer      *delivery.Pacer // nil: no limit
	handshake  handshake
	gone       atomic.Bool // whether the endpoint has responded with 410
}

var _ delivery.Backend = (*backend)(nil)

// newBackend returns the backend of a valid configuration.
func newBackend(cfg *Config, exporterID string) (*backend, error) {
	signer, err := cfg.Signing.signer()
	if err != nil {
		return nil, err
	}
	templates, err := newTemplates(cfg)
	if err != nil {
		return nil, err
	}
	endpoint, err := newEndpoint(cfg.ClientConfig.Endpoint, templates.fixedQuery)
	if err != nil {
		return nil, err
	}
	pacer := delivery.NewPacer(pacerLimit(cfg), 1, delivery.EachRequest)
	return &backend{
		cfg: cfg, exporterID: exporterID,
		endpoint: endpoint, header: fixedHeader(cfg, templates), batching: cfg.batching(), joins: joinsOf(cfg),
		signer: signer, templates: templates, pacer: pacer,
		handshake: handshake{cfg: cfg.CloudEvents.Handshake, url: cfg.ClientConfig.Endpoint, limitRate: pacer.Slow},
	}, nil
}

// pacerLimit returns the rate limit in requests per second. With a handshake there always is one, so
// that the webhook's response can lower it.
func pacerLimit(cfg *Config) float64 {
	const practicallyNone = 1e9
	limit := cfg.rateLimit()
	if limit == 0 && cfg.CloudEvents.Handshake.Enabled {
		return practicallyNone
	}
	return limit
}

// fixedHeader returns the header that all requests have in common.
func fixedHeader(cfg *Config, templates *templates) http.Header {
	header := templates.fixedHeader.Clone()
	header.Set("Content-Type", contentType(cfg))
	if cfg.CloudEvents.Handshake.Enabled {
		header.Set(headerRequestOrigin, cfg.CloudEvents.Handshake.Origin)
	}
	return header
}

// contentType returns the Content-Type of requests. The charset is in lower case because the
// CloudEvents SDK for JavaScript accepts no other.
func contentType(cfg *Config) string {
	switch {
	case cfg.Format == FormatCloudEvents && cfg.CloudEvents.Mode == ModeStructured:
		return "application/cloudevents+json; charset=utf-8"
	case cfg.Format == FormatCloudEvents && cfg.CloudEvents.Mode == ModeBatched:
		return "application/cloudevents-batch+json; charset=utf-8"
	case cfg.batching() == BatchingNDJSON:
		return "application/x-ndjson"
	default:
		return "application/json"
	}
}

func (b *backend) options() delivery.Options {
	options := delivery.Options{
		Endpoint:         b.cfg.ClientConfig.Endpoint,
		NewTracesEncoder: b.newTracesEncoder,
		Pace:             b.pacer.Pace,
		RetrySchedule:    b.cfg.RetrySchedule,
		Disabled:         b.disabledReason,
		Enable:           b.enable,
		Guard:            b.cfg.guard(),
	}
	if b.cfg.CloudEvents.Handshake.Enabled {
		options.Handshake = b.handshake.ask
	}
	return options
}

// NewEncoder implements delivery.Backend.
func (b *backend) NewEncoder() delivery.Encoder { return newEncoder(b) }

// disabledReason says why the endpoint gets no more events; it is empty while the endpoint is in
// use.
func (b *backend) disabledReason() string {
	if b.gone.Load() {
		return "the endpoint has responded with 410 Gone, and gets no more events until the exporter restarts or dead letters are replayed"
	}
	return ""
}

// enable forgets that the endpoint has responded with 410: an operator who replays dead letters
// expects it to be back.
func (b *backend) enable() { b.gone.Store(false) }
