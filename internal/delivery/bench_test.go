// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
)

const benchEvents = deliverytest.BenchEvents

func discardingServer(b *testing.B) *httptest.Server {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusOK)
	}))
	b.Cleanup(server.Close)
	return server
}

// BenchmarkDelivery measures delivery with a trivial backend: one request of 500 events to a server
// that discards them.
func BenchmarkDelivery(b *testing.B) {
	server := discardingServer(b)
	ld := deliverytest.BenchLogs(b)
	for name, host := range map[string]component.Host{"sync": componenttest.NewNopHost(), "sync_with_status": deliverytest.BenchHost()} {
		b.Run(name, func(b *testing.B) {
			cfg := NewDefaultConfig(benchEvents)
			cfg.Dispatch = DispatchSync
			e, err := NewLogs(b.Context(), exportertest.NewNopSettings(component.MustNewType("line")), &cfg, confighttp.NewDefaultClientConfig(),
				&lineBackend{url: server.URL, most: benchEvents}, Options{})
			require.NoError(b, err)
			benchConsume(b, e, host, ld)
		})
	}
	b.Run("reference_otlp_http", func(b *testing.B) {
		benchConsume(b, newReference(b, server.URL, configoptional.None[exporterhelper.QueueBatchConfig]()), componenttest.NewNopHost(), ld)
	})
}

type logsComponent interface {
	component.Component
	consumer.Logs
}

func newReference(b *testing.B, url string, queue configoptional.Optional[exporterhelper.QueueBatchConfig]) logsComponent {
	b.Helper()
	factory := otlphttpexporter.NewFactory()
	cfg := factory.CreateDefaultConfig().(*otlphttpexporter.Config)
	cfg.ClientConfig.Endpoint = url
	cfg.ClientConfig.Compression = "none"
	cfg.Encoding = otlphttpexporter.EncodingJSON
	cfg.QueueConfig = queue
	e, err := factory.CreateLogs(b.Context(), exportertest.NewNopSettings(factory.Type()), cfg)
	require.NoError(b, err)
	return e
}

func benchConsume(b *testing.B, e logsComponent, host component.Host, ld plog.Logs) {
	b.Helper()
	require.NoError(b, e.Start(b.Context(), host))
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, e.ConsumeLogs(b.Context(), ld))
	}
	deliverytest.PerEvent(b)
	require.NoError(b, e.Shutdown(context.Background()))
}

// BenchmarkQueuedMemory fills the queue of a hanging backend with a million events, and
// reports what a queued event costs compared with the size of its bytes, and how long a garbage collection
// takes then. The reference holds a tenth of the events: what it needs for an event is the same for
// any number of them.
func BenchmarkQueuedMemory(b *testing.B) {
	b.Run("delivery", func(b *testing.B) {
		benchMemory(b, 1_000_000, func(url string) logsComponent {
			cfg := NewDefaultConfig(benchEvents)
			cfg.QueueConfig.Get().QueueSize = 1 << 40
			cfg.ShutdownTimeout = time.Millisecond
			e, err := NewLogs(b.Context(), exportertest.NewNopSettings(component.MustNewType("line")), &cfg, confighttp.NewDefaultClientConfig(),
				&paddedBackend{lineBackend{url: url, most: benchEvents}, encodedSize}, Options{})
			require.NoError(b, err)
			return e
		})
		b.ReportMetric(encodedSize, "encoded-bytes/event")
	})
	b.Run("reference_otlp_http", func(b *testing.B) {
		queue := exporterhelper.NewDefaultQueueConfig()
		queue.QueueSize = 1 << 40
		benchMemory(b, 100_000, func(url string) logsComponent { return newReference(b, url, configoptional.Some(queue)) })
	})
}

const encodedSize = 300

func benchMemory(b *testing.B, events int, newExporter func(url string) logsComponent) {
	b.Helper()
	for b.Loop() {
		hung := make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hung }))
		e := newExporter(server.URL)
		require.NoError(b, e.Start(b.Context(), componenttest.NewNopHost()))
		before := heap()
		for range events / benchEvents {
			// As from a receiver: each request has pdata of its own, which nobody else keeps.
			require.NoError(b, e.ConsumeLogs(b.Context(), deliverytest.BenchLogs(b)))
		}
		after := heap()
		begun := time.Now()
		runtime.GC()
		b.ReportMetric(float64(time.Since(begun).Microseconds()), "us/gc")
		b.ReportMetric(float64(events), "events")
		b.ReportMetric(float64(after-before)/(1<<20), "heap-MiB")
		b.ReportMetric(float64(after-before)/float64(events), "heap-bytes/event")
		close(hung)
		require.NoError(b, e.Shutdown(context.Background()))
		server.Close()
	}
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// paddedBackend sends events of one size.
type paddedBackend struct {
	lineBackend
	size int
}

func (b *paddedBackend) NewEncoder() Encoder { return paddedEncoder{payload: make([]byte, b.size)} }

type paddedEncoder struct{ payload []byte }

func (enc paddedEncoder) Encode(w *Writer, e *appevent.Event) error {
	w.End(append(w.Begin(Meta{ID: "0198c0de-0000-7000-8000-000000000001", Name: e.Name, Time: e.Time}), enc.payload...))
	return nil
}

func (paddedEncoder) Prepare(plog.Logs) {}
func (paddedEncoder) Reset()            {}
