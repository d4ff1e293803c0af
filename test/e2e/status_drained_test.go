// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// statusDrained is the response of GET /v1/drained.
type statusDrained struct {
	Drained bool
	Waited  float64 `json:"waited_ms"`
	Left    []struct {
		Backend string
		Events  int
		Paused  bool
	}
	Error string
}

func TestStatusWaitsUntilDrainedUnderLoad(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	slow := func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
		time.Sleep(2 * time.Millisecond)
		return accepting(w, r, events, body)
	}
	b, fast := newBackend(t, held(release)), newBackend(t, accepting)
	p := startInstrumentedWith(t, newDataFolders(t), withStatus(t, ""),
		[]webhook{{"b", b.URL, "batching: array, sending_queue: {batch: {flush_timeout: 20ms, min_size: 10, max_size: 50}}"}, {"fast", fast.URL, "batching: array"}})

	// Applications send all the time.
	var sent atomic.Int64
	stop := make(chan struct{})
	var load sync.WaitGroup
	load.Go(func() {
		for app := newSDK(p); ; {
			select {
			case <-stop:
				return
			default:
				if !assert.NoError(t, app.export(records(int(sent.Load()), 20))) {
					return
				}
				sent.Add(20)
			}
		}
	})
	p.waitFor("events", func() bool { return sent.Load() >= 100 })

	var drained statusDrained
	p.mustAsk(http.StatusGatewayTimeout, http.MethodGet, "/v1/drained?backend=webhook/b&timeout=50ms", "", &drained)
	assert.False(t, drained.Drained)
	require.Len(t, drained.Left, 1)
	assert.Equal(t, "webhook/b", drained.Left[0].Backend)
	assert.GreaterOrEqual(t, drained.Left[0].Events, 100)
	assert.GreaterOrEqual(t, drained.Waited, 50.0)
	assert.NotEmpty(t, drained.Error)

	waited := make(chan string, 1)
	go func() {
		status, text := p.ask(http.MethodGet, "/v1/drained?timeout=5m", "")
		assert.Equal(t, http.StatusOK, status, text)
		waited <- text
	}()
	b.setBehavior(slow)
	close(release)
	p.waitFor("more events", func() bool { return sent.Load() >= 1000 })
	close(stop)
	load.Wait()
	var answer statusDrained
	require.NoError(t, json.Unmarshal([]byte(<-waited), &answer))
	assert.True(t, answer.Drained)

	p.mustAsk(http.StatusOK, http.MethodGet, "/v1/drained?timeout=5m", "", &drained)
	assert.Empty(t, b.missing(int(sent.Load())), "all are delivered when the response comes")
	assert.Empty(t, fast.missing(int(sent.Load())))
	assert.Equal(t, map[string]int{"delivered/": int(sent.Load())}, p.eventCounts("webhook/b").reasons)
}

func TestStatusSaysThatPausedBackendCannotDrain(t *testing.T) {
	t.Parallel()
	paused, other := newBackend(t, accepting), newBackend(t, accepting)
	p := startInstrumentedWith(t, newDataFolders(t), withStatus(t, ""), []webhook{{"paused", paused.URL, ""}, {"other", other.URL, ""}})
	p.setPaused("webhook/paused", "pause")
	newSDK(p).mustExport(t, records(0, 3))
	p.settled("webhook/other", 3)

	var drained statusDrained
	p.show("/v1/drained?backend=webhook/other", &drained)
	p.mustAsk(http.StatusGatewayTimeout, http.MethodGet, "/v1/drained?timeout=10ms", "", &drained)
	require.Len(t, drained.Left, 1)
	assert.Equal(t, "webhook/paused", drained.Left[0].Backend)
	assert.Equal(t, 3, drained.Left[0].Events)
	assert.True(t, drained.Left[0].Paused)
	assert.Contains(t, drained.Error, "/v1/backends/webhook/paused/resume")

	p.setPaused("webhook/paused", "resume")
	p.show("/v1/drained?backend=webhook/paused&timeout=5m", &drained)
	assert.Empty(t, paused.missing(3))
}
