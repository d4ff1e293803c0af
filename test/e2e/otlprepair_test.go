// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// Requests with a bad record, span or metric beside good ones, as instrumentation of language models and
// clients written by hand send them.
const (
	badLogs = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[
		{"eventName":"first","timeUnixNano":"1800000000000000000","attributes":[{"key":"n","value":{"intValue":1}}]},
		{"eventName":"second","timeUnixNano":1800000000000000000.5,"severityNumber":"INFO","traceId":null,"attributes":[
			{"key":"ratio","value":{"doubleValue":NaN}},{"key":"count","value":{"intValue":1.5}},{"key":"none","value":{"doubleValue":null}}]},
		{"eventName":"third","timeUnixNano":"1800000000000000000","body":"text"}]}]}]}`
	// Errors of the receiver quote the body around a fault, up to ten bytes before it. Here these begin
	// within a character.
	badUmlauts = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"fourth","attributes":[
		{"value":{"doubleValue":NaN},"key":"größe"},{"key":"ä","value":{"arrayValue":{"values":[{"stringValue":"äääääääääääääääää"},"ääääääää"]}}}]}]}]}]}`
	badSpans = `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"assistant"}}]},"scopeSpans":[{"scope":{"name":"ai"},"spans":[
		{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":null,"name":"ai.generateText","kind":1,
		 "startTimeUnixNano":"1800000000000000000","endTimeUnixNano":"1800000001000000000","attributes":[
			{"key":"ai.usage.promptTokens","value":{"doubleValue":null}},{"key":"ai.usage.completionTokens","value":{"doubleValue":NaN}},
			{"key":"ai.model.id","value":{"stringValue":"m"}}],"status":{"code":null}},
		{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b175","name":"neighbor","kind":1,
		 "startTimeUnixNano":"1800000000000000000","endTimeUnixNano":"1800000001000000000"}]}]}]}`
	badMetrics = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
		{"name":"bad","gauge":{"dataPoints":[{"timeUnixNano":"1800000000000000000","asDouble":Infinity},{"asDouble":null}]}},
		{"name":"neighbor","gauge":{"dataPoints":[{"timeUnixNano":"1800000000000000000","asInt":5}]}}]}]}]}`
)

// otlpBackend keeps the names of the spans and metrics that it is sent.
type otlpBackend struct {
	mu    sync.Mutex
	names []string
}

func (b *otlpBackend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	spans, metrics := ptraceotlp.NewExportRequest(), pmetricotlp.NewExportRequest()
	if r.URL.Path == "/v1/traces" {
		err = errors.Join(err, spans.UnmarshalProto(body))
	} else {
		err = errors.Join(err, metrics.UnmarshalProto(body))
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, rs := range spans.Traces().ResourceSpans().All() {
		for _, span := range rs.ScopeSpans().At(0).Spans().All() {
			b.names = append(b.names, "span "+span.Name())
		}
	}
	for _, rm := range metrics.Metrics().ResourceMetrics().All() {
		for _, metric := range rm.ScopeMetrics().At(0).Metrics().All() {
			b.names = append(b.names, "metric "+metric.Name())
		}
	}
}

func (b *otlpBackend) received() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.names)
}

func TestBadValuesInOTLPJSONDoNotCostTheirNeighbors(t *testing.T) {
	t.Parallel()
	logs, others := newBackend(t, accepting), &otlpBackend{}
	server := httptest.NewServer(others)
	t.Cleanup(server.Close)
	c := start(t, fmt.Sprintf(`extensions: {memory_guard: {}, otlp_repair: {}}
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:0", middlewares: [{id: memory_guard}, {id: otlp_repair}]}}}
exporters:
  webhook: {endpoint: %q}
  otlp_http: {endpoint: %q, compression: none}
service:
  extensions: [memory_guard, otlp_repair]
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [otlp], exporters: [webhook]}
    traces: {receivers: [otlp], exporters: [otlp_http]}
    metrics: {receivers: [otlp], exporters: [otlp_http]}
`, logs.URL, server.URL))
	client := newClient(t)
	url := "http://" + c.otlpHTTP()
	umlauts, err := client.post(url+"/v1/logs", "application/json", badUmlauts)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, umlauts.status, "the receiver's error is not UTF-8")
	for path, body := range map[string]string{"/v1/logs": "\ufeff" + badLogs, "/v1/traces": badSpans, "/v1/metrics": badMetrics} {
		reply, err := client.post(url+path, "application/json", body)
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, reply.status, path)
	}
	c.waitFor("all events", func() bool {
		events, _ := logs.tally()
		return events == 4 && len(others.received()) == 4
	})
	assert.ElementsMatch(t, []string{"span ai.generateText", "span neighbor", "metric bad", "metric neighbor"}, others.received())

	reply, err := client.post(url+"/v1/logs", "application/json", `{"resourceLogs":[{"scopeLogs":"`)
	require.NoError(t, err)
	assert.Equal(t, http.StatusBadRequest, reply.status, "the receiver's own error remains")

	reply, err = client.send(http.MethodPost, url+"/v1/logs", http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}}, gzipped(t, badLogs))
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, reply.status, "compressed")
	c.stop()
	assert.Contains(t, c.stderr.String(), "null at resourceSpans.scopeSpans.spans.attributes.value.doubleValue")
}
