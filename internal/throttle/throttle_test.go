// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package throttle

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func count(n int) func(*int) { return func(pending *int) { *pending += n } }

func TestLogWritesOncePerInterval(t *testing.T) {
	var logged []int
	now := time.Unix(1700000000, 0)
	l := NewLog(func(n int) { logged = append(logged, n) })
	l.Now = func() time.Time { return now }

	for range 10 {
		l.Add(count(2))
	}
	assert.Equal(t, []int{2}, logged, "the first is written at once")
	now = now.Add(Interval)
	l.Add(count(1))
	assert.Equal(t, []int{2, 19}, logged, "everything collected since")
	l.Add(count(5))
	l.Flush()
	l.Flush()
	assert.Equal(t, []int{2, 19, 5}, logged, "Flush writes what is pending, once")
}

func TestFlushDueWritesOnlyWhatIsPending(t *testing.T) {
	var logged []int
	now := time.Unix(1700000000, 0)
	l := NewLog(func(n int) { logged = append(logged, n) })
	l.Now = func() time.Time { return now }

	l.FlushDue()
	l.Add(count(1))
	assert.Equal(t, []int{1}, logged, "a FlushDue without pending events does not start the interval")
	l.Add(count(2))
	l.FlushDue()
	assert.Equal(t, []int{1}, logged, "too early")
	now = now.Add(Interval)
	l.FlushDue()
	l.FlushDue()
	assert.Equal(t, []int{1, 2}, logged)
}

func TestKeysAreThrottledIndependently(t *testing.T) {
	logged := map[string][]int{}
	now := time.Unix(1700000000, 0)
	l := NewLogs(func(key string, n int) { logged[key] = append(logged[key], n) })
	l.Now = func() time.Time { return now }

	for range 3 {
		l.Add("a", count(1))
		l.Add("b", count(10))
	}
	assert.Equal(t, map[string][]int{"a": {1}, "b": {10}}, logged)
	l.Flush()
	assert.Equal(t, map[string][]int{"a": {1, 2}, "b": {10, 20}}, logged)
}

func TestLogsAreSafeForConcurrentUse(t *testing.T) {
	var mu sync.Mutex
	total := 0
	l := NewLogs(func(_ string, n int) {
		mu.Lock()
		defer mu.Unlock()
		total += n
	})
	var adders sync.WaitGroup
	for range 8 {
		adders.Go(func() {
			for range 100 {
				l.Add("a", count(1))
			}
		})
	}
	adders.Wait()
	l.Flush()
	assert.Equal(t, 800, total)
}
