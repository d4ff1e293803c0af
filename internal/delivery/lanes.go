// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import "sync"

// Ordered is a backend for which some events must not overtake others, such as those of one user. It puts what has an order into
// requests of one [Request.Lane]. These are sent one after the other, and what is owed keeps its order. Batches come one
// after the other where sending_queue::num_consumers is 1, to which its configuration holds users; they may be larger
// than sending_queue::batch::max_size.
type Ordered interface {
	Backend

	// KeepsOrder is not called: to have it is to be ordered.
	KeepsOrder()
}

// sendLanes sends the requests of each lane in a slot of its own.
func (a *attempt) sendLanes(requests []Request) {
	lanes := lanesOf(requests)
	for i, lane := range lanes {
		if !a.acquire(lane[0].URL) {
			a.postponeAll(lane)
			continue
		}
		if i == len(lanes)-1 {
			a.sendLane(lane)
			return
		}
		a.requests.Go(func() { a.sendLane(lane) })
	}
}

// lanesOf are the requests of each lane, in their order. Requests without a lane have one of their own.
func lanesOf(requests []Request) [][]*Request {
	var lanes [][]*Request
	at := map[int]int{}
	for i := range requests {
		req := &requests[i]
		place, ok := at[req.Lane]
		if !ok || req.Lane == 0 {
			place = len(lanes)
			at[req.Lane] = place
			lanes = append(lanes, nil)
		}
		lanes[place] = append(lanes[place], req)
	}
	return lanes
}

// sendLane sends the requests in the slot that was acquired for them, and gives that back.
func (a *attempt) sendLane(lane []*Request) {
	defer func() { <-a.d.slots }()
	a.sendInTurn(lane)
}

// sendInTurn sends the requests one after the other, and reports whether nothing of them is owed. What is behind a request
// that is owed is postponed.
func (a *attempt) sendInTurn(lane []*Request) bool {
	for i, req := range lane {
		if !a.paced(req) {
			a.postponeAll(lane[i:])
			return false
		}
		if !a.settles(req) {
			a.postponeAll(lane[i+1:])
			return false
		}
	}
	return true
}

// settles sends a request, where need be in halves, and reports whether nothing of it is owed.
func (a *attempt) settles(req *Request) bool {
	halves := a.exchange(req)
	for i, half := range halves {
		requests := a.frame(half)
		lane := make([]*Request, len(requests))
		for j := range requests {
			lane[j] = &requests[j]
		}
		if a.sendInTurn(lane) {
			continue
		}
		for _, later := range halves[i+1:] {
			a.postpone(later)
		}
		return false
	}
	return len(halves) > 0 || !a.owes(req.Events)
}

func (a *attempt) postponeAll(lane []*Request) {
	for _, req := range lane {
		unanswered(req)
		a.postpone(req.Events)
	}
}

// owes reports whether some of the events were sent in vain.
func (a *attempt) owes(events []Event) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.failed) > 0 && len(inOrderOf(events, a.failed)) > 0
}

// inOrderOf are those of the events that are among others, in their order.
func inOrderOf(events, others []Event) []Event {
	if len(others) == 0 {
		return nil
	}
	places := make(map[*byte]bool, len(others))
	for i := range others {
		places[placeOf(others[i].Payload)] = true
	}
	among := make([]Event, 0, len(others))
	for i := range events {
		if places[placeOf(events[i].Payload)] {
			among = append(among, events[i])
		}
	}
	return among
}

// turns keeps the batches of an ordered backend in their order. exporterhelper's batcher hands on a batch when it is large enough,
// and another goroutine when its time is over: the later of the two may be the faster. So no batch is begun to be made
// while the one before it is on its way to be sent.
type turns struct {
	mu      sync.Mutex
	changed *sync.Cond
	made    bool // a batch is, or is on its way
}

func newTurns() *turns {
	t := &turns{}
	t.changed = sync.NewCond(&t.mu)
	return t
}

// wait waits until a batch may be made.
func (t *turns) wait() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.made {
		t.changed.Wait()
	}
	t.made = true
}

// begin notes that the batch is being sent: with one consumer, no other is before it is done.
func (t *turns) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.made = false
	t.changed.Signal()
}
