// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/attempt"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/lifetime"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/outcome"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/retry"
)

// deliverer stands at the end of exporterhelper's chain: it makes attempts, and decides what their
// results mean.
type deliverer struct {
	runner   attempt.Runner
	recorder *outcome.Recorder
	status   *outcome.Status
	retry    retry.Policy
	lifetime *lifetime.Lifetime
	waiting  waiting
	// async is whether callers do not wait, and durable whether the queue is on disk.
	async, durable bool
}

// push is one attempt to deliver a request or, for callers that wait where there is a schedule, all
// of them. What is pending after it comes back as a retryable error, for exporterhelper to wait and
// call again; all else is settled when it returns.
func (d *deliverer) push(ctx context.Context, r *request) error {
	d.waiting.remove(r)
	if r.order != nil && r.attempts == 0 {
		r.order.begin()
	}
	if d.runner.Ordered && d.lifetime.IsStopping() {
		d.sendWaiting(ctx) // which were before this one
	}
	for {
		err := d.deliver(ctx, r)
		failed, ok := errors.AsType[*pendingError](err)
		if d.async || !ok || !d.retry.HasSchedule() || d.retry.IsExhausted(failed.request.attempts, failed.request.firstAttempt) {
			return err
		}
		if !d.lifetime.Sleep(ctx, failed.wait) {
			return err
		}
		r = failed.request
	}
}

// sendWaiting settles the requests that waited for their next attempt when exporterhelper stopped
// and forgot them: each gets the last attempt that queued requests get. A durable queue has not
// forgotten them.
func (d *deliverer) sendWaiting(ctx context.Context) {
	var attempts sync.WaitGroup
	for _, r := range d.waiting.takeAll() {
		if !d.durable {
			attempts.Go(func() { _ = d.deliver(ctx, r) }) // nothing is pending once the exporter is stopping
		}
	}
	attempts.Wait()
}

// deliver makes one attempt.
func (d *deliverer) deliver(ctx context.Context, r *request) error {
	result := d.attempt(ctx, r)
	if d.async {
		return d.settle(r, result)
	}
	return d.answerCaller(r, result)
}

func (d *deliverer) attempt(ctx context.Context, r *request) *attempt.Result {
	if d.lifetime.IsOver() {
		return &attempt.Result{Pending: r.Events(), Problem: attempt.ErrStopped}
	}
	if r.attempts == 0 {
		r.firstAttempt = time.Now()
	}
	r.attempts++
	growStack()
	ctx, cancel := d.lifetime.Bound(ctx)
	defer cancel()
	result := d.runner.Run(ctx, r.Events())
	d.status.Report(result)
	d.recorder.Delivered(result.Delivered)
	return result
}

// attemptOnly is an attempt to deliver dead letters, which are counted already.
func (d *deliverer) attemptOnly(ctx context.Context, events []batch.Event) *attempt.Result {
	result := d.runner.Run(ctx, events)
	d.status.Report(result)
	return result
}

// growStack makes the stack of this goroutine, which is new for each batch, large enough for a
// request. It would else be copied each time that it doubles, which is a twentieth of what a
// request costs.
//
//go:noinline
func growStack() {
	var frame [6 << 10]byte
	runtime.KeepAlive(&frame)
}

// settle keeps as dead letters what was refused and what is given up, and hands back what is
// pending. At shutdown, a durable queue keeps a request whose attempt returns an error; a queue in
// memory drops it.
func (d *deliverer) settle(r *request, result *attempt.Result) error {
	if result.Delivered > 0 { // progress restarts max_elapsed_time for what is pending
		r.firstAttempt = time.Now()
	}
	final := result.Refused
	var again error
	switch stopping := d.lifetime.IsStopping(); {
	case len(result.Pending) == 0:
	case stopping && d.durable:
		again = d.again(r, result)
	case stopping:
		final = append(final, givenUp(result.Pending, attempt.Cause{Reason: deadletter.ReasonShutdown, Message: result.Problem.Error()})...)
	case d.retry.IsExhausted(r.attempts, r.firstAttempt):
		final = append(final, givenUp(result.Pending, attempt.Cause{Reason: deadletter.ReasonExhausted, Status: result.Status, Message: result.Problem.Error()})...)
	default:
		again = d.again(r, result)
	}
	d.recorder.Refused(final, r.attempts)
	if len(final) == 0 && again == nil { // else dead letters may hold payloads
		r.Release()
	}
	return again
}

func givenUp(events []batch.Event, cause attempt.Cause) []attempt.RefusedEvent {
	all := make([]attempt.RefusedEvent, len(events))
	for i := range events {
		all[i] = attempt.RefusedEvent{Event: events[i], Cause: cause}
	}
	return all
}

// again is the error for exporterhelper's retry to wait, and to call again with what is pending.
// Its text is for callers: exporterhelper puts it into spans.
func (d *deliverer) again(r *request, result *attempt.Result) error {
	next := &pendingError{err: outcome.RetryableError(result), request: r.next(result.Pending), wait: d.retry.Wait(r.attempts, result.Wait)}
	if d.async {
		d.waiting.add(next.request)
	}
	return next.throttled()
}

// answerCaller tells a caller that waits what became of its events. What it is told has failed is
// its own to send again; events that are refused become dead letters only if others of the request
// were delivered or are pending, since to send all again would send these twice.
func (d *deliverer) answerCaller(r *request, result *attempt.Result) error {
	r.call.settled += result.Delivered
	switch {
	case r.call.settled > 0 || len(result.Pending) > 0:
		d.recorder.Refused(result.Refused, r.attempts)
		r.call.settled += len(result.Refused)
	case len(result.Refused) > 0:
		d.recorder.LogReturned(result.Refused)
	}
	if len(result.Pending) > 0 {
		return d.again(r, result)
	}
	if len(result.Refused) > 0 {
		return outcome.RefusedError(result.Refused, r.call.events, r.call.settled == 0)
	}
	r.Release() // all is delivered, so that nothing else holds payloads
	return nil
}

// waiting are the requests that wait in exporterhelper for their next attempt. At shutdown
// exporterhelper forgets them. Its methods are safe for concurrent use.
type waiting struct {
	mu       sync.Mutex
	requests map[*request]struct{}
}

func (w *waiting) add(r *request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.requests == nil {
		w.requests = map[*request]struct{}{}
	}
	w.requests[r] = struct{}{}
}

func (w *waiting) remove(r *request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.requests, r)
}

// takeAll returns the requests that are left, and forgets them.
func (w *waiting) takeAll() []*request {
	w.mu.Lock()
	defer w.mu.Unlock()
	left := make([]*request, 0, len(w.requests))
	for r := range w.requests {
		left = append(left, r)
	}
	clear(w.requests)
	return left
}

func (w *waiting) len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.requests)
}
