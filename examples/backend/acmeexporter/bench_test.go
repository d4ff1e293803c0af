// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package acmeexporter

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
)

func BenchmarkEncode(b *testing.B) {
	ld := deliverytest.BenchLogs(b)
	var enc encoder
	var w delivery.Writer
	deliverytest.CompareEncode(b, ld, func() {
		for e := range appevent.Logs(ld) {
			_ = enc.Encode(&w, e)
		}
		enc.Reset()
		w.Reset()
	})
}

func BenchmarkBuildRequests(b *testing.B) {
	var enc encoder
	var w delivery.Writer
	for e := range appevent.Logs(deliverytest.BenchLogs(b)) {
		require.NoError(b, enc.Encode(&w, e))
	}
	encoded := w.Take().Events()
	back := newBackend(testConfig("https://example.com"))
	b.ReportAllocs()
	for b.Loop() {
		_, _ = back.BuildRequests(encoded)
	}
	deliverytest.PerEvent(b)
}
