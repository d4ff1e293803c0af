// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package sentryexporter

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
)

func benchBackend(change func(*Config)) *backend {
	cfg := createDefaultConfig().(*Config)
	cfg.DSN = "https://key@sentry.example.com/42"
	change(cfg)
	return newBackend(cfg, "1.2.3")
}

// BenchmarkEncodeLogs compares the encoding of logs with plog.JSONMarshaler. The target is half of its
// time per event, and one allocation in ten events.
func BenchmarkEncodeLogs(b *testing.B) {
	ld := deliverytest.BenchLogs(b)
	enc := benchBackend(func(*Config) {}).NewEncoder()
	var w delivery.Writer
	deliverytest.CompareEncode(b, ld, func() { encodeAll(enc, &w, ld) })
}

// BenchmarkEncodeJavaException measures an Issue with 50 Java frames. The target is 8.3 times what
// plog.JSONMarshaler takes for one record of BenchmarkEncodeLogs: 25 us on a machine where that is
// 3 us.
func BenchmarkEncodeJavaException(b *testing.B) {
	ld, reference := javaException(), deliverytest.BenchLogs(b)
	enc := benchBackend(func(*Config) {}).NewEncoder()
	var w delivery.Writer
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			encodeAll(enc, &w, ld)
		}
	})
	b.Run("in_turns_with_plog_json", func(b *testing.B) { // only the fastest turns count: then nothing else was running
		const events = 20 // a turn
		encoding, marshaling := time.Hour, time.Hour
		for b.Loop() {
			encoding = min(encoding, timed(func() {
				for range events {
					encodeAll(enc, &w, ld)
				}
			}))
			marshaling = min(marshaling, timed(func() { _, _ = (&plog.JSONMarshaler{}).MarshalLogs(reference) }))
		}
		event, record := float64(encoding)/events, float64(marshaling)/deliverytest.BenchEvents
		b.ReportMetric(event, "ns/event")
		b.ReportMetric(event/record, "records/event")
	})
}

func timed(turn func()) time.Duration {
	begun := time.Now()
	turn()
	return time.Since(begun)
}

// encodeAll encodes the records as one batch, as delivery does.
func encodeAll(enc delivery.Encoder, w *delivery.Writer, ld plog.Logs) {
	for e := range appevent.Logs(ld) {
		_ = enc.Encode(w, e)
	}
	enc.Reset()
	w.Reset()
}

// javaException returns a record with an exception of 50 frames.
func javaException() plog.Logs {
	var stack strings.Builder
	stack.WriteString("java.lang.IllegalStateException: order 7 has no lines")
	for i := range 50 {
		fmt.Fprintf(&stack, "\n\tat com.example.shop.orders.OrderService%d.process(OrderService%d.java:%d)", i%7, i%7, 100+i)
	}
	ld := plog.NewLogs()
	r := record(ld, "7d9f3c1e-5a2b-4c3d-8e4f-0123456789ab")
	ld.ResourceLogs().At(0).Resource().Attributes().PutStr("telemetry.sdk.language", "java")
	r.SetTraceID([16]byte{1})
	r.SetSpanID([8]byte{2})
	r.Attributes().PutStr("exception.type", "java.lang.IllegalStateException")
	r.Attributes().PutStr("exception.message", "order 7 has no lines")
	r.Attributes().PutStr("exception.stacktrace", stack.String())
	return ld
}

// BenchmarkEncodeSpans compares both formats of spans with ptrace.JSONMarshaler.
func BenchmarkEncodeSpans(b *testing.B) {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "shop")
	spans := rs.ScopeSpans().AppendEmpty().Spans()
	for i := range 500 {
		span := spans.AppendEmpty()
		span.SetTraceID([16]byte{1})
		span.SetSpanID([8]byte{byte(i), byte(i >> 8), 1})
		if i > 0 {
			span.SetParentSpanID([8]byte{0, 0, 1})
		}
		span.SetName("GET /orders/{id}")
		span.SetStartTimestamp(1700000000000000000)
		span.SetEndTimestamp(1700000001000000000)
		for _, name := range []string{"http.request.method", "http.route", "server.address", "url.scheme", "network.protocol.version"} {
			span.Attributes().PutStr(name, "a value")
		}
		span.Attributes().PutInt("http.response.status_code", 200)
	}
	perSpan := func(b *testing.B) {
		b.Helper()
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*500), "ns/span")
	}
	for _, format := range []TracesFormat{TracesSpans, TracesTransactions} {
		b.Run(string(format), func(b *testing.B) {
			enc := newSpanEncoder(benchBackend(func(cfg *Config) { cfg.Traces.Format = format }))
			var w delivery.Writer
			b.ReportAllocs()
			for b.Loop() {
				enc.Prepare(td)
				source := appevent.NewSource(rs.Resource(), rs.ScopeSpans().At(0).Scope())
				for _, span := range spans.All() {
					_ = enc.EncodeSpan(&w, source, span)
				}
				enc.Reset()
				w.Reset()
			}
			perSpan(b)
		})
	}
	b.Run("reference_ptrace_json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = (&ptrace.JSONMarshaler{}).MarshalTraces(td)
		}
		perSpan(b)
	})
}

// BenchmarkBuildTransactions measures the joining of 1000 spans into a transaction.
func BenchmarkBuildTransactions(b *testing.B) {
	back := benchBackend(func(cfg *Config) { cfg.Traces.Format = TracesTransactions })
	enc := newSpanEncoder(back)
	var w delivery.Writer
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	source := appevent.NewSource(rs.Resource(), rs.ScopeSpans().AppendEmpty().Scope())
	for i := range 1000 {
		span := rs.ScopeSpans().At(0).Spans().AppendEmpty()
		span.SetTraceID([16]byte{1})
		span.SetSpanID([8]byte{byte(i), byte(i >> 8), 1})
		if i > 0 {
			span.SetParentSpanID([8]byte{byte((i - 1) / 3), byte((i - 1) / 3 >> 8), 1})
		}
		_ = enc.EncodeSpan(&w, source, span)
	}
	g := &group{project: back.projects.fallback, category: categoryTransaction, events: w.Take().Events()}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = back.buildTransactions(g)
	}
}

// BenchmarkExport compares the cost of this exporter with that of otlp_http.
func BenchmarkExport(b *testing.B) {
	deliverytest.CompareExport(b, NewFactory(), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) },
		func(endpoint string) component.Config {
			cfg := createDefaultConfig().(*Config)
			cfg.DSN = configopaque.String(strings.Replace(endpoint, "://", "://key@", 1) + "/42")
			return cfg
		})
}
