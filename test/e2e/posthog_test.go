// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/trace"

	posthogintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/posthog"
)

// startPostHog starts a collector with all receivers, whose logs and traces go to a posthog
// exporter; settings are more keys, in YAML's flow style.
func startPostHog(t *testing.T, s *dataFolders, in *posthogintake.Intake, settings string) *instrumentedCollector {
	t.Helper()
	exporter := fmt.Sprintf("exporters:\n  posthog: {endpoint: %q, api_key: %s, dead_letter: dead_letter, %s}\n", in.URL(), posthogintake.Key, settings)
	return startInstrumentedWith(t, s, func(configuration string) string {
		configuration = replace(t, configuration, "exporters:\n", exporter)
		return replace(t, configuration, "exporters: []}", "exporters: [posthog]}\n    traces: {receivers: [otlp], exporters: [posthog]}")
	}, nil)
}

// eventsAt waits for that many events at the intake, by name.
func eventsAt(p *instrumentedCollector, in *posthogintake.Intake, count int) map[string]posthogintake.Event {
	p.t.Helper()
	p.waitFor(fmt.Sprintf("%d events at PostHog", count), func() bool {
		time.Sleep(10 * time.Millisecond)
		return len(in.Events()) >= count
	})
	byName := map[string]posthogintake.Event{}
	for _, e := range in.Events() {
		byName[e.Name] = e
	}
	return byName
}

func TestPostHogGetsEventsFromSDKs(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"batch", "v1"} {
		for name, send := range map[string]func(*testing.T, *collector){
			"the OpenTelemetry SDK for Go": sendWithGoOverHTTP, "the OpenTelemetry SDK for Node.js": sendWithNode, "curl": sendWithCurl,
		} {
			t.Run(protocol+"/"+name, func(t *testing.T) {
				t.Parallel()
				in := posthogintake.New(t)
				p := startPostHog(t, newDataFolders(t), in, soon+", logs: as_events, protocol: "+protocol)
				send(t, p.collector)
				events := eventsAt(p, in, 2)
				assert.Equal(t, map[string]int{"delivered": 2}, p.settled("posthog", 2).outcomes)
				p.stop()

				order := events["order_placed"]
				assert.Equal(t, "u1", order.DistinctID)
				assert.Equal(t, "2026-01-02T03:04:05.678901Z", order.Timestamp)
				assert.Equal(t, "an order was placed 🎉", order.Properties["body"])
				assert.Equal(t, true, order.Properties["paid"])
				assert.Equal(t, "AAH+/w==", order.Properties["bytes"])
				assert.Equal(t, "注文が確定しました", order.Properties["cjk"])
				assert.Equal(t, json.Number("0.1"), order.Properties["tenth"])
				assert.Equal(t, "shop", order.Properties["service.name"])
				nested, _ := order.Properties["nested"].(map[string]any)
				assert.Contains(t, nested, "deeper")
				assert.Equal(t, "a plain log", events["log"].Properties["body"])
				assert.Equal(t, events["log"].UUID, events["log"].DistinctID, "nobody")
			})
		}
	}
}

func TestPostHogGetsGoApplicationEvents(t *testing.T) {
	t.Parallel()
	in := posthogintake.New(t)
	p := startPostHog(t, newDataFolders(t), in, soon+", ai: {content: redacted}")
	app := newGoApp(t, p.otlpHTTP())

	ctx, request := app.tracer.Start(t.Context(), "POST /orders", trace.WithAttributes(attribute.String("user.id", "u1"), attribute.String("session.id", "s1")))
	_, chat := app.tracer.Start(ctx, "chat gpt-5", trace.WithAttributes(
		attribute.String("gen_ai.operation.name", "chat"), attribute.String("gen_ai.request.model", "gpt-5"),
		attribute.Int("gen_ai.usage.input_tokens", 12), attribute.String("user.id", "u1"),
		attribute.String("gen_ai.input.messages", `[{"role":"user","parts":[{"type":"text","content":"tell nobody"}]}]`)))
	chat.SetStatus(codes.Error, "overloaded")
	chat.End()
	reserve(request)
	var record log.Record
	record.SetTimestamp(time.Now())
	record.SetSeverity(log.SeverityFatal)
	record.SetEventName("payment_failed")
	record.AddAttributes(exceptionAttributes(stockError{"tea"}, debug.Stack())...)
	app.logger.Emit(ctx, record)
	request.End()
	app.sendSpans()
	app.sendLogs()

	events := eventsAt(p, in, 4)
	assert.Equal(t, map[string]int{"delivered": 4, "skipped": 1}, p.settled("posthog", 5).outcomes)
	p.stop()

	generation := events["$ai_generation"]
	assert.Equal(t, "u1", generation.DistinctID)
	assert.Equal(t, chat.SpanContext().SpanID().String(), generation.Properties["$ai_span_id"])
	assert.Equal(t, request.SpanContext().SpanID().String(), generation.Properties["$ai_parent_id"])
	assert.Equal(t, json.Number("12"), generation.Properties["$ai_input_tokens"])
	assert.Equal(t, "overloaded", generation.Properties["$ai_error"])
	assert.NotContains(t, string(generation.Raw), "tell nobody")
	assert.Contains(t, events, "payment_failed")

	exceptions := 0
	for _, e := range in.Events() {
		if e.Name != "$exception" {
			continue
		}
		exceptions++
		list := e.Properties["$exception_list"].([]any)[0].(map[string]any)
		assert.Equal(t, "tea is out of stock", list["value"])
		frames := list["stacktrace"].(map[string]any)["frames"].([]any)
		last := frames[len(frames)-1].(map[string]any)
		assert.Equal(t, "go", last["platform"])
		assert.Equal(t, thisPackage, last["module"])
		assert.Equal(t, true, last["in_app"])
		assert.Equal(t, request.SpanContext().TraceID().String(), e.Properties["trace_id"])
	}
	assert.Equal(t, 2, exceptions, "one of the span and one of the log")
}

