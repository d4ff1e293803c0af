// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package acmeexporter

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-fanout/otelcol-fanout/examples/backend/acmeexporter/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// testKey is the key that the stand-in takes. No log line may hold it.
const testKey = "hunter2"

// maxError is how many bytes Acme has for the error of a result.
const maxError = 80

// acme is a stand-in for Acme, as strict as its documentation: it answers what Acme would, and fails the test for what an
// exporter ought to have known.
type acme struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	limit    int                 // bytes of a body
	answers  []http.HandlerFunc  // for the first requests; then its own
	results  map[string][]result // for the first times it sees an event of this name; then ok
	requests []ingest
	taken    map[string]int // how often it took each event
}

// ingest is one request.
type ingest struct {
	header http.Header
	body   []byte
	events []event
}

type event struct {
	ID    string                     `json:"id"`
	Event string                     `json:"event"`
	User  string                     `json:"user"`
	Time  time.Time                  `json:"time"`
	Props map[string]json.RawMessage `json:"props"`
}

func newAcme(t *testing.T, answers ...http.HandlerFunc) *acme {
	t.Helper()
	a := &acme{t: t, limit: maxBody, answers: answers, results: map[string][]result{}, taken: map[string]int{}}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

func (a *acme) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	assert.Equal(a.t, "POST /ingest", r.Method+" "+r.URL.RequestURI())
	assert.Equal(a.t, "application/json", r.Header.Get("Content-Type"))
	body := a.read(r)
	req := ingest{header: r.Header.Clone(), body: body, events: a.decode(body)}

	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = append(a.requests, req)
	switch n := len(a.requests); {
	case n <= len(a.answers) && a.answers[n-1] != nil:
		a.answers[n-1](w, r)
	case r.Header.Get("X-Acme-Key") != testKey:
		answer(http.StatusUnauthorized, `{"error":"unknown key"}`)(w, r)
	case len(body) > a.limit:
		answer(http.StatusRequestEntityTooLarge, `{"error":"body too large"}`)(w, r)
	default:
		a.take(w, req.events)
	}
}

func (a *acme) read(r *http.Request) []byte {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(body)
		if !assert.NoError(a.t, err) {
			return nil
		}
		body = unzipped
	}
	raw, err := io.ReadAll(body)
	assert.NoError(a.t, err)
	assert.LessOrEqual(a.t, len(raw), maxBody)
	return raw
}

// decode holds the body against the documentation.
func (a *acme) decode(body []byte) []event {
	var in struct {
		Events []event `json:"events"`
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	assert.NoError(a.t, decoder.Decode(&in), "%s", body)
	assert.NotEmpty(a.t, in.Events)
	assert.LessOrEqual(a.t, len(in.Events), maxEvents)
	for _, e := range in.Events {
		assert.NotEmpty(a.t, e.ID)
		assert.NotNil(a.t, e.Props)
		assert.True(a.t, e.Event != "" && utf8.RuneCountInString(e.Event) <= maxName, "%q is no name of an event", e.Event)
	}
	return in.Events
}

// take answers for each event.
func (a *acme) take(w http.ResponseWriter, events []event) {
	var out results
	for _, e := range events {
		result := result{Status: "ok"}
		if planned := a.results[e.Event]; len(planned) > 0 {
			result, a.results[e.Event] = planned[0], planned[1:]
		}
		if result.Status == "ok" {
			a.taken[e.ID]++
		}
		assert.LessOrEqual(a.t, len(result.Error), maxError)
		out.Results = append(out.Results, result)
	}
	assert.NoError(a.t, json.NewEncoder(w).Encode(out))
}

// got is the names of the events of each request.
func (a *acme) got() [][]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all [][]string
	for _, req := range a.requests {
		var names []string
		for _, e := range req.events {
			names = append(names, e.Event)
		}
		all = append(all, names)
	}
	return all
}

// tookOnce is how many events were taken, each of them once.
func (a *acme) tookOnce() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, n := range a.taken {
		assert.Equal(a.t, 1, n, "%s was taken more than once", id)
	}
	return len(a.taken)
}

func (a *acme) request(i int) ingest {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.requests[i]
}

func answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

var deadLetterID = component.MustNewID("dead_letter")

// letters is a dead letter store in memory.
type letters struct {
	component.StartFunc
	component.ShutdownFunc

	mu  sync.Mutex
	all []deadletter.Letter
}

// Put implements deadletter.Store.
func (l *letters) Put(_ component.ID, some []deadletter.Letter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, letter := range some {
		letter.Payload = bytes.Clone(letter.Payload)
		l.all = append(l.all, letter)
	}
	return nil
}

