// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

const benchEvents = 500

// benchBody returns an array of events with about ten attributes each.
func benchBody() []byte {
	var b strings.Builder
	for i := range benchEvents {
		fmt.Fprintf(&b, `,{"id":"0198c0de-0000-7000-8000-%012d","name":"order_placed","timestamp":"2026-01-31T12:00:00.123Z","source":{"name":"shop","version":"1.0"},`+
			`"user":{"id":"u%d","email":"ada@example.com"},"session_id":"s1","properties":{"order_id":%d,"total":12.5,"currency":"EUR",`+
			`"items":["a","b"],"shipping":{"city":"Riga","zip":"LV-1010"},"gift":true,"note":"leave at the door"}}`, i, i%50, i)
	}
	return []byte("[" + b.String()[1:] + "]")
}

func perEvent(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchEvents), "ns/event")
}

func BenchmarkDecode(b *testing.B) {
	body := benchBody()
	result, err := NewDecoder(benchEvents).Decode(body, received)
	require.NoError(b, err)
	require.Equal(b, benchEvents, result.Accepted)
	otlp, err := (&plog.JSONMarshaler{}).MarshalLogs(result.Logs)
	require.NoError(b, err)

	b.Run("event_json", func(b *testing.B) {
		b.ReportAllocs()
		d := NewDecoder(benchEvents)
		for b.Loop() {
			_, _ = d.Decode(body, received)
		}
		perEvent(b)
	})
	b.Run("reference_plog_json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = (&plog.JSONUnmarshaler{}).UnmarshalLogs(otlp)
		}
		perEvent(b)
	})
}

func BenchmarkEncode(b *testing.B) {
	result, err := NewDecoder(benchEvents).Decode(benchBody(), received)
	require.NoError(b, err)

	b.Run("event_json", func(b *testing.B) {
		b.ReportAllocs()
		var enc Encoder
		var buf []byte
		for b.Loop() {
			buf = buf[:0]
			for e := range appevent.Logs(result.Logs) {
				buf = enc.Append(buf, e)
			}
		}
		perEvent(b)
	})
	b.Run("reference_plog_json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = (&plog.JSONMarshaler{}).MarshalLogs(result.Logs)
		}
		perEvent(b)
	})
}
