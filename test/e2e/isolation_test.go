// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestIsolation(t *testing.T) {
	t.Parallel()
	const (
		requests, together = 200, 10
		events             = requests * together
		pace               = 10 * time.Millisecond // between requests
	)
	for _, tt := range []struct {
		name    string
		failure behavior
	}{
		{"it hangs", hanging},
		{"responds 503", refusing(http.StatusServiceUnavailable, "busy")},
		{"it resets connections", resetting},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, b := newBackend(t, accepting), newBackend(t, tt.failure)
			p := startInstrumented(t, newDataFolders(t),
				webhook{"a", a.URL, "batching: array"},
				// It gives up a batch after half a second, and has room for about a hundred events.
				webhook{"b", b.URL, "batching: array, timeout: 1s, " +
					"sending_queue: {queue_size: 20kB, num_consumers: 1}, " +
					"retry_on_failure: {initial_interval: 50ms, max_interval: 100ms, max_elapsed_time: 500ms}"})

			app, began := newSDK(p), time.Now()
			waited := make([]time.Duration, requests)
			inParallel(requests, func(i int) bool {
				time.Sleep(time.Until(began.Add(time.Duration(i) * pace)))
				sent := time.Now()
				err := app.export(records(i*together, together))
				waited[i] = time.Since(sent)
				return assert.NoError(t, err, "responses other than 2xx")
			})
			took := time.Since(began)
			ofA, ofB := p.settled("webhook/a", events), p.settled("webhook/b", events)

			different, again := a.tally()
			assert.Equal(t, events, different, "events at the healthy backend")
			assert.Zero(t, again, "events it got again")
			assert.Empty(t, a.missing(events))
			assert.Equal(t, map[string]int{"delivered": events}, ofA.outcomes)
			assert.Equal(t, map[string]int{"dead_lettered": events}, ofB.outcomes)
			assert.Positive(t, ofB.reasons["dead_lettered/queue_full"])
			assert.Positive(t, ofB.reasons["dead_lettered/exhausted"])
			assert.Equal(t, events, p.deadLetterSummaries()["webhook/b"].Events)

			b.setBehavior(accepting)
			replayBegan := time.Now()
			status, got := p.replay("webhook/b", nil)
			require.Equal(t, http.StatusOK, status)
			assert.Equal(t, replayed{Replayed: events, Delivered: events}, got)
			t.Logf("%d events sent in %s, the slowest request took %s; the other backend was sent %d requests, %v; the replay took %s",
				events, took, slices.Max(waited), b.requested(), ofB.reasons, time.Since(replayBegan))

			different, again = b.tally()
			assert.Equal(t, events, different, "events at the other backend after the replay")
			assert.Zero(t, again, "events it got again")
			assert.Empty(t, b.missing(events))
			assert.Empty(t, p.deadLetterSummaries(), "dead letters")
			assert.Empty(t, p.folders.text(t), "dead letters on disk")
			assert.Equal(t, ofB, p.eventCounts("webhook/b"), "a replay does not change the counts")
		})
	}
}
