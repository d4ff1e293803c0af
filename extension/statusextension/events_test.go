// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

func TestEventsAreShownNewestChangeFirst(t *testing.T) {
	w := newWorld(t)
	e := w.add("webhook")
	e.settle(e.enter("e1"), statusfeed.Delivered, "", 200, "")
	w.clock = w.clock.Add(time.Second)
	e.settle(e.enter("e2"), statusfeed.DeadLettered, "refused", 400, "no such field")
	body := w.ask("GET", "/v1/events").json(200)
	assert.EqualValues(t, 2, body["kept"])
	assert.Equal(t, map[string]any{
		"backend": "webhook", "signal": "logs", "entry": 2.0, "id": "e2", "name": "order_placed", "time": "2026-01-31T12:00:00.000Z",
		"received": "2026-01-31T12:00:01.000Z", "changed": "2026-01-31T12:00:01.000Z", "outcome": "dead_lettered", "reason": "refused", "status": 400.0,
		"duration_ms": 41.0, "attempts": 1.0, "message": "no such field",
		"tries": []any{map[string]any{"time": "2026-01-31T12:00:00.000Z", "status": 400.0, "duration_ms": 41.0, "message": "no such field"}},
	}, at(body, "events", 0))
	assert.Equal(t, "e1", at(body, "events", 1, "id"))
	assert.NotContains(t, at(body, "events", 1), "payload")
	assert.NotContains(t, at(body, "events", 1), "progress")
}

func TestEventsOnTheirWayHaveProgressAndNoOutcome(t *testing.T) {
	w := newWorld(t)
	e := w.add("webhook")
	waiting := e.enter("e1", "e2")
	e.Attempted([]statusfeed.Exchange{{Events: waiting[1:], Begun: w.clock, Took: time.Millisecond, Status: 503, Message: func(int) string { return "busy" }}},
		&statusfeed.Pending{Events: waiting[1:], Next: w.clock.Add(5 * time.Second), GivesUp: w.clock.Add(time.Minute)})
	body := w.ask("GET", "/v1/events?outcome=waiting").json(200)
	assert.Equal(t, "e1", at(body, "events", 0, "id"))
	assert.NotContains(t, at(body, "events", 0), "outcome")
	body = w.ask("GET", "/v1/events?outcome=retrying,held").json(200)
	assert.Len(t, body["events"], 1)
	assert.Equal(t, "retrying", at(body, "events", 0, "progress"))
	assert.Equal(t, "2026-01-31T12:00:05.000Z", at(body, "events", 0, "next_attempt"))
	assert.Equal(t, "2026-01-31T12:01:00.000Z", at(body, "events", 0, "gives_up"))
	assert.Equal(t, "busy", at(body, "events", 0, "tries", 0, "message"))
}

func TestEventsAreFiltered(t *testing.T) {
	w := newWorld(t)
	w.configure(collectorConfig)
	hook, audit := w.add("webhook"), w.add("webhook/audit")
	hook.settle(hook.enter("order-0001"), statusfeed.Delivered, "", 200, "")
	hook.settle(hook.enter("order-0002"), statusfeed.DeadLettered, "refused", 400, "no")
	audit.settle(audit.enter("order-0001"), statusfeed.Dropped, "queue_full", 0, "full")
	for query, want := range map[string]int{
		"": 3, "backend=webhook": 2, "backend=webhook/audit": 1, "backend=webhook,webhook/audit": 3, "backend=otlp_http": 0,
		"outcome=delivered": 1, "outcome=delivered,dropped": 2, "outcome=held": 0, "reason=refused": 1, "status=400": 1, "id=order-0001": 2, "id=0002": 1,
		"name=ORDER": 3, "name=login": 0, "limit=1": 1, "backend=webhook&outcome=dead_lettered": 1,
	} {
		assert.Len(t, w.ask("GET", "/v1/events?"+query).json(200)["events"], want, query)
	}
}

