// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"cmp"
	"context"
	"net/http"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"
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
}

// Variable is an environment variable.
type Variable struct{ Name, Value string }

// Input is the input of a receiver. Either Event or OTLP is set.
type Input struct {
	// Receiver is the ID of the receiver. It may be empty if there is only one that takes the input.
	Receiver string

	// Event is the body of a request to an HTTP receiver: a JSON event, an array of events, or one
	// event per line.
	Event []byte
	// Path is the path of that request, such as /v1/webhooks/github; default that of events.
	Path string
	// Header are the headers of that request. Content-Type is guessed if it is missing.
	Header http.Header

	// OTLP is OTLP JSON: logs, traces or metrics, or several of them one after another. Any receiver
	// can pass them on.
	OTLP []byte
}

// Run runs the pipelines of a configuration with an input, until every event has come out, or a
// processor has held it back for two seconds. An [InputError] says that the input does not fit the
// configuration; other errors are about the configuration. Several goroutines may call Run.
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
		return nil, err
	}
	sent := r.send(ctx, &in)
	r.wait(ctx)
	if err := cmp.Or(sent, r.stop(ctx)); err != nil {
		return nil, err
	}
	return r.result(&in), nil
}

// InputError is an error in the input of [Run]. It says what to write.
type InputError string

func (e InputError) Error() string { return string(e) }
