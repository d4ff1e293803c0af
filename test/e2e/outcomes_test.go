// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// failingFor responds with a status to requests that hold one of the ids.
func failingFor(status int, ids ...string) behavior {
	return func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
		if slices.ContainsFunc(events, func(e event) bool { return slices.Contains(ids, e.id()) }) {
			w.WriteHeader(status)
			return false
		}
		return accepting(w, r, events, body)
	}
}

// edit changes one record of a call.
func edit(logs plog.Logs, i int, change func(plog.LogRecord)) plog.Logs {
	change(logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(i))
	return logs
}

func TestSyncCallerGetsEncodingFailure(t *testing.T) {
	t.Parallel()
	tooLong := func(r plog.LogRecord) { r.Attributes().PutStr("path", strings.Repeat("x", 10_000)) }
	b := newBackend(t, accepting)
	p := startInstrumented(t, newDataFolders(t), webhook{"b", b.URL, `dispatch: sync, request: {path: "/{{ .properties.path }}"}`})
	app := newSDK(p)

	status, said, err := app.post(edit(records(0, 1), 0, tooLong))
	require.NoError(t, err)
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, said, "1 of 1 events refused")
	assert.Equal(t, map[string]int{"returned": 1}, p.settled("webhook/b", 1).outcomes)
	assert.Empty(t, p.deadLetterSummaries())

	// If other events of the call were delivered, the refused one becomes a dead letter: the caller
	// must not send the delivered ones again.
	status, said, err = app.post(edit(records(1, 3), 1, tooLong))
	require.NoError(t, err)
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, said, "1 of 3 events refused")
	assert.Equal(t, map[string]int{"returned": 1, "delivered": 2, "dead_lettered": 1}, p.settled("webhook/b", 4).outcomes)
	assert.Equal(t, "encoding", p.newest("webhook/b", 1)[0].Reason)
}

func TestLargeSyncCallHasOneResult(t *testing.T) {
	t.Parallel()
	const many, few, refused = 10_000, 300, 5
	large := func(events int) plog.Logs { // 12 MB
		logs, body := records(0, events), strings.Repeat("x", 11_000_000/events)
		for i := range events {
			edit(logs, i, func(r plog.LogRecord) { r.Body().SetStr(body) })
		}
		return logs
	}
	for name, tt := range map[string]struct {
		events int
		behave behavior
		status int
		want   map[string]int
	}{
		"one refused": {
			many, failingFor(http.StatusBadRequest, eventID(refused)), http.StatusBadRequest,
			map[string]int{"delivered": many - 1, "dead_lettered": 1},
		},
		// Each refused event takes about two requests, so that many of them would take long.
		"all refused": {few, refusing(http.StatusBadRequest, "no"), http.StatusBadRequest, map[string]int{"returned": few}},
		"all failing": {many, refusing(http.StatusServiceUnavailable, "busy"), http.StatusServiceUnavailable, map[string]int{"returned": many}},
	} {
		for _, dispatch := range []string{"sync", "auto"} {
			t.Run(name+", "+dispatch, func(t *testing.T) {
				t.Parallel()
				b := newBackend(t, tt.behave)
				p := startInstrumented(t, newDataFolders(t), webhook{"b", b.URL, "batching: array, dispatch: " + dispatch +
					", retry_on_failure: {initial_interval: 10ms, max_interval: 10ms, max_elapsed_time: 50ms}"})
				status, _, err := newSDK(p).post(large(tt.events))
				require.NoError(t, err)
				assert.Equal(t, tt.status, status)
				assert.Equal(t, tt.want, p.settled("webhook/b", tt.events).outcomes)
				_, again := b.tally()
				assert.Zero(t, again)
			})
		}
	}
}

// twoRoutes turns the pipeline into one for the events named order_placed to webhook/a, and one for
// all others to webhook/b. Both are sync.
func twoRoutes(configuration string) string {
	before, _, _ := strings.Cut(configuration, "    logs: {receivers: [otlp, event]")
	return before + `    logs: {receivers: [otlp, event], exporters: [fanout]}
    logs/a: {receivers: [fanout], exporters: [webhook/a]}
    logs/b: {receivers: [fanout], exporters: [webhook/b]}
connectors:
  fanout:
    routes: [{events: [order_placed], pipelines: [logs/a]}]
    default_pipelines: [logs/b]
    sync: [logs/a, logs/b]
`
}