func TestInvalidFiltersOfEventsAreRefused(t *testing.T) {
	w := newWorld(t)
	w.add("webhook")
	for query, want := range map[string]string{
		"backnd=webhook":             `unknown parameter "backnd"; valid parameters: backend, outcome, reason, status, id, name, limit`,
		"backend=webhok":             `backend: "webhok" is not an exporter of the configuration; write the id of one: webhook`,
		"backend=webhook,":           "backend: an item is empty; separate values by one comma",
		"outcome=lost":               `outcome: "lost" is not a choice; valid are delivered, skipped, dead_lettered, dropped, returned, waiting, retrying, held`,
		"status=0":                   "status: must be a number from 100 to 599",
		"limit=0":                    "limit: must be a number from 1 to 1000",
		"limit=1001":                 "limit: must be a number from 1 to 1000",
		"limit=1e3":                  "limit: must be a number from 1 to 1000",
		"limit=18446744073709551616": "limit: must be a number from 1 to 1000",
		"limit=1&limit=2":            "limit: is given 2 times; give it once",
		"name=%":                     "malformed query",
		"a;b":                        "malformed query",
	} {
		for _, path := range []string{"/v1/events", "/v1/stream"} {
			w.ask("GET", path+"?"+query).fails(400, want)
		}
	}
}

// router registers the routing table of the fanout connector.
func (w *world) router(taken map[string]int) {
	w.t.Cleanup(w.registry.AddRouter(&statusfeed.Router{
		ID: component.MustNewID("fanout"), Signal: "logs",
		Routes: func() []statusfeed.Route {
			return []statusfeed.Route{
				{Events: []string{"login_*"}, Count: 1, Pipelines: []statusfeed.Pipeline{{ID: "logs/otlp", Count: 1}}},
				{Events: []string{"debug_*"}, Count: 2},
				{Count: 3, Pipelines: []statusfeed.Pipeline{{ID: "logs/webhook", Count: 3, Sync: true}, {ID: "logs/sentry", Disabled: true}}},
			}
		},
		Unrouted: func() map[string]int64 { return map[string]int64{"no_pipelines": 2} },
		RouteOf:  func(id string) (int, bool) { route, known := taken[id]; return route, known },
	}))
}

func TestEventIsShownAtEveryBackend(t *testing.T) {
	w := newWorld(t, func(cfg *Config) {
		cfg.SwitchedOff = map[string]statusfeed.SwitchedOff{"exporters/sentry": {Switch: "exporters::sentry::enabled"}}
	})
	w.configure(collectorConfig)
	w.router(map[string]int{"e1": 2, "nowhere": 1})
	hook := w.add("webhook")
	w.add("webhook/audit")
	hook.settle(hook.enter("e1"), statusfeed.Delivered, "", 200, "")

	body := w.ask("GET", "/v1/events/e1").json(200)
	assert.Equal(t, "order_placed", body["name"])
	assert.Equal(t, "2026-01-31T12:00:00.000Z", body["received"])
	assert.Equal(t, []any{map[string]any{
		"connector": "fanout", "signal": "logs", "route": 2.0, "events": []any{}, "pipelines": []any{"logs/webhook", "logs/sentry"},
	}}, body["routes"])
	assert.Equal(t, "delivered", at(body, "backends", 0, "outcome"))
	assert.Equal(t, []any{
		map[string]any{"backend": "otlp_http", "state": "not_routed"},
		map[string]any{"backend": "sentry", "state": "off"},
		map[string]any{"backend": "webhook/audit", "state": "unknown"},
	}, body["backends"].([]any)[1:])

	body = w.ask("GET", "/v1/events/nowhere").json(200)
	assert.Equal(t, "debug_*", at(body, "routes", 0, "events", 0))
	assert.Equal(t, "not_routed", at(body, "backends", 2, "state"))
}

func TestUnknownTimeOfReceiptHidesNoOther(t *testing.T) {
	w := newWorld(t)
	hook := w.add("webhook")
	hook.settle(hook.enter("e1"), statusfeed.Delivered, "", 200, "")
	audit := w.add("webhook/audit")
	audit.Accepted(1)
	audit.Settled(statusfeed.Delivered, "", 1, func(int) statusfeed.Event { // from a queue on disk, after a restart
		return statusfeed.Event{ID: "e1", Name: "order_placed", Status: 200}
	})
	body := w.ask("GET", "/v1/events/e1").json(200)
	assert.Len(t, body["backends"], 2)
	assert.Equal(t, "2026-01-31T12:00:00.000Z", body["received"])
}

