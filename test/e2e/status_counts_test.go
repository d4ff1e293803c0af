// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestStatusIsCompleteProviderStatus shows each member of the status of a provider: enabled,
// initialized, last error, last activity, counts, and the mean of the last 100 response times.
func TestStatusIsCompleteProviderStatus(t *testing.T) {
	t.Parallel()
	const quick, slow, pause = 50, 100, 10 * time.Millisecond
	b := newBackend(t, accepting)
	p := startInstrumentedWith(t, newDataFolders(t), withStatus(t, ""), []webhook{
		{"b", b.URL, "batching: single"},
		{"off", b.URL, "enabled: false"},
	})
	off := p.backends()["webhook/off"]
	assert.False(t, off.Enabled)
	assert.False(t, off.Initialized)
	started := p.backends()["webhook/b"]
	assert.True(t, started.Enabled)
	assert.True(t, started.Initialized)
	assert.Nil(t, started.LastActivity)
	assert.Nil(t, started.LastError)
	assert.Nil(t, started.ResponseTime)

	app := newSDK(p)
	app.mustExport(t, records(0, quick))
	p.settled("webhook/b", quick)
	first := p.backends()["webhook/b"]
	require.NotNil(t, first.ResponseTime)
	assert.Equal(t, quick, first.ResponseTime.Requests)

	b.setBehavior(refusing(http.StatusBadRequest, "the total is negative"))
	app.mustExport(t, records(quick, 1))
	p.settled("webhook/b", quick+1)
	b.setBehavior(func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
		time.Sleep(pause)
		return accepting(w, r, events, body)
	})
	app.mustExport(t, records(quick+1, slow))
	p.settled("webhook/b", quick+1+slow)

	last := p.backends()["webhook/b"]
	assert.Equal(t, "ok", last.State)
	assert.Equal(t, quick+1+slow, last.Counts.Accepted)
	assert.Equal(t, map[string]int{"delivered/": quick + slow, "dead_lettered/refused": 1}, last.Counts.reasons())
	assert.Equal(t, quick+slow, last.Counts.Delivered)
	assert.Equal(t, 1, last.Counts.DeadLettered)
	assert.Zero(t, last.Counts.Waiting)
	require.NotNil(t, last.LastError)
	assert.Equal(t, http.StatusBadRequest, last.LastError.Status)
	assert.Contains(t, last.LastError.Message, "the total is negative")
	assert.NotEmpty(t, last.LastError.WhatToDo)
	require.NotNil(t, last.LastActivity)
	assert.True(t, last.LastActivity.After(last.LastError.Time))
	assert.NotNil(t, last.LastDelivery)
	assert.Equal(t, 1, last.DeadLetters.Events)
	assert.Equal(t, slow, last.ResponseTime.Requests)
	milliseconds := float64(pause.Milliseconds())
	assert.GreaterOrEqual(t, last.ResponseTime.Mean, milliseconds, "the mean of the last requests, all of which were slow")
	assert.GreaterOrEqual(t, last.ResponseTime.P50, milliseconds)
	assert.GreaterOrEqual(t, last.ResponseTime.P95, last.ResponseTime.P50)
}

// countingBranches are backends that together lead to every outcome.
func countingBranches(t *testing.T) []branch {
	t.Helper()
	const quick = "retry_on_failure: {initial_interval: 5ms, max_interval: 5ms, max_elapsed_time: 100ms}, "
	some := func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
		switch n := numberOf(events[0]); {
		case n%7 == 0:
			return refusing(http.StatusBadRequest, "the total is negative")(w, r, events, body)
		case n%11 == 0:
			return refusing(http.StatusServiceUnavailable, "busy")(w, r, events, body)
		}
		return accepting(w, r, events, body)
	}
	return []branch{
		{"logs/kept", "webhook/kept", endpointOf(newBackend(t, some)) + quick + "dead_letter: dead_letter"},
		{"logs/dropped", "webhook/dropped", endpointOf(newBackend(t, some)) + quick},
		{"logs/skipped", "sentry", `dsn: "http://key@127.0.0.1:1/42", logs: {enabled: false}`},
		{"logs/returned", "webhook/returned", endpointOf(newBackend(t, once(accepting, refusing(http.StatusServiceUnavailable, "busy")))) + quick + "dispatch: sync, batching: array"},
	}
}

