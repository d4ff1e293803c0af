// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package explain tests internal/explain with the components of the binary.
package explain

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/attributesprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/filterprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/tailsamplingprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/transformprocessor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/debugexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/batchprocessor"
	"go.opentelemetry.io/collector/processor/memorylimiterprocessor"
	"go.opentelemetry.io/collector/processor/processorhelper"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.uber.org/goleak"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-fanout/otelcol-fanout/connector/fanoutconnector"
	"github.com/otelcol-fanout/otelcol-fanout/exporter/moengageexporter"
	"github.com/otelcol-fanout/otelcol-fanout/exporter/posthogexporter"
	"github.com/otelcol-fanout/otelcol-fanout/exporter/sentryexporter"
	"github.com/otelcol-fanout/otelcol-fanout/exporter/webhookexporter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/explain"
	"github.com/otelcol-fanout/otelcol-fanout/receiver/eventreceiver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func byType[F component.Factory](factories ...F) map[component.Type]F {
	all := map[component.Type]F{}
	for _, f := range factories {
		all[f.Type()] = f
	}
	return all
}

func factories() otelcol.Factories {
	return otelcol.Factories{
		Receivers: byType[receiver.Factory](eventreceiver.NewFactory(), otlpreceiver.NewFactory()),
		Processors: byType[processor.Factory](attributesprocessor.NewFactory(), batchprocessor.NewFactory(), filterprocessor.NewFactory(), memorylimiterprocessor.NewFactory(),
			tailsamplingprocessor.NewFactory(), transformprocessor.NewFactory()),
		Exporters: byType[exporter.Factory](moengageexporter.NewFactory(), posthogexporter.NewFactory(), sentryexporter.NewFactory(), webhookexporter.NewFactory(),
			otlphttpexporter.NewFactory(), debugexporter.NewFactory()),
		Connectors: byType[connector.Factory](fanoutconnector.NewFactory()),
	}
}

func parse(t *testing.T, text string) *confmap.Conf {
	t.Helper()
	var root map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &root))
	return confmap.NewFromStringMap(root)
}

func settings(t *testing.T, config string) explain.Settings {
	t.Helper()
	return explain.Settings{BuildInfo: component.BuildInfo{Command: "otelcol-fanout", Version: "1.2.3"}, Factories: factories(), Config: parse(t, config)}
}

func run(t *testing.T, config string, in explain.Input) *explain.Result {
	t.Helper()
	result, err := explain.Run(t.Context(), settings(t, config), in)
	require.NoError(t, err)
	return result
}

func event(text string) explain.Input { return explain.Input{Event: []byte(text)} }

// backend returns the result of an exporter.
func backend(t *testing.T, result *explain.Result, id string) *explain.Backend {
	t.Helper()
	for i := range result.Backends {
		if result.Backends[i].ID == id {
			return &result.Backends[i]
		}
	}
	require.FailNow(t, "no such backend", id)
	return nil
}

const routed = `
receivers: {event: {endpoint: "localhost:0"}}
connectors:
  fanout:
    routes:
      - {events: [signup_*, login], pipelines: [logs/posthog, logs/webhook]}
      - {events: [debug_*], pipelines: []}
exporters:
  posthog: {api_key: phc_not_a_real_key}
  webhook: {endpoint: https://hooks.example.com}
processors:
  filter: {log_conditions: ['log.attributes["internal"] == true']}
service:
  pipelines:
    logs/in: {receivers: [event], exporters: [fanout]}
    logs/posthog: {receivers: [fanout], processors: [filter], exporters: [posthog]}
    logs/webhook: {receivers: [fanout], exporters: [webhook]}
`

