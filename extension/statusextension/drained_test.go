// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// hold puts events into the exporter's queue, and take removes them.
func (e *reporter) hold(events int64) {
	e.queue.Store(&statusfeed.Queue{Events: events, Bytes: 10 * events, Size: 10 * events, Capacity: 1000, Sizer: "bytes"})
}

func TestDrainedAnswersWhenNothingIsLeft(t *testing.T) {
	w := newWorld(t)
	w.configure(collectorConfig)
	e := w.add("webhook")
	assert.Equal(t, true, w.ask("GET", "/v1/drained").json(200)["drained"])

	events := e.enter("e1")
	e.hold(1)
	var got *answer
	var waiting sync.WaitGroup
	waiting.Go(func() { got = w.ask("GET", "/v1/drained?timeout=5m") })
	require.Eventually(t, func() bool { return len(w.api.waiters) == 1 }, time.Minute, time.Millisecond)
	e.hold(0)
	e.settle(events, statusfeed.Delivered, "", 200, "")
	waiting.Wait()
	assert.Equal(t, true, got.json(200)["drained"])
}

func TestDrainedSaysWhatIsLeft(t *testing.T) {
	w := newWorld(t)
	w.configure(collectorConfig)
	hook, audit := w.add("webhook"), w.add("webhook/audit")
	hook.enter("e1", "e2")
	hook.hold(2)
	got := w.ask("GET", "/v1/drained?timeout=10ms").json(504)
	assert.Equal(t, false, got["drained"])
	assert.Equal(t, []any{map[string]any{"backend": "webhook", "events": 2.0}}, got["left"])
	assert.Contains(t, got["error"], "events are left after 10ms; raise timeout (at most 5m0s)")
	assert.Equal(t, true, w.ask("GET", "/v1/drained?backend=webhook/audit&timeout=0s").json(200)["drained"])

	audit.enter("e1")
	audit.hold(1)
	w.ask("POST", "/v1/backends/webhook/audit/pause").json(200)
	got = w.ask("GET", "/v1/drained?backend=webhook/audit&timeout=0s").json(504)
	assert.Equal(t, []any{map[string]any{"backend": "webhook/audit", "events": 1.0, "paused": true}}, got["left"])
	assert.Equal(t, "webhook/audit is paused, so it cannot drain; resume it with POST /v1/backends/webhook/audit/resume", got["error"])
}

// TestNothingIsDrainedWhileExportersDoNotRun: their queues on disk may hold events.
func TestNothingIsDrainedWhileExportersDoNotRun(t *testing.T) {
	w := newWorld(t)
	w.api.pipelines.set(phaseStarting)
	w.ask("GET", "/v1/drained?timeout=0s").fails(503, "the pipelines are still starting after 0s; try again later")
	var got *answer
	var waiting sync.WaitGroup
	waiting.Go(func() { got = w.ask("GET", "/v1/drained?timeout=5m") })
	require.Eventually(t, func() bool { return len(w.api.waiters) == 1 }, time.Minute, time.Millisecond)
	e := w.add("webhook")
	e.hold(3) // of an earlier process
	w.api.pipelines.set(phaseRunning)
	e.hold(0)
	waiting.Wait()
	assert.Equal(t, true, got.json(200)["drained"])

	e.hold(3)
	w.api.pipelines.set(phaseStopping)
	assert.Equal(t, false, w.ask("GET", "/v1/drained?timeout=0s").json(504)["drained"])
	e.Close()
	w.ask("GET", "/v1/drained?timeout=5m").fails(503, "the collector is stopping")
}

func TestInvalidWaitsAreRefused(t *testing.T) {
	w := newWorld(t)
	w.configure(collectorConfig)
	w.add("webhook")
	for query, want := range map[string]string{
		"timeout=5":                 "timeout: must be a duration from 0s to 5m0s, such as 30s",
		"timeout=5m1s":              "timeout: must be a duration from 0s to 5m0s, such as 30s",
		"timeout=-1s":               "timeout: must be a duration from 0s to 5m0s, such as 30s",
		"timeout=9999999h":          "timeout: must be a duration from 0s to 5m0s, such as 30s",
		"wait=5s":                   `unknown parameter "wait"; valid parameters: backend, timeout`,
		"backend=webhok":            `backend: "webhok" is not an exporter of the configuration`,
		"backend=webhook,otlp_http": "backend: otlp_http is one of the collector's own exporters, whose queue is unknown",
	} {
		w.ask("GET", "/v1/drained?"+query).fails(400, want)
	}
}

func TestWaitersAreLimitedAndEndWhenTheExtensionStops(t *testing.T) {
	w := newWorld(t)
	e := w.add("webhook")
	e.enter("e1")
	e.hold(1)
	server := w.serve()
	statuses := make(chan int, maxHeld)
	var waiting sync.WaitGroup
	for range maxHeld {
		waiting.Go(func() {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v1/drained?timeout=5m", nil)
			if !assert.NoError(t, err) {
				return
			}
			response, err := server.Client().Do(r)
			if assert.NoError(t, err) {
				statuses <- response.StatusCode
				_ = response.Body.Close()
			}
		})
	}
	require.Eventually(t, func() bool { return len(w.api.waiters) == maxHeld }, time.Minute, time.Millisecond)
	w.ask("GET", "/v1/drained").fails(503, "16 requests wait for queues to drain, which is the most; try again later")
	w.stop()
	waiting.Wait()
	for range maxHeld {
		assert.Equal(t, 503, <-statuses)
	}
}
