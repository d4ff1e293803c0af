// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/otelcol-fanout/otelcol-fanout/extension/statusextension/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/explain/inuse"
)

// nothingReached is the result of an event that reaches no backend.
const nothingReached = `{"receiver":"event","events":[{"signal":"logs","id":"e1","name":"a"}],"pipelines":[],"backends":[]}`

// newExplaining returns a world whose collector explains events with a function.
func newExplaining(t *testing.T, explain inuse.Explain, change ...func(*Config)) *world {
	t.Helper()
	w := newWorld(t, change...)
	w.api.explain = explain
	return w
}

// explainRequest returns a request to explain an event.
func explainRequest(body string) *http.Request {
	r := newRequest("POST", explainPath, body)
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	return r
}

func TestInputOfExplain(t *testing.T) {
	for body, want := range map[string]inuse.Input{
		`{"event": {"name": "a", "n": 9007199254740993} }`: {Event: []byte(`{"name": "a", "n": 9007199254740993}`)},
		`{"event":[{"name":"a"},{"name":"b"}]}`:            {Event: []byte(`[{"name":"a"},{"name":"b"}]`)},
		`{"event":{},"receiver":"event/b","path":"/v1/webhooks/github","headers":{"x-github-event":"push"}}`: {
			Event: []byte(`{}`), Receiver: "event/b", Path: "/v1/webhooks/github", Header: http.Header{"X-Github-Event": {"push"}},
		},
		`{"otlp":{"resourceLogs":[]}}`: {OTLP: []byte(`{"resourceLogs":[]}`)},
	} {
		if want.Header == nil {
			want.Header = http.Header{}
		}
		w := newExplaining(t, func(_ context.Context, in inuse.Input) ([]byte, error) {
			assert.Equal(t, want, in)
			return []byte(nothingReached), nil
		})
		assert.Equal(t, nothingReached, w.send(explainRequest(body)).text, body)
	}
}

func TestWrongRequestsToExplain(t *testing.T) {
	unused := func(context.Context, inuse.Input) ([]byte, error) { return nil, errors.New("it is called") }
	w := newExplaining(t, unused)
	for body, want := range map[string]string{
		"":                                `the body must be {"event": ...}`,
		"[]":                              `the body must be {"event": ...}`,
		`{"name":"a"}`:                    `the body must be {"event": ...} with an event or an array of events, or {"otlp": ...} with OTLP JSON, and may have receiver, path and headers: json: unknown field "name"`,
		`{"event":{}}{"event":{}}`:        "the body must be one JSON object; write several events as an array in event",
		`{"event":{},"otlp":{}}`:          "event and otlp exclude each other; write one of them",
		`{"receiver":"event"}`:            `event: is missing; write an event such as {"event":{"name":"order_placed","user":{"id":"u1"}}}`,
		`{"event":{},"headers":{"a":[]}}`: `the body must be {"event": ...}`,
	} {
		w.send(explainRequest(body)).fails(400, want)
	}
	large := strings.Repeat("x", maxExplainedBytes-len(`{"name":""}`))
	w.send(explainRequest(`{"event":{"name":"`+large+`"}}`)).fails(500, "it is called")
	w.send(explainRequest(`{"event":{"name":"`+large+`x"}}`)).fails(413, "the event is larger than 1048576 bytes")
	w.send(explainRequest(`{"event":{}`+strings.Repeat(" ", maxExplainedBytes+maxAroundBytes)+`}`)).fails(413, "the body is larger than 1114112 bytes")
	for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "application/cloudevents+json"} {
		r := explainRequest(`{"event":{}}`)
		r.Header.Set("Content-Type", contentType)
		w.send(r).fails(415, "write the header Content-Type: application/json")
	}
	newWorld(t).send(explainRequest(`{"event":{}}`)).fails(501, "this collector does not give its configuration to the status extension")
}

func TestErrorsOfExplain(t *testing.T) {
	for want, err := range map[int]error{400: inuse.InputError("100% wrong"), 500: errors.New("broken")} {
		w := newExplaining(t, func(context.Context, inuse.Input) ([]byte, error) { return nil, err })
		w.send(explainRequest(`{"event":{}}`)).fails(want, err.Error())
	}
	w := newExplaining(t, func(context.Context, inuse.Input) ([]byte, error) { panic("secret") })
	for range 2 {
		got := w.send(explainRequest(`{"event":{}}`))
		got.fails(500, "explaining the event panicked")
		assert.NotContains(t, got.text, "secret")
	}
}

// hanging is an explanation that ends only when the test says so, whatever its context says.
type hanging struct {
	begun, end chan struct{}
}

func newHanging() *hanging { return &hanging{make(chan struct{}, 10), make(chan struct{})} }

func (h *hanging) explain(ctx context.Context, _ inuse.Input) ([]byte, error) {
	h.begun <- struct{}{}
	<-h.end
	return []byte(nothingReached), ctx.Err()
}

func TestOneEventIsExplainedAtATime(t *testing.T) {
	h := newHanging()
	w := newExplaining(t, h.explain)
	var first sync.WaitGroup
	first.Go(func() { assert.Equal(t, 200, w.send(explainRequest(`{"event":{}}`)).status) })
	<-h.begun
	got := w.send(explainRequest(`{"event":{}}`))
	got.fails(429, "another event is being explained, and only one is at a time; try again in a second")
	assert.Equal(t, "1", got.header.Get("Retry-After"))
	close(h.end)
	first.Wait()
	require.Eventually(t, func() bool { return w.send(explainRequest(`{"event":{}}`)).status == 200 }, time.Minute, time.Millisecond)
}

