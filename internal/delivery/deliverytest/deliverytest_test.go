// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deliverytest_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
)

// names is a backend that is sent the names of events or spans, one a line. The rest is as the test
// wants it.
type names struct {
	url     string
	encoded func(name string) error
	answer  func() delivery.Classification
}

func (b *names) NewEncoder() delivery.Encoder { return nameEncoder{b} }

func (b *names) newTracesEncoder() (delivery.TracesEncoder, error) {
	return spanNameEncoder{nameEncoder{b}}, nil
}

func (b *names) BuildRequests(events []delivery.Event) ([]delivery.Request, []delivery.Refusal) {
	var body []byte
	for _, e := range events {
		body = append(append(body, e.Payload...), '\n')
	}
	return []delivery.Request{{URL: b.url, Body: body, Events: events}}, nil
}

func (b *names) ClassifyResponse(req *delivery.Request, response *delivery.Response) delivery.Classification {
	if b.answer != nil {
		return b.answer()
	}
	return delivery.ClassifyStatus(req, response)
}

type nameEncoder struct{ b *names }

func (enc nameEncoder) Encode(w *delivery.Writer, e *appevent.Event) error {
	return enc.write(w, e.Name)
}

// spanNameEncoder is nameEncoder for spans.
type spanNameEncoder struct{ nameEncoder }

func (enc spanNameEncoder) EncodeSpan(w *delivery.Writer, _ *appevent.Source, span ptrace.Span) error {
	return enc.write(w, span.Name())
}

func (enc nameEncoder) write(w *delivery.Writer, name string) error {
	w.End(append(w.Begin(delivery.Meta{ID: name, Name: name}), name...))
	if enc.b.encoded != nil {
		return enc.b.encoded(name)
	}
	return nil
}

func (nameEncoder) Prepare(plog.Logs)         {}
func (spanNameEncoder) Prepare(ptrace.Traces) {}
func (nameEncoder) Reset()                    {}

func newConfig() *delivery.Config {
	cfg := delivery.NewDefaultConfig(100)
	cfg.DeadLetter = deliverytest.DeadLetterID()
	deliverytest.Hasten(&cfg.QueueConfig, &cfg.RetryConfig)
	return &cfg
}

func setup(cfg *delivery.Config, b *names) deliverytest.Setup {
	return deliverytest.Setup{Config: cfg, Factory: newFactory(cfg, confighttp.NewDefaultClientConfig(), b)}
}

func newFactory(cfg *delivery.Config, client confighttp.ClientConfig, b *names) exporter.Factory {
	return delivery.NewFactory(delivery.Definition[delivery.Config]{
		Type: component.MustNewType("names"), CreateDefaultConfig: func() component.Config { return cfg },
		Logs: component.StabilityLevelDevelopment, Traces: component.StabilityLevelDevelopment,
		Settings: func(cfg *delivery.Config) (*delivery.Config, confighttp.ClientConfig) { return cfg, client },
		New: func(*delivery.Config, exporter.Settings) (delivery.Backend, delivery.Options, error) {
			return b, delivery.Options{NewTracesEncoder: b.newTracesEncoder}, nil
		},
	})
}

// server takes names, and answers as it is told.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	answer http.HandlerFunc
	taken  []string
}

