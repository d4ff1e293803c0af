// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"time"

	"go.opentelemetry.io/collector/exporter"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// backend is a MoEngage workspace.
type backend struct {
	cfg         *Config
	routes      routes
	header      http.Header
	pacers      pacers
	most        weights  // of one request
	names       *nameSet // of events
	attributes  *nameSet // of users
	corrections *corrections
	now         func() time.Time
}

// routes are the addresses of MoEngage's Data API (moengage.com/docs/api).
type routes struct{ event, user, device, merge, bulk string }

var (
	_ delivery.Backend = (*backend)(nil)
	_ delivery.Paced   = (*backend)(nil)
	_ delivery.Ordered = (*backend)(nil)
)

// newBackend is for a configuration that is valid.
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
			"Moe-Appkey":    {workspace}, // MOE-APPKEY; names of headers have no case
		},
		pacers:      cfg.RateLimits.pacers(),
		most:        cfg.RateLimits.atOnce(),
		names:       &nameSet{most: cfg.EventNames.Max},
		attributes:  &nameSet{most: cfg.MaxUserAttributes},
		corrections: corrections,
		now:         time.Now,
	}, nil
}

// NewEncoder implements delivery.Backend.
func (b *backend) NewEncoder() delivery.Encoder { return newEncoder(b) }

// KeepsOrder implements delivery.Ordered.
func (*backend) KeepsOrder() {}
