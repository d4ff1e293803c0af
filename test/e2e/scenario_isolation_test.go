// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The collector's own exporter with a small queue and a hanging backend. It gives up a request
// after a second.
const (
	hungPipeline = "logs/hung"
	hungExporter = "otlp_http/hung"
	smallQueue   = "timeout: 1s, retry_on_failure: {enabled: false}, sending_queue: {queue_size: 5, num_consumers: 1}"
)

func hungBranch(t *testing.T) branch {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server notices a disconnect only after reading the body
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	return branch{hungPipeline, hungExporter, fmt.Sprintf("endpoint: %q, %s", server.URL, smallQueue)}
}

func TestScenarioIsolationHangingCoreExporterAffectsNoOther(t *testing.T) {
	t.Parallel()
	const requests, together = 200, 10
	const events = requests * together
	b := newBackend(t, accepting)
	p := startFanout(t, newDataFolders(t), "default_pipelines: [logs/hung, logs/healthy]",
		branch{"logs/healthy", "webhook/healthy", fmt.Sprintf("endpoint: %q, batching: array", b.URL)}, hungBranch(t))
	app := newSDK(p)
	inParallel(requests, func(i int) bool {
		return assert.NoError(t, app.export(records(i*together, together)), "responses other than 2xx")
	})

	assert.Equal(t, map[string]int{"delivered/": events}, p.settled("webhook/healthy", events).reasons)
	different, again := b.tally()
	assert.Equal(t, []int{events, 0}, []int{different, again}, "events, and repeated ones")
	assert.Empty(t, b.missing(events))

	refused := p.counted("otelcol_fanout_kept_refusals_total", `pipeline="`+hungPipeline+`"`)
	assert.Greater(t, refused, events/2, "events without room in the queue")
	assert.Equal(t, refused, p.counted("otelcol_exporter_enqueue_failed_log_records", `exporter="`+hungExporter+`"`))
	assert.Zero(t, p.counted("otelcol_fanout_kept_refusals_total", `pipeline="logs/healthy"`))
	assert.Equal(t, events, p.counted("otelcol_fanout_routed_events_total", `pipeline="`+hungPipeline+`"`))
	assert.Contains(t, p.stderr.String(), hungPipeline, "the log names the pipeline that refuses")
}

func TestScenarioIsolationSyncPipelineReturnsErrors(t *testing.T) {
	t.Parallel()
	const most = 200
	b := newBackend(t, accepting)
	p := startFanout(t, newDataFolders(t), "default_pipelines: [logs/hung, logs/healthy], sync: [logs/hung]",
		branch{"logs/healthy", "webhook/healthy", fmt.Sprintf("endpoint: %q, batching: array", b.URL)}, hungBranch(t))
	app := newSDK(p)

	sent, refusals := 0, 0
	for ; sent < most && refusals < 3; sent++ {
		status, said, err := app.post(records(sent, 1))
		require.NoError(t, err)
		if status != http.StatusOK {
			assert.Equal(t, http.StatusServiceUnavailable, status, said)
			refusals++
		}
	}
	assert.Equal(t, 3, refusals, "refusals of %d requests", sent)
	assert.Equal(t, map[string]int{"delivered/": sent}, p.settled("webhook/healthy", sent).reasons, "the other pipeline has the refused events")
	assert.Empty(t, b.missing(sent))
	assert.Zero(t, p.counted("otelcol_fanout_kept_refusals_total"), "refusals hidden from the caller")
	assert.Equal(t, refusals, p.counted("otelcol_exporter_enqueue_failed_log_records", `exporter="`+hungExporter+`"`))
}