// remembered returns how many of the last events have each outcome and reason, by backend.
func (p *instrumentedCollector) remembered() map[string]map[string]int {
	p.t.Helper()
	remembered := map[string]map[string]int{}
	for _, e := range p.recent("?limit=1000&outcome=delivered,skipped,dead_lettered,dropped,returned") {
		if remembered[e.Backend] == nil {
			remembered[e.Backend] = map[string]int{}
		}
		remembered[e.Backend][e.Outcome+"/"+e.Reason]++
	}
	return remembered
}

func TestStatusCountsEqualMetrics(t *testing.T) {
	t.Parallel()
	const rounds, together = 4, 50
	branches := countingBranches(t)
	const table = `routes: [{events: [login_*], pipelines: [logs/returned]}], default_pipelines: [logs/kept, logs/dropped, logs/skipped]`
	// A tenth of recent_events is room for all skipped events.
	status := withStatus(t, fmt.Sprintf("recent_events: %d", 10*rounds*together))
	p := startInstrumentedWith(t, newDataFolders(t), both(throughFanout(t, table, branches...), status), nil)
	client, exporters := newClient(t), []string{"webhook/kept", "webhook/dropped", "sentry", "webhook/returned"}

	// An outcome is in the metrics before it is in the status.
	assertNoMoreThanMetrics := func() {
		remembered := p.remembered()
		shown := p.backends()
		for _, id := range exporters {
			metrics := p.eventCounts(id)
			for reason, events := range remembered[id] {
				assert.LessOrEqual(t, events, metrics.reasons[reason], "remembered events of %s: %s", id, reason)
			}
			for reason, events := range shown[id].Counts.reasons() {
				assert.LessOrEqual(t, events, metrics.reasons[reason], "counted events of %s: %s", id, reason)
			}
		}
	}
	for round := range rounds {
		client.mustAccept(t, p.eventURL(), linesType, lines(round*together, together), together)
		_, err := client.post(p.eventURL(), linesType, `{"name": "login_success"}`+"\n"+`{"name": "login_failure"}`)
		require.NoError(t, err)
		accepted := map[string]int{"webhook/kept": (round + 1) * together, "webhook/dropped": (round + 1) * together, "sentry": (round + 1) * together, "webhook/returned": (round + 1) * 2}
		p.waitFor("a quiet moment", func() bool {
			assertNoMoreThanMetrics()
			for id, events := range accepted {
				if counts := p.eventCounts(id); counts.accepted != events || counts.withOutcome() != events {
					return false
				}
			}
			return true
		})

		var drained statusDrained
		p.show("/v1/drained?timeout=2m", &drained)
		remembered := p.remembered()
		var overview statusOverview
		p.show("/v1/backends", &overview)
		var totals statusCounts
		for _, b := range overview.Backends {
			metrics := p.eventCounts(b.ID)
			assert.Equal(t, metrics.reasons, b.Counts.reasons(), b.ID)
			assert.Equal(t, metrics.reasons, remembered[b.ID], "remembered events of %s", b.ID)
			assert.Equal(t, metrics.accepted, b.Counts.Accepted, b.ID)
			assert.Zero(t, b.Counts.Waiting, b.ID)
			totals.Accepted += metrics.accepted
			totals.Delivered += metrics.outcomes["delivered"]
			totals.Skipped += metrics.outcomes["skipped"]
			totals.DeadLettered += metrics.outcomes["dead_lettered"]
			totals.Dropped += metrics.outcomes["dropped"]
			totals.Returned += metrics.outcomes["returned"]
		}
		assert.Equal(t, totals, overview.Totals)
	}
	all := p.backends()
	assert.Positive(t, all["webhook/kept"].Counts.Delivered)
	assert.Positive(t, all["webhook/kept"].Counts.reasons()["dead_lettered/refused"])
	assert.Positive(t, all["webhook/kept"].Counts.reasons()["dead_lettered/exhausted"])
	assert.Positive(t, all["webhook/dropped"].Counts.Dropped)
	assert.Equal(t, rounds*together, all["sentry"].Counts.Skipped)
	assert.Equal(t, 2, all["webhook/returned"].Counts.Delivered)
	assert.Equal(t, 2*(rounds-1), all["webhook/returned"].Counts.Returned)
}
