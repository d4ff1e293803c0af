// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/attempt"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/lifetime"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/outcome"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/pause"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/progress"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/retry"
)

// deliverer is the end of exporterhelper's chain. It makes attempts, and settles their results.
type deliverer struct {
	runner   attempt.Runner
	recorder *outcome.Recorder
	status   *outcome.Status
	retry    retry.Policy
	lifetime *lifetime.Lifetime
	pause    *pause.Switch
	maxAge   maxAge
	progress *progress.Notes // nil if the queue is not on disk
	waiting  waiting
	content  *queueContent
	// async is true if callers do not wait, durable if the queue is on disk.
	async, durable bool
}

// push delivers a request. For a caller that waits it makes all attempts. Otherwise it makes one:
// pending events come back in a retryable error, exporterhelper waits, and calls push again. An attempt
// that was only interrupted by a pause of the exporter goes on here, as soon as that is over.
func (d *deliverer) push(ctx context.Context, r *request) error {
	if r.call != nil {
		return d.pushForCaller(ctx, r)
	}
	for {
		err := d.pushOnce(ctx, r)
		interrupted, ok := errors.AsType[*pendingError](err)
		if !ok || !interrupted.paused || d.lifetime.IsStopping() || ctx.Err() != nil {
			return err
		}
		r = interrupted.request
	}
}

// pushOnce makes one attempt, once the exporter is not paused. At shutdown it does not wait for that.
func (d *deliverer) pushOnce(ctx context.Context, r *request) error {
	d.waiting.remove(r)
	d.pause.Wait(ctx, d.lifetime.Stopping())
	if r.order != nil && r.attempts == 0 {
		r.order.begin()
	}
	if d.runner.Ordered && d.lifetime.IsStopping() {
		d.sendWaiting(ctx) // they come before this one
	}
	return d.deliver(ctx, r)
}

// pushForCaller makes attempts until no event is pending or the retries are exhausted. Its error is
// for exporterhelper; the call has the outcomes.
func (d *deliverer) pushForCaller(ctx context.Context, r *request) error {
	r.firstAttempt = d.pause.Now()
	for {
		result := d.attempt(ctx, r, d.runner.Run)
		wait := d.retry.Wait(r.attempts, result.Wait)
		paused := len(result.Paused) > 0 // the caller does not wait until it is resumed
		exhausted := len(result.Pending) > 0 && (paused || d.isExhaustedForCaller(ctx, r, wait))
		if exhausted && !paused && d.mayBisect(result) {
			_ = d.bisect(ctx, r, result) // the caller does not wait for a hold
		}
		r.call.settle(result, r.attempts)
		switch {
		case len(result.Pending) == 0:
			if len(result.Refused) > 0 {
				return outcome.RefusedError([]attempt.Cause{result.Refused[0].Cause}, r.Count(), r.call.result)
			}
			r.Release() // everything is delivered, so nothing else holds payloads
			return nil
		case exhausted, !d.sleep(ctx, r, result, wait):
			err := outcome.RetryableError(result)
			r.call.fail(result.Pending, attempt.Cause{Status: result.Status, Message: result.Problem.Error()}, err)
			return err
		}
		r = r.next(result.Pending)
	}
}

// sleep waits until the next attempt. It returns false if there is none.
func (d *deliverer) sleep(ctx context.Context, r *request, result *attempt.Result, wait time.Duration) bool {
	d.reportPending(r, result, wait)
	return d.sleepUntilPaused(ctx, wait)
}

// reportPending reports the pending events, which are sent again after the wait or, if a pause ended the
// attempt, at a time that nobody knows.
func (d *deliverer) reportPending(r *request, result *attempt.Result, wait time.Duration) {
	switch {
	case !d.recorder.Reports():
	case len(result.Paused) > 0:
		d.recorder.Pending(result.Pending, time.Time{}, time.Time{})
	default:
		next := time.Now().Add(wait)
		first := next
		if !r.firstAttempt.IsZero() { // otherwise all of it was held back
			first = time.Now().Add(-d.elapsed(r))
		}
		d.recorder.Pending(result.Pending, next, d.retry.GivesUp(r.attempts, first, next))
	}
}

