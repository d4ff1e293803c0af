// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package attempt

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/transport"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// Result is the result of an attempt: each of its events is delivered, refused or pending.
type Result struct {
	// Delivered is the number of delivered events.
	Delivered int
	// Refused holds the events that the backend will never take; they are not sent again.
	Refused []RefusedEvent
	// Pending holds the events for the next attempt. Those that were not sent come first, so that an
	// event that always fails does not hold up the others; if the backend is ordered, they are in
	// order.
	Pending []batch.Event
	// Wait is the least wait before the next attempt; 0 if the backend asked for none. Held is true if
	// nothing was sent, because the backend had asked for a wait before: then this was no attempt.
	Wait time.Duration
	Held bool
	// Sent is true if any request was sent.
	Sent bool
	// Paused holds those of Pending that were not sent, if a pause ended the attempt, and Failed the
	// others. Both are empty if no pause did.
	Paused, Failed []batch.Event
	// Bisectable is true if a request with several events failed, and one of them may be the reason.
	Bisectable bool
	// Problem is a temporary failure, nil if there was none, and Status its HTTP status, 0 without a
	// response. Problem holds no secret.
	Problem error
	Status  int
	// Exchanges are the requests that were sent, and Deliveries hold the delivered events, if the runner
	// is Detailed; otherwise they are empty.
	Exchanges  []statusfeed.Exchange
	Deliveries []statusfeed.Delivery
}

// RefusedEvent is an event that is not sent again.
type RefusedEvent struct {
	batch.Event
	Cause
}

// Cause is why an event was given up.
type Cause struct {
	Reason deadletter.Reason
	// Status is the HTTP status; 0 without a response.
	Status int
	// Message explains it. It holds no secret.
	Message string
	// Discard drops and counts the event, without a dead letter.
	Discard bool
	// Until is when the backend takes such events again; zero if that is unknown.
	Until time.Time
}

// requestResult is the result of one request, or of requests that were not sent.
type requestResult struct {
	events         []batch.Event
	classification Classification
	status         int
	// problem is a temporary failure that the classification does not describe.
	problem error
	// notSent is true if the events were not sent. They need not be listed: events without a result
	// are pending.
	notSent bool
	// held is true if they were not sent because the backend had asked for a wait before, paused if
	// the exporter is paused.
	held, paused bool
	// wait is the wait that the backend asked for. failed is true if no event was accepted, and all
	// may be sent again.
	wait   time.Duration
	failed bool
}

// mayBeEventsFault reports whether a failure may be the fault of an event in the request: the server
// responded, or closed the connection. One that cannot be reached, does not respond in time, or asks
// for a wait fails for any event.
func (e *requestResult) mayBeEventsFault() bool {
	if e.status != 0 {
		return e.wait == 0 && e.status != http.StatusTooManyRequests
	}
	operation, isOperation := errors.AsType[*net.OpError](e.problem)
	timeout, isNet := errors.AsType[net.Error](e.problem)
	switch {
	case e.problem == nil, isNet && timeout.Timeout(), isOperation && operation.Op == "dial":
		return false
	default:
		return !errors.Is(e.problem, transport.ErrTimeout) && !errors.Is(e.problem, context.Canceled)
	}
}

// mayBeBisected reports whether sending the events again in parts may save some of them. A request
// that is sent at most once is not sent again in parts either.
func (e *requestResult) mayBeBisected() bool {
	return e.failed && e.classification.Kind.isRetryable() && e.mayBeEventsFault()
}

// isPending reports whether any event is pending.
func (e *requestResult) isPending() bool {
	if len(e.classification.Events) > 0 {
		return slices.ContainsFunc(e.classification.Events, func(o Outcome) bool { return o.Kind.isRetryable() })
	}
	return e.notSent || e.classification.Kind.isRetryable()
}

// delivered returns the delivered events.
func (e *requestResult) delivered() []batch.Event {
	if len(e.classification.Events) == 0 {
		if e.classification.Kind == Delivered && !e.notSent {
			return e.events
		}
		return nil
	}
	var all []batch.Event
	for i := range e.events {
		if e.classification.Events[i].Kind == Delivered {
			all = append(all, e.events[i])
		}
	}
	return all
}

