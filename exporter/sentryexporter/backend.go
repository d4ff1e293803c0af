// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// Who we are to Sentry (Sentry's SDK documentation, "SDK Interface").
const (
	sdkName = "otelcol-fanout"
	origin  = "auto.otel" // of logs and spans
)

// backend is the Sentry projects of one exporter. Its logs and its traces share it.
type backend struct {
	cfg         *Config
	version     string // of the collector
	sdk         string // the member that says so
	minSeverity plog.SeverityNumber
	projects    *projects
	pairing     pairing
	// close is called when an exporter has stopped; nil where nobody shares the backend.
	close func()
}

var (
	_ delivery.TracesBackend = (*backend)(nil)
	_ delivery.LossObserver  = (*backend)(nil)
	_ delivery.Closer        = (*backend)(nil)
)

// newBackend is for a configuration that is valid.
func newBackend(cfg *Config, version string) *backend {
	sdk := textMember([]byte(`"sdk":{"name":"`+sdkName+`"`), "version", version)
	return &backend{
		cfg: cfg, version: version, sdk: string(append(sdk, '}')),
		minSeverity: severityNumbers()[cfg.Issues.MinSeverity],
		projects:    newProjects(cfg, sdkName+"/"+version),
	}
}

// NewEncoder implements delivery.Backend.
func (b *backend) NewEncoder() delivery.Encoder { return newEncoder(b) }

// NewTracesEncoder implements delivery.TracesBackend.
func (b *backend) NewTracesEncoder() delivery.TracesEncoder { return newSpanEncoder(b) }

// Lost implements delivery.LossObserver: Sentry is told how much was dropped.
func (b *backend) Lost(letters []deadletter.Letter) {
	if !b.cfg.SendClientReports {
		return
	}
	for i := range letters {
		if p := b.projects.of(letters[i].Destination); p != nil {
			counts := map[discard]int64{}
			countDiscards(counts, &letters[i])
			p.reports.add(counts)
		}
	}
}

// Close implements delivery.Closer.
func (b *backend) Close() {
	if b.close != nil {
		b.close()
	}
}