// TestLongExplanationIsGivenUp: the next one waits until the run has really ended.
func TestLongExplanationIsGivenUp(t *testing.T) {
	h := newHanging()
	w := newExplaining(t, h.explain)
	w.api.pace.explain = time.Millisecond
	w.send(explainRequest(`{"event":{}}`)).fails(504, "explaining the event takes longer than 1ms; use the command explain, which has no limit")
	w.send(explainRequest(`{"event":{}}`)).fails(429, "another event is being explained")
	close(h.end)
	require.Eventually(t, func() bool { return w.send(explainRequest(`{"event":{}}`)).status != 429 }, time.Minute, time.Millisecond)
}

func TestReadOnlyAllowsToExplain(t *testing.T) {
	explain := func(context.Context, inuse.Input) ([]byte, error) { return []byte(nothingReached), nil }
	w := newExplaining(t, explain, func(cfg *Config) { cfg.ReadOnly = true })
	assert.Equal(t, 200, w.send(explainRequest(`{"event":{}}`)).status)
	for _, target := range []string{"/v1/explain/", "/v1%2Fexplain", "//v1/explain", "/v1/backends/x/pause?/v1/explain", "/v1/backends/..%2f..%2fv1/explain"} {
		w.send(newRequest("POST", target, "")).fails(403, "read_only: true refuses every change")
	}
}

// TestExplainIsForTheOwnPageAndPrograms: web pages of other origins cannot make the collector work.
func TestExplainIsForTheOwnPageAndPrograms(t *testing.T) {
	w := newExplaining(t, func(context.Context, inuse.Input) ([]byte, error) { return nil, errors.New("it is called") })
	for want, attack := range map[string]func(*http.Request){
		"cross-origin request refused":                func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
		"a change needs the header X-Fanout-Request":  func(r *http.Request) { r.Header.Del(changeHeader) },
		"the Host header does not name this server":   func(r *http.Request) { r.Host = "evil.example" },
		"pages of other origins may not load this":    func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"cross-origin request refused; use a program": func(r *http.Request) { r.Header.Set("Origin", "null") },
	} {
		r := explainRequest(`{"event":{}}`)
		attack(r)
		w.send(r).fails(403, want)
	}
}

// TestShutdownEndsExplaining: it waits until the run has ended.
func TestShutdownEndsExplaining(t *testing.T) {
	begun, ended := make(chan struct{}), make(chan struct{})
	f := NewFactory().(*factory)
	f.UseExplain(func() inuse.Explain {
		return func(ctx context.Context, _ inuse.Input) ([]byte, error) {
			close(begun)
			<-ctx.Done()
			time.Sleep(20 * time.Millisecond)
			close(ended)
			return nil, ctx.Err()
		}
	})
	cfg := createDefaultConfig().(*Config)
	cfg.ServerConfig.NetAddr.Endpoint = "localhost:0"
	created, err := f.Create(t.Context(), extensiontest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	s := created.(*status)
	s.api.pace.explain = time.Hour
	require.NoError(t, s.Start(t.Context(), newHost()))
	w := &world{t: t, api: s.api, handler: s.api}
	response := make(chan *answer, 1)
	go func() { response <- w.send(explainRequest(`{"event":{}}`)) }()
	<-begun
	require.NoError(t, s.Shutdown(t.Context()))
	<-ended
	(<-response).fails(503, "the collector is stopping")
}

func TestExplainOutlivesTheTimeoutsOfTheServer(t *testing.T) {
	s, url := start(t, newHost(), func(cfg *Config) {
		cfg.ServerConfig.ReadTimeout, cfg.ServerConfig.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
	})
	s.api.explain = func(ctx context.Context, _ inuse.Input) ([]byte, error) {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("it is interrupted: %w", ctx.Err())
		case <-time.After(300 * time.Millisecond):
			return []byte(nothingReached), nil
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+explainPath, strings.NewReader(`{"event":{}}`))
	require.NoError(t, err)
	r.Header = explainRequest("").Header
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	require.NoError(t, err)
	_ = response.Body.Close()
	assert.Equal(t, 200, response.StatusCode)
	require.NoError(t, s.Shutdown(t.Context()))
}

// TestSlowBodyKeepsOthersOutBriefly: the time for an event includes reading it.
func TestSlowBodyKeepsOthersOutBriefly(t *testing.T) {
	s, url := start(t, newHost())
	s.api.pace.explain = 50 * time.Millisecond
	s.api.explain = func(context.Context, inuse.Input) ([]byte, error) { return []byte(nothingReached), nil }
	body, slow := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+explainPath, body)
	require.NoError(t, err)
	r.Header = explainRequest("").Header
	go func() { _, _ = slow.Write([]byte(`{"event":`)) }()
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	require.NoError(t, err)
	_ = response.Body.Close()
	_ = slow.Close()
	assert.Equal(t, 400, response.StatusCode)
	require.Eventually(t, func() bool { return len(s.api.explaining) == 0 }, time.Minute, time.Millisecond)
	require.NoError(t, s.Shutdown(t.Context()))
}
