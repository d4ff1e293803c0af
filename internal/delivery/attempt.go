// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// attempt is one try to deliver some events, and what came of it. Its requests are sent concurrently.
type attempt struct {
	d   *deliverer
	ctx context.Context //nolint:containedctx // it is that of one call, which makes the attempt
	// number is how many attempts these events have had with this one.
	number int
	// list is whether the delivered events are listed.
	list bool
	// events are those that the attempt is for.
	events []Event

	requests sync.WaitGroup

	mu        sync.Mutex
	delivered int
	// deliveredEvents are listed for a replay only.
	deliveredEvents []Event
	refused         []refusedEvent
	// unsent and failed are owed: those were not sent in this attempt, these were in vain.
	unsent, failed []Event
	// failures are the requests to each URL that have failed in a row.
	failures   map[string]int
	stoppedFor map[string]bool
	stopped    bool
	// wait is the longest that an answer asked for, problem and status are of the last failure.
	wait    time.Duration
	problem error
	status  int
}

type refusedEvent struct {
	Event
	cause
}

// cause is why events were given up.
type cause struct {
	reason  deadletter.Reason
	status  int
	message string
	// discard is whether they are dropped rather than kept as dead letters.
	discard bool
}

// attempt sends the events and returns when each of them is delivered, refused or owed.
func (d *deliverer) attempt(ctx context.Context, events []Event, number int) *attempt {
	a := &attempt{d: d, ctx: ctx, number: number}
	a.run(events)
	d.ledger.delivered(a.delivered)
	return a
}

// attemptOnly is an attempt with dead letters, which counts nothing and lists what it delivers.
func (d *deliverer) attemptOnly(ctx context.Context, events []Event) *attempt {
	a := &attempt{d: d, ctx: ctx, list: true}
	a.run(events)
	return a
}

func (a *attempt) run(events []Event) {
	a.events = events
	if a.greet(events) {
		a.deliver(events)
	}
	a.requests.Wait()
	a.d.health.report(a)
}

// deliver frames the events and sends the requests, each in a slot of its own.
func (a *attempt) deliver(events []Event) {
	requests := a.frame(events)
	if a.d.ordered {
		a.sendLanes(requests)
		return
	}
	for i := range requests {
		req := &requests[i]
		if a.isGone(req) {
			continue
		}
		if !a.paced(req) || !a.acquire(req.URL) {
			unanswered(req)
			a.postpone(req.Events)
			continue
		}
		if i == len(requests)-1 {
			a.send(req) // the last one, which is often the only one, needs no goroutine of its own
			return
		}
		a.requests.Go(func() { a.send(req) })
	}
}

// frame puts the events into requests, and refuses those that fit into none.
func (a *attempt) frame(events []Event) []Request {
	requests, refusals := a.d.backend.Frame(events)
	a.refuseUnframed(events, requests, refusals)
	for i := range refusals {
		r := &refusals[i]
		a.refuse([]Event{r.Event}, cause{reason: r.Reason, message: r.Message, discard: r.Discard})
	}
	return requests
}

// send makes a request in the slot that was acquired for it, and gives that back.
func (a *attempt) send(req *Request) {
	halves := a.exchange(req)
	<-a.d.slots
	for _, half := range halves {
		a.deliver(half)
	}
}

// exchange makes a request, and settles its events as [attempt.read] does. The backend may be gone since the request began to wait.
func (a *attempt) exchange(req *Request) (halves [][]Event) {
	if a.isGone(req) {
		return nil
	}
	response, err := a.d.post(a.ctx, req)
	return a.read(req, response, err)
}

// refuseUnframed settles events that the backend has put into no request: that is a mistake of its code, but no reason to
// lose sight of them.
func (a *attempt) refuseUnframed(events []Event, requests []Request, refusals []Refusal) {
	framed := len(refusals)
	for i := range requests {
		framed += len(requests[i].Events)
	}
	if framed >= len(events) {
		return
	}
	seen := make(map[*byte]bool, framed)
	for i := range requests {
		for _, event := range requests[i].Events {
			seen[placeOf(event.Payload)] = true
		}
	}
	for i := range refusals {
		seen[placeOf(refusals[i].Event.Payload)] = true
	}
	for _, event := range events {
		if !seen[placeOf(event.Payload)] {
			a.refuse([]Event{event}, cause{reason: deadletter.ReasonRefused, message: "the exporter has put it into no request"})
		}
	}
}

