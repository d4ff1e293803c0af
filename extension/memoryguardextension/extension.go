// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package memoryguardextension

import (
	"context"
	"maps"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/extension/memoryguardextension/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/throttle"
)

// guard is the extension: it measures the heap, counts requests in flight, and is the middleware of
// any number of servers.
type guard struct {
	cfg       *Config
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder

	heap     *heapWatch
	inflight budget

	refusals *throttle.Log[refusedRequests]
	stop     context.CancelFunc
	done     sync.WaitGroup
}

var (
	_ extensionmiddleware.HTTPServer = (*guard)(nil)
	_ extensionmiddleware.GRPCServer = (*guard)(nil)
)

// refusedRequests counts the refusals of one log line by reason.
type refusedRequests map[reason]int

func newGuard(set extension.Settings, cfg *Config) (*guard, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	g := &guard{cfg: cfg, logger: set.Logger, telemetry: telemetry, heap: &heapWatch{}, inflight: budget{max: int64(cfg.MaxInflightBytes)}}
	g.refusals = throttle.NewLog(func(refused throttle.Summary, by refusedRequests) {
		reasons := make([]zap.Field, 0, len(by))
		for _, why := range slices.Sorted(maps.Keys(by)) {
			reasons = append(reasons, zap.Int(string(why), by[why]))
		}
		g.logger.Warn("Requests are refused to save memory; clients are asked to send them again",
			append([]zap.Field{zap.Dict("reasons", reasons...)}, refused.Fields("requests")...)...)
	})
	return g, nil
}

// Start starts measuring the heap.
func (g *guard) Start(_ context.Context, host component.Host) error {
	limit, err := newHeapLimit(g.cfg, totalMemory)
	if err != nil {
		return err
	}
	g.heap.limit, g.heap.usage = limit, newHeapUsage()
	g.heap.changed = func(short bool, used uint64) { g.report(host, short, used) }
	g.logger.Info("Guarding memory", zap.Uint64("limit_mib", limit.hard>>20), zap.Uint64("refuse_from_mib", limit.soft>>20),
		zap.Int64("max_inflight_bytes", g.inflight.max), zap.Duration("check_interval", g.cfg.CheckInterval))
	background, stop := context.WithCancel(context.Background())
	g.stop = stop
	g.done.Go(func() { g.heap.run(background, g.cfg.CheckInterval) })
	return g.telemetry.RegisterFanoutMemoryGuardInflightBytesCallback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(g.inflight.used.Load())
		return nil
	})
}

// report logs that the heap has crossed the limit, and sets the component status.
func (g *guard) report(host component.Host, short bool, used uint64) {
	if short {
		g.logger.Warn("Memory is short; refusing requests", zap.Uint64("heap_mib", used>>20), zap.Uint64("refuse_from_mib", g.heap.limit.soft>>20))
		componentstatus.ReportStatus(host, componentstatus.NewRecoverableErrorEvent(errShort))
		return
	}
	g.logger.Info("Memory is no longer short; accepting requests", zap.Uint64("heap_mib", used>>20))
	componentstatus.ReportStatus(host, componentstatus.NewEvent(componentstatus.StatusOK))
}

// Shutdown stops measuring the heap.
func (g *guard) Shutdown(context.Context) error {
	g.telemetry.Shutdown()
	if g.stop != nil {
		g.stop()
		g.done.Wait()
		g.refusals.Close()
	}
	return nil
}

// shortage returns the reason to refuse a new request, or "" if there is none.
func (g *guard) shortage() reason {
	switch {
	case g.heap.short.Load():
		return reasonHeap
	case g.inflight.full():
		return reasonInflight
	}
	return ""
}

// admit reserves n more bytes for a request that holds some already. It returns the reason to
// refuse the request instead, or "".
func (g *guard) admit(held, n int64) reason {
	switch {
	case g.heap.short.Load():
		return reasonHeap
	case held+n > g.inflight.max:
		return reasonTooLarge
	case !g.inflight.reserve(n):
		return reasonInflight
	}
	return ""
}

// count counts a refused request.
func (g *guard) count(ctx context.Context, why reason, transport string) {
	g.telemetry.FanoutMemoryGuardRefusedRequests.Add(ctx, 1,
		metric.WithAttributes(attribute.String("reason", string(why)), attribute.String("transport", transport)))
	g.refusals.Add(1, func(pending *refusedRequests) {
		if *pending == nil {
			*pending = refusedRequests{}
		}
		(*pending)[why]++
	})
}