func TestRoutesAndPipelinesOfAnEvent(t *testing.T) {
	result := run(t, routed, event(`{"id":"e1","name":"signup_completed","user":{"id":"u1"}}`))
	assert.Equal(t, "event", result.Receiver)
	e := explain.Event{Signal: "logs", ID: "e1", Name: "signup_completed"}
	assert.Equal(t, []explain.Event{e}, result.Events)
	assert.Equal(t, []explain.Route{
		{Connector: "fanout", Route: "signup_*", Pipeline: "logs/posthog", Events: 1}, {Connector: "fanout", Route: "signup_*", Pipeline: "logs/webhook", Events: 1},
	}, result.Routes)
	assert.Equal(t, []explain.Pipeline{
		{ID: "logs/in", Events: []explain.Event{e}, Exporters: []string{"fanout"}, Passed: 1},
		{ID: "logs/posthog", Events: []explain.Event{e}, Processors: []explain.Processor{{ID: "filter"}}, Exporters: []string{"posthog"}, Passed: 1},
		{ID: "logs/webhook", Events: []explain.Event{e}, Exporters: []string{"webhook"}, Passed: 1},
	}, result.Pipelines)
	posthog := backend(t, result, "posthog")
	assert.Equal(t, 1, posthog.Delivered)
	require.Len(t, posthog.Requests, 1)
	assert.Equal(t, "https://us.i.posthog.com/batch/", posthog.Requests[0].URL)
	assert.Equal(t, http.MethodPost, posthog.Requests[0].Method)
	assert.Contains(t, posthog.Requests[0].Body, `{"api_key":"[REDACTED]","batch":[{"uuid":"`)
}

func TestEventsThatReachNoBackend(t *testing.T) {
	for name, tt := range map[string]struct {
		event, posthog, webhook string
		unrouted                string
	}{
		"dropped":      {`{"name":"login","properties":{"internal":true}}`, "filter in logs/posthog dropped them", "", ""},
		"no route":     {`{"name":"other"}`, "no event was routed to logs/posthog", "no event was routed to logs/webhook", "no_route"},
		"no pipelines": {`{"name":"debug_a"}`, "no event was routed to logs/posthog", "no event was routed to logs/webhook", "no_pipelines"},
		"destinations": {`{"name":"login","destinations":{"posthog":false}}`, "fanout.destinations of the events switches off logs/posthog", "", ""},
		"all off": {
			`{"name":"login","destinations":{"all":false}}`, "fanout.destinations of the events switches off logs/posthog",
			"fanout.destinations of the events switches off logs/webhook", "destinations",
		},
	} {
		t.Run(name, func(t *testing.T) {
			result := run(t, routed, event(tt.event))
			assert.Equal(t, tt.posthog, backend(t, result, "posthog").Why)
			assert.Equal(t, tt.webhook, backend(t, result, "webhook").Why)
			assert.Empty(t, backend(t, result, "posthog").Requests)
			if tt.unrouted == "" {
				assert.Empty(t, result.Unrouted)
			} else {
				assert.Equal(t, []explain.Unrouted{{Connector: "fanout", Signal: "logs", Reason: tt.unrouted, Events: 1}}, result.Unrouted)
			}
		})
	}
}

func TestDroppedEventsAreNamed(t *testing.T) {
	result := run(t, routed, event(`[{"id":"e1","name":"login"},{"id":"e2","name":"login","properties":{"internal":true}},{"id":"e3","name":"signup_a","properties":{"internal":true}}]`))
	dropped := result.Pipelines[1].Processors[0].Dropped
	require.Len(t, dropped, 2)
	assert.Equal(t, "signup_a", dropped[1].Name)
	assert.Equal(t, 1, result.Pipelines[1].Passed)
}

// direct returns a configuration of one pipeline to an exporter.
func direct(exporter, keys string) string {
	return fmt.Sprintf(`
receivers: {event: {endpoint: "localhost:0"}, otlp: {protocols: {http: {endpoint: "localhost:0"}}}}
exporters: {%[1]s: {%[2]s}}
service: {pipelines: {logs: {receivers: [event, otlp], exporters: [%[1]s]}}}
`, exporter, keys)
}

