// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// lineBackend sends names of events, one a line. An event called unencodable cannot be encoded, one called private is
// skipped, and one called double becomes two.
type lineBackend struct {
	url    string
	most   int // events a request
	answer func(*Request, *Response) Verdict
}

func (b *lineBackend) NewEncoder() Encoder { return lineEncoder{} }

type lineEncoder struct{}

func (lineEncoder) Encode(w *Writer, e *appevent.Event) error {
	meta := Meta{ID: "id-" + e.Name, Name: e.Name, Time: e.Time, Category: "log"}
	w.End(append(w.Begin(meta), e.Name...))
	switch e.Name {
	case "unencodable":
		return fmt.Errorf("it has no bytes")
	case "private":
		return Skip("private")
	case "double":
		w.End(append(w.Begin(meta), "double-2"...))
	}
	return nil
}

func (lineEncoder) Reset() {}

func (b *lineBackend) Frame(events []Event) ([]Request, []Refusal) {
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
		requests = append(requests, Request{URL: b.url, Header: http.Header{"Content-Type": {"text/plain"}}, Body: body, Events: chunk})
	}
	return requests, refusals
}

func (b *lineBackend) Answer(req *Request, response *Response) Verdict {
	if b.answer != nil {
		return b.answer(req, response)
	}
	return DefaultAnswer(req, response)
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
	body := s.read(r)
	lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
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

func (s *server) read(r *http.Request) string {
	raw, err := io.ReadAll(r.Body)
	assert.NoError(s.t, err)
	var reader io.Reader = bytes.NewReader(raw)
	switch r.Header.Get("Content-Encoding") {
	case "gzip":
		reader, err = gzip.NewReader(reader)
		assert.NoError(s.t, err)
	case "zstd":
		decoder, err := zstd.NewReader(reader, zstd.WithDecoderConcurrency(1))
		assert.NoError(s.t, err)
		defer decoder.Close()
		reader = decoder
	}
	body, err := io.ReadAll(reader)
	assert.NoError(s.t, err)
	return string(body)
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

// memoryStore is a dead letter store in memory.
type memoryStore struct {
	component.StartFunc
	component.ShutdownFunc

	mu       sync.Mutex
	letters  []deadletter.Letter
	failing  error
	replayer deadletter.Replayer
}

func (s *memoryStore) Put(_ component.ID, letters []deadletter.Letter) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing != nil {
		return s.failing
	}
	for _, letter := range letters {
		if letter.Name == "unkept" {
			return errors.New("it is too large to keep")
		}
	}
	for _, letter := range letters {
		letter.Payload = bytes.Clone(letter.Payload)
		s.letters = append(s.letters, letter)
	}
	return nil
}

func (s *memoryStore) Register(_ component.ID, _ string, replayer deadletter.Replayer) func() {
	s.replayer = replayer
	return func() { s.replayer = nil }
}

func (s *memoryStore) all() []deadletter.Letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.letters)
}

// reasons is name:reason of each letter, sorted.
func (s *memoryStore) reasons() []string {
	reasons := []string{}
	for _, letter := range s.all() {
		reasons = append(reasons, letter.Name+":"+string(letter.Reason))
	}
	slices.Sort(reasons)
	return reasons
}

// testHost has extensions and remembers status events.
type testHost struct {
	extensions map[component.ID]component.Component

	mu     sync.Mutex
	events []*componentstatus.Event
}

func (h *testHost) GetExtensions() map[component.ID]component.Component { return h.extensions }

func (h *testHost) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, event)
}

func (h *testHost) statuses() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []string
	for _, event := range h.events {
		text := event.Status().String()
		if event.Err() != nil {
			text += ": " + event.Err().Error()
		}
		all = append(all, text)
	}
	return all
}

var deadLetterID = component.MustNewID("dead_letter")

