// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package moengageexporter

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
)

// benchLogs returns deliverytest's events, spread over this many users.
func benchLogs(b *testing.B, users int) plog.Logs {
	b.Helper()
	ld := deliverytest.BenchLogs(b)
	for i, r := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		r.Attributes().PutStr("user.id", fmt.Sprint("user-", i%users))
	}
	return ld
}

// BenchmarkEncode compares encoding with plog.JSONMarshaler. The target is half of its time per
// event, and one allocation per ten events.
func BenchmarkEncode(b *testing.B) {
	ld := deliverytest.BenchLogs(b)
	enc := newEncoder(newTestBackend(b, validConfig()))
	var w delivery.Writer
	deliverytest.CompareEncode(b, ld, func() {
		for e := range appevent.Logs(ld) {
			_ = enc.Encode(&w, e)
		}
		enc.Reset()
		w.Reset()
	})
}

// BenchmarkBuildRequests measures requests for 500 events of 1, 50 and 500 users.
func BenchmarkBuildRequests(b *testing.B) {
	for _, users := range []int{1, 50, 500} {
		b.Run(fmt.Sprint(users, "_users"), func(b *testing.B) {
			back := newTestBackend(b, validConfig())
			encoded := encodeAll(b, back, benchLogs(b, users))
			b.ReportAllocs()
			for b.Loop() {
				_, _ = back.BuildRequests(encoded)
			}
			deliverytest.PerEvent(b)
		})
	}
}

// BenchmarkRequestsPer10000Events counts the requests for 10,000 events of 1,000 users, in batches
// of 1,000.
func BenchmarkRequestsPer10000Events(b *testing.B) {
	for _, mode := range []Mode{ModeBulk, ModeSingle} {
		b.Run(string(mode), func(b *testing.B) {
			cfg := validConfig()
			cfg.Mode = mode
			back := newTestBackend(b, cfg)
			encoded := encodeAll(b, back, numbered(10_000, 1_000))
			requests := 0
			for b.Loop() {
				requests = 0
				for at := 0; at < len(encoded); at += 1_000 {
					built, refusals := back.BuildRequests(encoded[at : at+1_000])
					require.Empty(b, refusals)
					requests += len(built)
				}
			}
			b.ReportMetric(float64(requests), "requests")
		})
	}
}

// BenchmarkExport compares the cost of this exporter with that of otlp_http. Rate limits are off,
// and compression is on, as it is there.
func BenchmarkExport(b *testing.B) {
	deliverytest.CompareExport(b, NewFactory(), func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"status":"success"}`) },
		func(endpoint string) component.Config {
			cfg := validConfig()
			cfg.ClientConfig.Endpoint = endpoint
			cfg.ClientConfig.Compression = "gzip"
			cfg.RateLimits = RateLimitsConfig{}
			return cfg
		})
}
