// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestShutdownKeepsEventsOfHangingBackend(t *testing.T) {
	t.Parallel()
	const events, together = 1000, 10
	const shutdownTimeout = 2 * time.Second
	for _, tt := range []struct{ name, settings string }{
		{"in arrays", "batching: array"},
		{"one at a time", "batching: single"},
		{"in a queue without batches", "batching: array, sending_queue: {batch: {min_size: 1, max_size: 1}}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, s := newBackend(t, hanging), newDataFolders(t)
			p := startInstrumented(t, s, webhook{"b", b.URL, tt.settings + ", shutdown_timeout: " + shutdownTimeout.String()})
			app := newSDK(p)
			inParallel(events/together, func(i int) bool {
				return assert.NoError(t, app.export(records(i*together, together)))
			})
			counts := p.eventCounts("webhook/b")
			assert.Equal(t, events, counts.accepted)
			assert.Empty(t, counts.outcomes)

			began := time.Now()
			p.stop()
			took := time.Since(began)
			t.Logf("stopped in %s, after %d requests", took, b.requested())
			assert.Less(t, took, shutdownTimeout+20*time.Second)

			ids := map[string]bool{}
			deadLetters := s.onDisk(t)["webhook/b"]
			for _, l := range deadLetters {
				assert.Equal(t, "shutdown", l.Reason)
				ids[l.ID] = true
			}
			assert.Len(t, deadLetters, events)
			assert.Len(t, ids, events, "different events")
			different, _ := b.tally()
			assert.Zero(t, different, "events at the backend")
		})
	}
}

func TestHangingBackendsShareShutdownTimeout(t *testing.T) {
	t.Parallel()
	const events = 30
	const shutdownTimeout = 3 * time.Second
	s := newDataFolders(t)
	var webhooks []webhook
	for _, name := range []string{"a", "b", "c", "d"} {
		webhooks = append(webhooks, webhook{name, newBackend(t, hanging).URL, "batching: array, shutdown_timeout: " + shutdownTimeout.String()})
	}
	p := startInstrumented(t, s, webhooks...)
	newSDK(p).mustExport(t, records(0, events))

	began := time.Now()
	p.stop()
	took := time.Since(began)
	t.Logf("stopped in %s", took)
	assert.Less(t, took, 3*shutdownTimeout, "one after the other, they would take four times as long as one")
	for _, w := range webhooks {
		assert.Len(t, s.onDisk(t)["webhook/"+w.name], events)
	}
}
