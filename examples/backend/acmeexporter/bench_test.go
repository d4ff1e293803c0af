// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package acmeexporter

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

const benchEvents = 500

// benchLogs is events of nine attributes.
func benchLogs(b *testing.B) plog.Logs {
	b.Helper()
	ld := events("order_placed")
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	require.NoError(b, records.At(0).Attributes().FromRaw(map[string]any{
		"log.record.uid": "0198c0de-0000-7000-8000-000000000001", "user.id": "u1", "session.id": "s1",
		"order_id": int64(7), "total": 12.5, "currency": "EUR", "gift": true, "items": []any{"a", "b"}, "note": "leave at the door",
	}))
	for range benchEvents - 1 {
		records.At(0).CopyTo(records.AppendEmpty())
	}
	return ld
}

func perEvent(b *testing.B) {
	b.Helper()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchEvents), "ns/event")
}

func BenchmarkEncode(b *testing.B) {
	ld := benchLogs(b)
	b.Run("acme", func(b *testing.B) {
		b.ReportAllocs()
		var enc encoder
		var w delivery.Writer
		for b.Loop() {
			for e := range appevent.Logs(ld) {
				_ = enc.Encode(&w, e)
			}
			enc.Reset()
			w.Reset()
		}
		perEvent(b)
	})
	b.Run("reference_plog_json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = (&plog.JSONMarshaler{}).MarshalLogs(ld)
		}
		perEvent(b)
	})
}

func BenchmarkFrame(b *testing.B) {
	var enc encoder
	var w delivery.Writer
	for e := range appevent.Logs(benchLogs(b)) {
		require.NoError(b, enc.Encode(&w, e))
	}
	encoded := w.Events()
	back := newBackend(testConfig("https://example.com"))
	b.ReportAllocs()
	for b.Loop() {
		_, _ = back.Frame(encoded)
	}
	perEvent(b)
}
