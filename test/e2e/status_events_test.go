// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// statusFate is the response of GET /v1/events/{id}.
type statusFate struct {
	ID, Name string
	Received time.Time
	Routes   []struct {
		Connector, Signal string
		Route             int
		Events            []string
		Pipelines         []string
	}
	Backends []statusEvent
}

// fate returns what became of an event, by backend.
func (p *instrumentedCollector) fate(id string) (fate statusFate, at map[string]statusEvent) {
	p.t.Helper()
	p.show("/v1/events/"+id, &fate)
	at = map[string]statusEvent{}
	for _, e := range fate.Backends {
		at[e.Backend] = e
	}
	return fate, at
}

func TestStatusShowsFateOfEventAtEachBackend(t *testing.T) {
	t.Parallel()
	const retrying = "shutdown_timeout: 100ms, retry_on_failure: {initial_interval: 20ms, max_interval: 10m, max_elapsed_time: 1h}"
	branches := []branch{
		{"logs/delivered", "webhook/delivered", endpointOf(newBackend(t, accepting))},
		{"logs/retrying", "webhook/retrying", endpointOf(newBackend(t, once(refusing(http.StatusServiceUnavailable, "restarting"), limiting(200)))) + retrying},
		{"logs/refused", "webhook/refused", endpointOf(newBackend(t, refusing(http.StatusUnprocessableEntity, "the total is negative"))) + "dead_letter: dead_letter"},
		{"logs/held", "webhook/held", endpointOf(newBackend(t, accepting)) + "shutdown_timeout: 100ms"},
		{"logs/skipped", "sentry", `dsn: "http://key@127.0.0.1:1/42", logs: {enabled: false}`},
		{"logs/other", "webhook/other", endpointOf(newBackend(t, accepting))},
		{"logs/off", "webhook/off", `endpoint: "http://127.0.0.1:9", enabled: false`},
	}
	const table = `routes: [{events: [login_*], pipelines: [logs/other]}, {events: ["order_*"], pipelines: [logs/delivered, logs/retrying, logs/refused, logs/held, logs/skipped, logs/off]}], default_pipelines: [logs/other]`
	p := startInstrumentedWith(t, newDataFolders(t), both(throughFanout(t, table, branches...), withStatus(t, "")), nil)
	p.setPaused("webhook/held", "pause")
	p.post(`{"id": "order-1", "name": "order_placed"}`, `{"id": "login-1", "name": "login_success"}`)

	var fate statusFate
	var at map[string]statusEvent
	p.waitFor("the fate of order-1", func() bool {
		fate, at = p.fate("order-1")
		return at["webhook/retrying"].Attempts == 2 && at["webhook/delivered"].Outcome != "" && at["webhook/refused"].Outcome != "" && at["webhook/held"].Progress == "held"
	})
	assert.Equal(t, "order-1", fate.ID)
	assert.Equal(t, "order_placed", fate.Name)
	require.Len(t, fate.Routes, 1)
	assert.Equal(t, "fanout", fate.Routes[0].Connector)
	assert.Equal(t, 1, fate.Routes[0].Route)
	assert.Contains(t, fate.Routes[0].Events, "order_*")
	assert.Contains(t, fate.Routes[0].Pipelines, "logs/retrying")
	assert.Len(t, fate.Backends, 7)

	delivered := at["webhook/delivered"]
	assert.Equal(t, "delivered", delivered.Outcome)
	assert.Equal(t, http.StatusOK, delivered.Status)
	assert.Equal(t, 1, delivered.Attempts)
	assert.Empty(t, delivered.Progress)

	waits := at["webhook/retrying"]
	assert.Equal(t, "retrying", waits.Progress)
	assert.Empty(t, waits.Outcome)
	require.Len(t, waits.Tries, 2)
	assert.Equal(t, http.StatusServiceUnavailable, waits.Tries[0].Status)
	assert.Contains(t, waits.Tries[0].Message, "restarting")
	assert.Equal(t, http.StatusTooManyRequests, waits.Tries[1].Status)
	require.NotNil(t, waits.NextAttempt)
	require.NotNil(t, waits.GivesUp)
	assert.WithinDuration(t, waits.Tries[1].Time.Add(200*time.Second), *waits.NextAttempt, 90*time.Second)
	assert.WithinDuration(t, fate.Received.Add(time.Hour), *waits.GivesUp, 90*time.Second)

	refused := at["webhook/refused"]
	assert.Equal(t, "dead_lettered", refused.Outcome)
	assert.Equal(t, "refused", refused.Reason)
	assert.Equal(t, http.StatusUnprocessableEntity, refused.Status)
	assert.Contains(t, refused.Message, "the total is negative")

	assert.Equal(t, "skipped", at["sentry"].Outcome)
	assert.Equal(t, "logs_off", at["sentry"].Reason)
	assert.Equal(t, "held", at["webhook/held"].Progress)
	assert.Zero(t, at["webhook/held"].Attempts)
	assert.Equal(t, "off", at["webhook/off"].State)
	assert.Equal(t, "not_routed", at["webhook/other"].State)

	_, at = p.fate("login-1")
	assert.Equal(t, "not_routed", at["webhook/delivered"].State)
	status, text := p.ask(http.MethodGet, "/v1/events/order-2", "")
	assert.Equal(t, http.StatusNotFound, status, text)
	p.setPaused("webhook/held", "resume")
	p.waitFor("delivery after the pause", func() bool {
		_, at = p.fate("order-1")
		return at["webhook/held"].Outcome == "delivered"
	})
}

// endpointOf returns the endpoint of an exporter's configuration, before further keys.
func endpointOf(b *backend) string { return fmt.Sprintf("endpoint: %q, ", b.URL) }
