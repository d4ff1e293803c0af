// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package callresult joins what becomes of one call at everything it reaches. A caller that waits
// sends one request, but its events may part into several batches, routes and pipelines. Whether a
// refused event can be returned to the caller depends on all of them: a caller who sends the call
// again also repeats the events that were delivered elsewhere.
//
// The connector opens a Call for the pipelines that the caller waits for, and each exporter that
// waits adds its outcomes. An exporter that finds no Call in its context opens one of its own.
package callresult

import (
	"context"
	"sync"
)

// Call collects the outcomes of one call. Its methods are safe for concurrent use.
type Call struct {
	mu                   sync.Mutex
	delivered, retryable bool
	refused              []func(keep bool)
}

type contextKey struct{}

// Open returns the Call of the context, or a context with a new one. End must be called when all
// outcomes are known, and before the caller gets its response; only the end of the one who opened
// the Call settles the refused events.
func Open(ctx context.Context) (_ context.Context, _ *Call, end func()) {
	if c, ok := ctx.Value(contextKey{}).(*Call); ok {
		return ctx, c, func() {}
	}
	c := &Call{}
	return context.WithValue(ctx, contextKey{}, c), c, c.settle
}

// Without returns a context without a Call, for what the caller does not wait for.
func Without(ctx context.Context) context.Context {
	if ctx.Value(contextKey{}) == nil {
		return ctx
	}
	return context.WithValue(ctx, contextKey{}, nil)
}

// Delivered notes that events of the call were delivered.
func (c *Call) Delivered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delivered = true
}

// Retryable notes that events of the call failed for now, so that the caller gets a retryable error
// and sends the whole call again.
func (c *Call) Retryable() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.retryable = true
}

// Refused has settle called at the end of the call, for events that were refused for good. With keep
// they must be kept as dead letters, because the caller must not send the call again: other events
// of it were delivered. Without, they are returned to the caller.
func (c *Call) Refused(settle func(keep bool)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused = append(c.refused, settle)
}

// IsRepeatable reports whether the caller can send the call again without repeating a delivered
// event. It is final once the call has ended.
func (c *Call) IsRepeatable() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.delivered
}

func (c *Call) settle() {
	c.mu.Lock()
	keep, refused := c.delivered && !c.retryable, c.refused
	c.refused = nil
	c.mu.Unlock()
	for _, settle := range refused {
		settle(keep)
	}
}
