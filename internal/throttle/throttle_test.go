// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package throttle

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/zap/zapcore"
)

// line is a written line; its times count from the start of the test.
type line struct {
	at, first, last time.Duration
	count           int
	details         string
}

func detail(text string) func(*string) { return func(pending *string) { *pending += text } }

// newTestLog returns a log and what it has written. Its clock is that of the test's bubble.
func newTestLog() (*Log[string], func() []line) {
	var mu sync.Mutex
	var lines []line
	start := time.Now()
	l := NewLog(func(s Summary, details string) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, line{time.Since(start), s.First.Sub(start), s.Last.Sub(start), s.Count, details})
	})
	return l, func() []line {
		mu.Lock()
		defer mu.Unlock()
		return append([]line(nil), lines...)
	}
}

func TestLogWritesOncePerInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, lines := newTestLog()
		l.Add(1, detail("a"))
		time.Sleep(10 * time.Second)
		l.Add(2, detail("b"))
		time.Sleep(10 * time.Second)
		l.Add(3, detail("c"))
		assert.Equal(t, []line{{0, 0, 0, 1, "a"}}, lines(), "the first is written at once")

		time.Sleep(time.Hour)
		want := []line{{0, 0, 0, 1, "a"}, {Interval, 10 * time.Second, 20 * time.Second, 5, "bc"}}
		assert.Equal(t, want, lines(), "the others are written when the interval is over, without another Add")

		l.Add(4, nil)
		at := time.Hour + 20*time.Second
		assert.Equal(t, append(want, line{at, at, at, 4, ""}), lines(), "written at once after a pause")
	})
}

// TestLongFailureHasOneLinePerInterval adds an event every 20 seconds, for ten minutes.
func TestLongFailureHasOneLinePerInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, lines := newTestLog()
		for range 30 {
			l.Add(1, nil)
			time.Sleep(20*time.Second - time.Millisecond)
		}
		time.Sleep(Interval)
		total := 0
		for i, line := range lines() {
			assert.Equal(t, time.Duration(i)*Interval, line.at)
			total += line.count
		}
		assert.Equal(t, 30, total)
		assert.Len(t, lines(), 11)
	})
}

func TestCloseWritesWhatIsPendingOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, lines := newTestLog()
		l.Add(1, nil)
		l.Add(2, nil)
		time.Sleep(time.Second)
		l.Close()
		l.Close()
		want := []line{{count: 1}, {at: time.Second, count: 2}}
		assert.Equal(t, want, lines())
		time.Sleep(time.Hour)
		assert.Equal(t, want, lines(), "the timer is stopped")
		l.Add(1, nil)
		l.Add(1, nil)
		assert.Len(t, lines(), 4, "no timer starts any more")
	})
}

func TestFieldsHaveTimesOnlyOfDelayedLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fields []map[string]any
		l := NewLog(func(s Summary, _ struct{}) {
			encoder := zapcore.NewMapObjectEncoder()
			for _, field := range s.Fields("requests") {
				field.AddTo(encoder)
			}
			fields = append(fields, encoder.Fields)
		})
		l.Add(3, nil)
		time.Sleep(time.Second)
		l.Add(1, nil)
		l.Close()
		at := time.Now()
		assert.Equal(t, []map[string]any{{"requests": int64(3)}, {"requests": int64(1), "first": at, "last": at}}, fields)
	})
}

func TestKeysAreThrottledIndependently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logged := map[string][]int{}
		l := NewLogs(func(key string, s Summary, _ struct{}) { logged[key] = append(logged[key], s.Count) })
		for range 3 {
			l.Add("a", 1, nil)
			l.Add("b", 10, nil)
		}
		assert.Equal(t, map[string][]int{"a": {1}, "b": {10}}, logged)
		l.Close()
		assert.Equal(t, map[string][]int{"a": {1, 2}, "b": {10, 20}}, logged)
		l.Add("c", 1, nil)
		l.Add("c", 1, nil)
		assert.Equal(t, []int{1, 1}, logged["c"], "no timer starts for a new key after Close")
	})
}

func TestLogsAreSafeForConcurrentUse(t *testing.T) {
	var mu sync.Mutex
	total := 0
	l := NewLogs(func(_ string, s Summary, _ struct{}) {
		mu.Lock()
		defer mu.Unlock()
		total += s.Count
	})
	var adders sync.WaitGroup
	for range 8 {
		adders.Go(func() {
			for range 100 {
				l.Add("a", 1, nil)
			}
		})
	}
	adders.Wait()
	l.Close()
	assert.Equal(t, 800, total)
}
