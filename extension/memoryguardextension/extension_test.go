// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package memoryguardextension

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/otelcol-fanout/otelcol-fanout/extension/memoryguardextension/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/extension/memoryguardextension/internal/metadatatest"
)

// statusHost records the status that components report.
type statusHost struct {
	component.Host
	statuses chan componentstatus.Status
}

func (h *statusHost) Report(event *componentstatus.Event) { h.statuses <- event.Status() }

// startGuard starts a guard with a heap that is never short, and stops it when the test ends.
func startGuard(t *testing.T, change func(*Config)) (*guard, *componenttest.Telemetry) {
	t.Helper()
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	cfg := createDefaultConfig().(*Config)
	cfg.MemoryLimitMiB, cfg.CheckInterval = 1<<20, time.Hour
	change(cfg)
	require.NoError(t, cfg.Validate())
	settings := extension.Settings{ID: component.NewID(metadata.Type), TelemetrySettings: telemetry.NewTelemetrySettings()}
	g, err := newGuard(settings, cfg)
	require.NoError(t, err)
	require.NoError(t, g.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, g.Shutdown(context.Background())) })
	return g, telemetry
}

func assertRefused(t *testing.T, telemetry *componenttest.Telemetry, why reason, transport string, times int) {
	t.Helper()
	metadatatest.AssertEqualFanoutMemoryGuardRefusedRequests(t, telemetry, []metricdata.DataPoint[int64]{{
		Attributes: attribute.NewSet(attribute.String("reason", string(why)), attribute.String("transport", transport)),
		Value:      int64(times),
	}}, metricdatatest.IgnoreTimestamp())
}

func TestStatusFollowsHeap(t *testing.T) {
	ballast := make([]byte, 4<<20)
	cfg := createDefaultConfig().(*Config)
	cfg.MemoryLimitMiB, cfg.CheckInterval = 1, time.Millisecond
	g, err := newGuard(extensiontest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	host := &statusHost{Host: componenttest.NewNopHost(), statuses: make(chan componentstatus.Status, 10)}
	require.NoError(t, g.Start(t.Context(), host))
	assert.Equal(t, componentstatus.StatusRecoverableError, <-host.statuses)
	assert.Equal(t, reasonHeap, g.shortage())
	assert.Equal(t, reasonHeap, g.admit(0, 1))
	require.NoError(t, g.Shutdown(t.Context()))
	runtime.KeepAlive(ballast)

	g.heap.limit = heapLimit{soft: 1 << 40, hard: 1 << 40}
	g.heap.check()
	assert.Equal(t, componentstatus.StatusOK, <-host.statuses)
	assert.Empty(t, g.shortage())
}

func TestInflightBytesAreReported(t *testing.T) {
	g, telemetry := startGuard(t, func(*Config) {})
	require.Empty(t, g.admit(0, 123))
	metadatatest.AssertEqualFanoutMemoryGuardInflightBytes(t, telemetry, []metricdata.DataPoint[int64]{{Value: 123}}, metricdatatest.IgnoreTimestamp())
	g.inflight.release(123)
}

func BenchmarkAdmit(b *testing.B) {
	g := &guard{heap: &heapWatch{}, inflight: budget{max: 1 << 30}}
	for b.Loop() {
		if g.shortage() == "" && g.admit(0, 1000) == "" {
			g.inflight.release(1000)
		}
	}
}