// TestReachOfRoutes: a backend that gets events past the connector may have got any event.
func TestReachOfRoutes(t *testing.T) {
	w := newWorld(t)
	w.configure(`
receivers: {otlp: {}}
exporters: {webhook: {}, webhook/direct: {}, webhook/chained: {}, webhook/other: {}}
service:
  pipelines:
    logs/in: {receivers: [otlp], exporters: [fanout, forward/1]}
    logs/direct: {receivers: [forward/1], exporters: [webhook/direct]}
    logs/webhook: {receivers: [fanout], exporters: [webhook, forward/2]}
    logs/chained: {receivers: [forward/2], exporters: [webhook/chained, forward/2]}
    logs/other: {receivers: [fanout], exporters: [webhook/other]}
`)
	got := w.api.configuration().reachable([]takenJSON{{Connector: "fanout", Pipelines: []string{"logs/webhook"}}})
	for id, want := range map[string]bool{"webhook": true, "webhook/direct": true, "webhook/chained": true, "webhook/other": false} {
		assert.Equal(t, want, got[id], id)
	}
}

func TestUnknownEventIsNotFound(t *testing.T) {
	w := newWorld(t)
	w.ask("GET", "/v1/events/nobody").fails(404, `no backend remembers an event "nobody"; each one remembers its last 1000 events (recent_events)`)
	hook := w.add("webhook")
	hook.enter("a/b", "c d")
	assert.Equal(t, "a/b", w.ask("GET", "/v1/events/a/b").json(200)["id"])
	assert.Equal(t, "a/b", w.ask("GET", "/v1/events/a%2Fb").json(200)["id"])
	assert.Equal(t, "c d", w.ask("GET", "/v1/events/c%20d").json(200)["id"])
}

func TestPayloadsAreShownIfTheyAreKept(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.Payloads = "failures" })
	e := w.add("webhook")
	e.settle(e.enter("e1"), statusfeed.DeadLettered, "refused", 400, "no")
	e.settle(e.enter("e2"), statusfeed.Delivered, "", 200, "")
	assert.Equal(t, `{"id":1}`, at(w.ask("GET", "/v1/events/e1").json(200), "backends", 0, "payload"))
	assert.NotContains(t, at(w.ask("GET", "/v1/events/e2").json(200), "backends", 0), "payload")
}

func TestHostileEventsAreValidJSONWithinBounds(t *testing.T) {
	w := newWorld(t)
	e := w.add("webhook")
	hostile := strings.Repeat("\x00\u202e\"</script>\n\xff\U0001F600", 60_000)
	events := []batch.Event{{Meta: batch.Meta{ID: hostile, Name: hostile}}}
	e.Accepted(1)
	events[0].Entry = e.Enter(batch.Of(events))
	e.settle(events, statusfeed.DeadLettered, "refused", 400, hostile)
	e.Fails(&statusfeed.Problem{Status: 400, Message: hostile, Remedy: "correct the event"})
	for _, target := range []string{"/v1/events", "/v1/backends"} {
		got := w.ask("GET", target)
		assert.True(t, json.Valid([]byte(got.text)))
		assert.Less(t, len(got.text), 32_000, target)
	}
	event := at(w.ask("GET", "/v1/events").json(200), "events", 0)
	assert.LessOrEqual(t, len(at(event, "name").(string)), 200)
}

func TestRoutesAreShownWithCounts(t *testing.T) {
	w := newWorld(t, func(cfg *Config) {
		cfg.SwitchedOff = map[string]statusfeed.SwitchedOff{"exporters/sentry": {Pipelines: []string{"logs/sentry"}}}
	})
	w.configure(collectorConfig)
	w.router(nil)
	body := w.ask("GET", "/v1/routes").json(200)
	assert.Equal(t, []any{
		map[string]any{"id": "event", "pipelines": []any{"logs/in"}, "endpoints": []any{"localhost:4319"}},
		map[string]any{"id": "otlp", "pipelines": []any{"logs/in", "traces/in"}, "endpoints": []any{"localhost:4317", "localhost:4318"}},
	}, body["receivers"])
	assert.Equal(t, map[string]any{"no_pipelines": 2.0}, at(body, "connectors", 0, "unrouted"))
	assert.Equal(t, map[string]any{"index": 2.0, "events": []any{}, "events_count": 3.0, "pipelines": []any{
		map[string]any{"id": "logs/webhook", "disabled": false, "sync": true, "events": 3.0, "backends": []any{"webhook", "webhook/audit"}},
		map[string]any{"id": "logs/sentry", "disabled": true, "sync": false, "events": 0.0, "backends": []any{"sentry"}},
	}}, at(body, "connectors", 0, "routes", 2))
	assert.Equal(t, map[string]any{"id": "logs/in", "receivers": []any{"otlp", "event"}, "processors": []any{"memory_limiter"}, "exporters": []any{"fanout"}}, at(body, "pipelines", 0))
	assert.Len(t, body["pipelines"], 5)
}