func TestSkippedEventsSayWhy(t *testing.T) {
	config := direct("moengage", "workspace_id: w, api_key: not-a-real-key, data_center: 1")
	b := backend(t, run(t, config, event(`[{"name":"a"},{"name":"b","user":{"id":"u1"}}]`)), "moengage")
	assert.Equal(t, []explain.Skipped{{Reason: "no_customer_id", Events: 1}}, b.Skipped)
	assert.Equal(t, 1, b.Delivered)
	require.Len(t, b.Requests, 1)
}

func TestRefusedEventsSayWhy(t *testing.T) {
	for name, tt := range map[string]struct {
		config, event, id, reason string
	}{
		"too large": {
			direct("posthog", "api_key: phc_not_a_real_key"), `{"id":"e1","name":"a","properties":{"p":"` + strings.Repeat("x", 2<<20) + `"}}`, "e1", "too_large",
		},
		"too old": {
			direct("webhook", "endpoint: https://hooks.example.com, max_age: 1h"), `{"id":"e1","name":"a","timestamp":"2020-01-01T00:00:00Z"}`, "e1", "expired",
		},
		"sync": {
			direct("webhook", "endpoint: https://hooks.example.com, max_age: 1h, dispatch: sync"), `{"id":"e1","name":"a","timestamp":"2020-01-01T00:00:00Z"}`, "e1", "expired",
		},
	} {
		t.Run(name, func(t *testing.T) {
			result := run(t, tt.config, event(tt.event))
			b := &result.Backends[0]
			require.Len(t, b.Refused, 1, "%+v", b)
			assert.Equal(t, tt.id, b.Refused[0].ID)
			assert.NotEmpty(t, b.Refused[0].Message)
			assert.Equal(t, tt.reason, b.Refused[0].Reason)
			assert.Zero(t, b.Delivered)
			assert.Empty(t, b.Requests)
		})
	}
}

func TestReceiverSaysWhatItRejects(t *testing.T) {
	config := direct("webhook", "endpoint: https://hooks.example.com")
	result := run(t, config, event(`[{"name":"a"},{"user":{"id":"u"}}]`))
	require.Len(t, result.Rejected, 1)
	assert.Contains(t, result.Rejected[0], "event 2: ")
	assert.Len(t, result.Events, 1)
	_, err := explain.Run(t.Context(), settings(t, config), event(`{}`))
	var refused explain.InputError
	require.ErrorAs(t, err, &refused)
}

func TestFirstKeyAndSignedWebhooks(t *testing.T) {
	const config = `
receivers:
  event:
    endpoint: localhost:0
    keys: [{key: not-a-real-key-1, resource: {service.name: shop}}, {key: not-a-real-key-2, resource: {service.name: billing}}]
    webhooks: {github: {scheme: github, secrets: [not-a-real-secret]}}
    deduplication: {window: 10m}
exporters: {webhook: {endpoint: https://hooks.example.com}}
service: {pipelines: {logs: {receivers: [event], exporters: [webhook]}}}
`
	body := func(in explain.Input) string {
		b := backend(t, run(t, config, in), "webhook")
		require.Len(t, b.Requests, 1)
		return b.Requests[0].Body
	}
	assert.Contains(t, body(event(`{"name":"a"}`)), `"source":{"name":"shop"}`)
	assert.Contains(t, body(explain.Input{Event: []byte(`{"name":"a"}`), Header: http.Header{"X-Write-Key": {"not-a-real-key-2"}}}), `"source":{"name":"billing"}`)
	push := explain.Input{Event: []byte(`{"ref":"main"}`), Path: "/v1/webhooks/github", Header: http.Header{"X-Github-Event": {"push"}, "X-Github-Delivery": {"d1"}}}
	assert.Contains(t, body(push), `"name":"push"`)
	_, err := explain.Run(t.Context(), settings(t, config), explain.Input{Event: []byte(`{"name":"a"}`), Header: http.Header{"X-Write-Key": {"wrong"}}})
	require.ErrorContains(t, err, "the receiver event answers 401")
}

