// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package entrypoint defines how package explain passes a request to a receiver that does not listen.
package entrypoint

import (
	"context"
	"net/http"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
)

// Factory is the factory of a receiver whose requests can be explained. A factory that is not one
// gets OTLP only.
type Factory interface {
	receiver.Factory

	// CreateEntry returns the way into a receiver with this configuration.
	CreateEntry(ctx context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (*Entry, error)
}

// Entry is the way into a receiver without its server.
type Entry struct {
	// Handler decodes a request as the receiver does, and passes its events to the pipelines. It
	// checks no signature, needs no credentials and remembers no event.
	Handler http.Handler
	// Path is the path of requests that name no other, such as /v1/events.
	Path string
	// Close releases what the handler uses.
	Close func()
}
