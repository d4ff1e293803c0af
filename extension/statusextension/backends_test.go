// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// collectorConfig has a fanout connector, two of our exporters, and one of the collector's.
const collectorConfig = `
receivers:
  otlp: {protocols: {grpc: {endpoint: "localhost:4317"}, http: {endpoint: "localhost:4318"}}}
  event: {endpoint: "localhost:4319"}
  unused: {endpoint: "localhost:1"}
exporters:
  webhook: {endpoint: "[REDACTED]"}
  webhook/audit: {endpoint: "[REDACTED]"}
  otlp_http: {endpoint: "https://user:hunter2@otlp.example.com:443/v1/hunter2?key=hunter2"}
service:
  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: localhost, port: 8888}}}}]}}
  pipelines:
    logs/in: {receivers: [otlp, event], processors: [memory_limiter], exporters: [fanout]}
    traces/in: {receivers: [otlp], processors: null, exporters: [fanout]}
    logs/webhook: {receivers: [fanout], processors: [], exporters: [webhook, webhook/audit]}
    logs/otlp: {receivers: [fanout], exporters: [otlp_http]}
    traces/otlp: {receivers: [fanout], exporters: [otlp_http]}
`

// TestProviderStatusIsComplete: enabled, initialized, last error, last activity, counts, and the mean
// of the last 100 response times.
func TestProviderStatusIsComplete(t *testing.T) {
	w, _ := newLetters(t)
	id := component.MustNewID("dead_letter")
	e := w.add("webhook", func(x *statusfeed.Exporter) { x.DeadLetter = &id })
	e.settle(e.enter("e1", "e2"), statusfeed.Delivered, "", 200, "")
	w.clock = w.clock.Add(time.Second)
	e.settle(e.enter("e3"), statusfeed.DeadLettered, "refused", 400, "no such field")
	e.Fails(&statusfeed.Problem{Status: 400, Message: "no such field", Remedy: "correct the event"})
	e.enter("e4")
	e.queue.Store(&statusfeed.Queue{Events: 1, Bytes: 250, Size: 250, Capacity: 1000, Sizer: "bytes", Oldest: w.clock})

	body := w.ask("GET", "/v1/backends").json(200)
	assert.Equal(t, "0.1.0", body["version"])
	assert.Equal(t, "2026-01-31T12:00:00.000Z", body["started_at"])
	assert.Equal(t, "2026-01-31T12:00:01.000Z", body["now"])
	b := backendOf(t, body, "webhook")
	assert.Equal(t, true, b["enabled"])
	assert.Equal(t, true, b["initialized"])
	assert.Equal(t, "ok", b["state"])
	assert.Equal(t, map[string]any{
		"time": "2026-01-31T12:00:01.000Z", "status": 400.0, "message": "no such field", "what_to_do": "correct the event",
	}, b["last_error"])
	assert.Equal(t, "2026-01-31T12:00:01.000Z", b["last_activity"])
	assert.EqualValues(t, 41, at(b, "response_time", "mean_ms"))
	assert.EqualValues(t, 2, at(b, "response_time", "requests"))
	assert.Equal(t, map[string]any{
		"accepted": 4.0, "delivered": 2.0, "skipped": 0.0, "dead_lettered": 1.0, "dropped": 0.0, "returned": 0.0, "waiting": 1.0,
		"outcomes": []any{
			map[string]any{"outcome": "dead_lettered", "reason": "refused", "events": 1.0},
			map[string]any{"outcome": "delivered", "reason": "", "events": 2.0},
		},
		"replayed": map[string]any{"delivered": 0.0, "refused": 0.0},
	}, b["counts"])
	assert.Equal(t, map[string]any{
		"events": 1.0, "bytes": 250.0, "size": 250.0, "capacity": 1000.0, "unit": "bytes", "fill": 0.25, "oldest": "2026-01-31T12:00:01.000Z",
	}, b["queue"])
	assert.Equal(t, map[string]any{
		"events": 3.0, "bytes": 300.0, "oldest": "2026-01-31T11:00:00.000Z", "reasons": map[string]any{"refused": 1.0, "exhausted": 1.0, "encoding": 1.0},
	}, b["dead_letters"])
	assert.Equal(t, "dead_letter", b["dead_letter"])
	assert.EqualValues(t, 30, at(b, "series", "step_s"))
	assert.Len(t, at(b, "series", "delivered"), 30)
	assert.Len(t, at(b, "series", "not_delivered"), 30)
	assert.Equal(t, map[string]any{
		"accepted": 4.0, "delivered": 2.0, "skipped": 0.0, "dead_lettered": 1.0, "dropped": 0.0, "returned": 0.0, "waiting": 1.0,
	}, body["totals"])
}