// isExhaustedForCaller reports whether there is no retry after the wait.
func (d *deliverer) isExhaustedForCaller(ctx context.Context, r *request, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return d.retry.IsExhausted(r.attempts, d.elapsed(r), wait) || ok && time.Until(deadline) < wait || ctx.Err() != nil
}

// elapsed returns how long ago the first attempt was, without the time that the exporter was paused.
func (d *deliverer) elapsed(r *request) time.Duration { return d.pause.Now().Sub(r.firstAttempt) }

// sleepUntilPaused waits. It returns false if the exporter stops or is paused, or ctx ends, before that.
func (d *deliverer) sleepUntilPaused(ctx context.Context, wait time.Duration) bool {
	ctx, cancel := d.pause.Bound(ctx)
	defer cancel()
	return d.lifetime.Sleep(ctx, wait)
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

// deliver makes one attempt, and settles its result.
func (d *deliverer) deliver(ctx context.Context, r *request) error {
	result := d.attempt(ctx, r, d.runner.Run)
	if result.Delivered > 0 { // progress restarts max_elapsed_time for pending events
		r.firstAttempt = d.pause.Now()
	}
	exhausted := len(result.Pending) > 0 && !result.Held && d.retry.IsExhausted(r.attempts, d.elapsed(r), d.retry.Backoff.InitialInterval)
	bisected := exhausted && len(result.Paused) == 0 && d.mayBisect(result)
	if bisected && !d.bisect(ctx, r, result) && !r.bisectHeld {
		r.bisectHeld, bisected, exhausted = true, false, false // once, it is tried again after the hold
	}
	if len(result.Paused) > 0 {
		if bisected || exhausted && !d.mayBisect(result) && !d.lifetime.IsStopping() {
			giveUpFailed(result)
		}
		bisected, exhausted = false, false // the others get their last attempt after the pause
	}
	err := d.settle(r, result, exhausted, bisected)
	d.content.left(r.Batch, pendingIn(err))
	return err
}

// pendingIn returns the pending events in an error of settle, or nil if it has no such events.
func pendingIn(err error) *batch.Batch {
	if failed, ok := errors.AsType[*pendingError](err); ok {
		return failed.request.Batch
	}
	return nil
}

// runFunc is Run or RunBisecting of the runner.
type runFunc func(context.Context, []batch.Event) *attempt.Result

// attempt makes one attempt to deliver a request. It is not counted if the backend's wait, or a pause
// of the exporter, held back all of it.
func (d *deliverer) attempt(ctx context.Context, r *request, run runFunc) *attempt.Result {
	if d.lifetime.IsOver() {
		return &attempt.Result{Pending: r.Unsettled(), Problem: attempt.ErrStopped}
	}
	growStack()
	ctx, cancel := d.lifetime.Bound(ctx)
	defer cancel()
	begun := d.pause.Now()
	events, expired := d.maxAge.split(r.Unsettled(), time.Now())
	result := &attempt.Result{}
	if len(events) > 0 {
		result = run(ctx, events)
	}
	result.Refused = append(result.Refused, expired...)
	if !result.Held && (len(result.Paused) == 0 || result.Sent) {
		if r.attempts == 0 && r.firstAttempt.IsZero() {
			r.firstAttempt = begun
		}
		r.attempts++
	}
	d.status.Report(result)
	d.recorder.Attempted(result)
	d.recorder.Delivered(result)
	return result
}

// mayBisect reports whether another attempt may save some of the events that would be given up.
func (d *deliverer) mayBisect(result *attempt.Result) bool {
	return result.Bisectable && d.retry.Backoff.Enabled && !d.lifetime.IsStopping()
}

// bisect makes one more attempt with pending events that would be given up. It bisects the requests
// that fail, so that an event which makes the backend fail is given up alone. It reports false if the
// backend's wait held back all of it.
func (d *deliverer) bisect(ctx context.Context, r *request, result *attempt.Result) bool {
	last := r.next(result.Pending)
	again := d.attempt(ctx, last, d.runner.RunBisecting)
	result.Paused, result.Failed, result.Sent = again.Paused, again.Failed, again.Sent
	if again.Held {
		result.Held, result.Wait = true, again.Wait
		return false
	}
	r.attempts = last.attempts
	result.Delivered += again.Delivered
	result.Refused = append(result.Refused, again.Refused...)
	result.Pending, result.Problem, result.Status, result.Wait = again.Pending, again.Problem, again.Status, again.Wait
	return true
}

// attemptOnly makes an attempt to deliver dead letters, which have been counted already. The last
// attempt of a replay bisects.
func (d *deliverer) attemptOnly(ctx context.Context, events []batch.Event, last bool) *attempt.Result {
	run := d.runner.Run
	if last {
		run = d.runner.RunBisecting
	}
	result := run(ctx, events)
	d.status.Report(result)
	return result
}

// maxAge is the age from which events are given up; 0 is no limit.
type maxAge time.Duration

// split returns the events to send, and those that are too old. An event without a time has no age.
func (m maxAge) split(events []batch.Event, now time.Time) (young []batch.Event, expired []attempt.RefusedEvent) {
	if m == 0 {
		return events, nil
	}
	oldest := pcommon.NewTimestampFromTime(now.Add(-time.Duration(m)))
	young = events[:0]
	for i := range events {
		if t := events[i].Time; t != 0 && t < oldest {
			expired = append(expired, attempt.RefusedEvent{Event: events[i], Cause: attempt.Cause{
				Reason: deadletter.ReasonExpired, Message: fmt.Sprintf("the event is older than max_age (%s)", time.Duration(m)),
			}})
		} else {
			young = append(young, events[i])
		}
	}
	return young, expired
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
func (d *deliverer) settle(r *request, result *attempt.Result, exhausted, bisected bool) error {
	final := result.Refused
	var pending error
	switch stopping := d.lifetime.IsStopping(); {
	case len(result.Pending) == 0:
	case bisected && d.runner.Ordered: // later events have passed them
		final = append(final, exhaustedEvents(result)...)
	case stopping && d.durable:
		pending = d.retryLater(r, result)
	case stopping:
		final = append(final, givenUp(result.Pending, attempt.Cause{Reason: deadletter.ReasonShutdown, Message: shutdownMessage(result)})...)
	case exhausted:
		final = append(final, exhaustedEvents(result)...)
	default:
		pending = d.retryLater(r, result)
	}
	d.recorder.Refused(final, r.attempts)
	if d.progress != nil && len(final) > 0 {
		d.progress.Settle(eventsOf(final), false)
	}
	if len(final) == 0 && pending == nil { // otherwise dead letters may hold payloads
		r.Release()
	}
	return pending
}

func shutdownMessage(result *attempt.Result) string {
	if errors.Is(result.Problem, attempt.ErrPaused) {
		return "the exporter was paused when the collector stopped"
	}
	return result.Problem.Error()
}

// giveUpFailed refuses the events that failed in an attempt that a pause ended. Those that were not sent
// stay pending.
func giveUpFailed(result *attempt.Result) {
	result.Pending = result.Failed
	result.Refused = append(result.Refused, exhaustedEvents(result)...)
	result.Pending, result.Failed = result.Paused, nil
}

func exhaustedEvents(result *attempt.Result) []attempt.RefusedEvent {
	return givenUp(result.Pending, attempt.Cause{Reason: deadletter.ReasonExhausted, Status: result.Status, Message: result.Problem.Error()})
}

func eventsOf(refused []attempt.RefusedEvent) []batch.Event {
	events := make([]batch.Event, len(refused))
	for i := range refused {
		events[i] = refused[i].Event
	}
	return events
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
	wait := d.retry.Wait(r.attempts, result.Wait)
	d.reportPending(r, result, wait)
	next := &pendingError{err: outcome.RetryableError(result), request: r.next(result.Pending)}
	if len(result.Paused) > 0 {
		next.paused = len(result.Failed) == 0
		if result.Sent {
			next.request.attempts-- // it was no attempt for the events that were not sent
		}
	}
	d.waiting.add(next.request)
	return exporterhelper.NewThrottleRetry(next, wait)
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
