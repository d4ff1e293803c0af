// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/otelcol-fanout/otelcol-fanout/internal/explain"
	"github.com/otelcol-fanout/otelcol-fanout/internal/explain/inuse"
)

// maxExplainedEvents is how many events a running collector explains at a time. A megabyte of empty log
// records would have a result of gigabytes.
const maxExplainedEvents = 1000

// withExplain makes factories let extensions explain events with the configuration in use.
func (c *checks) withExplain(factories func() (otelcol.Factories, error), build component.BuildInfo) func() (otelcol.Factories, error) {
	return func() (otelcol.Factories, error) {
		all, err := factories()
		for _, f := range all.Extensions {
			if user, ok := f.(inuse.Factory); ok {
				user.UseExplain(func() inuse.Explain { return c.explainInUse(build) })
			}
		}
		return all, err
	}
}

// explainInUse returns how to explain events with the configuration that was read last.
func (c *checks) explainInUse(build component.BuildInfo) inuse.Explain {
	conf := c.resolved.Load()
	if conf == nil {
		return nil
	}
	variables := c.sources.variables()
	return func(ctx context.Context, in inuse.Input) ([]byte, error) {
		// New ones, so that nothing is shared with the components that run.
		factories, err := c.factories()
		if err != nil {
			return nil, err
		}
		result, err := explain.Run(ctx, explain.Settings{
			BuildInfo: build, Factories: factories, Config: conf, Variables: variables, MaxEvents: maxExplainedEvents,
		}, in)
		if err != nil {
			return nil, err
		}
		var out bytes.Buffer
		err = result.WriteJSON(&out)
		return out.Bytes(), err
	}
}
