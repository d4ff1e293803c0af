// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// withStatus adds the status extension to a configuration, with these keys in YAML's flow style.
func withStatus(t *testing.T, settings string) func(configuration string) string {
	t.Helper()
	return func(configuration string) string {
		configuration = replace(t, configuration, "extensions:\n", "extensions:\n  status: {endpoint: \"127.0.0.1:0\", "+settings+"}\n")
		return replace(t, configuration, "extensions: [dead_letter", "extensions: [status, dead_letter")
	}
}

// both applies two changes to a configuration.
func both(first, second func(string) string) func(string) string {
	return func(configuration string) string { return second(first(configuration)) }
}

// statusOverview is the response of GET /v1/backends.
type statusOverview struct {
	Version   string
	StartedAt time.Time `json:"started_at"`
	Totals    statusCounts
	Backends  []statusBackend
}

// statusBackend is a backend in a response.
type statusBackend struct {
	ID, Kind         string
	Signals          []string
	State            string
	Since            *time.Time
	Enabled          bool
	Initialized      bool
	Endpoint         string
	Dispatch         string
	Durable          *bool
	CanPause         bool       `json:"can_pause"`
	PausedAt         *time.Time `json:"paused_at"`
	RateLimitedUntil *time.Time `json:"rate_limited_until"`
	LastError        *struct {
		Time     time.Time
		Status   int
		Message  string
		WhatToDo string `json:"what_to_do"`
	} `json:"last_error"`
	LastDelivery *time.Time `json:"last_delivery"`
	LastActivity *time.Time `json:"last_activity"`
	Counts       *statusCounts
	Queue        *struct{ Events int }
	InFlight     int `json:"in_flight"`
	ResponseTime *struct {
		Requests int
		Mean     float64 `json:"mean_ms"`
		P50      float64 `json:"p50_ms"`
		P95      float64 `json:"p95_ms"`
	} `json:"response_time"`
	DeadLetters *struct {
		Events  int
		Reasons map[string]int
	} `json:"dead_letters"`
	Variable, Switch string
	Metrics          string
	Collector        *struct{ Sent int }
}

type statusCounts struct {
	Accepted     int
	Delivered    int
	Skipped      int
	DeadLettered int `json:"dead_lettered"`
	Dropped      int
	Returned     int
	Waiting      int
	Outcomes     []struct {
		Outcome, Reason string
		Events          int
	}
	Replayed struct{ Delivered, Refused int }
}

// reasons returns the counts by outcome and reason, with a slash between.
func (c *statusCounts) reasons() map[string]int {
	reasons := map[string]int{}
	for _, o := range c.Outcomes {
		reasons[o.Outcome+"/"+o.Reason] += o.Events
	}
	return reasons
}

// statusEvent is an event at a backend, or a backend that does not remember it.
type statusEvent struct {
	Backend, Signal string
	State           string // of a backend that does not remember the event
	Entry           int
	ID, Name        string
	Outcome         string
	Progress        string
	Reason          string
	Status          int
	Attempts        int
	Tries           []struct {
		Time    time.Time
		Status  int
		Message string
	}
	NextAttempt *time.Time `json:"next_attempt"`
	GivesUp     *time.Time `json:"gives_up"`
	Replayed    string
	Message     string
	Payload     string
}

// statusURL is the address of the status extension.
func (c *collector) statusURL() string {
	return "http://" + c.address("Listening for status requests")
}

// ask sends a request to the status extension; a change has the header that changes need.
func (p *instrumentedCollector) ask(method, path, body string) (status int, text string) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), method, p.statusURL()+path, strings.NewReader(body))
	require.NoError(p.t, err)
	if method != http.MethodGet {
		request.Header.Set("X-Fanout-Request", "1")
	}
	response, err := p.client.Do(request)
	require.NoError(p.t, err)
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	require.NoError(p.t, err)
	return response.StatusCode, string(content)
}

// mustAsk sends a request, and reads the response, which must have the status, into result.
func (p *instrumentedCollector) mustAsk(want int, method, path, body string, result any) {
	p.t.Helper()
	status, text := p.ask(method, path, body)
	require.Equal(p.t, want, status, "%s %s: %s", method, path, text)
	require.NoError(p.t, json.Unmarshal([]byte(text), result), text)
}

// show reads the response to a GET request.
func (p *instrumentedCollector) show(path string, result any) {
	p.t.Helper()
	p.mustAsk(http.StatusOK, http.MethodGet, path, "", result)
}

// backends returns the backends by id.
func (p *instrumentedCollector) backends() map[string]statusBackend {
	p.t.Helper()
	var overview statusOverview
	p.show("/v1/backends", &overview)
	all := map[string]statusBackend{}
	for _, b := range overview.Backends {
		all[b.ID] = b
	}
	return all
}

// awaitBackend waits until a backend is as it should be.
func (p *instrumentedCollector) awaitBackend(id, what string, is func(b statusBackend) bool) statusBackend {
	p.t.Helper()
	var b statusBackend
	p.waitFor(id+" to be "+what, func() bool {
		b = p.backends()[id]
		return is(b)
	})
	return b
}

func (p *instrumentedCollector) awaitState(id, state string) statusBackend {
	p.t.Helper()
	return p.awaitBackend(id, state, func(b statusBackend) bool { return b.State == state })
}

// recent returns the events that a query selects, such as ?backend=webhook/a.
func (p *instrumentedCollector) recent(query string) []statusEvent {
	p.t.Helper()
	var list struct{ Events []statusEvent }
	p.show("/v1/events"+query, &list)
	return list.Events
}

