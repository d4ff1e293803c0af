// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"

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

func BenchmarkFrame(b *testing.B) {
	for _, protocol := range []Protocol{ProtocolBatch, ProtocolV1} {
		b.Run(string(protocol), func(b *testing.B) {
			back := benchBackend(b, func(cfg *Config) { cfg.Protocol = protocol })
			enc := newEncoder(back)
			var w delivery.Writer
			for e := range appevent.Logs(distinctBenchLogs(b)) {
				require.NoError(b, enc.Encode(&w, e))
			}
			encoded := w.Events()
			b.ReportAllocs()
			for b.Loop() {
				_, _ = back.Frame(encoded)
			}
			deliverytest.PerEvent(b)
		})
	}
}

func BenchmarkExport(b *testing.B) {
	of := NewFactory()
	distinct := exporter.NewFactory(of.Type(), of.CreateDefaultConfig, exporter.WithLogs(
		func(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
			logs, err := of.CreateLogs(ctx, set, cfg)
			return distinctLogs{logs, distinctBenchLogs(b)}, err
		}, component.StabilityLevelAlpha))
	deliverytest.CompareExport(b, distinct, deliverytest.Answer(200, `{"status":1}`), func(endpoint string) component.Config {
		cfg := createDefaultConfig().(*Config)
		cfg.APIKey = posthogintake.Key
		cfg.ClientConfig.Endpoint = endpoint
		return cfg
	})
}

// distinctLogs sends events that have an id each, in the place of those that share one and would be one event.
type distinctLogs struct {
	exporter.Logs
	ld plog.Logs
}

func (d distinctLogs) ConsumeLogs(ctx context.Context, _ plog.Logs) error {
	return d.Logs.ConsumeLogs(ctx, d.ld)
}

func distinctBenchLogs(b *testing.B) plog.Logs {
	b.Helper()
	ld := deliverytest.BenchLogs(b)
	for i, r := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		r.Attributes().PutStr(appevent.AttrID, fmt.Sprintf("0198c0de-0000-7000-8000-%012d", i))
	}
	ld.MarkReadOnly()
	return ld
}
