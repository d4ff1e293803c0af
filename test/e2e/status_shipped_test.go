// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// backendOff is a backend of GET /v1/backends that is off.
type backendOff struct {
	ID       string
	State    string
	Enabled  bool
	Signals  []string
	Switch   string
	Variable string
	Needs    []string
}

func TestShippedStatusSaysHowToSwitchBackendsOn(t *testing.T) {
	t.Parallel()
	p := startShipped(t, "POSTHOG_API_KEY=phc_key")
	status, text := respond(t, http.MethodGet, "http://"+p.address("Listening for status requests")+"/v1/backends", http.Header{}, "", "")
	require.Equal(t, http.StatusOK, status)
	var shown struct{ Backends []backendOff }
	require.NoError(t, json.Unmarshal([]byte(text), &shown))
	off := map[string]backendOff{}
	for _, b := range shown.Backends {
		if b.State == "off" {
			off[b.ID] = b
		}
	}
	both, logs := []string{"logs", "traces"}, []string{"logs"}
	assert.Equal(t, map[string]backendOff{
		"sentry":  {ID: "sentry", State: "off", Signals: both, Switch: "exporters::sentry::enabled", Variable: "SENTRY_ENABLED", Needs: []string{"SENTRY_DSN"}},
		"posthog": {ID: "posthog", State: "off", Signals: both, Switch: "exporters::posthog::enabled", Variable: "POSTHOG_ENABLED"},
		"moengage": {
			ID: "moengage", State: "off", Signals: logs, Switch: "exporters::moengage::enabled", Variable: "MOENGAGE_ENABLED",
			Needs: []string{"MOENGAGE_API_KEY", "MOENGAGE_DATA_CENTER", "MOENGAGE_WORKSPACE_ID"},
		},
		"webhook":   {ID: "webhook", State: "off", Signals: logs, Switch: "exporters::webhook::enabled", Variable: "WEBHOOK_ENABLED", Needs: []string{"WEBHOOK_URL"}},
		"otlp_http": {ID: "otlp_http", State: "off", Signals: both, Switch: "exporters::otlp_http::enabled", Variable: "OTLP_ENABLED", Needs: []string{"OTLP_ENDPOINT"}},
	}, off)
	p.stop()
}

func TestStatusCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	p := startShipped(t, "STATUS_ENABLED=false")
	newClient(t).mustAccept(t, p.eventURL(), jsonType, `{"name":"order_placed"}`, 1)
	assert.NotContains(t, p.stderr.String(), "Listening for status requests")
	p.stop()
}

func TestShippedStatusAnswersAndIsReady(t *testing.T) {
	t.Parallel()
	shipped, err := os.ReadFile(shippedConfig(t))
	require.NoError(t, err)
	assert.Contains(t, string(shipped), "endpoint: localhost:13135\n")
	assert.Contains(t, string(shipped), "curl localhost:13135/v1/backends\n")

	p := startShipped(t)
	var ready struct{ Ready bool }
	p.waitFor("the status to be ready", func() bool {
		status, text := p.ask(http.MethodGet, "/v1/ready", "")
		require.NoError(t, json.Unmarshal([]byte(text), &ready))
		return assert.Equal(t, ready.Ready, status == http.StatusOK) && ready.Ready
	})
	p.post(`{"id": "order-1", "name": "order_placed"}`)
	console := p.awaitBackend("debug", "counted", func(b statusBackend) bool { return b.Collector != nil && b.Collector.Sent == 1 })
	assert.Equal(t, "unknown", console.State)
	assert.True(t, console.Enabled)
	fate, at := p.fate("order-1")
	require.Len(t, fate.Routes, 1)
	assert.Equal(t, "unknown", at["debug"].State)
	assert.Equal(t, "off", at["sentry"].State)
}