func TestSyncCallHasOneResultAcrossRoutes(t *testing.T) {
	t.Parallel()
	call := func() plog.Logs { return edit(records(0, 3), 2, func(r plog.LogRecord) { r.SetEventName("other") }) }
	settings := "batching: array, dispatch: sync, retry_on_failure: {initial_interval: 10ms, max_interval: 10ms, max_elapsed_time: 30ms}"
	for name, tt := range map[string]struct {
		a, b   behavior
		status int
		wantA  map[string]int
		wantB  map[string]int
	}{
		"delivered and refused": {
			accepting, refusing(http.StatusBadRequest, "no"), http.StatusBadRequest,
			map[string]int{"delivered": 2}, map[string]int{"dead_lettered": 1},
		},
		"both refused": {
			refusing(http.StatusBadRequest, "no"), refusing(http.StatusBadRequest, "no"), http.StatusBadRequest,
			map[string]int{"returned": 2}, map[string]int{"returned": 1},
		},
		"failing and refused": {
			refusing(http.StatusServiceUnavailable, "busy"), refusing(http.StatusBadRequest, "no"), http.StatusServiceUnavailable,
			map[string]int{"returned": 2}, map[string]int{"returned": 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := newBackend(t, tt.a), newBackend(t, tt.b)
			p := startInstrumentedWith(t, newDataFolders(t), twoRoutes, []webhook{{"a", a.URL, settings}, {"b", b.URL, settings}})
			status, said, err := newSDK(p).post(call())
			require.NoError(t, err)
			assert.Equal(t, tt.status, status)
			assert.Contains(t, said, "logs/b: 1 of 1 events refused")
			assert.Equal(t, tt.wantA, p.settled("webhook/a", 2).outcomes)
			assert.Equal(t, tt.wantB, p.settled("webhook/b", 1).outcomes)
		})
	}
}

func TestEventThatMakesBackendFailIsKeptAlone(t *testing.T) {
	t.Parallel()
	const events, extraAtMost = 1000, 60
	culprit := eventID(617)
	resetFor := func(w http.ResponseWriter, r *http.Request, all []event, body []byte) bool {
		if slices.ContainsFunc(all, func(e event) bool { return e.id() == culprit }) {
			return resetting(w, r, all, body)
		}
		return accepting(w, r, all, body)
	}
	const settings = "batching: array, sending_queue: {batch: {min_size: 1000, max_size: 1000}}, " +
		"retry_on_failure: {initial_interval: 20ms, max_interval: 20ms, max_elapsed_time: 100ms}"
	for name, failure := range map[string]behavior{"500": failingFor(http.StatusInternalServerError, culprit), "reset": resetFor} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBackend(t, failure)
			p := startInstrumented(t, newDataFolders(t), webhook{"b", b.URL, settings})
			newSDK(p).mustExport(t, records(0, events))
			counts := p.settled("webhook/b", events)
			t.Logf("%d requests", b.requested())
			assert.LessOrEqual(t, b.requested(), extraAtMost)
			assert.Equal(t, map[string]int{"delivered": events - 1, "dead_lettered": 1}, counts.outcomes)
			assert.Equal(t, culprit, p.newest("webhook/b", 1)[0].ID)
		})
		t.Run("replay after "+name, func(t *testing.T) {
			t.Parallel()
			b := newBackend(t, refusing(http.StatusBadRequest, "no"))
			p := startInstrumented(t, newDataFolders(t), webhook{"b", b.URL, settings})
			newSDK(p).mustExport(t, records(0, events))
			p.settled("webhook/b", events)
			b.setBehavior(failure)
			status, got := p.replay("webhook/b", nil)
			require.Equal(t, http.StatusOK, status)
			assert.Equal(t, replayed{Replayed: events, Delivered: events - 1, Kept: 1}, got)
			assert.Equal(t, []string{culprit}, b.missing(events))
		})
	}
}

func TestStopRepeatsNoDeliveredEvent(t *testing.T) {
	t.Parallel()
	const events, failing = 1000, 100
	var ids []string
	for i := 0; i < events; i += 10 {
		ids = append(ids, eventID(i))
	}
	for _, batching := range []string{"single", "array"} {
		t.Run(batching, func(t *testing.T) {
			t.Parallel()
			b, s := newBackend(t, failingFor(http.StatusServiceUnavailable, ids...)), newDataFolders(t)
			w := webhook{"b", b.URL, "batching: " + batching + ", max_in_flight: 8, sending_queue: {storage: file_storage, batch: {min_size: 10, max_size: 1000}}, " +
				"retry_on_failure: {initial_interval: 20ms, max_interval: 50ms, max_elapsed_time: 0}"}
			p := startInstrumented(t, s, w)
			newSDK(p).mustExport(t, records(0, events))
			if batching == "single" {
				p.waitFor("the other events", func() bool { return len(b.missing(events)) <= failing })
			} else {
				p.waitFor("a request", func() bool { return b.requested() > 0 })
			}
			for range 3 {
				p.stop()
				p = startInstrumented(t, s, w)
				asked := b.requested()
				p.waitFor("a request", func() bool { return b.requested() > asked })
			}
			b.setBehavior(accepting)
			p.waitFor("every event at the backend", func() bool { return len(b.missing(events)) == 0 })
			p.stop()
			_, again := b.tally()
			assert.Zero(t, again, "events that arrived again")
		})
	}
}