func TestProcessorThatWaitsIsReported(t *testing.T) {
	const config = `
receivers: {otlp: {protocols: {http: {endpoint: "localhost:0"}}}}
processors:
  batch: {timeout: 1h}
  tail_sampling: {decision_wait: 1h, policies: [{name: all, type: always_sample}]}
exporters: {otlp_http/batch: {endpoint: https://otlp.example.com}, otlp_http/tail: {endpoint: https://otlp.example.com}}
service:
  pipelines:
    traces/batch: {receivers: [otlp], processors: [batch], exporters: [otlp_http/batch]}
    traces/tail: {receivers: [otlp], processors: [tail_sampling], exporters: [otlp_http/tail]}
`
	began := time.Now()
	result := run(t, config, explain.Input{OTLP: []byte(spans)})
	assert.GreaterOrEqual(t, time.Since(began), 2*time.Second)
	for i := range result.Pipelines {
		assert.True(t, result.Pipelines[i].Processors[0].Waits, result.Pipelines[i].ID)
	}
	for i := range result.Backends {
		assert.Len(t, result.Backends[i].Requests, 1, "the processor decides when it stops")
	}
	var text strings.Builder
	require.NoError(t, result.WriteText(&text))
	assert.Contains(t, text.String(), "tail_sampling holds events back for more than 2s")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began = time.Now()
	_, err := explain.Run(ctx, settings(t, config), explain.Input{OTLP: []byte(spans)})
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Less(t, time.Since(began), time.Minute)
}

const spans = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"GET /","kind":2,"startTimeUnixNano":"1796000000000000000","endTimeUnixNano":"1796000001000000000"}]}]}]}`

func TestRoutesOfEventsThatWait(t *testing.T) {
	result := run(t, `
receivers: {event: {endpoint: "localhost:0"}}
processors: {batch: {timeout: 1h}}
connectors: {fanout: {default_pipelines: [logs/webhook]}}
exporters: {webhook: {endpoint: https://hooks.example.com}}
service:
  pipelines:
    logs/in: {receivers: [event], processors: [batch], exporters: [fanout]}
    logs/webhook: {receivers: [fanout], exporters: [webhook]}
`, event(`{"name":"order_placed"}`))
	assert.Equal(t, []explain.Route{{Connector: "fanout", Route: "default_pipelines", Pipeline: "logs/webhook", Events: 1}}, result.Routes)
	assert.Equal(t, 1, backend(t, result, "webhook").Delivered)
}

func TestCycleIsReportedWithoutStages(t *testing.T) {
	config := strings.ReplaceAll(routed, "{receivers: [event], exporters: [fanout]}", "{receivers: [event, fanout], exporters: [fanout]}")
	config = strings.Replace(config, "routes:", "default_pipelines: [logs/in]\n    routes:", 1)
	_, err := explain.Run(t.Context(), settings(t, config), event(`{"name":"a"}`))
	require.ErrorContains(t, err, `cycle detected: connector "fanout"`)
	assert.NotContains(t, err.Error(), "explain")
}

func TestInputOfTheOtherKind(t *testing.T) {
	config := strings.Replace(routed, "receivers: {", "receivers: {otlp: {protocols: {http: {}}}, ", 1)
	config = strings.Replace(config, "receivers: [event]", "receivers: [event, otlp]", 1)
	_, err := explain.Run(t.Context(), settings(t, config), event(spans))
	require.EqualError(t, err, "this is OTLP JSON, not an event; use --otlp for it (in a case: otlp)")
	_, err = explain.Run(t.Context(), settings(t, config), explain.Input{OTLP: []byte(`{"name":"a"}`)})
	require.ErrorContains(t, err, "or use --event (in a case: event) for other JSON")
	_, err = explain.Run(t.Context(), settings(t, config), explain.Input{OTLP: []byte(`{"resourceLogs":[]}`)})
	require.EqualError(t, err, "the OTLP has no log record, span or metric")
}

func TestRequestsKeepTheOrderOfEvents(t *testing.T) {
	var events, want, got strings.Builder
	for i := range 50 {
		fmt.Fprintf(&events, `{"name":"e%d"}`+"\n", i)
		fmt.Fprintf(&want, "e%d ", i)
	}
	for _, request := range backend(t, run(t, direct("webhook", "endpoint: https://hooks.example.com"), event(events.String())), "webhook").Requests {
		_, rest, _ := strings.Cut(request.Body, `"name":"`)
		name, _, _ := strings.Cut(rest, `"`)
		got.WriteString(name + " ")
	}
	assert.Equal(t, want.String(), got.String())
}

