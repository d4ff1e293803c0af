// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"context"

	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/xpdata/pref"
	"go.opentelemetry.io/collector/pipeline"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// traces routes spans by their names. The events of a span, including exceptions, stay with it.
type traces struct {
	*fanout[ptrace.Traces]
}

func newTraces(set connector.Settings, cfg *Config, router connector.TracesRouterAndConsumer) (connector.Traces, error) {
	f, err := newFanout(set, cfg, pipeline.SignalTraces, router.PipelineIDs(), operations[ptrace.Traces]{
		create: ptrace.NewTraces, assign: assignTraces,
		move: newMove(ptrace.Traces.ResourceSpans, ptrace.ResourceSpans.ScopeSpans, ptrace.ScopeSpans.Spans),
		mark: pref.MarkPipelineOwnedTraces, unref: pref.UnrefTraces,
		target: func(id pipeline.ID) (target[ptrace.Traces], error) {
			next, err := router.Consumer(id)
			if err != nil {
				return target[ptrace.Traces]{}, err
			}
			return target[ptrace.Traces]{consume: next.ConsumeTraces, mutates: next.Capabilities().MutatesData}, nil
		},
	})
	if err != nil {
		return nil, err
	}
	return &traces{f}, nil
}

// ConsumeTraces implements consumer.Traces. It returns the errors of the sync pipelines.
func (c *traces) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	return c.consume(ctx, td)
}

func assignTraces(td ptrace.Traces, a *assignment, counts *counts, recent *recentRoutes) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				at := a.add(span.Name(), appevent.KindTrack, readAttributes(span.Attributes()).destinations, counts)
				if recent != nil {
					recent.addSpan(span.SpanID(), at)
				}
			}
		}
	}
}