func TestBackendsHaveTheirStates(t *testing.T) {
	w := newWorld(t, func(cfg *Config) {
		cfg.SwitchedOff = map[string]statusfeed.SwitchedOff{
			"exporters/sentry": {Switch: "exporters::sentry::enabled", Variable: "SENTRY_ENABLED", Needs: []string{"SENTRY_DSN"}, Pipelines: []string{"logs/sentry", "traces/sentry"}},
			"receivers/kafka":  {Switch: "receivers::kafka::enabled"},
		}
	})
	w.configure(collectorConfig)
	w.add("webhook/new")
	problem := func(id string, p *statusfeed.Problem) {
		w.add(id).Fails(p)
	}
	problem("webhook/failing", &statusfeed.Problem{State: statusfeed.Failing, Status: 503})
	problem("webhook/unauthorized", &statusfeed.Problem{State: statusfeed.Unauthorized, Status: 401})
	problem("webhook/limited", &statusfeed.Problem{State: statusfeed.RateLimited, Status: 429, Until: w.clock.Add(time.Minute)})
	w.add("webhook/sync", func(x *statusfeed.Exporter) { x.Sync, x.Queue = true, nil })
	w.add("webhook/paused")
	w.ask("POST", "/v1/backends/webhook/paused/pause").json(200)

	body := w.ask("GET", "/v1/backends").json(200)
	for id, want := range map[string]string{
		"webhook/new": "starting", "webhook/failing": "failing", "webhook/unauthorized": "unauthorized", "webhook/limited": "rate_limited",
		"webhook/paused": "paused", "sentry": "off", "otlp_http": "unknown",
	} {
		assert.Equal(t, want, backendOf(t, body, id)["state"], id)
	}
	assert.Equal(t, map[string]any{
		"id": "sentry", "kind": "sentry", "signals": []any{"logs", "traces"}, "state": "off", "enabled": false, "initialized": false, "can_pause": false,
		"switch": "exporters::sentry::enabled", "variable": "SENTRY_ENABLED", "needs": []any{"SENTRY_DSN"},
	}, backendOf(t, body, "sentry"))
	assert.Equal(t, map[string]any{
		"id": "otlp_http", "kind": "otlp_http", "signals": []any{"logs", "traces"}, "state": "unknown", "enabled": true, "initialized": true, "can_pause": false,
		"endpoint": "https://otlp.example.com:443", "metrics": "http://localhost:8888/metrics",
	}, backendOf(t, body, "otlp_http"))
	assert.Equal(t, "2026-01-31T12:01:00.000Z", backendOf(t, body, "webhook/limited")["rate_limited_until"])
	assert.Equal(t, "2026-01-31T12:00:00.000Z", backendOf(t, body, "webhook/paused")["paused_at"])
	sync := backendOf(t, body, "webhook/sync")
	assert.Equal(t, "sync", sync["dispatch"])
	assert.NotContains(t, sync, "queue")
	var ids []string
	for _, b := range body["backends"].([]any) {
		ids = append(ids, at(b, "id").(string))
	}
	assert.IsIncreasing(t, ids)
}

func TestBackendsThatHaveNotStartedAreStarting(t *testing.T) {
	w := newWorld(t)
	w.configure(collectorConfig)
	w.api.pipelines.set(phaseStarting)
	b := backendOf(t, w.ask("GET", "/v1/backends").json(200), "webhook/audit")
	assert.Equal(t, "starting", b["state"])
	assert.Equal(t, false, b["initialized"])
	w.ask("POST", "/v1/backends/webhook/audit/pause").fails(409, "webhook/audit has not started yet")
}

func TestUnknownValuesAreAbsent(t *testing.T) {
	w := newWorld(t)
	w.add("webhook")
	b := backendOf(t, w.ask("GET", "/v1/backends").json(200), "webhook")
	for _, key := range []string{"last_error", "last_delivery", "last_activity", "response_time", "paused_at", "rate_limited_until", "dead_letters", "dead_letter", "metrics", "switch"} {
		assert.NotContains(t, b, key)
	}
	assert.NotContains(t, b["queue"], "oldest")
}