func TestPostHogGetsExceptionFromNodeSDK(t *testing.T) {
	t.Parallel()
	in := posthogintake.New(t)
	p := startPostHog(t, newDataFolders(t), in, soon+", protocol: v1")
	want := recordWithNode(t, p.collector, "span")
	e := eventsAt(p, in, 1)["$exception"]
	p.stop()
	thrown := e.Properties["$exception_list"].([]any)[0].(map[string]any)
	assert.Equal(t, "PaymentError", thrown["type"])
	frames := thrown["stacktrace"].(map[string]any)["frames"].([]any)
	last := frames[len(frames)-1].(map[string]any)
	assert.Equal(t, "node:javascript", last["platform"])
	assert.Contains(t, last["filename"], script)
	assert.Equal(t, want.TraceID, e.Properties["trace_id"])
}

func TestPostHogBillingLimitMakesReplayableDeadLetters(t *testing.T) {
	t.Parallel()
	in, s := posthogintake.New(t), newDataFolders(t)
	in.ReplyWith(func(posthogintake.Request) posthogintake.Reply { return posthogintake.QuotaLimited("events") })
	p := startPostHog(t, s, in, soon)
	status, _, err := newSDK(p).post(records(0, 10))
	require.NoError(t, err)
	require.Equal(t, 200, status)
	assert.Equal(t, map[string]int{"dead_lettered/rate_limited": 10}, p.settled("posthog", 10).reasons)
	before := in.Requests()

	in.ReplyWith(nil)
	_, got := p.replay("posthog", nil)
	assert.Equal(t, 10, got.Delivered)
	p.stop()
	after := map[string]string{}
	for _, e := range in.Events() {
		after[e.UUID] = string(e.Raw)
	}
	require.Len(t, after, 10)
	for _, r := range before {
		for _, e := range r.Events {
			assert.Equal(t, string(e.Raw), after[e.UUID], "to the byte")
		}
	}
	assert.NotContains(t, s.text(t), posthogintake.Key)
}

const durablePostHog = "sending_queue: {storage: file_storage, batch: {flush_timeout: 5ms, min_size: 50, max_size: 50}}, " +
	"retry_on_failure: {initial_interval: 20ms, max_interval: 50ms, max_elapsed_time: 0}, protocol: "

func TestPostHogGetsDurableQueueAfterKill(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"batch", "v1"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			const rounds, requests, together = 3, 40, 10
			in, s := posthogintake.New(t), newDataFolders(t)
			in.AllowResending() // by the queue of the killed collector, with the same event
			var asked atomic.Int64
			in.ReplyWith(func(posthogintake.Request) posthogintake.Reply {
				if asked.Add(1)%10 == 0 {
					return posthogintake.Error(503, "service_unavailable").Within("0.01")
				}
				return posthogintake.OK()
			})
			var mu sync.Mutex
			accepted := map[string]bool{}
			for round := range rounds {
				p := startPostHog(t, s, in, durablePostHog+protocol)
				app := newSDK(p)
				began := make(chan struct{})
				begin := sync.OnceFunc(func() { close(began) })
				life := 5*time.Millisecond + rand.N(150*time.Millisecond)
				var killer sync.WaitGroup
				killer.Go(func() {
					select {
					case <-began:
						time.Sleep(life)
					case <-time.After(waitTimeout):
					}
					p.kill()
				})
				first := round * requests * together
				inParallel(requests, func(i int) bool {
					status, _, err := app.post(records(first+i*together, together))
					if err != nil || status/100 != 2 {
						return false // it was killed
					}
					mu.Lock()
					defer mu.Unlock()
					for n := range together {
						accepted[fmt.Sprint(first+i*together+n)] = true
					}
					begin()
					return true
				})
				killer.Wait()
			}
			p := startPostHog(t, s, in, durablePostHog+protocol)
			p.waitFor("every accepted event at PostHog", func() bool {
				time.Sleep(50 * time.Millisecond)
				arrived := map[string]bool{}
				for _, e := range in.Events() {
					arrived[fmt.Sprint(e.Properties["n"])] = true
				}
				for n := range accepted {
					if !arrived[n] {
						return false
					}
				}
				return true
			})
			p.stop()
			assert.Empty(t, s.text(t), "dead letters")
			t.Logf("%d events were accepted, %d arrived, in %d requests", len(accepted), len(in.Events()), len(in.Requests()))
		})
	}
}

func TestPostHogConfigurationErrorsHideKey(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, settings, problem string }{
		{"a personal key", "api_key: phx_plantedkey", "exporters::posthog: api_key: is a personal API key"},
		{"the private host", "api_key: phc_plantedkey, endpoint: https://us.posthog.com", "exporters::posthog: endpoint: does not accept events; write https://us.i.posthog.com"},
		{"a key in the URL", "api_key: phc_plantedkey, endpoint: \"https://us.i.posthog.com?token=phc_plantedkey\"", "exporters::posthog: endpoint: has a user, a query or a fragment"},
		{"a line feed", `api_key: "phc_plantedkey\n"`, "exporters::posthog: api_key: contains a character that is not allowed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			configuration := replace(t, configure(""), "exporters:\n", "exporters: {posthog: {"+tt.settings+"}}\n")
			configuration = replace(t, configuration, "exporters: []", "exporters: [posthog]")
			e := run(t, nil, "--config", writeConfig(t, configuration))
			assert.NotZero(t, e.code)
			assert.Contains(t, e.stderr, tt.problem)
			assertNoSecrets(t, "the output", e.stdout+e.stderr, []string{"plantedkey"})
		})
	}
}
