// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// maxBody is the size limit of a request in bytes
// (moengage.com/docs/api/bulk/bulk-import-users-and-events: 100 KB).
const maxBody = 100_000

// The text around the objects in the bodies of bulk and merge requests. The bodies of the other
// routes are a single object.
const (
	bulkHead  = `{"type":"transition","elements":[`
	bulkTail  = `]}`
	mergeHead = `{"merge_data":[`
	mergeTail = `]}`
	maxObject = maxBody - len(bulkHead) - len(bulkTail) // bytes of the only object in a request
)

// BuildRequests implements delivery.Backend. The requests with a user's events are all in one
// partition, and keep the order of these events.
func (b *backend) BuildRequests(events []delivery.Event) ([]delivery.Request, []delivery.Refusal) {
	events, refusals := refuseTooLarge(events)
	if len(events) == 0 {
		return nil, refusals
	}
	sorted := b.sortByUser(events)
	r := requestBuilder{backend: b}
	r.addShared(&sorted)
	r.addSeparate(&sorted)
	return r.requests, refusals
}

// refuseTooLarge refuses the events that fit into no request, and returns the others.
func refuseTooLarge(events []delivery.Event) ([]delivery.Event, []delivery.Refusal) {
	tooLarge := func(e delivery.Event) bool { return len(e.Payload) > maxObject }
	if !slices.ContainsFunc(events, tooLarge) {
		return events, nil
	}
	var fitting []delivery.Event
	var refusals []delivery.Refusal
	for i := range events {
		if !tooLarge(events[i]) {
			fitting = append(fitting, events[i])
			continue
		}
		refusals = append(refusals, delivery.Refusal{
			Event: events[i], Reason: deadletter.ReasonTooLarge,
			Message: fmt.Sprintf("the event has %d bytes, but MoEngage accepts at most %d", len(events[i].Payload), maxObject),
		})
	}
	return fitting, refusals
}

// standsAlone reports whether an event gets a request of its own. The result does not change from
// attempt to attempt.
func (b *backend) standsAlone(e *delivery.Event) bool {
	return b.cfg.Mode == ModeSingle || e.Category == categories[kindMerge] || b.isVerified(e)
}

// isVerified reports whether an event belongs to the share that verify sends one by one.
func (b *backend) isVerified(e *delivery.Event) bool {
	if b.cfg.Verify == 0 || b.cfg.Verify == 1 {
		return b.cfg.Verify == 1
	}
	return float64(xxh3.HashString(e.ID))/math.MaxUint64 < b.cfg.Verify
}

// requestBuilder collects the requests of one attempt.
type requestBuilder struct {
	*backend
	requests  []delivery.Request
	partition int   // of the latest request
	heads     []int // see fit
}

// addShared adds requests that hold events of several users. It fills one request after another. If
// a request begins with the last user of the previous one, it stays in the same partition.
func (r *requestBuilder) addShared(sorted *usersEvents) {
	events, at := sorted.shared(), 0
	for at < len(events) {
		if at == 0 || sorted.userOf[at] != sorted.userOf[at-1] {
			r.partition++
		}
		at += r.addBulk(events[at:])
	}
}

// addSeparate adds the requests of users who have events that stand alone, each user in a partition
// of their own.
func (r *requestBuilder) addSeparate(sorted *usersEvents) {
	for events := range sorted.separate() {
		r.partition++
		for len(events) > 0 {
			n := 1
			if r.standsAlone(&events[0]) {
				r.addSingle(events[:1:1])
			} else {
				n = r.addBulk(r.untilAlone(events))
			}
			events = events[n:]
		}
	}
}

// untilAlone returns the events before the first one that stands alone.
func (b *backend) untilAlone(events []delivery.Event) []delivery.Event {
	for i := range events {
		if b.standsAlone(&events[i]) {
			return events[:i]
		}
	}
	return events
}

// addSingle adds the request of an event that stands alone.
func (r *requestBuilder) addSingle(event []delivery.Event) {
	req := r.request(event)
	switch kindOf(&event[0]) {
	case kindEvent:
		req.URL = r.routes.event
	case kindUser:
		req.URL = r.routes.user
	case kindDevice:
		req.URL = r.routes.device
	case kindMerge:
		req.URL, req.Join = r.routes.merge, delivery.Join{Head: mergeHead, Tail: mergeTail}
	}
	r.requests = append(r.requests, req)
}

// addBulk adds a request with as many of the events as fit, and returns their number.
func (r *requestBuilder) addBulk(events []delivery.Event) int {
	n, size := r.fit(events)
	req := r.request(events[:n:n])
	req.URL = r.routes.bulk
	if slices.ContainsFunc(r.heads[:n], func(head int) bool { return head > 0 }) {
		req.Body = bulkBody(req.Events, r.heads, size)
	} else {
		req.Join = delivery.Join{Head: bulkHead, Separator: ",", Tail: bulkTail}
	}
	r.requests = append(r.requests, req)
	return n
}

func (r *requestBuilder) request(events []delivery.Event) delivery.Request {
	return delivery.Request{
		Header: r.header, Events: events, Partition: r.partition, AtMostOnce: !r.cfg.RetryAmbiguous,
	}
}

// fit returns how many of the events fit into one body, at least one, and the size of that body. It
// sets r.heads: for each event, the length of the head shared with the previous event, or 0.
func (r *requestBuilder) fit(events []delivery.Event) (n, size int) {
	var w weights
	r.heads = r.heads[:0]
	size = len(bulkHead) + len(bulkTail)
	for n < len(events) {
		k, head, grown := kindOf(&events[n]), 0, size+len(events[n].Payload)
		if n > 0 {
			grown += len(",")
			if head = sharedHead(&events[n-1], &events[n]); head > 0 {
				grown -= head + len(actionsClose)
			}
			if grown > maxBody || r.maxWeights[k] > 0 && w[k] >= r.maxWeights[k] {
				break
			}
		}
		r.heads = append(r.heads, head)
		size = grown
		w[k]++
		n++
	}
	return n, size
}

// sharedHead returns the length of the head that both events have in common, so that their actions
// can go into one element. It is 0 if their heads differ.
func sharedHead(before, e *delivery.Event) int {
	if before.Destination != e.Destination || before.Key == "" {
		return 0
	}
	head := headLength(e)
	if !bytes.HasPrefix(before.Payload, e.Payload[:head]) {
		return 0
	}
	return head
}

// bulkBody returns the body for the events. An event that shares a head adds its action to the
// previous element.
func bulkBody(events []delivery.Event, heads []int, size int) []byte {
	body := append(make([]byte, 0, size), bulkHead...)
	for i := range events {
		if heads[i] > 0 {
			body = body[:len(body)-len(actionsClose)]
		}
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, events[i].Payload[heads[i]:]...)
	}
	return append(body, bulkTail...)
}