// setPaused pauses or resumes a backend, and returns it.
func (p *instrumentedCollector) setPaused(id, change string) statusBackend {
	p.t.Helper()
	var b statusBackend
	p.mustAsk(http.StatusOK, http.MethodPost, "/v1/backends/"+id+"/"+change, "", &b)
	return b
}

// letters is the path of an exporter's dead letters.
func letters(exporter string) string { return "/v1/dead_letters/" + url.PathEscape(exporter) }

// limiting responds 429 and asks for a wait of so many seconds.
func limiting(seconds int) behavior {
	return func(w http.ResponseWriter, _ *http.Request, _ []event, _ []byte) bool {
		w.Header().Set("Retry-After", fmt.Sprint(seconds))
		w.WriteHeader(http.StatusTooManyRequests)
		return false
	}
}

// once responds to the first request in one way, and to the others in another.
func once(first, then behavior) behavior {
	requests := make(chan struct{}, 1)
	requests <- struct{}{}
	return func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
		select {
		case <-requests:
			return first(w, r, events, body)
		default:
			return then(w, r, events, body)
		}
	}
}

// withCoreExporters adds exporters of the collector to the pipeline that ends at webhook/ok.
func withCoreExporters(t *testing.T) func(string) string {
	t.Helper()
	return func(configuration string) string {
		configuration = replace(t, configuration, "exporters:\n", "exporters:\n  debug: {use_internal_logger: false}\n")
		return replace(t, configuration, "exporters: [webhook/ok", "exporters: [debug, webhook/ok")
	}
}

func TestStatusShowsEveryState(t *testing.T) {
	t.Parallel()
	const patient = "shutdown_timeout: 100ms, retry_on_failure: {initial_interval: 20ms, max_interval: 20ms, max_elapsed_time: 10m}"
	release := make(chan struct{})
	defer close(release)
	webhooks := []webhook{
		{"ok", newBackend(t, accepting).URL + "?token=planted-query", patient},
		{"failing", newBackend(t, refusing(http.StatusServiceUnavailable, "down for maintenance")).URL, patient},
		{"unauthorized", newBackend(t, refusing(http.StatusUnauthorized, "who are you?")).URL, patient},
		{"limited", newBackend(t, limiting(200)).URL, "shutdown_timeout: 100ms, retry_on_failure: {max_interval: 10m, max_elapsed_time: 1h}"},
		{"paused", newBackend(t, accepting).URL, patient},
		{"starting", newBackend(t, held(release)).URL, patient},
		{"off", "${env:AUDIT_URL:-}", "enabled: \"${env:AUDIT_ENABLED:-false}\""},
	}
	p := startInstrumentedWith(t, newDataFolders(t), both(withStatus(t, ""), withCoreExporters(t)), webhooks)
	before := p.backends()
	require.Len(t, before, 8)
	for _, id := range []string{"ok", "failing", "unauthorized", "limited", "paused", "starting"} {
		assert.Equal(t, "starting", before["webhook/"+id].State, id)
	}
	assert.Equal(t, "paused", p.setPaused("webhook/paused", "pause").State)
	newClient(t).mustAccept(t, p.eventURL(), linesType, lines(0, 1), 1)

	healthy := p.awaitState("webhook/ok", "ok")
	assert.Nil(t, healthy.LastError)
	assert.NotNil(t, healthy.LastDelivery)
	assert.Equal(t, strings.TrimSuffix(webhooks[0].url, "/hook?token=planted-query"), healthy.Endpoint)

	failing := p.awaitState("webhook/failing", "failing")
	require.NotNil(t, failing.LastError)
	assert.Equal(t, http.StatusServiceUnavailable, failing.LastError.Status)
	assert.Contains(t, failing.LastError.Message, "down for maintenance")
	assert.NotEmpty(t, failing.LastError.WhatToDo)
	assert.Nil(t, failing.LastDelivery)
	assert.Equal(t, 1, failing.Counts.Waiting)

	unauthorized := p.awaitState("webhook/unauthorized", "unauthorized")
	require.NotNil(t, unauthorized.LastError)
	assert.Equal(t, http.StatusUnauthorized, unauthorized.LastError.Status)
	assert.Contains(t, unauthorized.LastError.Message, "who are you?")
	assert.NotEmpty(t, unauthorized.LastError.WhatToDo)

	limited := p.awaitState("webhook/limited", "rate_limited")
	require.NotNil(t, limited.RateLimitedUntil)
	assert.WithinDuration(t, limited.LastError.Time.Add(200*time.Second), *limited.RateLimitedUntil, 90*time.Second)

	paused := p.awaitBackend("webhook/paused", "paused with an event", func(b statusBackend) bool { return b.State == "paused" && b.Queue.Events == 1 })
	assert.NotNil(t, paused.PausedAt)
	assert.Nil(t, paused.LastActivity, "a request to a paused backend")

	starting := p.awaitBackend("webhook/starting", "sending", func(b statusBackend) bool { return b.InFlight == 1 })
	assert.Equal(t, "starting", starting.State)
	assert.True(t, starting.Initialized)
	assert.Nil(t, starting.LastActivity)

	off := p.backends()["webhook/off"]
	assert.Equal(t, "off", off.State)
	assert.False(t, off.Enabled)
	assert.False(t, off.Initialized)
	assert.Equal(t, "AUDIT_ENABLED", off.Variable)
	assert.Equal(t, "exporters::webhook/off::enabled", off.Switch)

	core := p.awaitBackend("debug", "counted", func(b statusBackend) bool { return b.Collector != nil && b.Collector.Sent == 1 })
	assert.Equal(t, "unknown", core.State)
	assert.Equal(t, p.metrics, core.Metrics)
	assert.False(t, core.CanPause)
	p.setPaused("webhook/paused", "resume")
	p.awaitState("webhook/paused", "ok")
}