// Register implements deadletter.Store.
func (*letters) Register(component.ID, string, deadletter.Replayer) func() { return func() {} }

// host has the store, and remembers what the exporter says of its health.
type host struct {
	letters letters

	mu       sync.Mutex
	statuses []string
}

// GetExtensions implements component.Host.
func (h *host) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{deadLetterID: &h.letters}
}

// Report implements componentstatus.Reporter.
func (h *host) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.statuses = append(h.statuses, fmt.Sprint(event.Status(), ": ", event.Err()))
}

// fixture is a running exporter and all it talks to.
type fixture struct {
	exporter.Logs
	t         *testing.T
	host      *host
	telemetry *componenttest.Telemetry
}

// testConfig retries and flushes fast.
func testConfig(endpoint string) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.ClientConfig.Endpoint = endpoint
	cfg.APIKey = testKey
	cfg.Delivery.DeadLetter = &deadLetterID
	cfg.Delivery.QueueConfig.Get().Batch.Get().FlushTimeout = time.Millisecond
	cfg.Delivery.RetryConfig.InitialInterval = time.Millisecond
	cfg.Delivery.RetryConfig.MaxInterval = 5 * time.Millisecond
	return cfg
}

func start(t *testing.T, cfg *Config) *fixture {
	t.Helper()
	require.NoError(t, cfg.Validate())
	f := &fixture{t: t, host: &host{}, telemetry: componenttest.NewTelemetry()}
	core, logs := observer.New(zap.DebugLevel)
	set := exportertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = f.telemetry.NewTelemetrySettings()
	set.Logger = zap.New(core)
	set.BuildInfo.Command, set.BuildInfo.Version = "otelcol-fanout", "1.2.3"
	var err error
	f.Logs, err = NewFactory().CreateLogs(t.Context(), set, cfg)
	require.NoError(t, err)
	require.NoError(t, f.Start(t.Context(), f.host))
	t.Cleanup(func() {
		assert.NoError(t, f.Shutdown(context.Background()))
		for _, entry := range logs.All() {
			said := fmt.Sprint(entry.Message, entry.ContextMap())
			assert.NotContains(t, said, string(cfg.APIKey))
			assert.NotContains(t, said, bodySecret)
		}
	})
	return f
}

// send hands over the records, and waits until each event has its end.
func (f *fixture) send(ld plog.Logs) {
	f.t.Helper()
	require.NoError(f.t, f.ConsumeLogs(f.t.Context(), ld))
	require.Eventually(f.t, f.balanced, 10*time.Second, time.Millisecond, "the books do not balance: %v", f)
}

func (f *fixture) balanced() bool {
	sum := int64(0)
	for _, n := range f.outcomes() {
		sum += n
	}
	return sum == f.sum("otelcol_fanout_accepted_events_total", func(string, int64) {})
}

// outcomes is how many events came to each end, as the metrics tell it: outcome, or outcome/reason.
func (f *fixture) outcomes() map[string]int64 {
	counts := map[string]int64{}
	f.sum("otelcol_fanout_events_total", func(key string, n int64) { counts[key] += n })
	return counts
}

func (f *fixture) sum(name string, each func(key string, n int64)) (sum int64) {
	metric, err := f.telemetry.GetMetric(name)
	if err != nil {
		return 0 // nothing is counted yet
	}
	for _, point := range metric.Data.(metricdata.Sum[int64]).DataPoints {
		outcome, _ := point.Attributes.Value("outcome")
		reason, _ := point.Attributes.Value("reason")
		each(strings.TrimSuffix(outcome.AsString()+"/"+reason.AsString(), "/"), point.Value)
		sum += point.Value
	}
	return sum
}

func (f *fixture) letters() []deadletter.Letter {
	f.host.letters.mu.Lock()
	defer f.host.letters.mu.Unlock()
	return slices.Clone(f.host.letters.all)
}

func (f *fixture) statuses() []string {
	f.host.mu.Lock()
	defer f.host.mu.Unlock()
	return slices.Clone(f.host.statuses)
}

// bodySecret is in every event, and in no log line.
const bodySecret = "s3cr3t-of-the-event"

// events makes one event a name, of about 150 bytes each.
func events(names ...string) plog.Logs {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, name := range names {
		record := records.AppendEmpty()
		record.SetEventName(name)
		record.SetTimestamp(1700000000000000000)
		record.Attributes().PutStr("log.record.uid", "id-"+name)
		record.Attributes().PutStr("user.id", "u1")
		record.Attributes().PutStr("note", bodySecret)
	}
	return ld
}

func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("e%04d", i)
	}
	return names
}
