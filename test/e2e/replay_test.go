// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// givingUp is a webhook exporter without retries.
const givingUp = "batching: array, retry_on_failure: {enabled: false}"

func TestConcurrentAndCrossOriginReplaysAreRefused(t *testing.T) {
	t.Parallel()
	const events = 5
	b := newBackend(t, refusing(http.StatusServiceUnavailable, "busy"))
	p := startInstrumented(t, newDataFolders(t), webhook{"b", b.URL, givingUp})
	newSDK(p).mustExport(t, records(0, events))
	counts := p.settled("webhook/b", events)
	require.Equal(t, map[string]int{"dead_lettered/exhausted": events}, counts.reasons)

	status, _ := p.replay("webhook/b", http.Header{"Origin": {"https://evil.example.com"}})
	assert.Equal(t, http.StatusForbidden, status)
	status, _ = p.replay("webhook/b", http.Header{"Sec-Fetch-Site": {"cross-site"}})
	assert.Equal(t, http.StatusForbidden, status)
	status, _ = p.replay("webhook/nobody", nil)
	assert.Equal(t, http.StatusNotFound, status)
	assert.Equal(t, events, p.deadLetterSummaries()["webhook/b"].Events)

	before, release := b.requested(), make(chan struct{})
	releaseOnce := sync.OnceFunc(func() { close(release) })
	t.Cleanup(releaseOnce)
	b.setBehavior(func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
		<-release
		return accepting(w, r, events, body)
	})
	var first sync.WaitGroup
	first.Go(func() {
		status, got := p.replay("webhook/b", nil)
		assert.Equal(t, http.StatusOK, status)
		assert.Equal(t, replayed{Replayed: events, Delivered: events}, got)
	})
	p.waitFor("the replay's request", func() bool { return b.requested() > before })
	status, _ = p.replay("webhook/b", nil)
	assert.Equal(t, http.StatusConflict, status)
	releaseOnce()
	first.Wait()

	assert.Empty(t, b.missing(events))
	assert.Empty(t, p.deadLetterSummaries())
	status, got := p.replay("webhook/b", nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, replayed{}, got, "a replay of nothing")
	assert.Equal(t, counts, p.eventCounts("webhook/b"))
}

func TestLargeReplayHasNoTimeout(t *testing.T) {
	t.Parallel()
	const events = 500
	b := newBackend(t, refusing(http.StatusUnauthorized, "who are you?"))
	p := startInstrumented(t, newDataFolders(t), webhook{"b", b.URL, "batching: array, retry_on_failure: {initial_interval: 10m, max_interval: 10m, max_elapsed_time: 0}"})
	newSDK(p).mustExport(t, records(0, events))
	require.Equal(t, map[string]int{"dead_lettered/unauthorized": events}, p.settled("webhook/b", events).reasons)

	b.setBehavior(accepting)
	began := time.Now()
	status, got := p.replay("webhook/b", nil)
	took := time.Since(began)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, replayed{Replayed: events, Delivered: events}, got)
	assert.Less(t, took, waitTimeout, "a replay does not wait for retry_on_failure")
	assert.Empty(t, b.missing(events))
	assert.Empty(t, p.deadLetterSummaries())
}

func TestDeadLettersStayWhileTheirBackendFails(t *testing.T) {
	t.Parallel()
	const events = 150
	b := newBackend(t, refusing(http.StatusServiceUnavailable, "busy"))
	p := startInstrumented(t, newDataFolders(t), webhook{"b", b.URL, "batching: array, retry_on_failure: {enabled: false, initial_interval: 10ms}"})
	newSDK(p).mustExport(t, records(0, events))
	counts := p.settled("webhook/b", events)

	status, got := p.replay("webhook/b", nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Zero(t, got.Delivered)
	assert.Zero(t, got.Refused)
	assert.NotEmpty(t, got.Stopped, "the reason why it stopped")
	assert.Equal(t, events, p.deadLetterSummaries()["webhook/b"].Events)
	assert.Equal(t, counts, p.eventCounts("webhook/b"))

	b.setBehavior(accepting)
	_, got = p.replay("webhook/b", nil)
	assert.Equal(t, replayed{Replayed: events, Delivered: events}, got)
	assert.Empty(t, b.missing(events))
	assert.Empty(t, p.deadLetterSummaries())
}

func TestDeadLettersSurviveKilledReplay(t *testing.T) {
	t.Parallel()
	const events = 1000
	b, s := newBackend(t, refusing(http.StatusServiceUnavailable, "busy")), newDataFolders(t)
	w := webhook{"b", b.URL, "batching: array, retry_on_failure: {enabled: false, initial_interval: 10ms}"}
	p := startInstrumented(t, s, w)
	newSDK(p).mustExport(t, records(0, events))
	p.settled("webhook/b", events)
	p.kill()

	// The next collector is killed when the backend has accepted some of them.
	p = startInstrumented(t, s, w)
	assert.Equal(t, events, p.deadLetterSummaries()["webhook/b"].Events)
	taken := make(chan struct{})
	tookSome := sync.OnceFunc(func() { close(taken) })
	b.setBehavior(func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
		if different, _ := b.tally(); different >= 300 {
			tookSome()
		}
		return accepting(w, r, events, body)
	})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.deadLettersURL()+"/webhook%2Fb/replay", http.NoBody)
	require.NoError(t, err)
	var replay sync.WaitGroup
	replay.Go(func() {
		if response, err := p.client.Do(request); err == nil {
			_ = response.Body.Close()
		}
	})
	p.waitFor("some events at the backend", func() bool {
		select {
		case <-taken:
			return true
		default:
			return false
		}
	})
	p.kill()
	replay.Wait()

	p = startInstrumented(t, s, w)
	left := p.deadLetterSummaries()["webhook/b"].Events
	status, got := p.replay("webhook/b", nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, replayed{Replayed: left, Delivered: left}, got)
	assert.Empty(t, b.missing(events))
	assert.Empty(t, p.deadLetterSummaries())
	_, again := b.tally()
	t.Logf("%d dead letters were left after the killed replay; %d events arrived again", left, again)
}

