// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package attempt makes one attempt to deliver events. It lets the backend build requests, sends them
// in parallel or in order, bisects a request whose response does not tell which event is bad, and
// stops early if requests only fail. A [Runner] takes events and returns a [Result]; it does not
// count, store or retry anything.
package attempt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/transport"
)

// Backend is the part of delivery.Backend that an attempt needs, documented there.
type Backend interface {
	BuildRequests(events []batch.Event) ([]transport.Request, []Refusal)
	ClassifyResponse(req *transport.Request, response *transport.Response) Classification
}

// Runner makes the attempts of one exporter. Its fields are set before the first attempt; its methods
// are safe for concurrent use.
type Runner struct {
	Backend Backend
	// Send makes one request.
	Send func(ctx context.Context, req *transport.Request) (*transport.Response, error)
	// Slots has as much capacity as there may be requests in flight, in all attempts together.
	Slots chan struct{}
	// MaxWait is the longest wait that a backend can ask for.
	MaxWait time.Duration
	// RedactHost removes the backend's address from messages, because they are returned to callers.
	RedactHost bool

	// Ordered sends the requests of one partition one after another, and returns pending events in
	// their order.
	Ordered bool
	// Pace waits until a request may be sent; nil never waits.
	Pace func(ctx context.Context, req *transport.Request) error
	// Handshake is called before each attempt; it may be nil.
	Handshake func(ctx context.Context) error
	// IsPaused reports whether nothing is sent for now; it may be nil.
	IsPaused func() bool
	// Disabled returns why nothing is sent any more, or "" while requests are sent; it may be nil.
	Disabled func() string
	// OnDelivered is called with the delivered events of each request, as soon as its response is
	// there; all is true if the attempt has no others. It may be nil. Partitions call it concurrently.
	OnDelivered func(delivered []batch.Event, all bool)
	// Detailed makes results hold Exchanges and Deliveries.
	Detailed bool

	holds holds
}

// Run sends the events, and returns when each of them is delivered, refused or pending. It sets their
// Index.
func (r *Runner) Run(ctx context.Context, events []batch.Event) *Result {
	return r.run(ctx, events, false)
}

// RunBisecting is Run for the last attempt before events are given up. It bisects requests that fail
// as it does ambiguous ones, so that an event which makes the backend fail takes no other with it.
func (r *Runner) RunBisecting(ctx context.Context, events []batch.Event) *Result {
	return r.run(ctx, events, true)
}

func (r *Runner) run(ctx context.Context, events []batch.Event, bisecting bool) *Result {
	for i := range events {
		events[i].Index = i
	}
	s := &sending{Runner: r, ctx: ctx, total: len(events), breaker: breaker{bisecting: bisecting}}
	if r.isPaused() {
		s.record(pausedResult())
	} else if err := r.handshake(ctx); err != nil {
		s.record(requestResult{problem: fmt.Errorf("handshake with the backend: %w", err)})
	} else {
		s.sendAll(events)
	}
	result := newResult(events, s.results, r)
	result.Exchanges = s.exchanges
	_, held := errors.AsType[*HeldError](result.Problem)
	result.Sent = s.sent.Load()
	result.Held = held && !result.Sent
	return result
}

func (r *Runner) isPaused() bool { return r.IsPaused != nil && r.IsPaused() }

// HandshakeError says what is missing from a backend's response to a handshake. It holds no secret,
// and is shown as it is; other errors of a handshake are redacted.
type HandshakeError string

func (e HandshakeError) Error() string { return string(e) }

func (r *Runner) handshake(ctx context.Context) error {
	if r.Handshake == nil {
		return nil
	}
	err := r.Handshake(ctx)
	if err == nil {
		return nil
	}
	if handshake, ok := err.(HandshakeError); ok { //nolint:errorlint // an error that wraps it may hold a secret
		return handshake
	}
	return transport.Redacted(err)
}
