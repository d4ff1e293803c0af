// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/batchprocessor"
	"go.opentelemetry.io/collector/processor/processorhelper"
	"go.opentelemetry.io/collector/processor/processortest"
)

// TestProcessorsThatDecideAtOnce fails if the collector's helper for such processors moves.
func TestProcessorsThatDecideAtOnce(t *testing.T) {
	set := processortest.NewNopSettings(batchprocessor.NewFactory().Type())
	logs, err := processorhelper.NewLogs(t.Context(), set, nil, consumertest.NewNop(), func(_ context.Context, ld plog.Logs) (plog.Logs, error) { return ld, nil })
	require.NoError(t, err)
	assert.True(t, decidesAtOnce(logs))
	traces, err := processorhelper.NewTraces(t.Context(), set, nil, consumertest.NewNop(), func(_ context.Context, td ptrace.Traces) (ptrace.Traces, error) { return td, nil })
	require.NoError(t, err)
	assert.True(t, decidesAtOnce(traces))
	metrics, err := processorhelper.NewMetrics(t.Context(), set, nil, consumertest.NewNop(), func(_ context.Context, md pmetric.Metrics) (pmetric.Metrics, error) { return md, nil })
	require.NoError(t, err)
	assert.True(t, decidesAtOnce(metrics))
	f := batchprocessor.NewFactory()
	batch, err := f.CreateLogs(t.Context(), set, f.CreateDefaultConfig(), consumertest.NewNop())
	require.NoError(t, err)
	assert.False(t, decidesAtOnce(batch))
	assert.False(t, decidesAtOnce(nil))
}

func TestMissing(t *testing.T) {
	a, b, c := Event{Name: "a"}, Event{Name: "b"}, Event{Name: "c"}
	assert.Empty(t, missing([]Event{a, b}, []Event{b, a}))
	assert.Equal(t, []Event{b}, missing([]Event{a, b}, []Event{a}))
	assert.Equal(t, []Event{a}, missing([]Event{a, a}, []Event{a}))
	assert.Len(t, missing([]Event{a, b}, []Event{c}), 1, "one was renamed, one dropped")
	assert.Empty(t, missing([]Event{a}, []Event{a, a}), "more than before")
}
