// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"testing"
	"time"

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

func BenchmarkExport(b *testing.B) {
	deliverytest.CompareExport(b, NewFactory(), status(204), func(endpoint string) component.Config {
		cfg := createDefaultConfig().(*Config)
		cfg.ClientConfig.Endpoint = endpoint
		cfg.ClientConfig.Compression = "gzip"
		cfg.Batching = BatchingArray
		cfg.Delivery.QueueConfig.Get().QueueSize = 1 << 40
		cfg.Delivery.ShutdownTimeout = time.Minute
		return cfg
	})
}
