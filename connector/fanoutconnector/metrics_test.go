// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// readMetric returns the values of a metric by its attributes, without the connector's ID.
func readMetric(t *testing.T, telemetry *componenttest.Telemetry, name string) map[string]int64 {
	t.Helper()
	m, err := telemetry.GetMetric(name)
	require.NoError(t, err)
	sum := m.Data.(metricdata.Sum[int64])
	assert.True(t, sum.IsMonotonic)
	values := map[string]int64{}
	for _, point := range sum.DataPoints {
		var words []string
		for _, kv := range point.Attributes.ToSlice() {
			if kv.Key == "connector" {
				assert.True(t, strings.HasPrefix(kv.Value.AsString(), "fanout/"))
				continue
			}
			words = append(words, kv.Value.AsString())
		}
		values[strings.Join(words, " ")] = point.Value
	}
	return values
}

func TestMetricsCountEveryRecord(t *testing.T) {
	sinks := map[string]*sink{"logs/a": {}, "logs/b": {}, "logs/c": {}, "traces/a": {}}
	sinks["logs/b"].refuses(errors.New("no"))
	sinks["logs/c"].refuses(errors.New("no"))
	r := newHarness(t, `
routes:
  - {events: ["sign*", other], pipelines: [logs/a]}
  - {events: [dropped], pipelines: []}
  - {events: [x, span], pipelines: [logs/a, logs/b, logs/c, traces/a]}
sync: [logs/c]`, sinks)
	ld := newLogsOf("signup", "other", "dropped", "x", "x", "x", "x", "nobody", "nobody")
	switches := []map[string]any{{}, {}, {"a": false}, {"b": false, "c": false}, {"all": false}, {}, {}, {}, {"a": false}}
	i := 0
	for record := range records(ld) {
		if i != 1 && len(switches[i]) > 0 {
			require.NoError(t, record.Attributes().PutEmpty(appevent.AttrDestinations).FromRaw(switches[i]))
		}
		i++
	}
	require.EqualError(t, r.logs.ConsumeLogs(context.Background(), ld), "logs/c: no")
	require.NoError(t, r.traces.ConsumeTraces(context.Background(), newTracesOf("x", "span", "dropped", "nobody")))

	// attributes are sorted by name: pipeline, route; reason, signal
	assert.Equal(t, map[string]int64{"logs/a sign*": 2, "logs/a x": 3, "logs/b x": 2, "logs/c x": 2, "traces/a x": 2}, readMetric(t, r.telemetry, "otelcol_fanout_routed_events_total"))
	assert.Equal(t, map[string]int64{"logs/a": 1, "logs/b": 2, "logs/c": 2, "traces/a": 0}, readMetric(t, r.telemetry, "otelcol_fanout_withheld_events_total"))
	assert.Equal(t, map[string]int64{"logs/a": 0, "logs/b": 2, "traces/a": 0}, readMetric(t, r.telemetry, "otelcol_fanout_kept_refusals_total"))
	assert.Equal(t, map[string]int64{
		"no_route logs": 2, "no_pipelines logs": 1, "disabled logs": 0, "destinations logs": 1,
		"no_route traces": 1, "no_pipelines traces": 1, "disabled traces": 0, "destinations traces": 0,
	}, readMetric(t, r.telemetry, "otelcol_fanout_unrouted_events_total"))
}

func TestMetricsEndWithShutdown(t *testing.T) {
	r := newHarness(t, `{default_pipelines: [logs/a]}`, map[string]*sink{"logs/a": {}})
	require.NoError(t, r.logs.ConsumeLogs(context.Background(), newLogsOf("x")))
	assert.Equal(t, []string{"logs/a default_pipelines"}, slices.Collect(maps.Keys(readMetric(t, r.telemetry, "otelcol_fanout_routed_events_total"))))
	require.NoError(t, r.logs.Shutdown(context.Background()))
	_, err := r.telemetry.GetMetric("otelcol_fanout_routed_events_total")
	assert.Error(t, err)
}
