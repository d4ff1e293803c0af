// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// webhook is a server that checks every request against what the exporter promises, and responds as
// the test wants.
type webhook struct {
	*httptest.Server
	t *testing.T

	mu        sync.Mutex
	responses []http.HandlerFunc // to the first requests; then 204
	requests  []received
}

type received struct {
	header http.Header
	body   []byte
	events []map[string]any
}

func newWebhook(t *testing.T, responses ...http.HandlerFunc) *webhook {
	t.Helper()
	w := &webhook{t: t, responses: responses}
	w.Server = httptest.NewServer(w)
	t.Cleanup(w.Close)
	return w
}

func (w *webhook) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := deliverytest.ReadBody(r)
	assert.NoError(w.t, err)
	assert.Equal(w.t, http.MethodPost, r.Method)
	assert.Contains(w.t, []string{"application/json", "application/x-ndjson"}, r.Header.Get("Content-Type"))
	assert.Regexp(w.t, `^[\w-]+/[\w.]+$`, r.Header.Get("User-Agent"))
	req := received{header: r.Header.Clone(), body: body}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if bytes.HasPrefix(body, []byte("[")) {
		assert.NoError(w.t, decoder.Decode(&req.events))
	} else {
		for decoder.More() {
			var event map[string]any
			if !assert.NoError(w.t, decoder.Decode(&event), "%s", body) {
				break
			}
			req.events = append(req.events, event)
		}
	}
	for _, event := range req.events {
		assert.NotEmpty(w.t, event["id"])
	}

	w.mu.Lock()
	w.requests = append(w.requests, req)
	respond := status(http.StatusNoContent)
	if n := len(w.requests); n <= len(w.responses) {
		respond = w.responses[n-1]
	}
	w.mu.Unlock()
	respond(rw, r)
}

// got returns the names of the events of each request.
func (w *webhook) got() [][]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all [][]string
	for _, req := range w.requests {
		var names []string
		for _, event := range req.events {
			names = append(names, fmt.Sprint(event["name"]))
		}
		all = append(all, names)
	}
	return all
}

func (w *webhook) request(i int) received {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.requests[i]
}

func status(code int, headers ...string) http.HandlerFunc {
	return deliverytest.Answer(code, "", headers...)
}

// testConfig returns a configuration whose callers wait, which retries fast, and which sends one
// request after the other.
func testConfig(endpoint string, batching Batching) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.ClientConfig.Endpoint = endpoint
	cfg.ClientConfig.Timeout = 2 * time.Second
	cfg.Batching = batching
	cfg.Delivery.Dispatch = delivery.DispatchSync
	cfg.Delivery.DeadLetter = deliverytest.DeadLetterID()
	cfg.Delivery.MaxInFlight = 1
	cfg.Delivery.RetryConfig.MaxElapsedTime = 10 * time.Second
	deliverytest.Hasten(&cfg.Delivery.QueueConfig, &cfg.Delivery.RetryConfig)
	return cfg
}

func start(t *testing.T, cfg *Config) *deliverytest.Exporter[plog.Logs] {
	t.Helper()
	return deliverytest.Setup{Factory: NewFactory(), Config: cfg}.StartLogs(t)
}

// eventsNamed makes one record per name.
func eventsNamed(names ...string) plog.Logs {
	ld := plog.NewLogs()
	for i, name := range names {
		if i%2 == 0 { // several resources
			ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
		}
		record := ld.ResourceLogs().At(ld.ResourceLogs().Len() - 1).ScopeLogs().At(0).LogRecords().AppendEmpty()
		record.SetEventName(name)
		record.SetTimestamp(1700000000000000000)
	}
	return ld
}

// TestGolden sends testdata/*/input.json, OTLP JSON, and compares the requests with want.http.
func TestGolden(t *testing.T) {
	deliverytest.Golden(t, "want.http", *update, func(t *testing.T, name string, ld plog.Logs) string {
		batching := BatchingSingle
		if strings.HasPrefix(name, "array_") {
			batching = BatchingArray
		}
		w := newWebhook(t)
		cfg := testConfig(w.URL+"/hook", batching)
		cfg.ClientConfig.Headers.Set("Authorization", "Bearer token")
		start(t, cfg).Send(ld)

		var got strings.Builder
		for i := range w.got() {
			req := w.request(i)
			for _, name := range []string{"Authorization", "Content-Type", "User-Agent", "Content-Length"} {
				fmt.Fprintf(&got, "%s: %s\n", name, req.header.Get(name))
			}
			fmt.Fprintf(&got, "\n%s\n\n", req.body)
		}
		return got.String()
	})
}

