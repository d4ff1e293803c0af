// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pausedGauge returns the gauge of an exporter, which is 1 while it is paused.
func (p *instrumentedCollector) pausedGauge(exporter string) int {
	p.t.Helper()
	return p.counted("otelcol_fanout_paused", fmt.Sprintf("exporter=%q", exporter))
}

func TestPauseSurvivesRestarts(t *testing.T) {
	t.Parallel()
	const events, more = 40, 10
	b, other := newBackend(t, accepting), newBackend(t, accepting)
	s, choice := newDataFolders(t), withStatus(t, fmt.Sprintf("directory: %q", t.TempDir()))
	webhooks := []webhook{
		{"b", b.URL, "batching: single, sending_queue: {storage: file_storage}, retry_on_failure: {initial_interval: 10ms}"},
		{"other", other.URL, ""},
	}
	p := startInstrumentedWith(t, s, choice, webhooks)
	assert.Zero(t, p.pausedGauge("webhook/b"))
	paused := p.setPaused("webhook/b", "pause")
	assert.Equal(t, "paused", paused.State)
	assert.Equal(t, 1, p.pausedGauge("webhook/b"))
	assert.Zero(t, p.pausedGauge("webhook/other"))
	p.waitForLog("Paused a backend on request")
	newSDK(p).mustExport(t, records(0, events))
	p.settled("webhook/other", events)
	assert.Equal(t, events, p.awaitBackend("webhook/b", "full", func(b statusBackend) bool { return b.Queue.Events == events }).Counts.Accepted)
	assert.Zero(t, b.requested())

	// It survives a crash and an ordinary stop, and so do the events.
	p.kill()
	p = startInstrumentedWith(t, s, choice, webhooks)
	restarted := p.awaitBackend("webhook/b", "as it was", func(b statusBackend) bool { return b.Queue.Events == events })
	assert.Equal(t, "paused", restarted.State)
	assert.Equal(t, paused.PausedAt, restarted.PausedAt)
	assert.Equal(t, 1, p.pausedGauge("webhook/b"))
	newSDK(p).mustExport(t, records(events, more))
	p.settled("webhook/other", more)
	p.stop()
	p = startInstrumentedWith(t, s, choice, webhooks)
	p.awaitBackend("webhook/b", "as it was", func(b statusBackend) bool { return b.State == "paused" && b.Queue.Events == events+more })
	assert.Zero(t, b.requested(), "requests while it was paused")

	resumed := p.setPaused("webhook/b", "resume")
	assert.NotEqual(t, "paused", resumed.State)
	assert.Zero(t, p.pausedGauge("webhook/b"))
	var drained statusDrained
	p.show("/v1/drained?timeout=2m", &drained)
	assert.Empty(t, b.missing(events+more))
	_, again := b.tally()
	assert.Zero(t, again, "events that arrived again")
	p.stop()

	p = startInstrumentedWith(t, s, choice, webhooks)
	assert.Equal(t, "starting", p.backends()["webhook/b"].State)
}

func TestPausedBackendTakesNeitherCallsNorReplays(t *testing.T) {
	t.Parallel()
	b := newBackend(t, refusing(http.StatusUnauthorized, "who are you?"))
	p := startInstrumentedWith(t, newDataFolders(t), withStatus(t, ""), []webhook{{"b", b.URL, "dispatch: sync, batching: array"}})
	sync := newSDK(p)
	p.setPaused("webhook/b", "pause")
	status, said, err := sync.post(records(0, 2))
	require.NoError(t, err)
	assert.Equal(t, http.StatusServiceUnavailable, status, said)
	r, err := newClient(t).post(p.eventURL(), linesType, lines(0, 2))
	require.NoError(t, err)
	assert.Equal(t, http.StatusServiceUnavailable, r.status)
	assert.Zero(t, b.requested())
	assert.Equal(t, map[string]int{"returned": 4}, p.settled("webhook/b", 4).outcomes)
	p.setPaused("webhook/b", "resume")
	b.setBehavior(accepting)
	sync.mustExport(t, records(0, 2))
	assert.Empty(t, b.missing(2))

	kept := newBackend(t, refusing(http.StatusUnauthorized, "who are you?"))
	p = startInstrumentedWith(t, newDataFolders(t), withStatus(t, ""), []webhook{{"kept", kept.URL, "batching: array"}})
	newSDK(p).mustExport(t, records(0, 3))
	p.settled("webhook/kept", 3)
	p.setPaused("webhook/kept", "pause")
	requested := kept.requested()
	kept.setBehavior(accepting)
	status, text := p.ask(http.MethodPost, letters("webhook/kept")+"/replay", "")
	assert.Equal(t, http.StatusConflict, status)
	assert.Contains(t, text, "paused")
	key := p.keys("webhook/kept")[0]
	status, text = p.ask(http.MethodPost, letters("webhook/kept")+"/"+key+"/replay", "")
	assert.Equal(t, http.StatusConflict, status, text)
	status, _ = p.replay("webhook/kept", nil)
	assert.Equal(t, http.StatusConflict, status, "of the dead_letter extension's own API")
	assert.Equal(t, requested, kept.requested())
	p.setPaused("webhook/kept", "resume")
	_, got := p.replay("webhook/kept", nil)
	assert.Equal(t, replayed{Replayed: 3, Delivered: 3}, got)
}

// keys returns the keys of an exporter's dead letters, newest first.
func (p *instrumentedCollector) keys(exporter string) (keys []string) {
	p.t.Helper()
	var list struct {
		DeadLetters []statusLetter `json:"dead_letters"`
	}
	p.show(letters(exporter), &list)
	for _, l := range list.DeadLetters {
		keys = append(keys, l.Key)
	}
	return keys
}
