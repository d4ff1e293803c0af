// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	posthogintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/posthog"
	sentryintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/sentry"
)

func TestSignupsExampleKeepsErrorsOfEveryName(t *testing.T) {
	t.Parallel()
	sentry, posthog := sentryintake.New(t), posthogintake.New(t)
	p := startExample(t, "signups-and-errors.yaml", []string{
		"SENTRY_DSN=" + sentry.DSN(), "POSTHOG_API_KEY=" + posthogintake.Key, "POSTHOG_ENDPOINT=" + posthog.URL(),
	})
	p.post(
		`{"name":"signup_completed","user":{"id":"u1"}}`,
		`{"name":"signup_failed","message":"no such plan","severity":"error","user":{"id":"u1"}}`,
		`{"name":"signup_checked","exception":{"type":"PlanError","message":"plan is gone"},"user":{"id":"u1"}}`,
		`{"name":"debug_failed","message":"debugging failed","severity":"error"}`,
		`{"name":"debug_click"}`,
		`{"exception":{"type":"PaymentError","message":"declined"}}`,
		`{"name":"order_placed","user":{"id":"u1"}}`,
	)
	assert.Equal(t, map[string]int{"delivered": 4, "skipped": 3}, p.settled("sentry", 7).outcomes)
	p.settled("posthog", 4) // an exception with a name is two events
	p.stop()

	assert.ElementsMatch(t, []string{"no such plan", "plan is gone", "debugging failed", "declined"}, issueMessages(t, sentry))
	for _, e := range posthog.Events() {
		assert.Equal(t, "u1", e.DistinctID, e.Name)
		assert.Contains(t, []string{"signup_completed", "signup_failed", "signup_checked", "$exception"}, e.Name)
	}
}

func TestProjectsExampleSeparatesServices(t *testing.T) {
	t.Parallel()
	shop, billing := sentryintake.New(t), sentryintake.New(t)
	shopEvents, otherEvents := posthogintake.New(t), posthogintake.New(t)
	p := startExample(t, "several-projects.yaml", []string{
		"SHOP_SENTRY_DSN=" + shop.DSN(), "BILLING_SENTRY_DSN=" + billing.DSN(),
		"SHOP_POSTHOG_API_KEY=" + posthogintake.Key, "OTHER_POSTHOG_API_KEY=" + posthogintake.Key,
	}, "exporters::posthog/shop::endpoint: "+shopEvents.URL(), "exporters::posthog/other::endpoint: "+otherEvents.URL())
	p.post(
		`{"name":"order_placed","source":{"name":"shop"},"user":{"id":"u1"}}`,
		`{"name":"invoice_sent","source":{"name":"billing"},"user":{"id":"u1"}}`,
		`{"name":"mail_sent","user":{"id":"u1"}}`,
		`{"exception":{"type":"StockError","message":"no tea"},"source":{"name":"shop"},"user":{"id":"u1"}}`,
		`{"exception":{"type":"TaxError","message":"no rate"},"source":{"name":"billing"},"user":{"id":"u1"}}`,
	)
	p.settled("sentry/shop", 2)
	p.settled("sentry/billing", 2)
	p.settled("posthog/shop", 2)
	p.settled("posthog/other", 3)
	p.stop()

	assert.Equal(t, []string{"no tea"}, issueMessages(t, shop))
	assert.Equal(t, []string{"no rate"}, issueMessages(t, billing))
	assert.ElementsMatch(t, []string{"order_placed", "$exception"}, eventNames(shopEvents))
	assert.ElementsMatch(t, []string{"invoice_sent", "mail_sent", "$exception"}, eventNames(otherEvents))
}

func eventNames(in *posthogintake.Intake) []string {
	var names []string
	for _, e := range in.Events() {
		names = append(names, e.Name)
	}
	return names
}

func TestLocalDevelopmentExampleShowsEventTwice(t *testing.T) {
	t.Parallel()
	in := newBackend(t, accepting)
	p := startExample(t, "local-development.yaml", []string{"INBOX_URL=" + in.URL})
	p.post(`{"name":"order_placed","user":{"id":"u1"}}`)
	p.settled("webhook/inbox", 1)
	p.stop()

	require.Len(t, in.taken(), 1)
	assert.Equal(t, "order_placed", in.taken()[0].name())
	assert.Contains(t, p.stdout.String(), "EventName: order_placed")
}

// TestValidationScriptFindsMistakes runs examples/validate.sh as a CI job does: without any secret.
func TestValidationScriptFindsMistakes(t *testing.T) {
	t.Parallel()
	binary, err := filepath.Abs(os.Getenv("OTELCOL_FANOUT"))
	require.NoError(t, err)
	validate := func(configurations ...string) ([]byte, error) {
		script := exec.CommandContext(t.Context(), "examples/validate.sh", configurations...)
		script.Dir, script.Env = root, append(os.Environ(), "BINARY="+binary)
		return script.CombinedOutput()
	}
	printed, err := validate("examples/signups-and-errors.yaml", "config.yaml", "examples/webhook-template.yaml")
	require.NoError(t, err, "%s", printed)
	assert.NotContains(t, string(printed), "Error")

	mistaken := writeConfig(t, "exporters: {webhook: {endpoind: x}}")
	printed, err = validate(mistaken, "config.yaml")
	assert.Error(t, err, "the mistake is in the first file, the second is valid")
	assert.Contains(t, string(printed), "endpoind")
	assert.Contains(t, string(printed), "config.yaml is valid")
}
