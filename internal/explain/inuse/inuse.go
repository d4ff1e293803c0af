// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package inuse defines how an extension explains events with the configuration in use. The
// extension does not import package explain, which contains a whole collector.
package inuse

import (
	"context"
	"net/http"

	"go.opentelemetry.io/collector/extension"
)

// Factory is the factory of an extension that explains events. The collector gives extensions only a
// copy of its configuration whose secrets are redacted, which does not run.
type Factory interface {
	extension.Factory

	// UseExplain is called before the factory creates the extension. of returns how to explain events
	// with the configuration that is about to start, or nil if there is none. It must be called while the
	// extension is created: later the configuration may be the next one.
	UseExplain(of func() Explain)
}

// Explain returns what a configuration would send for an input, as the output of explain --json. An
// [InputError] says that the input does not fit the configuration.
type Explain func(ctx context.Context, in Input) ([]byte, error)

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

// InputError is an error in an input. It says what to write.
type InputError string

func (e InputError) Error() string { return string(e) }