func TestTransientFailuresAreRetried(t *testing.T) {
	for name, response := range map[string]http.HandlerFunc{
		"408":                              status(408),
		"425":                              status(425),
		"429":                              status(429),
		"429 with a Retry-After":           status(429, "Retry-After", "0.01"),
		"429 with a Retry-After of 0":      status(429, "Retry-After", "0"),
		"429 with a negative Retry-After":  status(429, "Retry-After", "-5"),
		"429 with a Retry-After of NaN":    status(429, "Retry-After", "NaN"),
		"429 with an enormous Retry-After": status(429, "Retry-After", "1000000000"),
		"429 with a date that is past":     status(429, "Retry-After", "Mon, 02 Jan 2006 15:04:05 GMT"),
		"429 with a date in the year 9999": status(429, "Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"),
		"429 with a Retry-After of words":  status(429, "Retry-After", "soon"),
		"500":                              status(500),
		"502":                              status(502),
		"503":                              status(503, "Retry-After", "Inf"),
		"504":                              status(504),
		"a reset connection":               deliverytest.Reset,
		"a response that is not HTTP":      deliverytest.Garbage,
		"a webhook that hangs":             deliverytest.Hang,
	} {
		for _, batching := range []Batching{BatchingSingle, BatchingArray} {
			t.Run(name+", "+string(batching), func(t *testing.T) {
				w := newWebhook(t, response)
				e := start(t, testConfig(w.URL, batching))
				e.Send(eventsNamed("a"))
				assert.Equal(t, [][]string{{"a"}, {"a"}}, w.got())
				assert.Equal(t, w.request(0).body, w.request(1).body, "the same bytes, so the same id")
			})
		}
	}
}

func TestPermanentFailuresAreRefused(t *testing.T) {
	for _, code := range []int{300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 409, 410, 413, 422, 501} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
			defer elsewhere.Close()
			w := newWebhook(t, status(code, "Location", elsewhere.URL))
			e := start(t, testConfig(w.URL, BatchingSingle))
			err := e.Consume(t.Context(), eventsNamed("a"))
			require.ErrorContains(t, err, fmt.Sprintf("the backend answered %d", code))
			assert.Len(t, w.got(), 1, "it is not sent again")
		})
	}
}

func TestRefusedEventCostsNoOther(t *testing.T) {
	w := newWebhook(t, status(204), status(400), status(204), status(422))
	e := start(t, testConfig(w.URL, BatchingSingle))
	require.ErrorContains(t, e.Consume(t.Context(), eventsNamed("a", "bad", "c", "worse", "e")), "2 of 5 events refused")
	assert.Equal(t, [][]string{{"a"}, {"bad"}, {"c"}, {"worse"}, {"e"}}, w.got())

	logged := e.Logs.FilterMessage("Events were not delivered and are kept as dead letters").All()
	require.Len(t, logged, 1)
	assert.Equal(t, int64(2), logged[0].ContextMap()["events"])
	assert.Equal(t, []string{"bad:refused", "worse:refused"}, e.Letters.Reasons())
}

func TestOnlyPendingEventsAreRetried(t *testing.T) {
	w := newWebhook(t, status(204), status(204), status(400), status(503), status(204), status(500))
	e := start(t, testConfig(w.URL, BatchingSingle))
	require.ErrorContains(t, e.Consume(t.Context(), eventsNamed("a", "b", "bad", "d", "e")), "1 of 5 events refused")
	assert.Equal(t, [][]string{{"a"}, {"b"}, {"bad"}, {"d"}, {"e"}, {"d"}, {"d"}}, w.got(), "unsent events come before failed ones")
}

func TestRetriesEnd(t *testing.T) {
	w := newWebhook(t)
	w.responses = make([]http.HandlerFunc, 1000)
	for i := range w.responses {
		w.responses[i] = status(503)
	}
	cfg := testConfig(w.URL, BatchingSingle)
	cfg.Delivery.RetryConfig.MaxElapsedTime = 20 * time.Millisecond
	e := start(t, cfg)
	require.ErrorContains(t, e.Consume(t.Context(), eventsNamed("a")), "the backend answered 503")
}

