// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-fanout/otelcol-fanout/extension/statusextension/internal/backends"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// world is an API with a registry that tests report to.
type world struct {
	t        *testing.T
	cfg      *Config
	registry *backends.Registry
	api      *api
	handler  http.Handler
	log      *observer.ObservedLogs
	stop     context.CancelFunc
	clock    time.Time
}

// loopback is the address that the server of a world listens on.
var loopback = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 13135}

func newWorld(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, cfg: createDefaultConfig().(*Config), clock: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}
	for _, c := range change {
		c(w.cfg)
	}
	core, log := observer.New(zap.InfoLevel)
	w.log = log
	now := func() time.Time { return w.clock }
	w.registry = backends.New(backends.Settings{RecentEvents: w.cfg.RecentEvents, Payloads: w.cfg.Payloads, Directory: w.cfg.Directory, Now: now})
	closing, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	w.stop = stop
	w.api = newAPI(closing, w.cfg, w.registry)
	w.api.logger, w.api.version, w.api.started, w.api.now = zap.New(core), "0.1.0", w.clock, now
	w.api.pace = pace{events: time.Millisecond, backends: time.Millisecond, heartbeat: time.Hour, write: time.Minute, look: time.Millisecond, explain: time.Minute}
	w.api.pipelines.set(phaseRunning)
	w.handler = guard(w.api, w.cfg, loopback)
	return w
}

// configure sets the collector's configuration.
func (w *world) configure(yaml string) {
	w.t.Helper()
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	require.NoError(w.t, err)
	conf, err := retrieved.AsConf()
	require.NoError(w.t, err)
	read := readConfiguration(conf)
	w.api.conf.Store(&read)
}

// reporter is an exporter of a test.
type reporter struct {
	statusfeed.Feed
	queue  atomic.Pointer[statusfeed.Queue]
	paused atomic.Bool
}

func (w *world) add(id string, change ...func(*statusfeed.Exporter)) *reporter {
	w.t.Helper()
	e := &reporter{}
	e.queue.Store(&statusfeed.Queue{Capacity: 1000, Sizer: "bytes"})
	var parsed component.ID
	require.NoError(w.t, parsed.UnmarshalText([]byte(id)))
	described := &statusfeed.Exporter{
		ID: parsed, Signal: "logs", Endpoint: "https://" + parsed.Name() + ".example.com/hook",
		Queue: func() statusfeed.Queue { return *e.queue.Load() }, InFlight: func() int { return 0 }, SetPaused: e.paused.Store,
	}
	for _, c := range change {
		c(described)
	}
	e.Feed = w.registry.AddExporter(described)
	w.t.Cleanup(e.Close)
	return e
}

// enter reports that events with these ids were accepted.
func (e *reporter) enter(ids ...string) []batch.Event {
	var events []batch.Event
	for _, id := range ids {
		events = append(events, batch.Event{Meta: batch.Meta{ID: id, Name: "order_placed", Time: pcommon.Timestamp(1769860800000000000)}, Payload: []byte(`{"id":1}`)})
	}
	e.Accepted(len(events))
	first := e.Enter(batch.Of(events))
	for i := range events {
		events[i].Entry = first + uint64(i)
	}
	return events
}

// settle reports the outcome of events after one attempt.
func (e *reporter) settle(events []batch.Event, outcome statusfeed.Outcome, reason string, status int, message string) {
	e.Attempted([]statusfeed.Exchange{{
		Events: events, Begun: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), Took: 41 * time.Millisecond, Status: status,
		Message: func(int) string { return message },
	}}, nil)
	e.Requested(status, 41*time.Millisecond, len(events))
	if outcome == statusfeed.Delivered {
		e.Delivered([]statusfeed.Delivery{{Events: events, Status: status}})
		return
	}
	e.Settled(outcome, reason, len(events), func(i int) statusfeed.Event {
		return statusfeed.Event{Entry: events[i].Entry, ID: events[i].ID, Name: events[i].Name, Status: status, Message: message, Payload: events[i].Payload}
	})
}

// answer is a response.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	text   string
}

// ask sends a request as curl does, with the header that changes need. It checks the response against
// the OpenAPI file.
func (w *world) ask(method, target string, body ...string) *answer {
	w.t.Helper()
	return w.send(newRequest(method, target, strings.Join(body, "")))
}

func newRequest(method, target, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "localhost:13135"
	if method != http.MethodGet {
		r.Header.Set(changeHeader, "1")
	}
	return r
}

func (w *world) send(r *http.Request) *answer {
	w.t.Helper()
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	result := recorder.Result()
	text, err := io.ReadAll(result.Body)
	require.NoError(w.t, err)
	got := &answer{w.t, result.StatusCode, result.Header, string(text)}
	checkAgainstOpenAPI(w.t, w.api, r, got)
	return got
}

// json requires a status and returns the body.
func (a *answer) json(status int) map[string]any {
	a.t.Helper()
	require.Equal(a.t, status, a.status, a.text)
	require.Equal(a.t, "application/json", a.header.Get("Content-Type"))
	var body map[string]any
	require.NoError(a.t, json.Unmarshal([]byte(a.text), &body), a.text)
	return body
}

// fails requires an error.
func (a *answer) fails(status int, text string) {
	a.t.Helper()
	body := a.json(status)
	assert.Contains(a.t, body["error"], text)
	assert.Len(a.t, body, 1)
}

// at returns the value at a path of keys and indexes.
func at(value any, path ...any) any {
	for _, key := range path {
		switch k := key.(type) {
		case string:
			m, _ := value.(map[string]any)
			value = m[k]
		case int:
			list, _ := value.([]any)
			if k >= len(list) {
				return nil
			}
			value = list[k]
		}
	}
	return value
}

// backendOf returns a backend of the response of GET /v1/backends.
func backendOf(t *testing.T, body map[string]any, id string) map[string]any {
	t.Helper()
	list := body["backends"].([]any)
	i := slices.IndexFunc(list, func(b any) bool { return at(b, "id") == id })
	require.GreaterOrEqual(t, i, 0, "backend %s in %v", id, list)
	return list[i].(map[string]any)
}
