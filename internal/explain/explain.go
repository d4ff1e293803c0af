// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"cmp"
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/otelcol-fanout/otelcol-fanout/internal/explain/inuse"
)

// Settings says what to run.
type Settings struct {
	// BuildInfo is that of the binary; exporters send it as User-Agent.
	BuildInfo component.BuildInfo
	// Factories are those of the binary. Only the components of the configuration are needed.
	Factories otelcol.Factories
	// Config is the resolved configuration: variables are replaced, and components that are off are
	// removed. It is not changed.
	Config *confmap.Conf
	// Variables are the environment variables that the configuration mentions, for commands that
	// contain their names instead of secrets. It may be empty.
	Variables []Variable
	// MaxEvents is how many events an input may have: log records, spans and metrics. 0 is no limit.
	MaxEvents int
}

// Variable is an environment variable.
type Variable struct{ Name, Value string }

// Input is the input of a receiver.
type Input = inuse.Input

// InputError is an error in the input of [Run]. It says what to write.
type InputError = inuse.InputError

// Run runs the pipelines of a configuration with an input, until every event has come out, or a
// processor has held it back for two seconds. An [InputError] says that the input does not fit the
// configuration; other errors are about the configuration, or say that ctx has ended. Several goroutines
// may call Run.
func Run(ctx context.Context, set Settings, in Input) (*Result, error) {
	cfg, err := load(set.Config, set.Factories)
	if err != nil {
		return nil, err
	}
	r := newRun(set, cfg)
	if err := r.selectReceiver(&in); err != nil {
		return nil, err
	}
	if err := r.start(ctx); err != nil {
		return nil, r.withoutSecrets(err)
	}
	sent := r.send(ctx, &in)
	r.wait(ctx)
	if err := cmp.Or(sent, r.stop(ctx), ctx.Err()); err != nil {
		return nil, err
	}
	return r.result(&in), nil
}