func TestProcessorsGetHeadersOfTheRequest(t *testing.T) {
	for included, want := range map[bool]string{true: `"tenant":"t1"`, false: `"name":"a"`} {
		result := run(t, fmt.Sprintf(`
receivers: {event: {endpoint: "localhost:0", include_metadata: %t}}
processors: {attributes: {actions: [{key: tenant, from_context: metadata.x-tenant, action: upsert}]}}
exporters: {webhook: {endpoint: https://hooks.example.com}}
service: {pipelines: {logs: {receivers: [event], processors: [attributes], exporters: [webhook]}}}
`, included), explain.Input{Event: []byte(`{"name":"a"}`), Header: http.Header{"X-Tenant": {"t1"}}})
		body := backend(t, result, "webhook").Requests[0].Body
		assert.Contains(t, body, want)
		assert.Equal(t, included, strings.Contains(body, "t1"))
	}
}

func TestBatchThatDoesNotWait(t *testing.T) {
	result := run(t, `
receivers: {event: {endpoint: "localhost:0"}}
processors: {batch: {timeout: 10ms}, memory_limiter: {check_interval: 1s, limit_mib: 4000}, transform: {log_statements: ['set(log.attributes["a"], 1)']}}
exporters: {webhook: {endpoint: https://hooks.example.com}}
service: {pipelines: {logs: {receivers: [event], processors: [memory_limiter, batch, transform], exporters: [webhook]}}}
`, event(`{"name":"order_placed"}`))
	for _, p := range result.Pipelines[0].Processors {
		assert.False(t, p.Waits, p.ID)
		assert.Empty(t, p.Dropped, p.ID)
	}
	assert.Contains(t, backend(t, result, "webhook").Requests[0].Body, `"properties":{"a":1}`)
}

func TestOTLPOfEachSignal(t *testing.T) {
	const config = `
receivers: {otlp: {protocols: {http: {endpoint: "localhost:0"}}}}
exporters: {debug: {}}
service:
  pipelines:
    logs: {receivers: [otlp], exporters: [debug]}
    traces: {receivers: [otlp], exporters: [debug]}
    metrics: {receivers: [otlp], exporters: [debug]}
`
	const logs = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"a"}]}]}]}`
	const metrics = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"asInt":"9007199254740993"}]}}]}]}]}`
	result := run(t, config, explain.Input{OTLP: []byte(logs + "\n" + spans + "\n" + metrics + "\n" + logs)})
	assert.Len(t, result.Events, 3, "a log record, a span and a metric; the same record again")
	requests := result.Backends[0].Requests
	require.Len(t, requests, 3)
	for i, want := range []string{`"eventName":"a"`, `"name":"GET /"`, `"asInt":"9007199254740993"`} {
		assert.Contains(t, requests[i].Body, want)
	}
}

func TestNumbersKeepTheirDigits(t *testing.T) {
	result := run(t, direct("webhook", "endpoint: https://hooks.example.com"), event(`{"name":"a","properties":{"n":9007199254740993,"f":0.1,"e":1}}`))
	var text strings.Builder
	require.NoError(t, result.WriteText(&text))
	assert.Contains(t, text.String(), "\n    \"n\": 9007199254740993,\n    \"f\": 0.1,\n")
}

