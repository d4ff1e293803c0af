// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/featuregate"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/xpdata/pref"
	"go.opentelemetry.io/collector/pipeline"

	"github.com/otelcol-fanout/otelcol-fanout/connector/fanoutconnector/internal/metadata"
)

// pipelineOwner does what the collector does in front of each component: the first one to get a
// batch owns and recycles it.
type pipelineOwner struct{ *sink }

func (o pipelineOwner) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	if pref.MarkPipelineOwnedLogs(ld) {
		defer pref.UnrefLogs(ld)
	}
	return o.sink.ConsumeLogs(ctx, ld)
}

// TestBatchesAreNotRecycledWhilePipelinesUseThem enables the feature gate with which the memory of
// a batch is reused as soon as its owner is done. The connector owns the batches that it creates.
func TestBatchesAreNotRecycledWhilePipelinesUseThem(t *testing.T) {
	gate := pref.UseProtoPooling.ID()
	was := pref.UseProtoPooling.IsEnabled()
	require.NoError(t, featuregate.GlobalRegistry().Set(gate, true))
	t.Cleanup(func() { require.NoError(t, featuregate.GlobalRegistry().Set(gate, was)) })

	sinks := shopSinks()
	sinks["logs/webhook"].mutates = true
	next := map[pipeline.ID]consumer.Logs{}
	for id, s := range sinks {
		next[pipelineID(t, id)] = pipelineOwner{s}
	}
	c, err := NewFactory().CreateLogsToLogs(context.Background(), connectortest.NewNopSettings(metadata.Type), readConfig(t, shopConfig), connector.NewLogsRouter(next))
	require.NoError(t, err)
	for range 50 {
		for _, s := range sinks {
			s.names = nil
		}
		batch := newLogsOf("login_success", "feature_x", "y", "y", "debug_x")
		require.NoError(t, pipelineOwner{&sink{respond: func(ctx context.Context) error { return c.ConsumeLogs(ctx, batch) }}}.ConsumeLogs(context.Background(), batch))
		assert.Equal(t, []string{"feature_x", "login_success", "y", "y"}, sinks["logs/posthog"].got())
		assert.Equal(t, []string{"login_success"}, sinks["logs/moengage"].got())
		assert.Equal(t, []string{"y", "y"}, sinks["logs/sentry"].got())
		assert.Equal(t, []string{"y", "y"}, sinks["logs/webhook"].got())
	}
	require.NoError(t, c.Shutdown(context.Background()))
}
