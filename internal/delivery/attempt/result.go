// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package attempt

import (
	"errors"
	"slices"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
)

// Result is what became of the events of an attempt: each is delivered, refused or pending.
type Result struct {
	// Delivered is how many events the backend has.
	Delivered int
	// Refused are those that are not sent again: that the backend will never take.
	Refused []RefusedEvent
	// Pending are those for the next attempt. What was not sent comes first, so that an event which
	// fails every time does not keep its neighbors from being sent; where there is an order, they
	// are in it.
	Pending []batch.Event
	// Wait is how long to wait at least before the next attempt; 0 where nobody says.
	Wait time.Duration
	// Problem is a failure that may pass, and Status its HTTP status, 0 where there was no
	// response. Problem is nil where there was none; it holds no secret.
	Problem error
	Status  int
}

// RefusedEvent is an event that is not sent again.
type RefusedEvent struct {
	batch.Event
	Cause
}

// Cause is why an event was given up.
type Cause struct {
	Reason deadletter.Reason
	// Status is the HTTP status; 0 where there was no response.
	Status int
	// Message says why in words. It holds no secret.
	Message string
	// Discard makes no dead letter of it.
	Discard bool
}

// ending is the outcome of one request, or of requests that were not sent.
type ending struct {
	events  []batch.Event
	meaning Classification
	status  int
	// problem is a failure that may pass, where it is not in the meaning.
	problem error
	// pending is whether events were not sent. They need not be listed: events without an ending
	// are pending.
	pending bool
	// wait is the wait that the backend asked for, and failed whether no event was accepted and all
	// may be sent again.
	wait   time.Duration
	failed bool
}

// isPending reports whether some event is for the next attempt.
func (e *ending) isPending() bool {
	if len(e.meaning.Events) > 0 {
		return slices.ContainsFunc(e.meaning.Events, func(o Outcome) bool { return o.Kind.isRetryable() })
	}
	return e.pending || e.meaning.Kind.isRetryable()
}

// state is what became of an event.
type state uint8

const (
	notYetSent state = iota
	failed
	done
)

// newResult is what the endings mean for the events.
func newResult(events []batch.Event, endings []ending, ordered bool) *Result {
	r := &Result{}
	states := make([]state, len(events))
	for i := range endings {
		e := &endings[i]
		r.Wait = max(r.Wait, e.meaning.Wait)
		r.note(e.problem, e.status)
		for j := range e.events {
			outcome := &e.meaning.Outcome
			if len(e.meaning.Events) > 0 {
				outcome = &e.meaning.Events[j]
			}
			if at := e.events[j].Index; states[at] != done { // a backend may have put an event into two requests
				states[at] = r.add(&e.events[j], outcome, e)
			}
		}
	}
	var again []batch.Event
	for i, s := range states {
		switch {
		case s == notYetSent, s == failed && ordered:
			r.Pending = append(r.Pending, events[i])
		case s == failed:
			again = append(again, events[i])
		}
	}
	r.Pending = slices.Concat(r.Pending, again)
	if len(r.Pending) > 0 && r.Problem == nil {
		r.Problem = errNotSent
	}
	return r
}

// add adds an event with its outcome.
func (r *Result) add(event *batch.Event, o *Outcome, e *ending) state {
	switch o.Kind {
	case Delivered:
		r.Delivered++
		return done
	case Refused, Ambiguous, Discarded:
		r.Refused = append(r.Refused, RefusedEvent{*event, Cause{Reason: o.Reason, Status: e.status, Message: o.Message, Discard: o.Kind == Discarded}})
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

// ErrStopped is the problem of an attempt that is not made, because the time for sending is over.
var ErrStopped = errors.New("the collector stopped")

var errNotSent = errors.New("the request was not sent")

var errUnclassified = errors.New("the exporter has not classified the response")

// note notes a failure that may pass. One with a status says more than one without.
func (r *Result) note(problem error, status int) {
	if problem != nil && (r.Problem == nil || status != 0) {
		r.Problem, r.Status = problem, status
	}
}
