// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"net/http"
	"sync/atomic"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/signature"
)

// backend is one endpoint. The exporters of logs and of traces of one configuration share it.
type backend struct {
	*delivery.Guard
	delivery.Schedule
	*delivery.Pacer // nil where there is no limit

	cfg       *Config
	id        string // of the exporter, such as webhook/audit
	endpoint  endpoint
	header    http.Header
	batching  Batching
	joins     joins
	signer    signature.Signer // nil where requests are not signed
	templates *templates
	handshake handshake

	// gone is whether the endpoint has answered 410.
	gone atomic.Bool
	// close is called when an exporter has stopped; nil where nobody shares the backend.
	close func()
}

var (
	_ delivery.TracesBackend = (*backend)(nil)
	_ delivery.Guarded       = (*backend)(nil)
	_ delivery.Paced         = (*backend)(nil)
	_ delivery.Closer        = (*backend)(nil)
	_ delivery.Scheduled     = (*backend)(nil)
	_ delivery.Greeter       = (*backend)(nil)
	_ delivery.Reviver       = (*backend)(nil)
)

// newBackend is for a configuration that is valid; id is the exporter's.
func newBackend(cfg *Config, id string) (*backend, error) {
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
	header := templates.fixedHeader.Clone()
	header.Set("Content-Type", contentType(cfg))
	if cfg.CloudEvents.Handshake.Enabled {
		header.Set(headerRequestOrigin, cfg.CloudEvents.Handshake.Origin)
	}
	limit := cfg.rateLimit()
	if limit == 0 && cfg.CloudEvents.Handshake.Enabled {
		limit = noLimit
	}
	pacer := delivery.NewPacer(limit, 1, delivery.EachRequest)
	return &backend{
		Guard:    cfg.guard(),
		Schedule: delivery.Schedule{Waits: cfg.RetrySchedule, MaxRetries: cfg.MaxRetries},
		Pacer:    pacer,
		cfg:      cfg, id: id, endpoint: endpoint, header: header, batching: cfg.batching(), joins: joinsOf(cfg),
		signer: signer, templates: templates,
		handshake: handshake{cfg: cfg.CloudEvents.Handshake, url: cfg.ClientConfig.Endpoint, slow: pacer.Slow},
	}, nil
}

// noLimit is for a pacer that a handshake may slow down.
const noLimit = 1e9

// contentType is that of the bodies. The charset is in lower case since CloudEvents' library for JavaScript takes no other.
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

// NewEncoder implements delivery.Backend.
func (b *backend) NewEncoder() delivery.Encoder { return newEncoder(b) }

// NewTracesEncoder implements delivery.TracesBackend.
func (b *backend) NewTracesEncoder() delivery.TracesEncoder {
	return &spanEncoder{encoder: newEncoder(b)}
}

// Gone implements delivery.Reviver.
func (b *backend) Gone() string {
	if b.gone.Load() {
		return "the endpoint has answered 410 Gone before, and is sent nothing more until the exporter restarts or dead letters are replayed"
	}
	return ""
}

// Revive implements delivery.Reviver: dead letters are sent again, so the endpoint is back.
func (b *backend) Revive() { b.gone.Store(false) }

// Close implements delivery.Closer.
func (b *backend) Close() {
	if b.close != nil {
		b.close()
	}
}