func newServer(t *testing.T, answer http.HandlerFunc) *server {
	t.Helper()
	s := &server{answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := deliverytest.ReadBody(r)
		assert.NoError(t, err)
		s.mu.Lock()
		s.taken = append(s.taken, strings.Fields(string(body))...)
		answer := s.answer
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// begin begins anew, with another answer.
func (s *server) begin(answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer, s.taken = answer, nil
}

func (s *server) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(slices.Values(s.taken))
}

func logsNamed(names ...string) plog.Logs {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, name := range names {
		records.AppendEmpty().SetEventName(name)
	}
	return ld
}

func spansNamed(names ...string) ptrace.Traces {
	td := ptrace.NewTraces()
	spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for _, name := range names {
		spans.AppendEmpty().SetName(name)
	}
	return td
}

func TestRunsExportersOfBothSignals(t *testing.T) {
	s := newServer(t, deliverytest.Answer(503, "", "Retry-After", "0.001"))
	cfg := newConfig()
	cfg.RetryConfig.Enabled = false
	with := setup(cfg, &names{url: s.URL})

	logs, traces := with.StartLogs(t), with.StartTraces(t)
	logs.Send(logsNamed("a", "b"))
	traces.Send(spansNamed("c"))
	assert.Equal(t, []string{"a:exhausted", "b:exhausted"}, logs.Letters.Reasons())
	assert.Equal(t, map[string]int64{"dead_lettered/exhausted": 1}, traces.Outcomes())
	assert.Equal(t, []string{"StatusRecoverableError: the backend answers 503, and asks to wait 1ms"}, traces.Statuses())

	s.begin(deliverytest.Answer(200, ""))
	assert.Len(t, logs.Letters.Replay(t.Context()), 2)
	assert.Len(t, traces.Letters.Replay(t.Context(), traces.Letters.All()[0]), 1)
	assert.Equal(t, []string{"a", "b", "c"}, s.got())
	assert.Empty(t, (&deliverytest.Letters{}).Replay(t.Context()))
	logs.Stop()
	logs.Stop()
	assert.Equal(t, 1, logs.Logs.FilterMessageSnippet("kept as dead letters").Len())
}

func TestOneStoreServesBothSignals(t *testing.T) {
	s := newServer(t, deliverytest.Answer(400, ""))
	with := setup(newConfig(), &names{url: s.URL})
	with.Letters = &deliverytest.Letters{}
	logs, traces := with.StartLogs(t), with.StartTraces(t)
	logs.Send(logsNamed("a"))
	traces.Send(spansNamed("b"))
	assert.Equal(t, []string{"a:refused", "b:refused"}, with.Letters.Reasons())
	s.begin(deliverytest.Answer(200, ""))
	for _, letter := range with.Letters.All() {
		with.Letters.Replay(t.Context(), letter)
	}
	assert.Equal(t, []string{"a", "b"}, s.got())
	assert.Positive(t, traces.Accepted())
}

func TestRestartFindsTheQueueOnDisk(t *testing.T) {
	s := newServer(t, deliverytest.Hang)
	cfg := newConfig()
	cfg.QueueConfig.Get().StorageID = deliverytest.StorageID()
	cfg.ShutdownTimeout = 1 // ns
	cfg.RetryConfig.MaxElapsedTime = 0
	with := setup(cfg, &names{url: s.URL})
	with.Storage = t.TempDir()

	before := with.StartTraces(t)
	for _, name := range []string{"a", "b", "c"} {
		assert.NoError(t, before.Consume(t.Context(), spansNamed(name)))
	}
	before.Stop()
	assert.False(t, before.Balanced(), "they are still pending")

	s.begin(deliverytest.Answer(200, ""))
	after := with.StartTraces(t)
	after.WaitFor("what was pending", func() bool { return len(s.got()) >= 3 })
	assert.Equal(t, []string{"a", "b", "c"}, s.got())
}

func TestMissingResponseIsRetried(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"hang": deliverytest.Hang, "reset": deliverytest.Reset, "garbage": deliverytest.Garbage,
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, answer)
			cfg := newConfig()
			cfg.Dispatch = delivery.DispatchSync
			cfg.RetryConfig.Enabled = false
			e := setup(cfg, &names{url: s.URL}).StartLogs(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if name == "hang" {
				s.begin(func(w http.ResponseWriter, r *http.Request) {
					cancel()
					deliverytest.Hang(w, r)
				})
			}
			assert.Error(t, e.Consume(ctx, logsNamed("a")))
			assert.Equal(t, map[string]int64{"returned": 1}, e.Outcomes())
		})
	}
}

func TestReadBodySupportsEveryEncoding(t *testing.T) {
	for _, encoding := range []string{"none", "gzip", "zstd"} {
		t.Run(encoding, func(t *testing.T) {
			var got []byte
			s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, err := deliverytest.ReadBody(r)
				assert.NoError(t, err)
				assert.Equal(t, encoding != "none", r.Header.Get("Content-Encoding") == encoding)
				got = body
			}))
			defer s.Close()
			cfg, client := newConfig(), confighttp.NewDefaultClientConfig()
			cfg.Dispatch = delivery.DispatchSync
			assert.NoError(t, client.Compression.UnmarshalText([]byte(encoding)))
			with := setup(cfg, nil)
			with.Factory = newFactory(cfg, client, &names{url: s.URL})
			long := strings.Repeat("x", 5000)
			with.StartLogs(t).Send(logsNamed(long))
			assert.Equal(t, long+"\n", string(got))
		})
	}
	request := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(nil))
	request.Header.Set("Content-Encoding", "br")
	_, err := deliverytest.ReadBody(request)
	assert.ErrorContains(t, err, `"br"`)
}
