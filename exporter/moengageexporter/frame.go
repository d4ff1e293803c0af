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

// maxBody is the bytes of a request (moengage.com/docs/api/bulk/bulk-import-users-and-events: 100 KB).
const maxBody = 100_000

// Bodies around the objects, of the routes that do not take them alone.
const (
	bulkHead  = `{"type":"transition","elements":[`
	bulkTail  = `]}`
	mergeHead = `{"merge_data":[`
	mergeTail = `]}`
	maxObject = maxBody - len(bulkHead) - len(bulkTail) // bytes of one that stands alone
)

// Frame implements delivery.Backend. The requests of a lane hold events of the same users, in their order.
func (b *backend) Frame(events []delivery.Event) ([]delivery.Request, []delivery.Refusal) {
	events, refusals := withoutHuge(events)
	if len(events) == 0 {
		return nil, refusals
	}
	sorted := b.byUser(events)
	f := framing{backend: b}
	f.shared(&sorted)
	f.apart(&sorted)
	return f.requests, refusals
}

// withoutHuge refuses the events that no request has room for.
func withoutHuge(events []delivery.Event) ([]delivery.Event, []delivery.Refusal) {
	huge := func(e delivery.Event) bool { return len(e.Payload) > maxObject }
	if !slices.ContainsFunc(events, huge) {
		return events, nil
	}
	var fitting []delivery.Event
	var refusals []delivery.Refusal
	for i := range events {
		if !huge(events[i]) {
			fitting = append(fitting, events[i])
			continue
		}
		refusals = append(refusals, delivery.Refusal{
			Event: events[i], Reason: deadletter.ReasonTooLarge,
			Message: fmt.Sprintf("the event has %d bytes, and MoEngage takes %d", len(events[i].Payload), maxObject),
		})
	}
	return fitting, refusals
}

// standsAlone reports whether an event has a request of its own. That is the same on each attempt.
func (b *backend) standsAlone(e *delivery.Event) bool {
	return b.cfg.Mode == ModeSingle || e.Category == categories[kindMerge] || b.isVerified(e)
}

// isVerified reports whether an event is of the share that is sent one by one.
func (b *backend) isVerified(e *delivery.Event) bool {
	if b.cfg.Verify == 0 || b.cfg.Verify == 1 {
		return b.cfg.Verify == 1
	}
	return float64(xxh3.HashString(e.ID))/math.MaxUint64 < b.cfg.Verify
}

// framing makes the requests of one attempt.
type framing struct {
	*backend
	requests []delivery.Request
	lane     int   // the last
	shares   []int // see fit
}

// shared makes requests for users whose events need none of their own. One request after another is filled, and has the lane of the one
// before it where a user is in both.
func (f *framing) shared(sorted *users) {
	events, at := sorted.shared(), 0
	for at < len(events) {
		if at == 0 || sorted.group[at] != sorted.group[at-1] {
			f.lane++
		}
		at += f.bulk(events[at:])
	}
}

// apart makes requests for the other users, with a lane for each.
func (f *framing) apart(sorted *users) {
	for events := range sorted.apart() {
		f.lane++
		for len(events) > 0 {
			n := 1
			if f.standsAlone(&events[0]) {
				f.single(events[:1:1])
			} else {
				n = f.bulk(untilAlone(f.backend, events))
			}
			events = events[n:]
		}
	}
}

// untilAlone are the events up to one that has a request of its own.
func untilAlone(b *backend, events []delivery.Event) []delivery.Event {
	for i := range events {
		if b.standsAlone(&events[i]) {
			return events[:i]
		}
	}
	return events
}

// single makes the request of an event that has one of its own.
func (f *framing) single(events []delivery.Event) {
	req := delivery.Request{Header: f.header, Events: events, Lane: f.lane, Once: !f.cfg.RetryAmbiguous}
	switch kindOf(&events[0]) {
	case kindEvent:
		req.URL = f.routes.event
	case kindUser:
		req.URL = f.routes.user
	case kindDevice:
		req.URL = f.routes.device
	case kindMerge:
		req.URL, req.Join = f.routes.merge, delivery.Join{Head: mergeHead, Tail: mergeTail}
	}
	f.requests = append(f.requests, req)
}

// bulk makes a request of as many events as it has room for, and returns how many these are.
func (f *framing) bulk(events []delivery.Event) int {
	n, size := f.fit(events)
	req := delivery.Request{URL: f.routes.bulk, Header: f.header, Events: events[:n:n], Lane: f.lane, Once: !f.cfg.RetryAmbiguous}
	if slices.ContainsFunc(f.shares[:n], func(head int) bool { return head > 0 }) {
		req.Body = join(req.Events, f.shares, size)
	} else {
		req.Join = delivery.Join{Head: bulkHead, Separator: ",", Tail: bulkTail}
	}
	f.requests = append(f.requests, req)
	return n
}

// fit is how many of the events one body has room for, which is one at least, and the size of that body. In f.shares is then, for
// each, how much of its payload is in the element before it, which it shares.
func (f *framing) fit(events []delivery.Event) (n, size int) {
	var w weights
	f.shares = f.shares[:0]
	size = len(bulkHead) + len(bulkTail)
	for n < len(events) {
		k, head, grown := kindOf(&events[n]), 0, size+len(events[n].Payload)
		if n > 0 {
			grown += len(",")
			if head = sharedHead(&events[n-1], &events[n]); head > 0 {
				grown -= head + len(actionsClose)
			}
			if grown > maxBody || f.most[k] > 0 && w[k] >= f.most[k] {
				break
			}
		}
		f.shares = append(f.shares, head)
		size = grown
		w[k]++
		n++
	}
	return n, size
}

// join is the body that holds the events.
func join(events []delivery.Event, shares []int, size int) []byte {
	body := append(make([]byte, 0, size), bulkHead...)
	for i := range events {
		if shares[i] > 0 {
			body = body[:len(body)-len(actionsClose)]
		}
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, events[i].Payload[shares[i]:]...)
	}
	return append(body, bulkTail...)
}

// sharedHead is how long what both events have before their action is, so that the actions may share an element; 0 where they may
// not. What it looks for cannot be in a string before that, where quotes are escaped.
func sharedHead(before, e *delivery.Event) int {
	if before.Destination != e.Destination || kindOf(before) != kindEvent || kindOf(e) != kindEvent {
		return 0
	}
	at := bytes.Index(e.Payload, []byte(actionsOpen))
	if at < 0 {
		return 0
	}
	head := at + len(actionsOpen)
	if !bytes.HasPrefix(before.Payload, e.Payload[:head]) || !bytes.HasSuffix(before.Payload, []byte(actionsClose)) || !bytes.HasSuffix(e.Payload, []byte(actionsClose)) {
		return 0
	}
	return head
}
