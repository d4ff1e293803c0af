// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"context"

	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/xpdata/pref"
	"go.opentelemetry.io/collector/pipeline"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// logs routes log records by the name of their event.
type logs struct {
	*fanout[plog.Logs]
}

func newLogs(set connector.Settings, cfg *Config, router connector.LogsRouterAndConsumer) (connector.Logs, error) {
	f, err := newFanout(set, cfg, pipeline.SignalLogs, router.PipelineIDs(), operations[plog.Logs]{
		create: plog.NewLogs, decide: decideLogs,
		move: newMove(plog.Logs.ResourceLogs, plog.ResourceLogs.ScopeLogs, plog.ScopeLogs.LogRecords),
		mark: pref.MarkPipelineOwnedLogs, unref: pref.UnrefLogs,
		target: func(id pipeline.ID) (target[plog.Logs], error) {
			next, err := router.Consumer(id)
			if err != nil {
				return target[plog.Logs]{}, err
			}
			return target[plog.Logs]{consume: next.ConsumeLogs, mutates: next.Capabilities().MutatesData}, nil
		},
	})
	if err != nil {
		return nil, err
	}
	return &logs{f}, nil
}

// ConsumeLogs implements consumer.Logs. Its error is that of the sync pipelines.
func (c *logs) ConsumeLogs(ctx context.Context, ld plog.Logs) error { return c.consume(ctx, ld) }

// decideLogs looks at each record once, which is most of what routing costs.
func decideLogs(ld plog.Logs, p *plan, counts *counts) {
	stamped := true
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				marks := readMarks(record.Attributes())
				stamped = stamped && marks.hasID
				p.add(nameOf(record, marks.kind), marks.kind, marks.destinations, counts)
			}
		}
	}
	if !stamped {
		appevent.StampIDs(ld)
	}
}
