// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package deliverytest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/pdata/plog"
)

// BenchEvents is the number of events in [BenchLogs].
const BenchEvents = 500

// BenchLogs returns events of one resource and scope with nine attributes each, such as an
// application sends for an order. Each has its own ID; they belong to a hundred users.
func BenchLogs(b *testing.B) plog.Logs {
	b.Helper()
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "shop")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	first := records.AppendEmpty()
	first.SetEventName("order_placed")
	first.SetTimestamp(1700000000000000000)
	require.NoError(b, first.Attributes().FromRaw(map[string]any{
		"log.record.uid": "0198c0de-0000-7000-8000-000000000000", "user.id": "user-0", "session.id": "s1",
		"order_id": int64(7), "total": 12.5, "currency": "EUR", "gift": true, "items": []any{"a", "b"}, "note": "leave at the door",
	}))
	for i := 1; i < BenchEvents; i++ {
		record := records.AppendEmpty()
		first.CopyTo(record)
		record.Attributes().PutStr("log.record.uid", fmt.Sprintf("0198c0de-0000-7000-8000-%012d", i))
		record.Attributes().PutStr("user.id", fmt.Sprint("user-", i%100))
	}
	return ld
}

// PerEvent reports the time per event of a loop over BenchEvents, as ns/event.
func PerEvent(b *testing.B) {
	b.Helper()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*BenchEvents), "ns/event")
}

// CompareEncode measures encode, which encodes all of ld's BenchEvents events, beside
// plog.JSONMarshaler. The goal is half its time per event, and one allocation per ten events.
func CompareEncode(b *testing.B, ld plog.Logs, encode func()) {
	b.Helper()
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			encode()
		}
		PerEvent(b)
	})
	b.Run("reference_plog_json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = (&plog.JSONMarshaler{}).MarshalLogs(ld)
		}
		PerEvent(b)
	})
}

// CompareExport measures what one more backend costs beside one more otlp_http exporter (JSON, gzip,
// default queue and batches), from the pipeline to the response of a server, until all events are
// delivered. It measures the backend with a status extension too. answer writes the server's response
// after the body was discarded; configure returns the configuration for the server's URL, with a queue
// that has room for 100,000 events. cpu-ns/event counts the whole process, including the server. The
// goal is 0.3 of the reference.
func CompareExport(b *testing.B, factory exporter.Factory, answer http.HandlerFunc, configure func(endpoint string) component.Config) {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		answer(w, r)
	}))
	b.Cleanup(server.Close)
	b.Run("export", func(b *testing.B) {
		benchExport(b, factory, componenttest.NewNopHost(), func() component.Config { return configure(server.URL) })
	})
	b.Run("export_with_status", func(b *testing.B) {
		benchExport(b, factory, BenchHost(), func() component.Config { return configure(server.URL) })
	})
	b.Run("reference_otlp_http_json_gzip", func(b *testing.B) {
		reference := otlphttpexporter.NewFactory()
		benchExport(b, reference, componenttest.NewNopHost(), func() component.Config {
			cfg := reference.CreateDefaultConfig().(*otlphttpexporter.Config)
			cfg.ClientConfig.Endpoint = server.URL
			cfg.ClientConfig.Compression = "gzip"
			cfg.Encoding = otlphttpexporter.EncodingJSON
			return cfg
		})
	})
}

func benchExport(b *testing.B, factory exporter.Factory, host component.Host, configure func() component.Config) {
	b.Helper()
	const requests = 200
	ld := BenchLogs(b)
	begun := cpuTime(b)
	for b.Loop() {
		e, err := factory.CreateLogs(b.Context(), exportertest.NewNopSettings(factory.Type()), configure())
		require.NoError(b, err)
		require.NoError(b, e.Start(b.Context(), host))
		for range requests {
			require.NoError(b, e.ConsumeLogs(b.Context(), ld))
		}
		require.NoError(b, e.Shutdown(context.Background())) // sends what is queued
	}
	b.ReportMetric(float64((cpuTime(b)-begun).Nanoseconds())/float64(b.N*requests*BenchEvents), "cpu-ns/event")
}

// cpuTime returns the CPU time that the process has used.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
