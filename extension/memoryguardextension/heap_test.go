// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package memoryguardextension

import (
	"errors"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHeapLimitFollowsConfiguration(t *testing.T) {
	const gib = 1 << 30
	for name, tt := range map[string]struct {
		cfg  Config
		want heapLimit
	}{
		"a percentage":                  {Config{MemoryLimitPercentage: 80, MemorySpikePercentage: 20}, heapLimit{soft: 60 * gib, hard: 80 * gib}},
		"a percentage without a spike":  {Config{MemoryLimitPercentage: 50}, heapLimit{soft: 40 * gib, hard: 50 * gib}},
		"a fixed limit":                 {Config{MemoryLimitMiB: 1024, MemorySpikeLimitMiB: 512, MemoryLimitPercentage: 80}, heapLimit{soft: gib / 2, hard: gib}},
		"a fixed limit without a spike": {Config{MemoryLimitMiB: 5 * 1024}, heapLimit{soft: 4 * gib, hard: 5 * gib}},
	} {
		got, err := newHeapLimit(&tt.cfg, func() (uint64, error) { return 100 * gib, nil })
		require.NoError(t, err, name)
		assert.Equal(t, tt.want, got, name)
	}
	_, err := newHeapLimit(&Config{MemoryLimitPercentage: 80}, func() (uint64, error) { return 0, errors.New("no /proc") })
	assert.EqualError(t, err, "limit_percentage: cannot find out how much memory there is; set limit_mib instead: no /proc")
}

// fakeHeap is a heap of live objects and garbage under a clock.
type fakeHeap struct {
	live, garbage, cycles uint64
	now                   time.Time
}

func (h *fakeHeap) usage() heapUsage {
	return heapUsage{
		read:    func() (used, cycles uint64) { return h.live + h.garbage, h.cycles },
		collect: func() { h.garbage, h.cycles = 0, h.cycles+1 },
		now:     func() time.Time { return h.now },
	}
}

func TestHeapIsShortAboveSoftLimit(t *testing.T) {
	heap := &fakeHeap{now: time.Unix(1_800_000_000, 0)}
	var changes []bool
	w := &heapWatch{limit: heapLimit{soft: 60, hard: 80}, usage: heap.usage(), changed: func(short bool, _ uint64) { changes = append(changes, short) }}
	check := func(after time.Duration, live, garbage uint64) (short bool, collected bool) {
		heap.now, heap.live, heap.garbage = heap.now.Add(after), live, garbage
		before := heap.cycles
		w.check()
		return w.short.Load(), heap.cycles != before
	}
	for _, step := range []struct {
		name             string
		after            time.Duration
		live, garbage    uint64
		short, collected bool
	}{
		{"below the limit", time.Second, 59, 0, false, false},
		{"mostly garbage", time.Second, 10, 60, false, true},
		{"garbage again, too soon to collect", time.Second, 10, 50, true, false},
		{"garbage above the hard limit", time.Second, 10, 80, false, true},
		{"live objects above the hard limit", time.Second, 80, 0, true, true},
		{"live objects above the soft limit", time.Second, 70, 0, true, false},
		{"for long", softCollectInterval, 70, 0, true, true},
		{"below the limit again", time.Second, 59, 0, false, false},
	} {
		short, collected := check(step.after, step.live, step.garbage)
		assert.Equal(t, step.short, short, step.name)
		assert.Equal(t, step.collected, collected, step.name)
	}
	assert.Equal(t, []bool{true, false, true, false}, changes)
}

func TestHeapIsMeasured(t *testing.T) {
	usage := newHeapUsage()
	used, before := usage.read()
	assert.Positive(t, used)
	usage.collect()
	_, after := usage.read()
	assert.Greater(t, after, before)
}

func TestTotalMemoryIsPositive(t *testing.T) {
	total, err := totalMemory()
	require.NoError(t, err)
	assert.Positive(t, total)
}

func TestSmallestCgroupLimitApplies(t *testing.T) {
	file := func(content string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(content + "\n")} }
	for name, tt := range map[string]struct {
		files fstest.MapFS
		want  uint64
	}{
		"no cgroups":   {fstest.MapFS{}, 0},
		"a container":  {fstest.MapFS{"proc/self/cgroup": file("0::/"), "sys/fs/cgroup/memory.max": file("500")}, 500},
		"no limit":     {fstest.MapFS{"proc/self/cgroup": file("0::/"), "sys/fs/cgroup/memory.max": file("max")}, 0},
		"a service":    {fstest.MapFS{"proc/self/cgroup": file("0::/system.slice/x"), "sys/fs/cgroup/system.slice/x/memory.max": file("500")}, 500},
		"its slice":    {fstest.MapFS{"proc/self/cgroup": file("0::/s/x"), "sys/fs/cgroup/s/memory.max": file("400"), "sys/fs/cgroup/s/x/memory.max": file("500")}, 400},
		"host's paths": {fstest.MapFS{"proc/self/cgroup": file("0::/docker/0123"), "sys/fs/cgroup/memory.max": file("500")}, 500},
		"version 1":    {fstest.MapFS{"proc/self/cgroup": file("5:memory:/x\n0::/x"), "sys/fs/cgroup/memory/x/memory.limit_in_bytes": file("500")}, 500},
	} {
		got, ok := cgroupLimit(tt.files)
		assert.Equal(t, tt.want, got, name)
		assert.Equal(t, tt.want > 0, ok, name)
	}
}