// placeOf is where a payload lies in memory, by which an event is known.
func placeOf(payload []byte) *byte {
	if len(payload) == 0 {
		return nil
	}
	return &payload[0]
}

// acquire waits for a slot, unless the attempt is to stop.
func (a *attempt) acquire(url string) bool {
	select {
	case a.d.slots <- struct{}{}:
	case <-a.ctx.Done():
		a.fail(a.ctx.Err(), 0)
		return false
	}
	if a.isStopped(url) {
		<-a.d.slots
		return false
	}
	return true
}

// unanswered tells the backend of a request that has no answer.
func unanswered(req *Request) {
	if req.Unanswered != nil {
		req.Unanswered()
	}
}

// read settles the events of a request by its answer. Where the answer does not tell which of them spoils the request, it
// returns their halves, to be sent anew.
func (a *attempt) read(req *Request, response *Response, err error) (halves [][]Event) {
	if errors.Is(err, errNoRequest) {
		unanswered(req)
		a.refuse(req.Events, cause{reason: deadletter.ReasonRefused, message: err.Error()})
		return nil
	}
	if blocked, ok := errors.AsType[*blockedError](err); ok {
		unanswered(req)
		a.refuse(req.Events, cause{reason: deadletter.ReasonBlocked, message: blocked.Error()})
		return nil
	}
	if may, ok := errors.AsType[*mayHaveArrivedError](err); ok && req.Once {
		unanswered(req)
		a.note(err, 0)
		a.judge(req.URL, true, 0, 0)
		a.refuse(req.Events, cause{reason: deadletter.ReasonExhausted, message: may.Error() + "; it may have arrived, so that it is not sent again"})
		return nil
	}
	if err != nil {
		unanswered(req)
		a.judge(req.URL, true, 0, 0)
		a.owe(req.Events, err, 0, 0)
		return nil
	}
	verdict := a.d.backend.Answer(req, response)
	verdict.Message = a.tellable(verdict.Message, response)
	for i := range verdict.Events {
		verdict.Events[i].Message = a.tellable(verdict.Events[i].Message, response)
	}
	a.judge(req.URL, verdict.asksAgain(), verdict.Wait, response.Status)
	if n := len(verdict.Events); n > 0 && n != len(req.Events) {
		a.owe(req.Events, fmt.Errorf("the backend answered for %d events where %d were sent", n, len(req.Events)), verdict.Wait, response.Status)
		return nil
	}
	if len(verdict.Events) == len(req.Events) {
		for i, outcome := range verdict.Events {
			a.apply(req.Events[i:i+1:i+1], outcome, verdict.Wait, response.Status)
		}
		return nil
	}
	if n := len(req.Events); verdict.Kind == Unknown && n > 1 {
		return [][]Event{req.Events[:n/2], req.Events[n/2:]}
	}
	a.apply(req.Events, verdict.Outcome, verdict.Wait, response.Status)
	return nil
}

// tellable is what the backend said in words that may be told: to the operator, and to callers where they wait.
func (a *attempt) tellable(message string, response *Response) string {
	message = withoutSecrets(message, response.request)
	if a.d.async || response.request == nil {
		return message
	}
	return withoutHost(message, response.request.URL)
}

// asksAgain reports whether nothing of the request arrived, but may later.
func (v *Verdict) asksAgain() bool {
	if len(v.Events) == 0 {
		return v.Kind == Retry
	}
	return !slices.ContainsFunc(v.Events, func(o Outcome) bool { return o.Kind != Retry })
}

