// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package attempt

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/transport"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// sending is one attempt in progress. Partitions are sent in parallel.
type sending struct {
	*Runner
	ctx     context.Context //nolint:containedctx // sending lives as long as one call of Run
	breaker breaker
	total   int // number of events

	sent      atomic.Bool // whether any request was sent
	mu        sync.Mutex
	results   []requestResult
	exchanges []statusfeed.Exchange
}

// sendAll sends the events, each partition in a slot of its own.
func (s *sending) sendAll(events []batch.Event) {
	var senders sync.WaitGroup
	defer senders.Wait()
	all := partitions(s.build(events), s.Ordered)
	for i, partition := range all {
		select {
		case s.Slots <- struct{}{}:
		case <-s.ctx.Done():
			s.record(notSent(partition, s.ctx.Err()))
			continue
		}
		if i == len(all)-1 {
			s.sendPartition(partition) // the last, often the only one, needs no goroutine
			return
		}
		senders.Go(func() { s.sendPartition(partition) })
	}
}

// build lets the backend build requests. Events that it puts into none are refused.
func (s *sending) build(events []batch.Event) []transport.Request {
	requests, refusals := s.Backend.BuildRequests(events)
	for i := range refusals {
		refusal := &refusals[i]
		refused := classification(Refused, refusal.Reason, refusal.Message)
		if refusal.Discard {
			refused.Kind = Discarded
		}
		refused.Until = refusal.Until
		s.record(requestResult{events: []batch.Event{refusal.Event}, classification: refused})
	}
	// An event in no request is a bug in the backend's code, but must not be lost silently.
	if forgotten := missing(events, s.total, requests, refusals); len(forgotten) > 0 {
		s.record(requestResult{events: forgotten, classification: classification(Refused, deadletter.ReasonRefused, "the exporter put it into no request")})
	}
	return requests
}

// missing returns the events that are neither in a request nor refused; total is the number of events
// in the attempt.
func missing(events []batch.Event, total int, requests []transport.Request, refusals []Refusal) []batch.Event {
	seen := make([]bool, total)
	for i := range requests {
		for j := range requests[i].Events {
			seen[requests[i].Events[j].Index] = true
		}
	}
	for i := range refusals {
		seen[refusals[i].Event.Index] = true
	}
	var left []batch.Event
	for i := range events {
		if !seen[events[i].Index] {
			left = append(left, events[i])
		}
	}
	return left
}

// partitions groups requests. The requests of a group are sent one after another, groups in parallel.
// If the backend is not ordered, and in partition 0, each request is a group of its own.
func partitions(requests []transport.Request, ordered bool) [][]transport.Request {
	all := make([][]transport.Request, 0, len(requests))
	places := map[int]int{}
	for i := range requests {
		partition := requests[i].Partition
		place, ok := places[partition]
		if ok && partition != 0 {
			all[place] = append(all[place], requests[i])
			continue
		}
		if ordered {
			places[partition] = len(all)
		}
		all = append(all, requests[i:i+1:i+1])
	}
	return all
}

// sendPartition sends a partition in the slot acquired for it, and releases the slot.
func (s *sending) sendPartition(partition []transport.Request) {
	defer func() { <-s.Slots }()
	s.sendInOrder(partition)
}

// sendInOrder sends requests one after another, and reports whether none of their events is pending.
// If the backend is ordered, it stops at the first failure.
func (s *sending) sendInOrder(requests []transport.Request) bool {
	settled := true
	for i := range requests {
		settled = s.send(&requests[i]) && settled
		if !settled && s.stopsAtFailure() {
			s.record(notSent(requests[i+1:], nil))
			return false
		}
	}
	return settled
}

// send sends a request and, if its response is ambiguous, its halves. It reports whether none of its
// events is pending.
func (s *sending) send(req *transport.Request) bool {
	if s.breaker.isOpen(req.URL) {
		noResponse(req)
		return false
	}
	e := s.exchange(req)
	s.breaker.record(req.URL, &e, s.total)
	n := len(req.Events)
	if !s.isBisected(&e) || n <= 1 {
		if !e.notSent {
			e.events = req.Events
		}
		s.record(e)
		return !e.isPending()
	}
	settled := true
	for _, half := range [][]batch.Event{req.Events[:n/2], req.Events[n/2:]} {
		settled = s.sendInOrder(s.build(half)) && settled
		if !settled && s.stopsAtFailure() {
			return false
		}
	}
	return settled
}

// isBisected reports whether a request with such a result is sent again in halves.
func (s *sending) isBisected(e *requestResult) bool {
	if len(e.classification.Events) > 0 {
		return false
	}
	return e.classification.Kind == Ambiguous || s.breaker.bisecting && e.mayBeBisected()
}

// stopsAtFailure reports whether a failure holds up what comes after it. In the last attempt the
// failed events are given up, so they hold up nothing.
func (s *sending) stopsAtFailure() bool { return s.Ordered && !s.breaker.bisecting }

