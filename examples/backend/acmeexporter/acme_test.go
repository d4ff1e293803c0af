// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package acmeexporter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
)

// testKey is the key that the stand-in accepts. No log line may contain it.
const testKey = "hunter2"

// maxError is the maximum length of a result's error, in bytes.
const maxError = 80

// acme is a stand-in for Acme, as strict as Acme's documentation. It responds as Acme would, and
// fails the test if a request breaks a documented rule.
type acme struct {
	*httptest.Server
	t *testing.T

	mu        sync.Mutex
	limit     int                 // bytes in a body
	responses []http.HandlerFunc  // responses to the first requests
	results   map[string][]result // by event name, for the first times it is seen; then ok
	requests  []ingest
	taken     map[string]int // how often each event id was accepted
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

func newAcme(t *testing.T, responses ...http.HandlerFunc) *acme {
	t.Helper()
	a := &acme{t: t, limit: maxBody, responses: responses, results: map[string][]result{}, taken: map[string]int{}}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

func (a *acme) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	assert.Equal(a.t, "POST /ingest", r.Method+" "+r.URL.RequestURI())
	assert.Equal(a.t, "application/json", r.Header.Get("Content-Type"))
	body, err := deliverytest.ReadBody(r)
	assert.NoError(a.t, err)
	assert.LessOrEqual(a.t, len(body), maxBody)
	req := ingest{header: r.Header.Clone(), body: body, events: a.decode(body)}

	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = append(a.requests, req)
	switch n := len(a.requests); {
	case n <= len(a.responses) && a.responses[n-1] != nil:
		a.responses[n-1](w, r)
	case r.Header.Get("X-Acme-Key") != testKey:
		deliverytest.Answer(http.StatusUnauthorized, `{"error":"unknown key"}`)(w, r)
	case len(body) > a.limit:
		deliverytest.Answer(http.StatusRequestEntityTooLarge, `{"error":"body too large"}`)(w, r)
	default:
		a.take(w, req.events)
	}
}

// decode checks the body against the documentation.
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
		assert.True(a.t, e.Event != "" && utf8.RuneCountInString(e.Event) <= maxName, "%q is not a valid event name", e.Event)
	}
	return in.Events
}

// take responds with a result for each event.
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

// got returns the names of the events of each request.
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

// tookOnce returns how many events were accepted, and checks that each was accepted once.
func (a *acme) tookOnce() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, n := range a.taken {
		assert.Equal(a.t, 1, n, "%s was accepted more than once", id)
	}
	return len(a.taken)
}

func (a *acme) request(i int) ingest {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.requests[i]
}

// testConfig returns a configuration that retries and flushes fast.
func testConfig(endpoint string) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.ClientConfig.Endpoint = endpoint
	cfg.APIKey = testKey
	cfg.Delivery.DeadLetter = deliverytest.DeadLetterID()
	deliverytest.Hasten(&cfg.Delivery.QueueConfig, &cfg.Delivery.RetryConfig)
	return cfg
}

func start(t *testing.T, cfg *Config) *deliverytest.Exporter[plog.Logs] {
	t.Helper()
	return deliverytest.Setup{
		Factory: NewFactory(), Config: cfg, Credentials: []string{string(cfg.APIKey)}, Values: []string{bodySecret},
	}.StartLogs(t)
}

// bodySecret is in every event. No log line may contain it.
const bodySecret = "s3cr3t-of-the-event"

// events returns one event per name, of about 150 bytes each.
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
