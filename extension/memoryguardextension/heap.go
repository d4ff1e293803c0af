// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package memoryguardextension

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

// The runtime metrics that are read: bytes of live objects and garbage (the same as
// runtime.MemStats.Alloc, without stopping the world), and completed garbage collections.
const (
	heapMetric   = "/memory/classes/heap/objects:bytes"
	cyclesMetric = "/gc/cycles/total:gc-cycles"
)

// How long after a garbage collection another one is forced at the earliest, below and above the
// hard limit. Both are memory_limiter's defaults, except that it forces one at every check above.
const (
	softCollectInterval = 10 * time.Second
	hardCollectInterval = time.Second
)

var errShort = errors.New("memory is short; requests are refused")

// heapLimit holds the limits of the heap in bytes. From soft on requests are refused.
type heapLimit struct{ soft, hard uint64 }

// newHeapLimit returns the limits that cfg asks for. total returns the memory of the cgroup or
// machine; it is called only if the limit is a percentage.
func newHeapLimit(cfg *Config, total func() (uint64, error)) (heapLimit, error) {
	hard, spike := uint64(cfg.MemoryLimitMiB)<<20, uint64(cfg.MemorySpikeLimitMiB)<<20
	if hard == 0 {
		memory, err := total()
		if err != nil {
			return heapLimit{}, fmt.Errorf("limit_percentage: cannot find out how much memory there is; set limit_mib instead: %w", err)
		}
		hard, spike = memory/100*uint64(cfg.MemoryLimitPercentage), memory/100*uint64(cfg.MemorySpikePercentage)
	}
	if spike == 0 {
		spike = hard / 5
	}
	return heapLimit{soft: hard - spike, hard: hard}, nil
}

// heapWatch compares the heap with its limit at an interval.
type heapWatch struct {
	limit heapLimit
	usage heapUsage
	// changed is called when short changes.
	changed func(short bool, used uint64)

	// short reports whether the heap is above the soft limit.
	short atomic.Bool

	cycles    uint64
	collected time.Time // when cycles last changed
}

// heapUsage measures the heap, and collects garbage. Tests replace it.
type heapUsage struct {
	read    func() (used, cycles uint64)
	collect func()
	now     func() time.Time
}

func newHeapUsage() heapUsage {
	samples := []metrics.Sample{{Name: heapMetric}, {Name: cyclesMetric}}
	return heapUsage{
		read: func() (used, cycles uint64) {
			metrics.Read(samples)
			return samples[0].Value.Uint64(), samples[1].Value.Uint64()
		},
		collect: runtime.GC,
		now:     time.Now,
	}
}

func (w *heapWatch) run(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			w.check()
		}
	}
}

// check measures the heap. Above the soft limit it collects garbage first, unless that has been
// done recently, since most of a heap may be garbage.
func (w *heapWatch) check() {
	used := w.measure()
	if used >= w.limit.soft && w.isCollectionDue(used) {
		w.usage.collect()
		used = w.measure()
	}
	if short := used >= w.limit.soft; w.short.Swap(short) != short {
		w.changed(short, used)
	}
}

func (w *heapWatch) measure() uint64 {
	used, cycles := w.usage.read()
	if cycles != w.cycles {
		w.cycles, w.collected = cycles, w.usage.now()
	}
	return used
}

func (w *heapWatch) isCollectionDue(used uint64) bool {
	interval := softCollectInterval
	if used >= w.limit.hard {
		interval = hardCollectInterval
	}
	return w.usage.now().Sub(w.collected) >= interval
}
