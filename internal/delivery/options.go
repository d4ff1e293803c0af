// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"net/http"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// Options is what only some backends need. The zero value is right for most. Functions may be nil,
// and are called by several goroutines at the same time, but for Close.
type Options struct {
	// NewTracesEncoder returns an encoder of spans, for backends that take them. It is called once
	// when the exporter of traces is made, which an error refuses, and then as NewEncoder is.
	NewTracesEncoder func() (TracesEncoder, error)

	// Ordered is for backends for which some events must not overtake others, such as those of one
	// user. They put these into requests of one [Request.Partition]: requests of a partition are
	// sent one after the other, and what is pending keeps its order. Batches come one after the
	// other where sending_queue::num_consumers is 1, to which the configuration has to hold users;
	// they may be larger than sending_queue::batch::max_size.
	Ordered bool

	// Pace waits until a request may be sent, or returns an error when ctx ends first; [Pacer.Pace]
	// does. It is called once for each request of an attempt.
	Pace func(ctx context.Context, req *Request) error

	// Schedule says when events are sent again, for backends whose users say so rather than for how
	// long.
	Schedule Schedule

	// Handshake asks the backend whether it may be sent events, with requests that do makes, unless
	// it was asked before. It is called before each attempt; an error, such as a [HandshakeError],
	// is a failure of that attempt.
	Handshake func(ctx context.Context, do func(*http.Request) (*http.Response, error)) error

	// Disabled says why nothing is sent any more, and is empty where events are. It is called
	// before each request: the events of one that is not made are refused as gone. Enable is called
	// when the operator has dead letters sent again, which says that the backend is well.
	Disabled func() string
	Enable   func()

	// Guard refuses to dial some addresses. It is read once, when the exporter starts.
	Guard *Guard

	// OnLoss is called with events that are lost for good, which are counted as dropped. It must
	// not keep them.
	OnLoss func(lost []deadletter.Letter)

	// CompleteMeta finds VendorID and Key of an event in its payload; it may replace the payload
	// too. It is called for dead letters, which somebody may have mended, and for a queue on disk
	// that an earlier version has left, which had neither. Backends that set neither do not need
	// it.
	CompleteMeta func(e *Event)

	// Close is called once, when the last exporter that uses the backend has stopped.
	Close func()
}