func (a *attempt) apply(events []Event, outcome Outcome, wait time.Duration, status int) {
	switch outcome.Kind {
	case Delivered:
		a.deliveredAll(events)
	case Retry:
		a.owe(events, errors.New(outcome.Message), wait, status)
	default:
		a.refuse(events, cause{reason: outcome.Reason, status: status, message: outcome.Message, discard: outcome.Kind == Discarded})
	}
}

func (a *attempt) deliveredAll(events []Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.delivered += len(events)
	if a.list {
		a.deliveredEvents = append(a.deliveredEvents, events...)
	}
}

func (a *attempt) refuse(events []Event, c cause) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, event := range events {
		a.refused = append(a.refused, refusedEvent{Event: event, cause: c})
	}
}

// owe keeps events that were sent in vain for the next attempt.
func (a *attempt) owe(events []Event, problem error, wait time.Duration, status int) {
	a.note(problem, status)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed = append(a.failed, events...)
	a.wait = max(a.wait, a.d.clamp(wait))
}

// postpone keeps events that were not sent for the next attempt.
func (a *attempt) postpone(events []Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unsent = append(a.unsent, events...)
}

// owed is what the next attempt is for. What was not sent comes first, so that an event which fails every time does not
// keep its neighbors from being sent; unless the backend is one of order.
func (a *attempt) owed() []Event {
	owed := slices.Concat(a.unsent, a.failed)
	if a.d.ordered {
		return inOrderOf(a.events, owed)
	}
	return owed
}

// note keeps a failure that may pass, to tell of it.
func (a *attempt) note(problem error, status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.problem == nil || status != 0 {
		a.problem, a.status = problem, status
	}
}

// fail notes a failure after which nothing more is to be sent.
func (a *attempt) fail(problem error, status int) {
	a.note(problem, status)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stopped = true
}

const (
	// manyFailures in a row, with requests to one URL, are when an attempt sends nothing more there.
	manyFailures = 5
	// fewFailures are enough where there is no answer, or one that the backend is not itself.
	fewFailures = 3
)

// judge stops the sending to a URL where further requests would fare no better: when the backend asks to be left alone, and when
// nothing but failures comes. One failure alone says little about the next request.
func (a *attempt) judge(url string, failed bool, wait time.Duration, status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !failed {
		delete(a.failures, url)
		return
	}
	if a.failures == nil {
		a.failures, a.stoppedFor = map[string]int{}, map[string]bool{}
	}
	a.failures[url]++
	most := manyFailures
	switch {
	case wait > 0:
		most = 1
	case status == 0, status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		most = fewFailures
	}
	if a.failures[url] >= most {
		a.stoppedFor[url] = true
	}
}

// isStopped reports whether nothing more is to be sent to a URL.
func (a *attempt) isStopped(url string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stopped || a.stoppedFor[url]
}

// bury makes dead letters of what was refused.
func (a *attempt) bury() {
	letters := make([]deadletter.Letter, 0, len(a.refused))
	var discarded []deadletter.Letter
	for i := range a.refused {
		letter := a.refused[i].letter(a.number)
		if a.refused[i].discard {
			discarded = append(discarded, letter)
		} else {
			letters = append(letters, letter)
		}
	}
	a.d.ledger.bury(letters)
	a.d.ledger.discard(discarded)
}

// letter is the event as a dead letter.
func (r *refusedEvent) letter(attempts int) deadletter.Letter {
	return newLetter(r.Event, r.cause, attempts)
}

func newLetter(event Event, c cause, attempts int) deadletter.Letter {
	letter := deadletter.Letter{
		ID: event.ID, Name: event.Name, Category: event.Category, Destination: event.Destination, Payload: event.Payload,
		Reason: c.reason, Status: c.status, Message: c.message, Attempts: attempts, FailedAt: time.Now(),
	}
	if event.Time != 0 {
		letter.Time = event.Time.AsTime()
	}
	return letter
}

// clamp keeps a wait that a backend asks for within reason: it can neither park events nor stop the exporter.
func (d *deliverer) clamp(wait time.Duration) time.Duration {
	return max(0, min(wait, 10*d.cfg.RetryConfig.MaxInterval))
}
