// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"net/http"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// Options holds what only some backends need. The zero value suits most. Functions may be nil; all
// but Close may be called by several goroutines at once.
type Options struct {
	// Endpoint is the URL of the backend, of which the status extension shows the scheme and the host;
	// empty if there are several.
	Endpoint string

	// NewTracesEncoder returns an encoder of spans, for backends that take them. It is called once
	// when the traces exporter is created, which fails with its error, and then like NewEncoder.
	NewTracesEncoder func() (TracesEncoder, error)

	// Ordered is for backends where some events must not overtake others, such as those of one
	// user. The backend puts such events into requests of one [Request.Partition]: these are sent
	// one after another, and pending events keep their order. Batches are sent one after another
	// only if sending_queue::num_consumers is 1, so the configuration must require that. A batch
	// may then be larger than sending_queue::batch::max_size.
	Ordered bool

	// Pace waits until a request may be sent, or returns an error if ctx ends first, as
	// [Pacer.Pace] does. It is called once for each request of an attempt.
	Pace func(ctx context.Context, req *Request) error

	// RetrySchedule are the waits before the second, third, ... attempt, for backends whose users
	// configure these; see [retry.Policy]. If it is empty, retry_on_failure says how long to wait.
	RetrySchedule []time.Duration

	// Handshake asks the backend for permission to send events, using do for its requests, unless
	// it already has it. It is called before each attempt; its error, such as a [HandshakeError],
	// fails that attempt.
	Handshake func(ctx context.Context, do func(*http.Request) (*http.Response, error)) error

	// Disabled returns why nothing is sent any more, or "" while events are sent. It is called
	// before each request; the events of a request that is not made are refused as gone. Enable is
	// called when an operator replays dead letters, who expects the backend to work again.
	Disabled func() string
	Enable   func()

	// Guard refuses connections to some addresses. It is read once, when the exporter starts.
	Guard *Guard

	// OnLoss is called with events that are lost for good and counted as dropped. It must not keep
	// them.
	OnLoss func(lost []deadletter.Letter)

	// CompleteMeta sets VendorID and Key of an event from its payload, and may replace the payload.
	// It is called for dead letters, whose payload an operator may have edited, and for events that an
	// earlier version left in a queue on disk, without either. Backends that use neither field do not
	// need it.
	CompleteMeta func(e *Event)

	// Close is called once, when the last exporter that uses the backend has stopped.
	Close func()
}
