// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	posthogintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/posthog"
	sentryintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/sentry"
)

// many is the number of events and traces of each kind.
const many = 400

// hovers returns frequent events and some that are always kept. Their ids decide, so the result is
// deterministic.
func hovers() string {
	var lines strings.Builder
	for i := range many {
		fmt.Fprintf(&lines, `{"id":"hover-%d","name":"feature_hovered","user":{"id":"u%d"}}`+"\n", i, i%7)
	}
	for i := range 20 {
		fmt.Fprintf(&lines, `{"id":"broken-%d","name":"feature_broken","severity":"error","user":{"id":"u1"}}`+"\n", i)
		fmt.Fprintf(&lines, `{"id":"thrown-%d","name":"feature_threw","user":{"id":"u1"},"exception":{"type":"E","message":"no"}}`+"\n", i)
		fmt.Fprintf(&lines, `{"id":"order-%d","name":"order_placed","user":{"id":"u1"}}`+"\n", i)
	}
	return lines.String()
}

func TestSamplingExampleKeepsAllErrors(t *testing.T) {
	t.Parallel()
	posthog, all := posthogintake.New(t), newInbox(t, arraysOfEvents)
	p := startExample(t, "sampling.yaml", []string{
		"SENTRY_DSN=http://key@127.0.0.1:9/42", "POSTHOG_API_KEY=" + posthogintake.Key, "POSTHOG_ENDPOINT=" + posthog.URL(), "WEBHOOK_URL=" + all.URL,
	})
	newClient(t).mustAccept(t, p.eventURL(), linesType, hovers(), many+60)
	all.wait(p.collector, many+60)
	p.stop() // sends what is queued

	standsFor := map[string][]any{}
	for _, e := range posthog.Events() {
		standsFor[e.Name] = append(standsFor[e.Name], e.Properties["stands_for"])
		for name := range e.Properties {
			assert.NotContains(t, name, "sampling.")
		}
	}
	sampled := standsFor["feature_hovered"]
	assert.Greater(t, len(sampled), many/20, "a tenth, more or less")
	assert.Less(t, len(sampled), many/5, "a tenth, more or less")
	for _, n := range sampled {
		assert.Equal(t, json.Number("10"), n)
	}
	for _, name := range []string{"feature_broken", "feature_threw", "order_placed"} {
		assert.Equal(t, make([]any, 20), standsFor[name], "all of %s, each of which stands for itself", name)
	}
	assert.Len(t, standsFor["$exception"], 20)
	assert.Equal(t, many+60, all.count(), "the webhook has all of them")
}

func TestSamplingExampleKeepsFailedAndSlowTraces(t *testing.T) {
	t.Parallel()
	in := sentryintake.New(t)
	p := startExample(t, "sampling.yaml", []string{
		"SENTRY_DSN=" + in.DSN(), "POSTHOG_API_KEY=" + posthogintake.Key, "WEBHOOK_URL=" + aURL,
	}, "processors::tail_sampling::decision_wait: 500ms")
	app := newGoApp(t, p.otlpHTTP())
	began := time.Now()
	// within starts a child span, and lets the test modify it.
	within := func(name string, do func(trace.Span), options ...trace.SpanStartOption) {
		ctx, outer := app.tracer.Start(t.Context(), name, options...)
		_, inner := app.tracer.Start(ctx, name+"_within")
		do(inner)
		inner.End()
		outer.End()
	}
	for range many / 2 {
		within("fine", func(trace.Span) {})
	}
	for range 10 {
		within("failed", func(s trace.Span) { s.SetStatus(codes.Error, "") })
		within("thrown", func(s trace.Span) { s.RecordError(stockError{"tea"}) })
		within("slow", func(trace.Span) {}, trace.WithTimestamp(began.Add(-3*time.Second)))
	}
	app.sendSpans()
	sentryintake.WaitFor(in, 60, in.Spans)
	p.stop() // sends what is queued

	count := map[string]int{}
	for _, s := range in.Spans() {
		count[text(s["name"])]++
	}
	for _, kept := range []string{"failed", "thrown", "slow"} {
		assert.Equal(t, 10, count[kept], kept)
		assert.Equal(t, 10, count[kept+"_within"], kept)
	}
	assert.Less(t, count["fine"], many/8, "one in twenty, more or less")
	assert.Equal(t, count["fine"], count["fine_within"], "traces are whole")
	assert.Len(t, in.Events(), 10, "the exceptions")
}
