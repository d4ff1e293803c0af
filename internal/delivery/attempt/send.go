// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package attempt

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/transport"
)

// sending is one attempt under way. Its partitions are sent at the same time.
type sending struct {
	*Runner
	ctx     context.Context //nolint:containedctx // it is that of one call of Run
	breaker breaker
	total   int // events

	mu      sync.Mutex
	endings []ending
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
			s.end(notSent(partition, s.ctx.Err()))
			continue
		}
		if i == len(all)-1 {
			s.sendPartition(partition) // the last one, which is often the only one, needs no goroutine of its own
			return
		}
		senders.Go(func() { s.sendPartition(partition) })
	}
}

// build has the backend build requests. Events that it puts into none are refused.
func (s *sending) build(events []batch.Event) []transport.Request {
	requests, refusals := s.Backend.BuildRequests(events)
	for i := range refusals {
		refusal := &refusals[i]
		meaning := because(Refused, refusal.Reason, refusal.Message)
		if refusal.Discard {
			meaning.Kind = Discarded
		}
		s.end(ending{events: []batch.Event{refusal.Event}, meaning: meaning})
	}
	// An event that the backend has put nowhere is a mistake of its code, but no reason to lose
	// sight of it.
	if forgotten := missing(events, s.total, requests, refusals); len(forgotten) > 0 {
		s.end(ending{events: forgotten, meaning: because(Refused, deadletter.ReasonRefused, "the exporter has put it into no request")})
	}
	return requests
}

// missing are the events, of so many in the attempt, that are neither in a request nor refused.
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

// partitions groups requests: those of one partition are sent one after the other, and partitions at
// the same time. Without an order, and in partition 0, each request is a group of its own.
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

// sendPartition sends a partition in the slot that was acquired for it, and gives that back.
func (s *sending) sendPartition(partition []transport.Request) {
	defer func() { <-s.Slots }()
	s.sendInOrder(partition)
}

// sendInOrder sends requests one after the other, and reports whether nothing of them is pending.
// Where there is an order, what is behind a failure is not sent.
func (s *sending) sendInOrder(requests []transport.Request) bool {
	settled := true
	for i := range requests {
		settled = s.send(&requests[i]) && settled
		if !settled && s.Ordered {
			s.end(notSent(requests[i+1:], nil))
			return false
		}
	}
	return settled
}

// send sends a request or, where its response is ambiguous, its halves. It reports whether nothing
// of it is pending.
func (s *sending) send(req *transport.Request) bool {
	if s.breaker.isOpen(req.URL) {
		noResponse(req)
		return false
	}
	e := s.exchange(req)
	s.breaker.record(req.URL, &e)
	n := len(req.Events)
	if e.meaning.Kind != Ambiguous || len(e.meaning.Events) > 0 || n <= 1 {
		if !e.pending {
			e.events = req.Events
		}
		s.end(e)
		return !e.isPending()
	}
	settled := true
	for _, half := range [][]batch.Event{req.Events[:n/2], req.Events[n/2:]} {
		settled = s.sendInOrder(s.build(half)) && settled
		if !settled && s.Ordered {
			return false
		}
	}
	return settled
}

func (s *sending) end(endings ...ending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endings = append(s.endings, endings...)
}

// notSent is the ending of requests that this attempt does not send, and problem why, where that is
// news. Their events are pending.
func notSent(requests []transport.Request, problem error) ending {
	for i := range requests {
		noResponse(&requests[i])
	}
	return ending{problem: problem, pending: true}
}

// noResponse tells the backend that ClassifyResponse is not called for the request.
func noResponse(req *transport.Request) {
	if req.OnNoResponse != nil {
		req.OnNoResponse()
	}
}

// exchange makes a request, and returns what it means for its events.
func (s *sending) exchange(req *transport.Request) ending {
	if why := s.whyDisabled(); why != "" {
		noResponse(req)
		return ending{meaning: because(Refused, deadletter.ReasonGone, why)}
	}
	if err := s.pace(req); err != nil {
		noResponse(req)
		return ending{problem: err, pending: true}
	}
	if why := s.whyDisabled(); why != "" { // since it began to wait
		noResponse(req)
		return ending{meaning: because(Refused, deadletter.ReasonGone, why)}
	}
	response, err := s.Send(s.ctx, req)
	if err != nil {
		noResponse(req)
		return unanswered(req, err)
	}
	return s.answered(req, response)
}

func (s *sending) whyDisabled() string {
	if s.Disabled == nil {
		return ""
	}
	return s.Disabled()
}

func (s *sending) pace(req *transport.Request) error {
	if s.Pace == nil {
		return nil
	}
	return s.Pace(s.ctx, req)
}

// unanswered is the ending of a request without a response.
func unanswered(req *transport.Request, err error) ending {
	if errors.Is(err, transport.InvalidRequestError{}) {
		return ending{meaning: because(Refused, deadletter.ReasonRefused, err.Error())}
	}
	if blocked, ok := errors.AsType[*transport.BlockedError](err); ok {
		return ending{meaning: because(Refused, deadletter.ReasonBlocked, blocked.Error())}
	}
	e := ending{meaning: because(Retryable, "", ""), problem: err, failed: true}
	if arrived, ok := errors.AsType[*transport.UnansweredError](err); ok && req.AtMostOnce {
		e.meaning = because(Refused, deadletter.ReasonExhausted, arrived.Error()+"; it may have arrived, so that it is not sent again")
	}
	return e
}

// answered is the ending of a request with a response.
func (s *sending) answered(req *transport.Request, response *transport.Response) ending {
	c := s.Backend.ClassifyResponse(req, response)
	c.Message = s.redact(c.Message, response)
	for i := range c.Events {
		c.Events[i].Message = s.redact(c.Events[i].Message, response)
	}
	wait := c.Wait
	if n := len(c.Events); n > 0 && n != len(req.Events) {
		c = because(Retryable, "", fmt.Sprintf("the backend answered for %d events where %d were sent", n, len(req.Events)))
	}
	e := ending{meaning: c, status: response.Status, wait: wait, failed: c.isFailure()}
	e.meaning.Wait = max(0, min(wait, s.MaxWait))
	return e
}

// redact takes secrets out of what the backend said.
func (s *sending) redact(message string, response *transport.Response) string {
	message = response.Redact(message)
	if s.ForCallers {
		message = response.RedactHost(message)
	}
	return message
}
