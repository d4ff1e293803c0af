// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-fanout/otelcol-fanout/exporter/webhookexporter/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

var update = flag.Bool("update", false, "write the golden files anew")

// webhook is a server that holds every request against what we promise a webhook, and answers as told.
type webhook struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	answers  []http.HandlerFunc // for the first requests; then 204
	requests []received
}

type received struct {
	header http.Header
	body   []byte
	events []map[string]any
}

func newWebhook(t *testing.T, answers ...http.HandlerFunc) *webhook {
	t.Helper()
	w := &webhook{t: t, answers: answers}
	w.Server = httptest.NewServer(w)
	t.Cleanup(w.Close)
	return w
}

func (w *webhook) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	assert.NoError(w.t, err)
	assert.Equal(w.t, http.MethodPost, r.Method)
	assert.Equal(w.t, "application/json", r.Header.Get("Content-Type"))
	assert.Regexp(w.t, `^[\w-]+/[\w.]+$`, r.Header.Get("User-Agent"))
	req := received{header: r.Header.Clone(), body: body}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if bytes.HasPrefix(body, []byte("[")) {
		assert.NoError(w.t, decoder.Decode(&req.events))
	} else {
		var event map[string]any
		assert.NoError(w.t, decoder.Decode(&event), "%s", body)
		req.events = append(req.events, event)
	}
	for _, event := range req.events {
		assert.NotEmpty(w.t, event["id"])
	}

	w.mu.Lock()
	w.requests = append(w.requests, req)
	answer := status(http.StatusNoContent)
	if n := len(w.requests); n <= len(w.answers) {
		answer = w.answers[n-1]
	}
	w.mu.Unlock()
	answer(rw, r)
}

// got is the names of the events of each request.
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
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
	}
}

func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func garbage(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_, _ = conn.Write([]byte("\x00\x01garbage\r\n\r\n"))
		_ = conn.Close()
	}
}

// testConfig lets the caller wait for the outcome, retries fast, and makes one request after the other.
func testConfig(endpoint string, batching Batching) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.ClientConfig.Endpoint = endpoint
	cfg.ClientConfig.Timeout = 200 * time.Millisecond
	cfg.Batching = batching
	cfg.Delivery.Dispatch = delivery.DispatchSync
	cfg.Delivery.MaxInFlight = 1
	cfg.Delivery.RetryConfig.InitialInterval = time.Millisecond
	cfg.Delivery.RetryConfig.MaxInterval = 5 * time.Millisecond
	cfg.Delivery.RetryConfig.MaxElapsedTime = 10 * time.Second
	return cfg
}

func start(t *testing.T, cfg *Config) (exporter.Logs, *observer.ObservedLogs) {
	t.Helper()
	require.NoError(t, cfg.Validate())
	core, logs := observer.New(zap.DebugLevel)
	set := exportertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	set.BuildInfo.Command, set.BuildInfo.Version = "otelcol-fanout", "1.2.3"
	e, err := NewFactory().CreateLogs(t.Context(), set, cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	stopped := &stopOnce{Logs: e}
	t.Cleanup(func() { assert.NoError(t, stopped.Shutdown(context.Background())) })
	return stopped, logs
}

// stopOnce lets a test stop an exporter before its cleanup does.
type stopOnce struct {
	exporter.Logs
	once sync.Once
}

func (s *stopOnce) Shutdown(ctx context.Context) (err error) {
	s.once.Do(func() { err = s.Logs.Shutdown(ctx) })
	return err
}

// eventsNamed makes one record a name.
func eventsNamed(names ...string) plog.Logs {
	ld := plog.NewLogs()
	for i, name := range names {
		if i%2 == 0 { // several resources, so that what is left is cut from more than one
			ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
		}
		record := ld.ResourceLogs().At(ld.ResourceLogs().Len() - 1).ScopeLogs().At(0).LogRecords().AppendEmpty()
		record.SetEventName(name)
		record.SetTimestamp(1700000000000000000)
	}
	return ld
}

// TestGolden sends testdata/*/input.json, OTLP JSON, and holds the request against want.http.
func TestGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*/input.json")
	require.NoError(t, err)
	require.NotEmpty(t, inputs)
	for _, input := range inputs {
		dir := filepath.Dir(input)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			batching := BatchingSingle
			if strings.HasPrefix(filepath.Base(dir), "array_") {
				batching = BatchingArray
			}
			raw, err := os.ReadFile(input)
			require.NoError(t, err)
			ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(raw)
			require.NoError(t, err)
			w := newWebhook(t)
			cfg := testConfig(w.URL+"/hook", batching)
			cfg.ClientConfig.Headers.Set("Authorization", "Bearer token")
			e, _ := start(t, cfg)
			require.NoError(t, e.ConsumeLogs(t.Context(), ld))

			var got strings.Builder
			for i := range w.got() {
				req := w.request(i)
				for _, name := range []string{"Authorization", "Content-Type", "User-Agent", "Content-Length"} {
					fmt.Fprintf(&got, "%s: %s\n", name, req.header.Get(name))
				}
				fmt.Fprintf(&got, "\n%s\n\n", req.body)
			}
			file := filepath.Join(dir, "want.http")
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got.String()), 0o600))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), got.String())
		})
	}
}

