// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/otel/log"
)

// otlpIntake is a stand-in for an OTLP vendor, which accepts protobuf and responds like Datadog.
type otlpIntake struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex
	down    bool
	headers []http.Header
	events  []string // the names of log records
	spans   []string
}

func newOTLPIntake(t *testing.T) *otlpIntake {
	t.Helper()
	in := &otlpIntake{t: t}
	in.Server = httptest.NewServer(in)
	t.Cleanup(in.Close)
	return in
}

func (in *otlpIntake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.down {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	assert.Equal(in.t, http.MethodPost, r.Method)
	assert.Equal(in.t, "application/x-protobuf", r.Header.Get("Content-Type"))
	in.headers = append(in.headers, r.Header)
	body, err := readPlain(r)
	assert.NoError(in.t, err)
	switch r.URL.Path {
	case "/v1/logs":
		in.takeLogs(body)
	case "/v1/traces":
		in.takeSpans(body)
	default:
		in.t.Errorf("a request to %s", r.URL.Path)
	}
	w.WriteHeader(http.StatusAccepted)
}

func (in *otlpIntake) takeLogs(body []byte) {
	request := plogotlp.NewExportRequest()
	assert.NoError(in.t, request.UnmarshalProto(body))
	for _, resource := range request.Logs().ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				in.events = append(in.events, record.EventName())
			}
		}
	}
}

func (in *otlpIntake) takeSpans(body []byte) {
	request := ptraceotlp.NewExportRequest()
	assert.NoError(in.t, request.UnmarshalProto(body))
	for _, resource := range request.Traces().ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				in.spans = append(in.spans, span.Name())
			}
		}
	}
}

// set changes whether it is down.
func (in *otlpIntake) set(down bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.down = down
}

// taken returns the names of the accepted events and spans.
func (in *otlpIntake) taken() (events, spans []string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return append([]string{}, in.events...), append([]string{}, in.spans...)
}

func TestDatadogExampleSendsEventsAndSpans(t *testing.T) {
	t.Parallel()
	in := newOTLPIntake(t)
	p := startExample(t, "datadog.yaml", []string{"DD_API_KEY=the-key", "DD_OTLP_SOURCE=shop"},
		"exporters::otlp_http/datadog::logs_endpoint: "+in.URL+"/v1/logs", "exporters::otlp_http/datadog::traces_endpoint: "+in.URL+"/v1/traces")
	app := newGoApp(t, p.otlpHTTP())
	_, span := app.tracer.Start(t.Context(), "POST /orders")
	span.End()
	app.emitRecord(log.SeverityInfo, "order_placed", "")
	app.sendSpans()
	app.sendLogs()
	p.post(`{"name":"order_paid","source":{"name":"shop"}}`)
	p.stop() // sends what is queued

	events, spans := in.taken()
	assert.ElementsMatch(t, []string{"order_placed", "order_paid"}, events)
	assert.Equal(t, []string{"POST /orders"}, spans)
	for _, header := range in.headers {
		assert.Equal(t, "the-key", header.Get("dd-api-key"))
		assert.Equal(t, "shop", header.Get("dd-otlp-source"))
		assert.Equal(t, "true", header.Get("compute_stats"))
	}
}

func TestDatadogExampleUsesSite(t *testing.T) {
	t.Parallel()
	path, err := filepath.Abs(filepath.Join(root, "examples", "datadog.yaml"))
	require.NoError(t, err)
	for site, environment := range map[string][]string{"datadoghq.com": nil, "us5.datadoghq.com": {"DD_SITE=us5.datadoghq.com"}} {
		end := run(t, append(environment, "DD_API_KEY=the-key"), "print-config", "--config", path)
		assert.Zero(t, end.code, end.stderr)
		assert.Contains(t, end.stdout, "logs_endpoint: https://otlp."+site+"/v1/logs\n")
		assert.Contains(t, end.stdout, "traces_endpoint: https://otlp."+site+"/v1/traces\n")
		assert.NotContains(t, end.stdout, "the-key")
	}
}
