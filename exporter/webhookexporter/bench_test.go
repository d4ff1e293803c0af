// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
)

func BenchmarkEncode(b *testing.B) {
	ld := deliverytest.BenchLogs(b)
	enc := newEncoder(testBackend(b, nil))
	var w delivery.Writer
	deliverytest.CompareEncode(b, ld, func() {
		for e := range appevent.Logs(ld) {
			_ = enc.Encode(&w, e)
		}
		w.Reset()
		enc.Reset()
	})
}

// BenchmarkFormats measures the other formats.
func BenchmarkFormats(b *testing.B) {
	ld := deliverytest.BenchLogs(b)
	for name, conf := range map[string]map[string]any{
		"standard":    {"format": "standard"},
		"cloudevents": {"format": "cloudevents"},
		"sink":        {"format": "sink"},
		"summary":     {"content": "summary"},
		"otlp_json":   {"format": "otlp_json"},
		"template":    {"format": "template", "template": map[string]any{"text": "{{ .name }} for {{ .properties.total }}", "id": "{{ .id }}"}},
		"slack":       {"format": "slack"},
	} {
		b.Run(name, func(b *testing.B) {
			enc := newEncoder(testBackend(b, conf))
			var w delivery.Writer
			b.ReportAllocs()
			for b.Loop() {
				for e := range appevent.Logs(ld) {
					_ = enc.Encode(&w, e)
				}
				w.Reset()
				enc.Reset()
			}
			deliverytest.PerEvent(b)
		})
	}
}

// BenchmarkSign measures BuildRequests and signing, with one and with a hundred events per request.
func BenchmarkSign(b *testing.B) {
	for _, batching := range []Batching{BatchingSingle, BatchingArray} {
		b.Run(string(batching), func(b *testing.B) {
			backend := testBackend(b, map[string]any{
				"batching": string(batching), "signing": map[string]any{"scheme": "standard", "secrets": []any{currentSecret}},
			})
			events := encodeWith(b, backend, deliverytest.BenchLogs(b))
			b.ReportAllocs()
			for b.Loop() {
				for i := 0; i < len(events); i += 100 {
					requests, _ := backend.BuildRequests(events[i : i+100])
					for j := range requests {
						requests[j].Prepare(time.Now())
					}
				}
			}
			deliverytest.PerEvent(b)
		})
	}
}

func BenchmarkExport(b *testing.B) {
	for _, batching := range []Batching{BatchingArray, BatchingNDJSON} {
		b.Run(string(batching), func(b *testing.B) {
			deliverytest.CompareExport(b, NewFactory(), status(204), func(endpoint string) component.Config {
				cfg, err := load(map[string]any{"endpoint": endpoint, "compression": "gzip", "batching": string(batching)})
				require.NoError(b, err)
				cfg.Delivery.QueueConfig.Get().QueueSize = 1 << 40
				cfg.Delivery.ShutdownTimeout = time.Minute
				return cfg
			})
		})
	}
}