func TestFailuresThatPass(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
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
		"a reset connection":               reset,
		"an answer that is not HTTP":       garbage,
		"a webhook that hangs": func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		},
	} {
		for _, batching := range []Batching{BatchingSingle, BatchingArray} {
			t.Run(name+", "+string(batching), func(t *testing.T) {
				w := newWebhook(t, answer)
				e, _ := start(t, testConfig(w.URL, batching))
				require.NoError(t, e.ConsumeLogs(t.Context(), eventsNamed("a")))
				assert.Equal(t, [][]string{{"a"}, {"a"}}, w.got())
				assert.Equal(t, w.request(0).body, w.request(1).body, "the same bytes, so the same id")
			})
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, code := range []int{300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 409, 410, 413, 422, 501} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
			defer elsewhere.Close()
			w := newWebhook(t, status(code, "Location", elsewhere.URL))
			e, _ := start(t, testConfig(w.URL, BatchingSingle))
			err := e.ConsumeLogs(t.Context(), eventsNamed("a"))
			require.ErrorContains(t, err, fmt.Sprintf("the backend answered %d", code))
			assert.Len(t, w.got(), 1, "it is not sent again")
		})
	}
}

func TestOneRefusedEventCostsItselfOnly(t *testing.T) {
	w := newWebhook(t, status(204), status(400), status(204), status(422))
	e, logs := start(t, testConfig(w.URL, BatchingSingle))
	require.ErrorContains(t, e.ConsumeLogs(t.Context(), eventsNamed("a", "bad", "c", "worse", "e")), "2 of 5 events refused")
	assert.Equal(t, [][]string{{"a"}, {"bad"}, {"c"}, {"worse"}, {"e"}}, w.got())

	told := logs.FilterMessage("Events were not delivered and are lost").All()
	require.Len(t, told, 1)
	assert.Equal(t, int64(2), told[0].ContextMap()["events"])
}

func TestOnlyWhatIsOwedIsSentAgain(t *testing.T) {
	w := newWebhook(t, status(204), status(204), status(400), status(503), status(204), status(500))
	e, _ := start(t, testConfig(w.URL, BatchingSingle))
	require.NoError(t, e.ConsumeLogs(t.Context(), eventsNamed("a", "b", "bad", "d", "e")))
	assert.Equal(t, [][]string{{"a"}, {"b"}, {"bad"}, {"d"}, {"e"}, {"d"}, {"d"}}, w.got(), "what was not sent comes before what failed")
}

func TestRetriesEnd(t *testing.T) {
	w := newWebhook(t)
	w.answers = make([]http.HandlerFunc, 1000)
	for i := range w.answers {
		w.answers[i] = status(503)
	}
	cfg := testConfig(w.URL, BatchingSingle)
	cfg.Delivery.RetryConfig.MaxElapsedTime = 20 * time.Millisecond
	e, _ := start(t, cfg)
	require.ErrorContains(t, e.ConsumeLogs(t.Context(), eventsNamed("a")), "no more retries left")
}

