// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/trace"

	posthogintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/posthog"
	sentryintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/sentry"
)

// personal has the values that redaction.yaml hides from all backends, and some hidden from the
// partner.
var (
	personal          = []string{"ada@example.com", "example.com", "4111 1111", "4111-1111", "41111111", "55000000", "3782 8", "planted-token", "planted-password", "+49 30", "Lovelace Street"}
	personalToPartner = []string{"Ada", `"u1"`, `"u2"`, `"s1"`, "192.0.2.7"}
)

// anID is an event id that looks like a card number.
const anID = "5105105105105100"

// personError is an error that contains personal data.
type personError struct{}

func (personError) Error() string { return "ada@example.com paid with 4111 1111 1111 1111" }

// sendPersonalData sends personal data in every field that backends get.
func (a *goApp) sendPersonalData() {
	who := func(id string) attribute.KeyValue { return attribute.String("user.id", id) }
	a.emitRecord(log.SeverityInfo, "order_paid", "ada@example.com paid with 4111-1111-1111-1111", who("u1"),
		attribute.String("user.email", "ada@example.com"), attribute.String("user.full_name", "Ada"), attribute.String("session.id", "s1"),
		attribute.String("client.address", "192.0.2.7"), attribute.Float64("total", 12.5), attribute.Int64("card", 4111111111111111),
		attribute.String("note", "amex 3782 822463 10005, mastercard 5500000000000004"), attribute.String("header", "Bearer planted-token=="),
		attribute.String("userPassword", "planted-password"), attribute.Map("payment", attribute.String("card", "4111 1111 1111 1111")),
		attribute.StringSlice("recipients", []string{"ada@example.com"}), attribute.Map("cart", attribute.Int("items", 2)))
	a.emitRecord(log.SeverityInfo, "order_seen", "", who("u1"))
	a.emitRecord(log.SeverityInfo, "order_seen", "", who("u2"))
	a.emitRecord(log.SeverityInfo, "order_sent", "", who("u1"), attribute.String("log.record.uid", anID))
	a.emitRecord(log.SeverityInfo, "mail_opened", "", who("ada@example.com"))
	a.emitRecord(log.SeverityInfo, "mail_clicked", "", who("ada@example.com"))
	a.emitRecord(log.SeverityInfo, "", "", who("u1"), attribute.String("fanout.type", "identify"), attribute.String("user.email", "ada@example.com"),
		attribute.Map("fanout.traits", attribute.String("plan", "pro"), attribute.String("Email", "ada@example.com"),
			attribute.String("phone", "+49 30 1234567"), attribute.String("address", "1 Lovelace Street")))
	a.emitRecord(log.SeverityError, "", "", append(exceptionAttributes(personError{}, append([]byte(personError{}.Error()+"\n"), debug.Stack()...)), who("u1"))...)

	_, span := a.tracer.Start(a.t.Context(), "POST /orders", trace.WithAttributes(attribute.String("customer", "ada@example.com")))
	span.RecordError(personError{}, trace.WithStackTrace(true))
	span.AddEvent("mailed", trace.WithAttributes(attribute.String("to", "ada@example.com")))
	span.SetStatus(codes.Error, personError{}.Error())
	span.End()
	a.sendSpans()
	a.sendLogs()
}

func TestRedactionExampleHidesPersonalData(t *testing.T) {
	t.Parallel()
	sentry, posthog, partner := sentryintake.New(t), posthogintake.New(t), newBackend(t, accepting)
	partnerSaw := &journal{}
	partner.setBehavior(partnerSaw.of(accepting))
	p := startExample(t, "redaction.yaml", []string{
		"PRIVACY_KEY=a-key-of-the-tests-and-long-enough", "SENTRY_DSN=" + sentry.DSN(),
		"POSTHOG_API_KEY=" + posthogintake.Key, "POSTHOG_ENDPOINT=" + posthog.URL(), "PARTNER_URL=" + partner.URL,
	})
	newGoApp(t, p.otlpHTTP()).sendPersonalData()
	const events, spans = 8, 3 // a span and two events in it
	p.settled("posthog", events)
	p.settled("webhook/partner", events)
	p.settled("sentry", events+spans)
	p.stop()

	for _, request := range sentry.Requests() {
		assertNoSecrets(t, "Sentry", string(request.Envelope.Raw), personal)
	}
	for _, request := range posthog.Requests() {
		assertNoSecrets(t, "PostHog", string(request.Body), personal)
	}
	for _, request := range partnerSaw.written() {
		body, err := json.Marshal(request.events)
		require.NoError(t, err)
		assertNoSecrets(t, "the partner", string(body), append(personal, personalToPartner...))
	}
	assertNoSecrets(t, "the log", p.stderr.String(), personal)
	assert.Len(t, sentry.Events(), 2, "the exceptions of the record and of the span")
	assert.Len(t, sentry.Spans(), 1)
	assertRedactedAtPostHog(t, posthog.Events())
	assertRedactedAtPartner(t, partner.taken())
}

const digest = `^[0-9a-f]{64}$`

func assertRedactedAtPostHog(t *testing.T, events []posthogintake.Event) {
	t.Helper()
	byName := map[string]posthogintake.Event{}
	for _, e := range events {
		byName[e.Name] = e
	}
	paid := byName["order_paid"]
	assert.Equal(t, "u1", paid.DistinctID)
	assert.Equal(t, json.Number("12.5"), paid.Properties["total"])
	assert.Equal(t, map[string]any{"items": json.Number("2")}, paid.Properties["cart"], "a map without personal data stays a map")
	assert.Equal(t, "****", paid.Properties["card"])
	assert.Regexp(t, digest, paid.Properties["user.email"])
	assert.Equal(t, "****", paid.Properties["userPassword"])
	assert.Equal(t, map[string]any{"card": "****"}, paid.Properties["payment"], "a map with personal data stays a map")
	assert.Regexp(t, `^[0-9a-f]{64} paid with \*{4}$`, paid.Properties["body"])
	assert.Equal(t, "Ada", paid.Properties["user.full_name"])

	assert.Regexp(t, digest, byName["mail_opened"].DistinctID)
	assert.Equal(t, byName["mail_opened"].DistinctID, byName["mail_clicked"].DistinctID, "the same person gets the same id")
	set := byName["$identify"].Properties["$set"].(map[string]any)
	assert.Equal(t, "pro", set["plan"])
	assert.Equal(t, "****", set["phone"])
	assert.NotContains(t, set, "address")
	assert.Equal(t, paid.Properties["user.email"], set["Email"], "one address has one hash")
	assert.Contains(t, byName, "$exception")
}

func assertRedactedAtPartner(t *testing.T, events []event) {
	t.Helper()
	people := map[string]map[string]bool{} // by name of the event
	for _, e := range events {
		if e.name() == "order_sent" {
			assert.Equal(t, anID, e.id(), "ids stay")
		}
		user, _ := e["user"].(map[string]any)
		assert.Regexp(t, digest, user["id"], e.name())
		assert.Len(t, user, 1, e.name())
		if people[e.name()] == nil {
			people[e.name()] = map[string]bool{}
		}
		people[e.name()][text(user["id"])] = true
	}
	assert.Len(t, people["order_sent"], 1)
	assert.Len(t, people["order_seen"], 2, "two people stay two")
	for id := range people["order_paid"] {
		assert.True(t, people["order_seen"][id], "the same person gets the same id")
	}
}
