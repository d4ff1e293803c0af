// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"google.golang.org/grpc/codes"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// push is one attempt to deliver a batch. What is owed after it comes back as a retryable error, for exporterhelper to
// wait and call again; all else is settled when it returns.
func (d *deliverer) push(ctx context.Context, b *batch) error {
	d.backoff.remove(b)
	if b.turns != nil && b.attempts == 0 {
		b.turns.begin()
	}
	if d.ordered && d.stopping.isBegun() {
		d.finishBackoffs(ctx) // what waits to be sent again was before this batch
	}
	if b.attempts == 0 {
		b.firstAttempt = time.Now()
	}
	if d.stopping.isOver() {
		if !d.async {
			return &owedError{err: &toldError{codes.Unavailable, "the collector stops"}, batch: b}
		}
		return d.leave(b, b.events(), cause{reason: deadletter.ReasonShutdown, message: "the collector stopped"})
	}
	b.attempts++
	growStack()
	ctx, cancel := d.stopping.bound(ctx)
	defer cancel()

	attempt := d.attempt(ctx, b.events(), b.attempts)
	if d.async {
		return d.settle(b, attempt)
	}
	return d.answerCaller(b, attempt)
}

// growStack makes the stack of this goroutine, which is new for each batch, large enough for a request. It would else be copied
// each time that it doubles, which is a twentieth of what a request costs.
//
//go:noinline
func growStack() {
	var frame [6 << 10]byte
	runtime.KeepAlive(&frame)
}

// settle gives up what is refused, and hands back what is owed unless its time is over too.
func (d *deliverer) settle(b *batch, a *attempt) error {
	a.bury()
	left := a.owed()
	if a.delivered > 0 { // the backend is up, and what is left has its time from now on
		b.firstAttempt = time.Now()
	}
	switch {
	case len(left) == 0:
		if len(a.refused) == 0 { // else dead letters may be views
			b.release()
		}
		return nil
	case d.stopping.isBegun():
		return d.leave(b, left, cause{reason: deadletter.ReasonShutdown, message: a.problem.Error()})
	case d.exhausted(b):
		d.ledger.giveUp(left, cause{reason: deadletter.ReasonExhausted, status: a.status, message: a.problem.Error()}, b.attempts)
		return nil
	}
	owed := b.owing(left)
	d.backoff.add(owed)
	return d.throttled(&owedError{err: a.problem, batch: owed}, a.wait)
}

// leave is the end of events that cannot be sent before the exporter stops: a durable queue keeps them if it is told that
// the attempt failed, any other forgets them.
func (d *deliverer) leave(b *batch, events []Event, c cause) error {
	if d.durable {
		return &owedError{err: errors.New(c.message), batch: b}
	}
	d.ledger.giveUp(events, c, b.attempts)
	return nil
}

// finishBackoffs settles what waited to be sent again when exporterhelper stopped and forgot it: each gets the last
// attempt that queued events get. A durable queue has not forgotten it.
func (d *deliverer) finishBackoffs(ctx context.Context) {
	var attempts sync.WaitGroup
	for _, b := range d.backoff.all() {
		if !d.durable {
			attempts.Go(func() { _ = d.push(ctx, b) }) // nothing is owed once the exporter is stopping
		}
	}
	attempts.Wait()
}

// exhausted reports whether there is to be no further attempt. A wait that the backend asks for does not count: it would
// else be the backend that gives up the events.
func (d *deliverer) exhausted(b *batch) bool {
	retry := d.cfg.RetryConfig
	if !retry.Enabled || b.attempts > d.schedule.retries() {
		return true
	}
	return len(d.schedule.Waits) == 0 && retry.MaxElapsedTime > 0 && time.Since(b.firstAttempt)+retry.InitialInterval > retry.MaxElapsedTime
}

// answerCaller tells a caller that waits how its events fared. What it is told has failed is its own to send again; only
// what is refused while others of the batch were delivered becomes a dead letter, since to send all again would send
// these twice.
func (d *deliverer) answerCaller(b *batch, a *attempt) error {
	b.account.settled += a.delivered
	left := a.owed()
	if b.account.settled > 0 || len(left) > 0 {
		a.bury()
		b.account.settled += len(a.refused)
	}
	if len(left) > 0 {
		owed := b.owing(left)
		return d.throttled(&owedError{err: &toldError{codes.Unavailable, failureOf(a.problem, a.status)}, batch: owed}, a.wait)
	}
	if len(a.refused) == 0 {
		return nil
	}
	code := codes.InvalidArgument
	if b.account.settled == 0 {
		d.ledger.told(a.refused)
		if isForTheOperator(a.refused) {
			code = codes.Unavailable
		}
	}
	message := fmt.Sprintf("%d of %d events refused: %s", len(a.refused), b.account.events, a.refused[0].forCaller())
	return consumererror.NewPermanent(&toldError{code, message}) // permanent, so that it is not tried again here
}

// isForTheOperator reports whether nothing is wrong with the events: they may be sent again when the operator has seen to it.
func isForTheOperator(refused []refusedEvent) bool {
	return !slices.ContainsFunc(refused, func(r refusedEvent) bool {
		switch r.reason {
		case deadletter.ReasonUnauthorized, deadletter.ReasonRedirected, deadletter.ReasonGone, deadletter.ReasonBlocked, deadletter.ReasonRateLimited:
			return false
		default:
			return true
		}
	})
}

// throttled says how long to wait at least. Where there is a schedule, it is how long to wait.
func (d *deliverer) throttled(owed *owedError, wait time.Duration) error {
	if d.schedule.isSet() {
		wait = max(wait, d.schedule.wait(owed.batch.attempts, d.cfg.RetryConfig))
	}
	owed.wait = wait
	if wait > 0 {
		return exporterhelper.NewThrottleRetry(owed, wait)
	}
	return owed
}