func (s *sending) record(result requestResult) {
	if s.OnDelivered != nil {
		if delivered := result.delivered(); len(delivered) > 0 {
			s.OnDelivered(delivered, len(delivered) == s.total)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.results = append(s.results, result)
}

// notSent is the result of requests that this attempt does not send. Their events are pending;
// problem says why, unless that is known already.
func notSent(requests []transport.Request, problem error) requestResult {
	for i := range requests {
		noResponse(&requests[i])
	}
	return requestResult{problem: problem, notSent: true}
}

// pausedResult is the result of requests that are not sent because the exporter is paused.
func pausedResult() requestResult { return requestResult{paused: true, notSent: true} }

// noResponse notifies the backend that ClassifyResponse will not be called for the request.
func noResponse(req *transport.Request) {
	if req.OnNoResponse != nil {
		req.OnNoResponse()
	}
}

// exchange makes a request, and returns its result.
func (s *sending) exchange(req *transport.Request) requestResult {
	if result, stopped := s.isStopped(req); stopped {
		return result
	}
	if err := s.pace(req); err != nil {
		noResponse(req)
		return requestResult{problem: err, notSent: true}
	}
	if result, stopped := s.isStopped(req); stopped { // during the wait
		return result
	}
	s.sent.Store(true)
	begun := time.Now()
	response, err := s.Send(s.ctx, req)
	took := time.Since(begun)
	var result requestResult
	if err == nil {
		result = s.withResponse(req, response)
	} else {
		noResponse(req)
		result = withoutResponse(req, err)
	}
	if s.Detailed {
		s.detail(req, &result, begun, took)
	}
	return result
}

// detail adds a request that was sent to the exchanges.
func (s *sending) detail(req *transport.Request, result *requestResult, begun time.Time, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	exchange := statusfeed.Exchange{Events: req.Events, Begun: begun, Took: took, Status: result.status}
	if c := &result.classification; len(c.Events) > 0 || c.Kind != Delivered {
		answer := *result
		exchange.Message = answer.message
	}
	s.exchanges = append(s.exchanges, exchange)
}

// isStopped reports whether nothing is sent to the backend, or not now, and the result of that.
func (s *sending) isStopped(req *transport.Request) (requestResult, bool) {
	if s.isPaused() {
		noResponse(req)
		return pausedResult(), true
	}
	if s.Disabled != nil {
		if why := s.Disabled(); why != "" {
			noResponse(req)
			return requestResult{classification: classification(Refused, deadletter.ReasonGone, why)}, true
		}
	}
	now := time.Now()
	if until, held := s.holds.find(req.URL, now); held {
		noResponse(req)
		return requestResult{classification: Classification{Wait: until.Sub(now)}, problem: &HeldError{until}, notSent: true, held: true}, true
	}
	return requestResult{}, false
}

func (s *sending) pace(req *transport.Request) error {
	if s.Pace == nil {
		return nil
	}
	return s.Pace(s.ctx, req)
}

// withoutResponse is the result of a request without a response.
func withoutResponse(req *transport.Request, err error) requestResult {
	if errors.Is(err, transport.InvalidRequestError{}) {
		return requestResult{classification: classification(Refused, deadletter.ReasonRefused, err.Error())}
	}
	if blocked, ok := errors.AsType[*transport.BlockedError](err); ok {
		return requestResult{classification: classification(Refused, deadletter.ReasonBlocked, blocked.Error())}
	}
	e := requestResult{classification: classification(Retryable, "", ""), problem: err, failed: true}
	if arrived, ok := errors.AsType[*transport.NoResponseError](err); ok && req.AtMostOnce {
		e.classification = classification(Refused, deadletter.ReasonExhausted, arrived.Error()+"; it may have arrived, so it is not sent again")
	}
	return e
}

// withResponse is the result of a request with a response.
func (s *sending) withResponse(req *transport.Request, response *transport.Response) requestResult {
	c := s.Backend.ClassifyResponse(req, response)
	c.Message = s.redact(c.Message, response)
	for i := range c.Events {
		c.Events[i].Message = s.redact(c.Events[i].Message, response)
	}
	wait := c.Wait
	if n := len(c.Events); n > 0 && n != len(req.Events) {
		c = classification(Retryable, "", fmt.Sprintf("the backend answered for %d events, but %d were sent", n, len(req.Events)))
	}
	e := requestResult{classification: c, status: response.Status, wait: wait, failed: c.isFailure()}
	if wait > 0 {
		e.classification.Wait = min(wait, s.MaxWait)
		s.holds.extend(req.URL, response.ReceivedAt.Add(e.classification.Wait))
	}
	return e
}

// redact removes secrets from a message of the backend.
func (s *sending) redact(message string, response *transport.Response) string {
	message = response.Redact(message)
	if s.RedactHost {
		message = response.RedactHost(message)
	}
	return message
}
