// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/exporter/webhookexporter/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

const benchRecords = 500

// benchLogs is events of nine attributes.
func benchLogs(b *testing.B) plog.Logs {
	b.Helper()
	ld := eventsNamed("order_placed")
	rl := ld.ResourceLogs().At(0)
	rl.Resource().Attributes().PutStr("service.name", "shop")
	first := rl.ScopeLogs().At(0).LogRecords().At(0)
	require.NoError(b, first.Attributes().FromRaw(map[string]any{
		"log.record.uid": "0198c0de-0000-7000-8000-000000000001", "user.id": "u1", "session.id": "s1",
		"order_id": int64(7), "total": 12.5, "currency": "EUR", "gift": true, "items": []any{"a", "b"}, "note": "leave at the door",
	}))
	for range benchRecords - 1 {
		first.CopyTo(rl.ScopeLogs().At(0).LogRecords().AppendEmpty())
	}
	return ld
}

func perRecord(b *testing.B) {
	b.Helper()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchRecords), "ns/record")
}

func BenchmarkEncode(b *testing.B) {
	ld := benchLogs(b)
	b.Run("array", func(b *testing.B) {
		b.ReportAllocs()
		var enc encoder
		var w delivery.Writer
		for b.Loop() {
			for e := range appevent.Logs(ld) {
				_ = enc.Encode(&w, e)
			}
			w.Reset()
			enc.Reset()
		}
		perRecord(b)
	})
	b.Run("reference_plog_json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = (&plog.JSONMarshaler{}).MarshalLogs(ld)
		}
		perRecord(b)
	})
}

// BenchmarkExport sends to a server on the loopback that discards, from encoding to the answer, without compression.
func BenchmarkExport(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusOK)
	}))
	b.Cleanup(server.Close)
	ld := benchLogs(b)

	b.Run("array", func(b *testing.B) {
		cfg := testConfig(server.URL, BatchingArray)
		benchExport(b, NewFactory(), metadata.Type, cfg, ld)
	})
	b.Run("reference_otlp_http_json", func(b *testing.B) {
		factory := otlphttpexporter.NewFactory()
		cfg := factory.CreateDefaultConfig().(*otlphttpexporter.Config)
		cfg.ClientConfig.Endpoint = server.URL
		cfg.ClientConfig.Compression = "none"
		cfg.Encoding = otlphttpexporter.EncodingJSON
		cfg.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
		benchExport(b, factory, factory.Type(), cfg, ld)
	})
}

func benchExport(b *testing.B, factory exporter.Factory, t component.Type, cfg component.Config, ld plog.Logs) {
	b.Helper()
	e, err := factory.CreateLogs(b.Context(), exportertest.NewNopSettings(t), cfg)
	require.NoError(b, err)
	require.NoError(b, e.Start(b.Context(), componenttest.NewNopHost()))
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, e.ConsumeLogs(b.Context(), ld))
	}
	perRecord(b)
	require.NoError(b, e.Shutdown(b.Context()))
}

// BenchmarkQueuedExport is the marginal cost of a backend: from the pipeline through queue, batches and gzip to a server
// that discards, until all is delivered. cpu-ns/record counts the whole process, the server included.
func BenchmarkQueuedExport(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusOK)
	}))
	b.Cleanup(server.Close)
	ld := benchLogs(b)

	b.Run("array_gzip", func(b *testing.B) {
		benchQueued(b, NewFactory(), ld, func() component.Config {
			cfg := createDefaultConfig().(*Config)
			cfg.ClientConfig.Endpoint = server.URL
			cfg.ClientConfig.Compression = "gzip"
			cfg.Batching = BatchingArray
			cfg.Delivery.QueueConfig.Get().QueueSize = 1 << 40
			cfg.Delivery.ShutdownTimeout = time.Minute
			return cfg
		})
	})
	b.Run("reference_otlp_http_json_gzip", func(b *testing.B) {
		benchQueued(b, otlphttpexporter.NewFactory(), ld, func() component.Config {
			cfg := otlphttpexporter.NewFactory().CreateDefaultConfig().(*otlphttpexporter.Config)
			cfg.ClientConfig.Endpoint = server.URL
			cfg.ClientConfig.Compression = "gzip"
			cfg.Encoding = otlphttpexporter.EncodingJSON
			return cfg
		})
	})
}

func benchQueued(b *testing.B, factory exporter.Factory, ld plog.Logs, config func() component.Config) {
	b.Helper()
	const requests = 200
	begun := cpuTime(b)
	for b.Loop() {
		e, err := factory.CreateLogs(b.Context(), exportertest.NewNopSettings(factory.Type()), config())
		require.NoError(b, err)
		require.NoError(b, e.Start(b.Context(), componenttest.NewNopHost()))
		for range requests {
			require.NoError(b, e.ConsumeLogs(b.Context(), ld))
		}
		require.NoError(b, e.Shutdown(b.Context()))
	}
	b.ReportMetric(float64((cpuTime(b)-begun).Nanoseconds())/float64(b.N*requests*benchRecords), "cpu-ns/record")
}

// cpuTime is what the process has used so far.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