// message returns the backend's message on the i-th event, or the error; empty if it was delivered.
func (e *requestResult) message(i int) string {
	outcome := &e.classification.Outcome
	if len(e.classification.Events) > 0 {
		outcome = &e.classification.Events[i]
	}
	switch {
	case outcome.Kind == Delivered:
		return ""
	case outcome.Kind == Unclassified:
		return errUnclassified.Error()
	case outcome.Message == "" && e.problem != nil:
		return e.problem.Error()
	default:
		return outcome.Message
	}
}

// state is the state of an event at the end of an attempt.
type state uint8

const (
	notYetSent state = iota
	failed
	done
)

// newResult merges the results of requests into the result of the attempt.
func newResult(events []batch.Event, results []requestResult, runner *Runner) *Result {
	r := &Result{}
	states := make([]state, len(events))
	paused := false
	for i := range results {
		e := &results[i]
		paused = paused || e.paused
		r.Wait = max(r.Wait, e.classification.Wait)
		r.note(e.problem, e.status)
		r.Bisectable = r.Bisectable || len(e.events) > 1 && e.mayBeBisected()
		for j := range e.events {
			outcome := &e.classification.Outcome
			if len(e.classification.Events) > 0 {
				outcome = &e.classification.Events[j]
			}
			if at := e.events[j].Index; states[at] != done { // the backend may have put an event into two requests
				states[at] = r.add(&e.events[j], outcome, e)
				if runner.Detailed && outcome.Kind == Delivered {
					r.deliver(e, j)
				}
			}
		}
	}
	var unsent, failures []batch.Event
	for i, s := range states {
		switch s {
		case notYetSent:
			unsent = append(unsent, events[i])
		case failed:
			failures = append(failures, events[i])
		}
	}
	r.Pending = slices.Concat(unsent, failures)
	if runner.Ordered {
		slices.SortFunc(r.Pending, func(a, b batch.Event) int { return a.Index - b.Index })
	}
	if paused {
		r.Paused, r.Failed = unsent, failures
	}
	if len(r.Pending) > 0 && r.Problem == nil {
		r.Problem = errNotSent
		if paused {
			r.Problem = ErrPaused
		}
	}
	return r
}

// add adds an event's outcome, and returns the event's state.
func (r *Result) add(event *batch.Event, o *Outcome, e *requestResult) state {
	switch o.Kind {
	case Delivered:
		r.Delivered++
		return done
	case Refused, Ambiguous, Discarded:
		r.Refused = append(r.Refused, RefusedEvent{*event, Cause{Reason: o.Reason, Status: e.status, Message: o.Message, Discard: o.Kind == Discarded, Until: o.Until}})
		return done
	case Unclassified:
		r.note(errUnclassified, e.status)
	case Retryable:
		if e.problem == nil {
			r.note(errors.New(o.Message), e.status)
		}
	}
	return failed
}

// deliver adds the i-th event of a request to the deliveries. It lengthens the last one if that ends just
// before the event.
func (r *Result) deliver(e *requestResult, i int) {
	if n := len(r.Deliveries); n > 0 {
		last := &r.Deliveries[n-1]
		if m := len(last.Events); m <= i && &last.Events[0] == &e.events[i-m] {
			last.Events = e.events[i-m : i+1]
			return
		}
	}
	r.Deliveries = append(r.Deliveries, statusfeed.Delivery{Events: e.events[i : i+1], Status: e.status})
}

// ErrStopped is the problem of an attempt that is not made, because shutdown_timeout has passed.
var ErrStopped = errors.New("the collector stopped")

// ErrPaused is the problem of an attempt in which nothing failed, but that a pause of the exporter
// ended.
var ErrPaused = errors.New("the exporter is paused")

var errNotSent = errors.New("the request was not sent")

var errUnclassified = errors.New("the exporter did not classify the response")

// note notes a temporary failure. One with a status is preferred, since it says more.
func (r *Result) note(problem error, status int) {
	if problem != nil && (r.Problem == nil || status != 0) {
		r.Problem, r.Status = problem, status
	}
}
