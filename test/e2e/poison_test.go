// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRefusedEventsBecomeDeadLetters(t *testing.T) {
	t.Parallel()
	const (
		events      = 1000
		said        = `{"error": "the order has no total"}`
		extraAtMost = 80
		refusal     = "the order has no total"
	)
	poison := []string{eventID(17), eventID(500), eventID(987)}
	isPoison := func(e event) bool { return slices.Contains(poison, e.id()) }
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
		if slices.ContainsFunc(events, isPoison) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, said)
			return false
		}
		return accepting(w, r, events, body)
	})
	p := startInstrumented(t, newDataFolders(t), webhook{"b", b.URL, "batching: array, sending_queue: {batch: {min_size: 1000, max_size: 1000}}"})

	newSDK(p).mustExport(t, records(0, events))
	counts := p.settled("webhook/b", events)

	t.Logf("%d requests after the first", b.requested()-1)
	assert.LessOrEqual(t, b.requested()-1, extraAtMost)
	assert.Equal(t, map[string]int{"delivered": events - len(poison), "dead_lettered": len(poison)}, counts.outcomes)
	different, again := b.tally()
	assert.Equal(t, events-len(poison), different)
	assert.Zero(t, again)
	assert.ElementsMatch(t, poison, b.missing(events))

	assert.Equal(t, len(poison), p.deadLetterSummaries()["webhook/b"].Events)
	listed := p.newest("webhook/b", 10)
	onDisk := p.folders.onDisk(t)["webhook/b"]
	for _, deadLetters := range [][]deadLetter{listed, onDisk} {
		require.Len(t, deadLetters, len(poison))
		var ids []string
		for _, l := range deadLetters {
			ids = append(ids, l.ID)
			assert.Equal(t, "refused", l.Reason)
			assert.Equal(t, http.StatusBadRequest, l.Status)
			assert.Contains(t, l.Message, refusal)
			assert.Equal(t, 1, l.Attempts)
		}
		assert.ElementsMatch(t, poison, ids)
	}
	for _, l := range onDisk {
		assert.Equal(t, l.ID, parse(t, string(l.Payload)).id(), "the dead letter has the refused event")
	}

	// The backend now accepts them.
	b.setBehavior(accepting)
	status, got := p.replay("webhook/b", nil)
	require.Equal(t, http.StatusOK, status)
	assert.Equal(t, replayed{Replayed: len(poison), Delivered: len(poison)}, got)
	assert.Empty(t, b.missing(events))
	assert.Empty(t, p.deadLetterSummaries())
}
