// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/collector/exporter"
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/throttle"
)

// libName identifies this exporter to PostHog, in $lib and PostHog-Sdk-Info.
const libName = "otelcol-fanout"

// backend is a PostHog project. The logs and the traces exporter of one configuration share it.
type backend struct {
	cfg     *Config
	key     string
	version string // of the collector
	batch   route
	v1      route
	header  http.Header // for the batch protocol
	tries   tries
	notices notices
	// others logs events accepted by a server that does not respond as PostHog does.
	others *throttle.Log[struct{}]
	logger *zap.Logger
	now    func() time.Time
}

// newBackend returns the backend of a valid configuration.
func newBackend(cfg *Config, set exporter.Settings) (*backend, error) {
	notices, err := newNotices(set)
	if err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(cfg.ClientConfig.Endpoint, "/")
	b := &backend{
		cfg: cfg, key: string(cfg.APIKey), version: cmp.Or(set.BuildInfo.Version, "0.0.0"), notices: notices, logger: set.Logger, now: time.Now,
		batch:  route{url: base + pathBatch, maxEvents: maxBatchEvents, maxBody: maxBatchBody},
		v1:     route{url: base + pathV1, maxEvents: maxV1Events, maxBody: maxV1Body},
		header: jsonHeader(),
	}
	b.others = throttle.NewLog(b.logOthers)
	return b, nil
}

// NewEncoder implements delivery.Backend.
func (b *backend) NewEncoder() delivery.Encoder { return newEncoder(b) }

// newTracesEncoder implements NewTracesEncoder of delivery.Options.
func (b *backend) newTracesEncoder() (delivery.TracesEncoder, error) { return newSpanEncoder(b), nil }