func TestRefusedReplayCountsAttempts(t *testing.T) {
	t.Parallel()
	const events = 4
	b := newBackend(t, refusing(http.StatusBadRequest, "the order has no total"))
	p := startInstrumented(t, newDataFolders(t), webhook{"b", b.URL, "batching: single, retry_on_failure: {initial_interval: 10ms}"})
	newSDK(p).mustExport(t, records(0, events))
	p.settled("webhook/b", events)

	b.setBehavior(func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
		if events[0].id() == eventID(2) {
			return refusing(http.StatusUnprocessableEntity, "the total is negative")(w, r, events, body)
		}
		return accepting(w, r, events, body)
	})
	status, got := p.replay("webhook/b", nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, replayed{Replayed: events, Delivered: events - 1, Refused: 1}, got)
	assert.Equal(t, []string{eventID(2)}, b.missing(events))
	left := p.newest("webhook/b", 10)
	require.Len(t, left, 1)
	assert.Equal(t, eventID(2), left[0].ID)
	assert.Equal(t, 2, left[0].Attempts)
	assert.Equal(t, http.StatusUnprocessableEntity, left[0].Status)
	assert.Contains(t, left[0].Message, "the total is negative")
}

func TestReplayOfOneReasonKeepsOthers(t *testing.T) {
	t.Parallel()
	const unauthorized, exhausted = 3, 5
	b := newBackend(t, refusing(http.StatusUnauthorized, "who are you?"))
	p := startInstrumented(t, newDataFolders(t), webhook{"b", b.URL, givingUp})
	sdk := newSDK(p)
	sdk.mustExport(t, records(0, unauthorized))
	p.settled("webhook/b", unauthorized)
	b.setBehavior(refusing(http.StatusServiceUnavailable, "busy"))
	sdk.mustExport(t, records(unauthorized, exhausted))
	counts := p.settled("webhook/b", unauthorized+exhausted)
	require.Equal(t, map[string]int{"dead_lettered/unauthorized": unauthorized, "dead_lettered/exhausted": exhausted}, counts.reasons)

	b.setBehavior(accepting)
	status, _ := p.replayOnly("webhook/b", "?reason=exhaustd", nil)
	assert.Equal(t, http.StatusBadRequest, status)
	status, got := p.replayOnly("webhook/b", "?reason=queue_full", nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, replayed{}, got)

	status, got = p.replayOnly("webhook/b", "?reason=exhausted", nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, replayed{Replayed: exhausted, Delivered: exhausted}, got)
	assert.Equal(t, []string{eventID(0), eventID(1), eventID(2)}, b.missing(unauthorized+exhausted))
	left := p.folders.onDisk(t)["webhook/b"]
	require.Len(t, left, unauthorized)
	for _, l := range left {
		assert.Equal(t, "unauthorized", l.Reason)
	}
	assert.Equal(t, unauthorized, p.deadLetterSummaries()["webhook/b"].Events)

	status, got = p.replayOnly("webhook/b", "?reason=unauthorized&limit=1", nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, replayed{Replayed: 1, Delivered: 1}, got)
	assert.Equal(t, []string{eventID(1), eventID(2)}, b.missing(unauthorized+exhausted), "the oldest comes first")
}

func TestDeleteRemovesOneExportersDeadLetters(t *testing.T) {
	t.Parallel()
	const events = 4
	a, b, s := newBackend(t, refusing(http.StatusNotFound, "")), newBackend(t, refusing(http.StatusNotFound, "")), newDataFolders(t)
	webhooks := []webhook{{"a", a.URL, givingUp}, {"b", b.URL, givingUp}}
	p := startInstrumented(t, s, webhooks...)
	newSDK(p).mustExport(t, records(0, events))
	counts := p.settled("webhook/a", events)
	p.settled("webhook/b", events)

	status, _ := p.remove("webhook/a", http.Header{"Sec-Fetch-Site": {"cross-site"}})
	assert.Equal(t, http.StatusForbidden, status)
	status, _ = p.remove("webhook/nobody", nil)
	assert.Equal(t, http.StatusNotFound, status)
	require.Len(t, s.onDisk(t)["webhook/a"], events)

	status, deleted := p.remove("webhook/a", nil)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, events, deleted)
	assert.NotContains(t, p.deadLetterSummaries(), "webhook/a")
	assert.Empty(t, p.newest("webhook/a", 10))
	assert.Equal(t, events, p.deadLetterSummaries()["webhook/b"].Events)
	assert.Equal(t, counts, p.eventCounts("webhook/a"), "the counts stay the same")

	// They do not come back.
	p.kill()
	p = startInstrumented(t, s, webhooks...)
	assert.Empty(t, s.onDisk(t)["webhook/a"])
	a.setBehavior(accepting)
	b.setBehavior(accepting)
	_, got := p.replay("webhook/a", nil)
	assert.Equal(t, replayed{}, got)
	_, got = p.replay("webhook/b", nil)
	assert.Equal(t, replayed{Replayed: events, Delivered: events}, got)
	assert.Len(t, a.missing(events), events)
	assert.Empty(t, b.missing(events))
}