func TestKillRepeatsFewRequests(t *testing.T) {
	t.Parallel()
	// Without notes on what is settled, each kill repeats a batch of 500: about 2,500 events in all.
	const kills, together, repeatedAtMost = 8, 10, 1000
	b, s := newBackend(t, accepting), newDataFolders(t)
	w := webhook{"b", b.URL, "batching: single, sending_queue: {storage: file_storage, batch: {min_size: 500, max_size: 500, flush_timeout: 50ms}}"}
	sent := 0
	for range kills {
		p := startInstrumented(t, s, w)
		app := newSDK(p)
		var accepted atomic.Int64
		inParallel(100, func(i int) bool {
			err := app.export(records(sent+i*together, together))
			accepted.Add(1)
			return err == nil
		})
		sent += int(accepted.Load()) * together
		before := b.requested()
		p.waitFor("requests", func() bool { return b.requested() > before+rand.IntN(200) })
		p.kill()
	}
	p := startInstrumented(t, s, w)
	p.waitFor("every event at the backend", func() bool { return len(b.missing(sent)) == 0 })
	p.stop()
	different, again := b.tally()
	t.Logf("%d kills: %d events, %d of them again", kills, different, again)
	assert.Equal(t, sent, different)
	assert.LessOrEqual(t, again, repeatedAtMost)
}

func TestRetryAfterHoldsEndpoint(t *testing.T) {
	t.Parallel()
	const hold = time.Second
	var mu sync.Mutex
	var until time.Time
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
		mu.Lock()
		defer mu.Unlock()
		if until.IsZero() {
			until = time.Now().Add(hold)
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return false
		}
		if time.Now().Before(until) {
			t.Errorf("a request %s before the wait is over", time.Until(until))
		}
		return accepting(w, r, events, body)
	})
	p := startInstrumented(t, newDataFolders(t), webhook{"b", b.URL, "batching: array, sending_queue: {batch: {flush_timeout: 10ms}}, " +
		"retry_on_failure: {initial_interval: 20ms, max_interval: 1s}"})
	app := newSDK(p)
	app.mustExport(t, records(0, 1))
	p.waitForLog("The backend is failing")
	assert.Contains(t, p.stderr.String(), "asks to wait 1s")
	for i := 1; i < 4; i++ {
		app.mustExport(t, records(i, 1))
	}
	p.waitFor("every event at the backend", func() bool { return len(b.missing(4)) == 0 })
}

func TestRetriesEndByCountAndAge(t *testing.T) {
	t.Parallel()
	const settings = "retry_on_failure: {initial_interval: 10ms, max_interval: 20ms}, "
	t.Run("max_retries", func(t *testing.T) {
		t.Parallel()
		b := newBackend(t, refusing(http.StatusServiceUnavailable, "busy"))
		p := startInstrumented(t, newDataFolders(t), webhook{"b", b.URL, settings + "max_retries: 3"})
		newSDK(p).mustExport(t, records(0, 1))
		p.settled("webhook/b", 1)
		assert.Equal(t, 4, b.requested())
		kept := p.newest("webhook/b", 1)[0]
		assert.Equal(t, "exhausted", kept.Reason)
		assert.Equal(t, 4, kept.Attempts)
	})
	t.Run("max_age", func(t *testing.T) {
		t.Parallel()
		b := newBackend(t, accepting)
		p := startInstrumented(t, newDataFolders(t), webhook{"b", b.URL, settings + "max_age: 1h"})
		at := func(ago time.Duration) func(plog.LogRecord) {
			return func(r plog.LogRecord) { r.SetTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-ago))) }
		}
		newSDK(p).mustExport(t, edit(edit(records(0, 2), 0, at(2*time.Hour)), 1, at(time.Minute)))
		assert.Equal(t, map[string]int{"delivered": 1, "dead_lettered": 1}, p.settled("webhook/b", 2).outcomes)
		assert.Equal(t, "expired", p.newest("webhook/b", 1)[0].Reason)
		assert.Equal(t, []string{eventID(0)}, b.missing(2))
		status, got := p.replay("webhook/b", nil)
		require.Equal(t, http.StatusOK, status)
		assert.Equal(t, replayed{Replayed: 1, Delivered: 1}, got)
		assert.Empty(t, b.missing(2))
	})
	t.Run("invalid", func(t *testing.T) {
		t.Parallel()
		for _, setting := range []string{"max_age: -1s", "max_retries: -1"} {
			ended := run(t, nil, "validate", "--config", writeConfig(t, configure("", webhook{"b", "http://localhost:1", setting})))
			assert.NotZero(t, ended.code)
			key, _, _ := strings.Cut(setting, ":")
			assert.Contains(t, ended.stderr, fmt.Sprintf("exporters::webhook/b: %s: ", key))
		}
	})
}
