// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A reporter forwards events in batches of fifty.
const (
	toReports      = "default_pipelines: [logs/reports]"
	fullBatch      = 50
	muchLater      = "10m"
	inBatches      = "min_size: 50, max_size: 50, flush_timeout: "
	queueInBatches = "sending_queue: {batch: {" + inBatches
)

func reportsBranch(url, settings string) branch {
	return branch{"logs/reports", "webhook/reports", fmt.Sprintf("endpoint: %q, batching: array, %s", url, settings)}
}

// sizesOf returns the number of events in each request, in order.
func sizesOf(attempts []attempt) []int {
	var sizes []int
	for _, a := range attempts {
		sizes = append(sizes, len(a.ids))
	}
	return sizes
}

func TestScenarioReporterFlushesFullAndPartialBatches(t *testing.T) {
	t.Parallel()
	const part, while = 7, 500 * time.Millisecond
	in := newInbox(t, arraysOfEvents)
	p := startFanout(t, newDataFolders(t), toReports, reportsBranch(in.URL, queueInBatches+while.String()+"}}"))

	began := time.Now()
	newClient(t).mustAccept(t, p.eventURL(), linesType, lines(0, fullBatch+part), fullBatch+part)
	in.wait(p.collector, fullBatch+part)
	attempts := in.attempted()
	assert.Equal(t, []int{fullBatch, part}, sizesOf(attempts))
	assert.GreaterOrEqual(t, attempts[1].at.Sub(began), while, "the partial batch waits for the flush")
}

func TestScenarioReporterDrainsPartialBatchAtShutdown(t *testing.T) {
	t.Parallel()
	const events = 2*fullBatch + 20
	in := newInbox(t, arraysOfEvents)
	p := startFanout(t, newDataFolders(t), toReports, reportsBranch(in.URL, queueInBatches+muchLater+"}}"))
	client := newClient(t)
	send := func(from, to int) {
		for i := from; i < to; i++ {
			client.mustAccept(t, p.eventURL(), linesType, lines(i, 1), 1)
		}
	}
	send(0, fullBatch-1)
	assert.Empty(t, in.attempted(), "requests before there is a full batch")
	send(fullBatch-1, fullBatch)
	in.wait(p.collector, fullBatch)
	assert.Equal(t, []int{fullBatch}, sizesOf(in.attempted()))

	// SIGTERM comes right after the last event.
	send(fullBatch, events)
	client.http.CloseIdleConnections()
	p.stop()
	sizes := sizesOf(in.attempted())
	slices.Sort(sizes)
	assert.Equal(t, []int{events - 2*fullBatch, fullBatch, fullBatch}, sizes)
	for i := range events {
		assert.True(t, in.has(eventID(i)), eventID(i))
	}
}

func TestScenarioReporterCountsEventsShedByFullQueue(t *testing.T) {
	t.Parallel()
	const requests, together = 100, 10
	const events = requests * together
	release := make(chan struct{})
	releaseOnce := sync.OnceFunc(func() { close(release) })
	t.Cleanup(releaseOnce)
	b := newBackend(t, held(release))
	p := startFanout(t, newDataFolders(t), toReports,
		reportsBranch(b.URL, "timeout: 1m, sending_queue: {queue_size: 20kB, num_consumers: 1, batch: {"+inBatches+"50ms}}"))
	client := newClient(t)
	inParallel(requests, func(i int) bool {
		r, err := client.post(p.eventURL(), linesType, lines(i*together, together))
		return assert.NoError(t, err) && assert.Equal(t, http.StatusAccepted, r.status) && assert.Equal(t, together, r.body.Accepted)
	})
	shed := p.eventCounts("webhook/reports").reasons["dropped/queue_full"]
	assert.Positive(t, shed)
	assert.Zero(t, p.counted("otelcol_fanout_kept_refusals_total"), "the queue sheds without refusing")

	releaseOnce()
	counts := p.settled("webhook/reports", events)
	assert.Equal(t, map[string]int{"dropped/queue_full": shed, "delivered/": events - shed}, counts.reasons)
	different, again := b.tally()
	assert.Equal(t, []int{events - shed, 0}, []int{different, again}, "events, and repeated ones")
	assert.Contains(t, p.stderr.String(), "queue_full", "the log")
}

func TestScenarioReporterIsolatesPoisonEvent(t *testing.T) {
	t.Parallel()
	const events = 3 * fullBatch
	poison := eventID(fullBatch + 17)
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
		if slices.ContainsFunc(events, func(e event) bool { return e.id() == poison }) {
			return refusing(http.StatusBadRequest, "the order has no total")(w, r, events, body)
		}
		return accepting(w, r, events, body)
	})
	p := startFanout(t, newDataFolders(t), toReports, reportsBranch(b.URL, "dead_letter: dead_letter, "+queueInBatches+muchLater+"}}"))
	newClient(t).mustAccept(t, p.eventURL(), linesType, lines(0, events), events)

	assert.Equal(t, map[string]int{"delivered/": events - 1, "dead_lettered/refused": 1}, p.settled("webhook/reports", events).reasons)
	assert.Equal(t, []string{poison}, b.missing(events))
	_, again := b.tally()
	assert.Zero(t, again, "repeated events")
	deadLetters := p.newest("webhook/reports", 10)
	require.Len(t, deadLetters, 1)
	assert.Equal(t, []any{poison, "refused", http.StatusBadRequest}, []any{deadLetters[0].ID, deadLetters[0].Reason, deadLetters[0].Status})
	assert.Contains(t, deadLetters[0].Message, "the order has no total")
}
