// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"net/http"
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