func TestPausingIsIdempotentAndSurvivesInDirectory(t *testing.T) {
	directory := t.TempDir()
	w := newWorld(t, func(cfg *Config) { cfg.Directory = directory })
	require.NoError(t, w.registry.Start())
	e := w.add("webhook/audit")
	assert.Equal(t, true, w.ask("GET", "/v1/backends").json(200)["state_survives_restart"])
	for range 2 {
		got := w.ask("POST", "/v1/backends/webhook/audit/pause").json(200)
		assert.Equal(t, "paused", got["state"])
		assert.True(t, e.paused.Load())
	}
	for range 2 {
		assert.NotEqual(t, "paused", w.ask("POST", "/v1/backends/webhook/audit/resume").json(200)["state"])
		assert.False(t, e.paused.Load())
	}
}

func TestPauseThatCannotBeStoredIsSaid(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "state")
	w := newWorld(t, func(cfg *Config) { cfg.Directory = directory })
	require.NoError(t, w.registry.Start())
	e := w.add("webhook")
	require.NoError(t, os.RemoveAll(directory))
	require.NoError(t, os.WriteFile(directory, nil, 0o600))
	got := w.ask("POST", "/v1/backends/webhook/pause").json(200)
	assert.Contains(t, got["warning"], "a restart undoes it")
	assert.True(t, e.paused.Load())
}

func TestBackendsThatCannotBePausedSayWhy(t *testing.T) {
	w := newWorld(t, func(cfg *Config) {
		cfg.SwitchedOff = map[string]statusfeed.SwitchedOff{"exporters/sentry": {Switch: "exporters::sentry::enabled", Variable: "SENTRY_ENABLED"}}
	})
	w.configure(collectorConfig)
	w.add("webhook/fixed", func(x *statusfeed.Exporter) { x.SetPaused = nil })
	w.ask("POST", "/v1/backends/sentry/pause").fails(409, "sentry is switched off by SENTRY_ENABLED; switch it on and restart the collector")
	w.ask("POST", "/v1/backends/otlp_http/resume").fails(409, "otlp_http is one of the collector's own exporters, which cannot be paused")
	w.ask("POST", "/v1/backends/webhook/fixed/pause").fails(409, "webhook/fixed: the exporter cannot be paused")
	w.ask("POST", "/v1/backends/nobody/pause").fails(404, `"nobody" is not an exporter of the configuration`)
	w.ask("POST", "/v1/backends/"+strings.Repeat("x", 1000)+"/pause").fails(404, "…")
	w.ask("POST", "/v1/backends/otlp_http/pause?paused=false").fails(400, `unknown parameter "paused"; valid parameters: none`)
	assert.Empty(t, w.log.All(), "nothing was changed")
}

func TestAnswersOfBackendsAreHidden(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.Answers = false })
	e := w.add("webhook")
	e.settle(e.enter("e1"), statusfeed.DeadLettered, "refused", 400, "no such user")
	e.Fails(&statusfeed.Problem{Status: 400, Message: "no such user", Remedy: "correct the event"})
	for _, target := range []string{"/v1/backends", "/v1/events", "/v1/events/e1"} {
		got := w.ask("GET", target)
		assert.Equal(t, 200, got.status)
		assert.NotContains(t, got.text, "no such user")
	}
	b := backendOf(t, w.ask("GET", "/v1/backends").json(200), "webhook")
	assert.Equal(t, "correct the event", at(b, "last_error", "what_to_do"))
}

func TestCredentialsInTheQueryAreNoUnknownParameters(t *testing.T) {
	w := newWorld(t, func(cfg *Config) {
		cfg.ServerConfig.Auth = configoptional.Some(confighttp.AuthConfig{RequestParameters: []string{"token"}})
	})
	assert.Equal(t, 200, w.ask("GET", "/v1/backends?token=hunter2").status)
	w.ask("GET", "/v1/backends?token=hunter2&x=1").fails(400, `unknown parameter "x"`)
}

func TestUnknownParametersAreRefused(t *testing.T) {
	w := newWorld(t)
	for _, target := range []string{"/", "/v1/backends", "/v1/routes", "/v1/ready", "/v1/openapi.yaml", "/v1/dead_letters", "/v1/events/e1"} {
		w.ask("GET", target+"?"+strings.Repeat("x", 500)+"=1").fails(400, "…\"; valid parameters: none")
	}
}
