// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter/exportertest"

	"github.com/otelcol-fanout/otelcol-fanout/exporter/posthogexporter/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
	posthogintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/posthog"
)

func benchBackend(tb testing.TB, change func(*Config)) *backend {
	tb.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.APIKey = posthogintake.Key
	change(cfg)
	b, err := newBackend(cfg, exportertest.NewNopSettings(metadata.Type))
	require.NoError(tb, err)
	return b
}

func BenchmarkEncode(b *testing.B) {
	for _, protocol := range []Protocol{ProtocolBatch, ProtocolV1} {
		b.Run(string(protocol), func(b *testing.B) {
			ld := deliverytest.BenchLogs(b)
			enc := newEncoder(benchBackend(b, func(cfg *Config) { cfg.Protocol = protocol }))
			var w delivery.Writer
			deliverytest.CompareEncode(b, ld, func() {
				for e := range appevent.Logs(ld) {
					_ = enc.Encode(&w, e)
				}
				enc.Reset()
				w.Reset()
			})
		})
	}
}

func BenchmarkBuildRequests(b *testing.B) {
	for _, protocol := range []Protocol{ProtocolBatch, ProtocolV1} {
		b.Run(string(protocol), func(b *testing.B) {
			back := benchBackend(b, func(cfg *Config) { cfg.Protocol = protocol })
			enc := newEncoder(back)
			var w delivery.Writer
			for e := range appevent.Logs(deliverytest.BenchLogs(b)) {
				require.NoError(b, enc.Encode(&w, e))
			}
			encoded := w.Take().Events()
			b.ReportAllocs()
			for b.Loop() {
				_, _ = back.BuildRequests(encoded)
			}
			deliverytest.PerEvent(b)
		})
	}
}

func BenchmarkExport(b *testing.B) {
	deliverytest.CompareExport(b, NewFactory(), deliverytest.Answer(200, `{"status":1}`), func(endpoint string) component.Config {
		cfg := createDefaultConfig().(*Config)
		cfg.APIKey = posthogintake.Key
		cfg.ClientConfig.Endpoint = endpoint
		return cfg
	})
}