func TestNobodyListens(t *testing.T) {
	w := newWebhook(t)
	w.Close()
	cfg := testConfig(w.URL+"/path-secret?token=query-secret", BatchingSingle)
	cfg.Delivery.RetryConfig.MaxElapsedTime = 10 * time.Millisecond
	e, _ := start(t, cfg)
	require.ErrorContains(t, e.ConsumeLogs(t.Context(), eventsNamed("a")), "connection refused")
}

func TestNoSecretIsInErrorsAndLogs(t *testing.T) {
	const secret = "hunter2"
	for name, answer := range map[string]http.HandlerFunc{
		"refused": status(401), "redirected": status(302, "Location", "/"+secret), "failing": status(503), "reset": reset, "garbage": garbage,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWebhook(t, answer, answer, answer, answer)
			cfg := testConfig(w.URL+"/"+secret+"?token="+secret, BatchingArray)
			cfg.ClientConfig.Headers.Set("X-Key", configopaque.String(secret))
			cfg.Delivery.RetryConfig.MaxElapsedTime = 5 * time.Millisecond
			e, logs := start(t, cfg)
			ld := eventsNamed("a")
			ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().SetStr(secret)
			err := e.ConsumeLogs(t.Context(), ld)
			if err != nil {
				assert.NotContains(t, err.Error(), secret)
			}
			for _, entry := range logs.All() {
				assert.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), secret)
			}
			assert.Equal(t, secret, w.request(0).header.Get("X-Key"), "but the webhook gets it")
		})
	}
}

func TestTheQueueBatches(t *testing.T) {
	w := newWebhook(t)
	cfg := createDefaultConfig().(*Config)
	cfg.ClientConfig.Endpoint = w.URL
	cfg.Batching = BatchingArray
	cfg.Delivery.QueueConfig.Get().Batch.Get().FlushTimeout = 10 * time.Millisecond
	e, _ := start(t, cfg)
	names := map[string]bool{}
	for i := range 250 {
		name := fmt.Sprint("e", i)
		names[name] = true
		require.NoError(t, e.ConsumeLogs(t.Context(), eventsNamed(name)))
	}
	require.NoError(t, e.Shutdown(t.Context()), "it sends what is queued")
	got := 0
	for _, request := range w.got() {
		assert.LessOrEqual(t, len(request), defaultBatchMax)
		for _, name := range request {
			assert.True(t, names[name])
			delete(names, name)
			got++
		}
	}
	assert.Equal(t, 250, got)
	assert.Empty(t, names)
}

// FuzzEncoder holds that any record is a valid body.
func FuzzEncoder(f *testing.F) {
	seed, err := (&plog.ProtoMarshaler{}).MarshalLogs(eventsNamed("a", "b", "c"))
	require.NoError(f, err)
	f.Add(seed, true)
	f.Add(seed, false)
	f.Fuzz(func(t *testing.T, data []byte, array bool) {
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
		if err != nil {
			return
		}
		b := &backend{batching: BatchingSingle}
		if array {
			b.batching = BatchingArray
		}
		events := 0
		requests, refused := b.Frame(encodeAll(t, ld))
		for _, req := range requests {
			events += len(req.Events)
			if !json.Valid(req.Body) {
				t.Fatalf("not JSON: %s", req.Body)
			}
		}
		if events != ld.LogRecordCount() || len(refused) > 0 {
			t.Fatalf("%d of %d records", events, ld.LogRecordCount())
		}
	})
}

func encodeAll(t testing.TB, ld plog.Logs) []delivery.Event {
	t.Helper()
	var enc encoder
	var w delivery.Writer
	for e := range appevent.Logs(ld) {
		require.NoError(t, enc.Encode(&w, e))
	}
	return w.Events()
}

func TestArraysStayBelowTheLimit(t *testing.T) {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, size := range []int{10, maxBody * 2, 10, maxBody / 2, maxBody / 2, 10} {
		records.AppendEmpty().Body().SetStr(strings.Repeat("x", size))
	}
	requests, _ := (&backend{batching: BatchingArray}).Frame(encodeAll(t, ld))
	var counts []int
	for _, req := range requests {
		counts = append(counts, len(req.Events))
		assert.True(t, len(req.Body) <= maxBody || len(req.Events) == 1)
		assert.Len(t, req.Body, cap(req.Body), "the size is known before")
	}
	assert.Equal(t, []int{1, 1, 2, 2}, counts)
}
