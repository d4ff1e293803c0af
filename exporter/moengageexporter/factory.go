// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/exporter"

	"github.com/otelcol-fanout/otelcol-fanout/exporter/moengageexporter/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// NewFactory returns the factory of the moengage exporter.
func NewFactory() exporter.Factory {
	return delivery.NewFactory(delivery.Definition[Config]{
		Type:                metadata.Type,
		CreateDefaultConfig: createDefaultConfig,
		Logs:                metadata.LogsStability,
		Settings: func(cfg *Config) (*delivery.Config, confighttp.ClientConfig) {
			return &cfg.Delivery, cfg.ClientConfig
		},
		New: func(cfg *Config, set exporter.Settings) (delivery.Backend, delivery.Options, error) {
			b, err := newBackend(cfg, set)
			if err != nil {
				return nil, delivery.Options{}, err
			}
			return b, delivery.Options{Endpoint: cfg.endpoint(), Ordered: true, Pace: b.pace, CompleteMeta: completeMeta, Close: b.corrections.lines.Close}, nil
		},
	})
}

// backend is a MoEngage workspace.
type backend struct {
	cfg    *Config
	routes routes
	header http.Header
	pacers pacers
	// maxWeights limits what one request may hold.
	maxWeights weights
	// eventNames and userAttributes are the names sent so far, which are limited per workspace.
	eventNames     *limitedNames
	userAttributes *limitedNames
	corrections    *corrections
	now            func() time.Time
}

// routes are the addresses of MoEngage's Data API (moengage.com/docs/api).
type routes struct{ event, user, device, merge, bulk string }

var _ delivery.Backend = (*backend)(nil)

// newBackend returns the backend of a valid configuration.
func newBackend(cfg *Config, set exporter.Settings) (*backend, error) {
	corrections, err := newCorrections(set)
	if err != nil {
		return nil, err
	}
	workspace, base := cfg.workspace(), cfg.endpoint()+"/v1/"
	segment := url.PathEscape(workspace)
	return &backend{
		cfg: cfg,
		routes: routes{
			event: base + "event/" + segment, user: base + "customer/" + segment, device: base + "device/" + segment,
			merge: base + "customer/merge?app_id=" + url.QueryEscape(workspace), bulk: base + "transition/" + segment,
		},
		header: http.Header{
			"Content-Type":  {"application/json"},
			"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(workspace+":"+string(cfg.APIKey)))},
			"Moe-Appkey":    {workspace}, // MOE-APPKEY; header names are case-insensitive
		},
		pacers:         cfg.RateLimits.pacers(),
		maxWeights:     cfg.RateLimits.burst(),
		eventNames:     &limitedNames{max: cfg.EventNames.Max},
		userAttributes: &limitedNames{max: cfg.MaxUserAttributes},
		corrections:    corrections,
		now:            time.Now,
	}, nil
}

// NewEncoder implements delivery.Backend.
func (b *backend) NewEncoder() delivery.Encoder { return newEncoder(b) }
