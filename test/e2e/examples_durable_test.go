// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"

	moengageintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/moengage"
	posthogintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/posthog"
	sentryintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/sentry"
)

// allBackends are stand-ins for the backends of everything.yaml.
type allBackends struct {
	sentry   *sentryintake.Intake
	posthog  *posthogintake.Intake
	moengage *moengageintake.Intake
	webhook  *backend
	otlp     *otlpIntake
}

// startEverything starts everything.yaml, which keeps its data in the folder.
func (b *allBackends) startEverything(t *testing.T, folder string) *instrumentedCollector {
	t.Helper()
	return startExample(t, "everything.yaml", []string{
		"FANOUT_DATA_DIR=" + folder,
		"SENTRY_DSN=" + b.sentry.DSN(),
		"POSTHOG_API_KEY=" + posthogintake.Key, "POSTHOG_ENDPOINT=" + b.posthog.URL(),
		"MOENGAGE_WORKSPACE_ID=" + moengageintake.Workspace, "MOENGAGE_API_KEY=" + moengageintake.Key, "MOENGAGE_DATA_CENTER=1",
		"WEBHOOK_URL=" + b.webhook.URL, "OTLP_ENDPOINT=" + b.otlp.URL,
	}, "exporters::moengage::endpoint: "+b.moengage.URL())
}

// fail makes all backends fail.
func (b *allBackends) fail() {
	b.sentry.ReplyWith(func(sentryintake.Envelope) sentryintake.Reply { return sentryintake.Unavailable() })
	b.posthog.ReplyWith(func(posthogintake.Request) posthogintake.Reply {
		return posthogintake.Error(http.StatusServiceUnavailable, "service_unavailable")
	})
	b.moengage.ReplyWith(func(moengageintake.Request) moengageintake.Reply { return moengageintake.Unavailable() })
	b.webhook.setBehavior(refusing(http.StatusServiceUnavailable, "busy"))
	b.otlp.set(true)
}

// recover makes all backends work again.
func (b *allBackends) recover() {
	b.sentry.ReplyWith(nil)
	b.posthog.ReplyWith(nil)
	b.moengage.ReplyWith(nil)
	b.webhook.setBehavior(accepting)
	b.otlp.set(false)
}

// names returns the sorted names each backend accepted, and messages of issues. There may be
// duplicates: the collector may be killed before it gets a response.
func (b *allBackends) names(t *testing.T) map[string][]string {
	t.Helper()
	names := map[string][]string{"issues": issueMessages(t, b.sentry)}
	for _, l := range logsAt(t, b.sentry) {
		names["logs"] = append(names["logs"], l.Body)
	}
	for _, s := range b.sentry.Spans() {
		names["spans"] = append(names["spans"], text(s["name"]))
	}
	for _, e := range b.posthog.Events() {
		names["posthog"] = append(names["posthog"], e.Name)
	}
	for _, a := range b.moengage.Actions() {
		names["moengage"] = append(names["moengage"], a.Name)
	}
	for _, e := range b.webhook.taken() {
		names["webhook"] = append(names["webhook"], e.name())
	}
	names["otlp"], names["otlp spans"] = b.otlp.taken()
	for where, list := range names {
		slices.Sort(list)
		names[where] = slices.Compact(list)
	}
	return names
}

func TestEverythingExampleSurvivesOutagesAndKill(t *testing.T) {
	t.Parallel()
	b := &allBackends{sentryintake.New(t), posthogintake.New(t), moengageintake.New(t), newBackend(t, accepting), newOTLPIntake(t)}
	b.posthog.AllowResending()
	b.fail()
	folder := t.TempDir()
	p := b.startEverything(t, folder)
	app := newGoApp(t, p.otlpHTTP())
	user := attribute.String("user.id", "u1001")
	ctx, request := app.tracer.Start(t.Context(), "POST /orders")
	_, work := app.tracer.Start(ctx, "reserve")
	reserve(work)
	work.End()
	request.End()
	app.emit("order_placed", user)
	app.emit("order_paid", user)
	app.sendSpans()
	app.sendLogs()
	p.waitFor("every backend to be tried", func() bool {
		return len(b.sentry.Requests()) > 0 && len(b.posthog.Requests()) > 0 && len(b.moengage.Requests()) > 0 && b.webhook.requested() > 0
	})
	p.kill()

	b.recover()
	p = b.startEverything(t, folder)
	want := map[string][]string{
		"issues":     {"tea is out of stock"},
		"logs":       {"order_paid", "order_placed"},
		"spans":      {"POST /orders", "reserve"},
		"posthog":    {"$exception", "order_paid", "order_placed"},
		"moengage":   {"order_paid", "order_placed"},
		"webhook":    {"order_paid", "order_placed"},
		"otlp":       {"order_paid", "order_placed"},
		"otlp spans": {"POST /orders", "reserve"},
	}
	p.waitFor("every backend to have all of it", func() bool { return assert.ObjectsAreEqual(want, b.names(t)) })

	b.webhook.setBehavior(refusing(http.StatusBadRequest, "the order has no total"))
	p.post(`{"id":"e1","name":"order_sent","user":{"id":"u1001"}}`)
	p.waitFor("a dead letter", func() bool { return len(p.newest("webhook", 10)) == 1 })
	refused := p.newest("webhook", 10)[0]
	assert.Equal(t, "e1", refused.ID)
	assert.Contains(t, refused.Message, "the order has no total")
	b.webhook.setBehavior(accepting)
	_, got := p.replay("webhook", nil)
	assert.Equal(t, 1, got.Delivered)
	p.stop()
	for where, names := range b.names(t) {
		if where != "issues" && where != "spans" && where != "otlp spans" {
			assert.Contains(t, names, "order_sent", where)
		}
	}
	require.Equal(t, []string{"order_paid", "order_placed", "order_sent"}, b.names(t)["webhook"])
}
