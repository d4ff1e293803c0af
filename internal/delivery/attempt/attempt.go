// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package attempt makes one attempt to deliver events: it has the backend build requests, sends
// them at the same time or in order, bisects those whose response does not tell which event is bad,
// and stops early where nothing but failures comes. A [Runner] is handed events and returns a
// [Result]; it counts, keeps and repeats nothing.
package attempt

import (
	"context"
	"fmt"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/transport"
)

// Backend is what an attempt needs of a backend; package delivery documents the methods.
type Backend interface {
	BuildRequests(events []batch.Event) ([]transport.Request, []Refusal)
	ClassifyResponse(req *transport.Request, response *transport.Response) Classification
}

// Runner makes the attempts of one exporter. Its fields are set once, before the first attempt; its
// methods are safe for concurrent use.
type Runner struct {
	Backend Backend
	// Send makes one request.
	Send func(ctx context.Context, req *transport.Request) (*transport.Response, error)
	// Slots has room for as many requests as there may be at a time, in all attempts together.
	Slots chan struct{}
	// MaxWait bounds how long a backend can ask to be left alone.
	MaxWait time.Duration
	// ForCallers keeps the backend's address out of what it answered, because callers are told.
	ForCallers bool

	// Ordered sends the requests of one partition one after the other, and returns pending events
	// in their order.
	Ordered bool
	// Pace waits until a request may be sent; nil does not wait.
	Pace func(ctx context.Context, req *transport.Request) error
	// Handshake is called before each attempt; nil is none.
	Handshake func(ctx context.Context) error
	// Disabled says why nothing is sent any more; it is empty where requests are sent, and may be
	// nil.
	Disabled func() string
}

// Run sends the events, and returns when each of them is delivered, refused or pending. It numbers
// the events by their Index.
func (r *Runner) Run(ctx context.Context, events []batch.Event) *Result {
	for i := range events {
		events[i].Index = i
	}
	s := &sending{Runner: r, ctx: ctx, total: len(events)}
	if err := r.handshake(ctx); err != nil {
		s.end(ending{problem: fmt.Errorf("asking the backend for its consent: %w", err)})
	} else {
		s.sendAll(events)
	}
	return newResult(events, s.endings, r.Ordered)
}

// HandshakeError says what a backend's response to a handshake lacks. It holds no secret, and is
// told as it is; other errors of a handshake are redacted.
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
	if said, ok := err.(HandshakeError); ok { //nolint:errorlint // only one that stands alone holds nothing else
		return said
	}
	return transport.Redacted(err)
}