// fixture is an exporter with all it talks to.
type fixture struct {
	exporter.Logs
	t       *testing.T
	server  *server
	store   *memoryStore
	host    *testHost
	logs    *observer.ObservedLogs
	tel     *componenttest.Telemetry
	stopped sync.Once
}

type options struct {
	configure   func(*Config)
	most        int
	answer      func(*Request, *Response) Verdict
	compression configcompression.Type
	timeout     time.Duration
	noStore     bool
	extensions  map[component.ID]component.Component
	server      *server
}

func newFixture(t *testing.T, o options) *fixture {
	t.Helper()
	f := &fixture{t: t, server: o.server, store: &memoryStore{}, tel: componenttest.NewTelemetry()}
	if f.server == nil {
		f.server = newServer(t)
	}
	cfg := NewDefaultConfig(100)
	cfg.QueueConfig.Get().Batch.Get().FlushTimeout = time.Millisecond
	cfg.RetryConfig.InitialInterval = time.Millisecond
	cfg.RetryConfig.MaxInterval = 5 * time.Millisecond
	cfg.ShutdownTimeout = 5 * time.Second
	if !o.noStore {
		cfg.DeadLetter = &deadLetterID
	}
	if o.configure != nil {
		o.configure(&cfg)
	}
	require.NoError(t, cfg.Check())
	if o.most == 0 {
		o.most = 100
	}
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = 10 * time.Second
	if o.timeout > 0 {
		client.Timeout = o.timeout
	}
	client.Compression = o.compression

	core, logs := observer.New(zap.DebugLevel)
	f.logs = logs
	set := exportertest.NewNopSettings(component.MustNewType("line"))
	set.ID = component.MustNewID("line") // the queue on disk goes by it
	set.TelemetrySettings = f.tel.NewTelemetrySettings()
	set.Logger = zap.New(core)
	set.BuildInfo.Command, set.BuildInfo.Version = "otelcol-fanout", "1.2.3"
	f.host = &testHost{extensions: map[component.ID]component.Component{deadLetterID: f.store}}
	maps.Copy(f.host.extensions, o.extensions)
	var err error
	f.Logs, err = NewLogs(t.Context(), set, &cfg, client, &lineBackend{url: f.server.URL, most: o.most, answer: o.answer})
	require.NoError(t, err)
	require.NoError(t, f.Start(t.Context(), f.host))
	t.Cleanup(f.stop)
	return f
}

func (f *fixture) stop() {
	f.stopped.Do(func() { assert.NoError(f.t, f.Shutdown(context.Background())) })
}

// send hands over events with these names and waits until each has its end.
func (f *fixture) send(names ...string) {
	f.t.Helper()
	require.NoError(f.t, f.ConsumeLogs(f.t.Context(), records(names...)))
	f.settle()
}

// settle waits until the books balance.
func (f *fixture) settle() {
	f.t.Helper()
	require.Eventually(f.t, f.balanced, 20*time.Second, time.Millisecond, "the books do not balance: %v", f.counts())
}

func (f *fixture) balanced() bool {
	counts := f.counts()
	sum := int64(0)
	for key, n := range counts {
		if key != "accepted" {
			sum += n
		}
	}
	return sum == counts["accepted"]
}

// counts is the metrics: accepted, and outcome or outcome/reason.
func (f *fixture) counts() map[string]int64 {
	counts := map[string]int64{}
	for _, name := range []string{"otelcol_fanout_accepted_events_total", "otelcol_fanout_events_total"} {
		got, err := f.tel.GetMetric(name)
		if err != nil {
			continue
		}
		for _, point := range got.Data.(metricdata.Sum[int64]).DataPoints {
			outcome, _ := point.Attributes.Value("outcome")
			reason, _ := point.Attributes.Value("reason")
			key := strings.Trim(outcome.AsString()+"/"+reason.AsString(), "/")
			if key == "" {
				key = "accepted"
			}
			counts[key] += point.Value
		}
	}
	return counts
}

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

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}