func TestConnectionRefused(t *testing.T) {
	w := newWebhook(t)
	w.Close()
	cfg := testConfig(w.URL+"/path-secret?token=query-secret", BatchingSingle)
	cfg.Delivery.RetryConfig.MaxElapsedTime = 10 * time.Millisecond
	e := start(t, cfg)
	require.ErrorContains(t, e.Consume(t.Context(), eventsNamed("a")), "connection refused")
}

// TestSecretsReachOnlyTheWebhook leaves it to deliverytest to look for secrets elsewhere.
func TestSecretsReachOnlyTheWebhook(t *testing.T) {
	const credential, value = "hunter2", "s3cr3t-of-the-event"
	for name, response := range map[string]http.HandlerFunc{
		"refused": status(401), "redirected": status(302, "Location", "/"+credential), "failing": status(503),
		"reset": deliverytest.Reset, "garbage": deliverytest.Garbage, "fine": status(204),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWebhook(t, slices.Repeat([]http.HandlerFunc{response}, 100)...)
			cfg := testConfig(w.URL+"/"+credential+"?token="+credential, BatchingArray)
			cfg.ClientConfig.Headers.Set("X-Key", configopaque.String(credential))
			cfg.Delivery.RetryConfig.MaxElapsedTime = 5 * time.Millisecond
			e := deliverytest.Setup{
				Factory: NewFactory(), Config: cfg, Credentials: []string{credential}, Values: []string{value},
			}.StartLogs(t)
			ld := eventsNamed("a", "b")
			ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().SetStr(value)
			err := e.Consume(t.Context(), ld)
			assert.Equal(t, name == "fine", err == nil)
			assert.Equal(t, credential, w.request(0).header.Get("X-Key"), "but the webhook gets it")
			assert.Contains(t, string(w.request(0).body), value)
		})
	}
}

func TestQueueBatches(t *testing.T) {
	w := newWebhook(t)
	cfg := createDefaultConfig().(*Config)
	cfg.ClientConfig.Endpoint = w.URL
	cfg.Batching = BatchingArray
	cfg.Delivery.QueueConfig.Get().Batch.Get().FlushTimeout = 10 * time.Millisecond
	e := start(t, cfg)
	names := map[string]bool{}
	for i := range 250 {
		name := fmt.Sprint("e", i)
		names[name] = true
		require.NoError(t, e.Consume(t.Context(), eventsNamed(name)))
	}
	e.Stop() // sends the queue
	got := 0
	for _, request := range w.got() {
		assert.LessOrEqual(t, len(request), defaultBatch)
		for _, name := range request {
			assert.True(t, names[name])
			delete(names, name)
			got++
		}
	}
	assert.Equal(t, 250, got)
	assert.Empty(t, names)
}

func encodeAll(t testing.TB, ld plog.Logs) []delivery.Event {
	t.Helper()
	enc := newEncoder(testBackend(t, nil))
	var w delivery.Writer
	for e := range appevent.Logs(ld) {
		require.NoError(t, enc.Encode(&w, e))
	}
	return w.Take().Events()
}

func TestArraysStayBelowTheLimit(t *testing.T) {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, size := range []int{10, maxBody * 2, 10, maxBody / 2, maxBody / 2, 10} {
		records.AppendEmpty().Body().SetStr(strings.Repeat("x", size))
	}
	requests, _ := testBackend(t, map[string]any{"batching": "array"}).BuildRequests(encodeAll(t, ld))
	var counts []int
	for _, req := range requests {
		counts = append(counts, len(req.Events))
		assert.True(t, req.Size() <= maxBody || len(req.Events) == 1)
		assert.Len(t, req.AppendBody(nil), req.Size())
	}
	assert.Equal(t, []int{1, 1, 2, 2}, counts)
}

func opaque(secrets ...string) []configopaque.String {
	var all []configopaque.String
	for _, secret := range secrets {
		all = append(all, configopaque.String(secret))
	}
	return all
}

// spansWithEvents makes a span with one event.
func spansWithEvents() ptrace.Traces {
	td := ptrace.NewTraces()
	span := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetName("POST /orders")
	event := span.Events().AppendEmpty()
	event.SetName("exception")
	event.SetTimestamp(1700000000000000000)
	return td
}

func TestStatusShowsTheHost(t *testing.T) {
	cfg := testConfig("https://user:password@hooks.example/services/secret?token=t", BatchingSingle)
	assert.Equal(t, "https://hooks.example", start(t, cfg).Status.Exporter().Endpoint)
}
