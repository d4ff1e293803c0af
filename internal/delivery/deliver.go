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

// deliverer is the end of exporterhelper's chain. It makes attempts, and settles their results.
type deliverer struct {
	runner   attempt.Runner
	recorder *outcome.Recorder
	status   *outcome.Status
	retry    retry.Policy
	lifetime *lifetime.Lifetime
	waiting  waiting
	// async is true if callers do not wait, durable if the queue is on disk.
	async, durable bool
}

// push makes one attempt to deliver a request or, if a caller waits and there is a schedule, all of
// them. Pending events come back in a retryable error: exporterhelper waits, and calls push again.
// All other events are settled when push returns.
func (d *deliverer) push(ctx context.Context, r *request) error {
	d.waiting.remove(r)
	if r.order != nil && r.attempts == 0 {
		r.order.begin()
	}
	if d.runner.Ordered && d.lifetime.IsStopping() {
		d.sendWaiting(ctx) // they come before this one
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

// sendWaiting gives the requests that wait for a retry at shutdown their last attempt, as queued
// requests get one: exporterhelper forgets them. A durable queue still has them.
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
	return d.settleForCaller(r, result)
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

// attemptOnly makes an attempt to deliver dead letters, which have been counted already.
func (d *deliverer) attemptOnly(ctx context.Context, events []batch.Event) *attempt.Result {
	result := d.runner.Run(ctx, events)
	d.status.Report(result)
	return result
}

// growStack grows the stack of this goroutine, which is new for each batch, to the size that a
// request needs. Doubling it step by step copies it each time, a twentieth of a request's cost.
//
//go:noinline
func growStack() {
	var space [6 << 10]byte
	runtime.KeepAlive(&space)
}

// settle makes dead letters of the events that were refused or are given up, and returns an error
// with those that are pending. At shutdown a durable queue keeps the request of such an error; a
// queue in memory would drop it.
func (d *deliverer) settle(r *request, result *attempt.Result) error {
	if result.Delivered > 0 { // progress restarts max_elapsed_time for pending events
		r.firstAttempt = time.Now()
	}
	final := result.Refused
	var pending error
	switch stopping := d.lifetime.IsStopping(); {
	case len(result.Pending) == 0:
	case stopping && d.durable:
		pending = d.retryLater(r, result)
	case stopping:
		final = append(final, givenUp(result.Pending, attempt.Cause{Reason: deadletter.ReasonShutdown, Message: result.Problem.Error()})...)
	case d.retry.IsExhausted(r.attempts, r.firstAttempt):
		final = append(final, givenUp(result.Pending, attempt.Cause{Reason: deadletter.ReasonExhausted, Status: result.Status, Message: result.Problem.Error()})...)
	default:
		pending = d.retryLater(r, result)
	}
	d.recorder.Refused(final, r.attempts)
	if len(final) == 0 && pending == nil { // otherwise dead letters may hold payloads
		r.Release()
	}
	return pending
}

func givenUp(events []batch.Event, cause attempt.Cause) []attempt.RefusedEvent {
	all := make([]attempt.RefusedEvent, len(events))
	for i := range events {
		all[i] = attempt.RefusedEvent{Event: events[i], Cause: cause}
	}
	return all
}

// retryLater returns the error that makes exporterhelper wait and call push again with the pending
// events. Its text is public: exporterhelper puts it into spans.
func (d *deliverer) retryLater(r *request, result *attempt.Result) error {
	next := &pendingError{err: outcome.RetryableError(result), request: r.next(result.Pending), wait: d.retry.Wait(r.attempts, result.Wait)}
	if d.async {
		d.waiting.add(next.request)
	}
	return next.throttled()
}

// settleForCaller returns the error for a caller that waits, who then sends the failed events again.
// Refused events become dead letters only if other events of the call were delivered or are
// pending, because a caller who sends all of them again would send those twice.
func (d *deliverer) settleForCaller(r *request, result *attempt.Result) error {
	r.call.settled += result.Delivered
	switch {
	case r.call.settled > 0 || len(result.Pending) > 0:
		d.recorder.Refused(result.Refused, r.attempts)
		r.call.settled += len(result.Refused)
	case len(result.Refused) > 0:
		d.recorder.LogReturned(result.Refused)
	}
	if len(result.Pending) > 0 {
		return d.retryLater(r, result)
	}
	if len(result.Refused) > 0 {
		return outcome.RefusedError(result.Refused, r.call.events, r.call.settled == 0)
	}
	r.Release() // everything is delivered, so nothing else holds payloads
	return nil
}

// waiting holds the requests that wait in exporterhelper for their next attempt, which
// exporterhelper forgets at shutdown. Its methods are safe for concurrent use.
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

// takeAll removes all requests, and returns them.
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
