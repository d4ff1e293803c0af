// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// TestFullRingIsSmall measures the memory of a ring of events with the longest texts, different
// messages of three attempts, and another one at the end.
func TestFullRingIsSmall(t *testing.T) {
	const size = 2000
	long := strings.Repeat("x", 2000)
	for name, batchSize := range map[string]int{"single events": 1, "batches": 50, "large batches": 1000} {
		t.Run(name, func(t *testing.T) {
			r, f := newReporter(t, Settings{RecentEvents: size}, "webhook")
			before := heap()
			for n := range size {
				f.skip("plain_log", batch.Event{Meta: batch.Meta{ID: fmt.Sprint("skipped ", n, long), Name: fmt.Sprint(n, long)}})
			}
			for n := 0; n < 2*size; n += batchSize {
				report := func(outcome bool, what string, sent []batch.Event) {
					for i := range sent { // none shares its message with another one
						message := fmt.Sprintf("%d %s %s", n+i, what, long)[:maxMessage] // a part of a large response
						if outcome {
							f.settle(statusfeed.DeadLettered, "exhausted", 503, message, sent[i])
						} else {
							f.attempt(503, message, sent[i])
						}
					}
				}
				events := make([]batch.Event, batchSize)
				for i := range events {
					events[i].ID, events[i].Name = fmt.Sprint(n+i, long), fmt.Sprint(n+i, long)
				}
				sent := f.accept(events...)
				report(false, "first", sent)
				report(false, "second", sent)
				report(false, "third", sent)
				report(false, "fourth", sent)
				f.retry(sent...)
				report(true, "at last", sent)
			}
			_, kept := r.Find(Filter{Limit: 1})
			assert.Equal(t, size*135/100, kept)
			assert.LessOrEqual(t, (heap()-before)/int64(kept), int64(1024), "bytes an event")
			runtime.KeepAlive(r)
		})
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
