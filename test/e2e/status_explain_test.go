// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/explain"
)

// auditConfig adds a second webhook to the shipped configuration, with a route.
const auditConfig = `
exporters:
  webhook/audit: {endpoint: "${env:AUDIT_URL}", headers: {x-team: "${env:AUDIT_TOKEN}"}, signing: {scheme: standard, secrets: ["${env:AUDIT_SECRET}"]}}
connectors: {fanout: {routes: [{events: [order_*], pipelines: [logs/webhook, logs/audit]}]}}
service: {pipelines: {logs/audit: {receivers: [fanout], exporters: [webhook/audit]}}}
`

const explainedOrder = `{"id":"01a0c0de-0000-7000-8000-000000000001","timestamp":"2026-01-31T12:00:00Z","name":"order_placed","user":{"id":"u1"},"properties":{"order_id":9007199254740993,"total":12.50}}`

// explainer is a running collector that explains events, and the files that the command explain takes.
type explainer struct {
	*reloadable
	environment []string
	event       string
}

// ask asks the running collector.
func (e *explainer) ask(body string) (int, string) {
	e.t.Helper()
	header := http.Header{"X-Fanout-Request": {"1"}, "Content-Type": {jsonType}}
	return respond(e.t, http.MethodPost, "http://"+e.address("Listening for status requests")+"/v1/explain", header, "", body)
}

// explained returns the running collector's result for the order.
func (e *explainer) explained() *explain.Result {
	e.t.Helper()
	status, text := e.ask(`{"event":` + explainedOrder + `}`)
	require.Equal(e.t, http.StatusOK, status, text)
	for _, secret := range []string{"planted-token-of-audit", "planted-path-of-the-hook", webhookSecret} {
		assert.NotContains(e.t, text, secret)
	}
	var result explain.Result
	require.NoError(e.t, json.Unmarshal([]byte(text), &result))
	return withoutSendTimes(&result)
}

// commanded returns the command's result for the order.
func (e *explainer) commanded() *explain.Result {
	e.t.Helper()
	return withoutSendTimes(explainResult(e.t, e.environment, "--config", shippedConfig(e.t), "--config", e.file, "--event", e.event))
}

// withoutSendTimes removes times and signatures from the requests of a result.
func withoutSendTimes(result *explain.Result) *explain.Result {
	inCurl := regexp.MustCompile(`(?i)-H '(Webhook-Timestamp|Webhook-Signature): [^']*'`)
	for i := range result.Backends {
		for j := range result.Backends[i].Requests {
			request := &result.Backends[i].Requests[j]
			for _, name := range sendHeaders {
				if request.Headers.Get(name) != "" {
					request.Headers.Set(name, "...")
				}
			}
			request.Curl = inCurl.ReplaceAllString(request.Curl, "-H '$1: ...'")
			request.Body = sendTime.ReplaceAllString(request.Body, `"$1":"..."`)
		}
	}
	return result
}

// TestStatusExplainsAsTheCommandDoes also reloads the configuration. Nothing is sent or counted.
func TestStatusExplainsAsTheCommandDoes(t *testing.T) {
	t.Parallel()
	shop, audit := newInbox(t, singleEvents), newInbox(t, singleEvents)
	environment := []string{
		"WEBHOOK_ENABLED=true", "WEBHOOK_URL=" + shop.URL + "&path=planted-path-of-the-hook", "DEBUG_ENABLED=false",
		"AUDIT_URL=" + audit.URL, "AUDIT_TOKEN=planted-token-of-audit", "AUDIT_SECRET=" + webhookSecret,
	}
	file := writeConfig(t, auditConfig)
	p := startShippedWith(t, environment, "--config", file)
	e := &explainer{&reloadable{collector: p.collector, file: file, client: newClient(t)}, environment, filepath.Join(t.TempDir(), "event.json")}
	require.NoError(t, os.WriteFile(e.event, []byte(explainedOrder), 0o600))

	before := e.explained()
	assert.Equal(t, e.commanded(), before)
	assert.Equal(t, []string{"webhook", "webhook/audit"}, delivering(before))

	overview := func() string {
		_, text := respond(t, http.MethodGet, "http://"+e.address("Listening for status requests")+"/v1/backends", http.Header{}, "", "")
		return regexp.MustCompile(`"totals":\{[^}]*\}`).FindString(text)
	}
	assert.Contains(t, overview(), `"accepted":0,"delivered":0`)

	// A configuration that is refused changes nothing.
	bad := replace(t, auditConfig, "x-team", "x-team: 1, x-team")
	e.reload(bad, notReloaded)
	assert.Equal(t, before, e.explained())

	e.reload(replace(t, auditConfig, "[logs/webhook, logs/audit]", "[logs/audit]"), reloaded)
	after := e.explained()
	assert.Equal(t, e.commanded(), after)
	assert.Equal(t, []string{"webhook/audit"}, delivering(after))
	assert.Equal(t, "no event was routed to logs/webhook", after.Backends[slices.IndexFunc(after.Backends, func(b explain.Backend) bool { return b.ID == "webhook" })].Why)

	status, text := e.ask(`{"event":{"properties":{}}}`)
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, text, "the receiver event answers 400: ")

	// The pipelines that deliver are the collector's own: an event still takes its way.
	e.client.mustAccept(t, p.eventURL(), jsonType, explainedOrder, 1)
	audit.wait(p.collector, 1)
	p.stop()
	assert.Equal(t, 1, audit.count())
	assert.Zero(t, shop.count())
	assert.NotContains(t, p.stderr.String(), "planted-")
}

// delivering returns the backends that an event would be sent to.
func delivering(result *explain.Result) []string {
	var ids []string
	for i := range result.Backends {
		if result.Backends[i].Delivered > 0 {
			ids = append(ids, result.Backends[i].ID)
		}
	}
	return ids
}
