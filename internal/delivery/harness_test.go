// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
)

// lineBackend sends names of events, one a line. An event called unencodable cannot be encoded, one
// called private is skipped, and one called double becomes two.
type lineBackend struct {
	url    string
	header http.Header
	most   int // events a request
	answer func(*Request, *Response) Classification
}

func (b *lineBackend) NewEncoder() Encoder { return lineEncoder{} }

type lineEncoder struct{}

func (lineEncoder) Encode(w *Writer, e *appevent.Event) error {
	meta := Meta{ID: "id-" + e.Name, Name: e.Name, Time: e.Time, Category: "log"}
	w.End(append(w.Begin(meta), e.Name...))
	switch e.Name {
	case "unencodable":
		return fmt.Errorf("it has no bytes")
	case "private", "internal":
		return Skip(e.Name)
	case "double":
		w.End(append(w.Begin(meta), "double-2"...))
	}
	return nil
}

func (lineEncoder) Prepare(plog.Logs) {}
func (lineEncoder) Reset()            {}

func (b *lineBackend) BuildRequests(events []Event) ([]Request, []Refusal) {
	var requests []Request
	var refusals []Refusal
	events = slices.Clone(events)
	events = slices.DeleteFunc(events, func(e Event) bool {
		if e.Name == "forgotten" {
			return true // as a backend would whose code is wrong
		}
		if e.Name == "nowhere" {
			requests = append(requests, Request{URL: "http://%zz", Events: []Event{e}})
			return true
		}
		if e.Name != "huge" {
			return false
		}
		refusals = append(refusals, Refusal{Event: e, Reason: deadletter.ReasonTooLarge, Message: "it is huge"})
		return true
	})
	for chunk := range slices.Chunk(events, b.most) {
		var body []byte
		for _, e := range chunk {
			body = append(append(body, e.Payload...), '\n')
		}
		requests = append(requests, Request{URL: b.url, Header: b.header, Body: body, Events: chunk})
	}
	return requests, refusals
}

func (b *lineBackend) ClassifyResponse(req *Request, response *Response) Classification {
	if b.answer != nil {
		return b.answer(req, response)
	}
	return ClassifyStatus(req, response)
}

// server takes lines. It counts how often it took each, and answers as the test wants.
type server struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	respond  func(lines []string) (status int, header http.Header)
	requests [][]string
	taken    map[string]int
	encoding []string
}

func newServer(t *testing.T) *server {
	s := &server{t: t, taken: map[string]int{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// on sets how the server answers from now on.
func (s *server) on(respond func(lines []string) (int, http.Header)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.respond = respond
}

func (s *server) always(status int) {
	s.on(func([]string) (int, http.Header) { return status, nil })
}

// refusing answers 400 to every request that holds one of the lines.
func (s *server) refusing(bad ...string) {
	s.on(func(lines []string) (int, http.Header) {
		for _, line := range lines {
			if slices.Contains(bad, line) {
				return http.StatusBadRequest, nil
			}
		}
		return http.StatusOK, nil
	})
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := deliverytest.ReadBody(r)
	assert.NoError(s.t, err)
	lines := strings.Split(strings.TrimSuffix(string(body), "\n"), "\n")
	s.mu.Lock()
	s.requests = append(s.requests, lines)
	s.encoding = append(s.encoding, r.Header.Get("Content-Encoding"))
	status, header := http.StatusOK, http.Header(nil)
	if s.respond != nil {
		status, header = s.respond(lines)
	}
	if status == http.StatusOK {
		for _, line := range lines {
			s.taken[line]++
		}
	}
	s.mu.Unlock()
	if status == 0 {
		<-r.Context().Done()
		return
	}
	maps.Copy(w.Header(), header)
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"error": "status %d"}`, status)
}

func (s *server) requestCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

func (s *server) takenOnce() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name, n := range s.taken {
		assert.Equal(s.t, 1, n, "%s was taken more than once", name)
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// fixture is an exporter and its server.
type fixture struct {
	*deliverytest.Exporter[plog.Logs]
	server *server
}

type options struct {
	configure   func(*Config)
	most        int // events a request; 100 where it is 0
	answer      func(*Request, *Response) Classification
	compression configcompression.Type
	timeout     time.Duration   // of a request; 10s where it is 0
	server      *server         // a new one where it is nil
	path        string          // of the backend's URL, with a query
	key         string          // of the header X-Key, which the backend adds
	headers     http.Header     // which the configuration adds
	schedule    []time.Duration // of the backend

	// of deliverytest.Setup
	credentials, values []string
	letters             *deliverytest.Letters
	storage             string
	storageFails        func([]*storage.Operation) error
}

func newFixture(t *testing.T, o options) *fixture {
	t.Helper()
	f := &fixture{server: o.server}
	if f.server == nil {
		f.server = newServer(t)
	}
	cfg := NewDefaultConfig(100)
	deliverytest.Hasten(&cfg.QueueConfig, &cfg.RetryConfig)
	cfg.ShutdownTimeout = 5 * time.Second
	cfg.DeadLetter = deliverytest.DeadLetterID()
	if o.configure != nil {
		o.configure(&cfg)
	}
	require.NoError(t, cfg.Check())
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = cmp.Or(o.timeout, 10*time.Second)
	client.Compression = o.compression
	for name := range o.headers {
		client.Headers.Set(name, configopaque.String(o.headers.Get(name)))
	}
	backend := &lineBackend{
		url: f.server.URL + o.path, header: http.Header{"Content-Type": {"text/plain"}, "X-Key": {o.key}},
		most: cmp.Or(o.most, 100), answer: o.answer,
	}
	f.Exporter = deliverytest.Setup{
		Factory: newFactory(&cfg, client, backend, Options{Endpoint: backend.url, NewTracesEncoder: newSpanEncoder, RetrySchedule: o.schedule}), Config: &cfg,
		Credentials: o.credentials, Values: o.values, Letters: o.letters, Storage: o.storage, StorageFails: o.storageFails,
	}.StartLogs(t)
	return f
}

// newFactory makes exporters of this configuration.
func newFactory(cfg *Config, client confighttp.ClientConfig, backend Backend, options Options) exporter.Factory {
	return NewFactory(Definition[Config]{
		Type: component.MustNewType("line"), CreateDefaultConfig: func() component.Config { return cfg },
		Logs: component.StabilityLevelDevelopment, Traces: component.StabilityLevelDevelopment,
		Settings: func(cfg *Config) (*Config, confighttp.ClientConfig) { return cfg, client },
		New:      func(*Config, exporter.Settings) (Backend, Options, error) { return backend, options, nil },
	})
}

// send hands over events with these names and waits until each has its end.
func (f *fixture) send(names ...string) { f.Send(records(names...)) }

func records(names ...string) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "shop")
	sl := rl.ScopeLogs().AppendEmpty()
	for _, name := range names {
		record := sl.LogRecords().AppendEmpty()
		record.SetEventName(name)
		record.SetTimestamp(1700000000000000000)
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
