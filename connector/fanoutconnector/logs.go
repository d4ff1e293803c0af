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

// logs routes log records by event name.
type logs struct {
	*fanout[plog.Logs]
}

func newLogs(set connector.Settings, cfg *Config, router connector.LogsRouterAndConsumer) (connector.Logs, error) {
	f, err := newFanout(set, cfg, pipeline.SignalLogs, router.PipelineIDs(), operations[plog.Logs]{
		create: plog.NewLogs, assign: assignLogs,
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

// ConsumeLogs implements consumer.Logs. It returns the errors of the sync pipelines.
func (c *logs) ConsumeLogs(ctx context.Context, ld plog.Logs) error { return c.consume(ctx, ld) }

// assignLogs looks at each record once. Most of the cost of routing is here. recent may be nil.
func assignLogs(ld plog.Logs, a *assignment, counts *counts, recent *recentRoutes) {
	haveIDs := true
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				attributes := readAttributes(record.Attributes())
				haveIDs = haveIDs && attributes.hasID
				at := a.add(nameOf(record, attributes.kind), attributes.kind, attributes.destinations, counts)
				if recent != nil && attributes.hasID {
					recent.addRecord(attributes.id, at)
				}
			}
		}
	}
	if !haveIDs {
		appevent.StampIDs(ld)
		if recent != nil {
			rememberStamped(ld, a.table, recent)
		}
	}
}
