// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// How this exporter identifies itself to Sentry (Sentry's SDK documentation, "SDK Interface").
const (
	sdkName = "otelcol-fanout"
	origin  = "auto.otel" // of logs and spans
)

// backend holds the Sentry projects of one exporter. The logs and traces exporters of one
// configuration share it.
type backend struct {
	cfg      *Config
	version  string // the collector's
	sdk      string // the JSON member "sdk" of envelopes
	eventSDK string // and of events
	projects *projects
	pairing  pairing

	// The lowest severities at which records without and with an exception become Issues.
	minSeverity, minExceptionSeverity plog.SeverityNumber
}

var _ delivery.Backend = (*backend)(nil)

// newBackend expects a valid configuration.
func newBackend(cfg *Config, version string) *backend {
	sdk := string(textMember([]byte(`"sdk":{"name":"`+sdkName+`"`), "version", version))
	return &backend{
		cfg: cfg, version: version, sdk: sdk + "}", eventSDK: sdk + neverInferIP + "}",
		projects:             newProjects(cfg, sdkName+"/"+version),
		minSeverity:          severityNumbers()[cfg.Issues.MinSeverity],
		minExceptionSeverity: severityNumbers()[cfg.Issues.MinExceptionSeverity],
	}
}

// neverInferIP keeps Sentry from taking this collector's address for the user's, which it does for
// events of browsers and Apple's systems (Relay's AutoInferSetting).
const neverInferIP = `,"settings":{"infer_ip":"never"}`

func (b *backend) options() delivery.Options {
	return delivery.Options{
		Endpoint:         b.projects.url(),
		NewTracesEncoder: func() (delivery.TracesEncoder, error) { return newSpanEncoder(b), nil },
		OnLoss:           b.reportLoss,
		CompleteMeta:     completeMeta,
	}
}

// NewEncoder implements delivery.Backend.
func (b *backend) NewEncoder() delivery.Encoder { return newEncoder(b) }

// reportLoss counts dropped events for the next client reports of their projects.
func (b *backend) reportLoss(lost []deadletter.Letter) {
	if !b.cfg.SendClientReports {
		return
	}
	for i := range lost {
		if p := b.projects.of(lost[i].Destination); p != nil {
			counts := map[discard]int64{}
			countDiscards(counts, &lost[i])
			p.reports.add(counts)
		}
	}
}
