// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

const collectorText = `# TYPE otelcol_exporter_sent_log_records counter
otelcol_exporter_sent_log_records{exporter="otlp_http",service_version="1"} 5
# TYPE otelcol_exporter_sent_spans_total counter
otelcol_exporter_sent_spans_total{exporter="otlp_http"} 7
otelcol_exporter_sent_spans_total{exporter="otlp_http/other"} 9
# TYPE otelcol_exporter_send_failed_spans counter
otelcol_exporter_send_failed_spans{exporter="otlp_http"} 2
# TYPE otelcol_exporter_queue_size gauge
otelcol_exporter_queue_size{data_type="logs",exporter="otlp_http"} 3
# TYPE otelcol_exporter_queue_capacity gauge
otelcol_exporter_queue_capacity{data_type="logs",exporter="otlp_http"} 1000
# TYPE otelcol_receiver_accepted_log_records counter
otelcol_receiver_accepted_log_records{receiver="otlp",transport="grpc"} 4
otelcol_receiver_accepted_log_records{receiver="otlp",transport="http"} 6
`

func TestCollectorsOwnMetricsAreShown(t *testing.T) {
	w := newWorld(t)
	w.configure(collectorConfig)
	var asked atomic.Int64
	text := atomic.Pointer[string]{}
	full := collectorText
	text.Store(&full)
	metrics := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = rw.Write([]byte(*text.Load()))
	}))
	defer metrics.Close()
	assert.NotContains(t, backendOf(t, w.ask("GET", "/v1/backends").json(200), "otlp_http"), "collector")

	w.api.metrics.from(metrics.URL)
	for range 5 {
		b := backendOf(t, w.ask("GET", "/v1/backends").json(200), "otlp_http")
		assert.Equal(t, map[string]any{"sent": 12.0, "send_failed": 2.0, "queue_size": 3.0, "queue_capacity": 1000.0}, b["collector"])
		assert.Equal(t, "unknown", b["state"])
		body := w.ask("GET", "/v1/routes").json(200)
		assert.Nil(t, at(body, "receivers", 0, "accepted"), "the event receiver has no such metric here")
		assert.EqualValues(t, 10, at(body, "receivers", 1, "accepted"))
		w.api.metrics.at = time.Now() // as if no second had passed
	}
	assert.Equal(t, int64(1), asked.Load(), "the metrics are read once a second at most")

	for name, broken := range map[string]string{"not Prometheus": "{}", "too large": strings.Repeat("# x\n", maxMetrics/4+1), "empty": ""} {
		text.Store(&broken)
		w.api.metrics.at = time.Time{}
		assert.NotContains(t, backendOf(t, w.ask("GET", "/v1/backends").json(200), "otlp_http"), "collector", name)
	}
}

func TestRedirectsOfMetricsAreNotFollowed(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { assert.Fail(t, "the redirect was followed") }))
	defer other.Close()
	metrics := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer metrics.Close()
	_, err := scrape(t.Context(), metrics.URL)
	assert.ErrorContains(t, err, "status 302")
}