func TestHostileNamesArePrintedAsText(t *testing.T) {
	result := run(t, direct("webhook", "endpoint: https://hooks.example.com"), event(`{"name":"a\u001b[31m\u202e","id":"e1"}`))
	var text strings.Builder
	require.NoError(t, result.WriteText(&text))
	assert.NotContains(t, text.String(), "\x1b")
	assert.NotContains(t, text.String(), "\u202e")
	assert.Contains(t, text.String(), `"name": "a\u001b[31m\u202e"`)
}

// TestConfigurationStaysUnchanged also runs it several times at once.
func TestConfigurationStaysUnchanged(t *testing.T) {
	set := settings(t, routed)
	before := set.Config.ToStringMap()
	var runs sync.WaitGroup
	for range 4 {
		runs.Go(func() {
			result, err := explain.Run(t.Context(), set, event(`{"id":"e1","name":"login","user":{"id":"u1"}}`))
			if assert.NoError(t, err) {
				assert.Equal(t, 1, backend(t, result, "webhook").Delivered)
			}
		})
	}
	runs.Wait()
	assert.Equal(t, before, set.Config.ToStringMap())
	assert.Equal(t, parse(t, routed).ToStringMap(), set.Config.ToStringMap())
}

// panics is a processor that panics.
func panics() processor.Factory {
	return processor.NewFactory(component.MustNewType("panics"), func() component.Config { return &struct{}{} },
		processor.WithLogs(func(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
			return processorhelper.NewLogs(ctx, set, cfg, next, func(context.Context, plog.Logs) (plog.Logs, error) { panic("boom phc_not_a_real_key") })
		}, component.StabilityLevelAlpha))
}

// TestPanicIsAnError: the process may be a collector that delivers events.
func TestPanicIsAnError(t *testing.T) {
	set := settings(t, `
receivers: {event: {endpoint: "localhost:0"}}
processors: {panics: {}}
exporters: {posthog: {api_key: phc_not_a_real_key}}
service: {pipelines: {logs: {receivers: [event], processors: [panics], exporters: [posthog]}}}`)
	set.Factories.Processors = byType(panics())
	_, err := explain.Run(t.Context(), set, event(`{"name":"login"}`))
	assert.EqualError(t, err, "a component panicked: boom [REDACTED]")
}

func TestTooManyEvents(t *testing.T) {
	set := settings(t, routed)
	set.MaxEvents = 2
	_, err := explain.Run(t.Context(), set, event(`[{"name":"a"},{"name":"b"}]`))
	require.NoError(t, err)
	for name, in := range map[string]explain.Input{
		"events": event(`[{"name":"a"},{"name":"b"},{"name":"c"}]`),
		"logs":   {OTLP: []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{},{}]}]}]}`)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := explain.Run(t.Context(), set, in)
			assert.Equal(t, explain.InputError("the input has more than 2 events; write fewer"), err)
		})
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := explain.Run(ctx, settings(t, routed), event(`{"name":"login"}`))
	assert.ErrorIs(t, err, context.Canceled)
}

func TestInvalidConfiguration(t *testing.T) {
	for name, tt := range map[string]struct{ config, want string }{
		"unknown type": {strings.ReplaceAll(routed, "posthog:", "posthogs:"), "invalid configuration: exporters::posthogs: there is no component of type posthogs"},
		"unknown key":  {strings.ReplaceAll(routed, "api_key:", "api_keys:"), "invalid configuration: exporters::posthog: "},
		"bad value":    {strings.ReplaceAll(routed, "phc_not_a_real_key", `""`), "invalid configuration: exporters::posthog: api_key: is missing"},
		"no pipelines": {"receivers: {event: {endpoint: 'localhost:0'}}\nexporters: {debug: {}}\nservice: {}", "invalid configuration: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := explain.Run(t.Context(), settings(t, tt.config), event(`{"name":"a"}`))
			assert.ErrorContains(t, err, tt.want)
		})
	}
}
