// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"fmt"
	"hash/maphash"
	"net/http"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// Paths of the protocols (https://posthog.com/docs/api/capture; rust/capture/src/router.rs and v1 in PostHog/posthog).
const (
	pathBatch = "/batch/"
	pathV1    = "/i/v1/analytics/events"
)

// What PostHog takes at once.
const (
	// maxEvent is the size of one event. PostHog says 1 MB, but refuses some below that, since it counts what it adds
	// (https://posthog.com/docs/data/ingestion-warnings); RudderStack's destination keeps to this (src/v0/destinations/posthog in
	// rudderlabs/rudder-transformer).
	maxEvent = 900_000
	// maxBatchBody is below the 20 MB of https://posthog.com/docs/api/capture, before compression.
	maxBatchBody = 20_000_000 - 1
	// maxV1Body is below the 10 MiB of capture v1, which count after compression; before it, another limit counts that is not
	// published.
	maxV1Body = 10_000_000 - 1
	// maxBatchEvents is the largest batch that a user may configure: PostHog has no limit.
	maxBatchEvents = 10_000
	// maxV1Events makes the answer, of up to 110 bytes an event, fit into the 64 KiB that are read of one.
	maxV1Events = 500
)

// historicalAge is the age from which on events are historical data (https://posthog.com/docs/migrate).
const historicalAge = 48 * time.Hour

// route is where requests of a protocol go, and what one may hold.
type route struct {
	url       string
	maxEvents int
	maxBody   int
}

// lane is what may share requests. Events keep the protocol that they were encoded for, on disk and as dead letters too.
type lane struct {
	protocol   Protocol
	historical bool
}

// Frame implements delivery.Backend.
func (b *backend) Frame(events []delivery.Event) ([]delivery.Request, []delivery.Refusal) {
	now := b.now()
	lanes, refusals := b.sort(events, now)
	var requests []delivery.Request
	for at := range lanes {
		if len(lanes[at]) == 0 {
			continue
		}
		to := laneAt(at)
		if to.protocol == ProtocolV1 {
			requests = b.frameV1(requests, lanes[at], to, now)
		} else {
			requests = b.frameBatch(requests, lanes[at], to)
		}
	}
	return requests, refusals
}

const allLanes = 4

// place is the lane's place among all lanes, and laneAt its inverse.
func (l lane) place() (at int) {
	if l.protocol == ProtocolV1 {
		at += 2
	}
	if l.historical {
		at++
	}
	return at
}

func laneAt(at int) lane {
	l := lane{protocol: ProtocolBatch, historical: at%2 == 1}
	if at >= 2 {
		l.protocol = ProtocolV1
	}
	return l
}

// sort puts events into lanes, and refuses those that no request has room for.
func (b *backend) sort(events []delivery.Event, now time.Time) (lanes [allLanes][]delivery.Event, refusals []delivery.Refusal) {
	old := b.oldBefore(now)
	first, place := 0, 0 // of a run of events for the same lane
	for i := range events {
		e := &events[i]
		if len(e.Payload) > maxEvent {
			refusals = append(refusals, delivery.Refusal{
				Event: *e, Reason: deadletter.ReasonTooLarge,
				Message: fmt.Sprintf("the event has %d bytes, and PostHog takes %d", len(e.Payload), maxEvent),
			})
			lanes[place] = join(lanes[place], events[first:i])
			first = i + 1
			continue
		}
		if at := laneOf(e, old).place(); at != place {
			lanes[place] = join(lanes[place], events[first:i])
			first, place = i, at
		}
	}
	lanes[place] = join(lanes[place], events[first:])
	return lanes, refusals
}

// join appends a run of events to a lane. Most batches are one run, of which nothing is copied.
func join(lane, run []delivery.Event) []delivery.Event {
	if len(lane) == 0 {
		return slices.Clip(run)
	}
	return append(lane, run...)
}

// oldBefore is the time before which events are historical, where such go in requests of their own.
func (b *backend) oldBefore(now time.Time) pcommon.Timestamp {
	if b.cfg.HistoricalMigration == HistoricalNever {
		return 0
	}
	return pcommon.NewTimestampFromTime(now.Add(-historicalAge))
}

func laneOf(e *delivery.Event, old pcommon.Timestamp) lane {
	return lane{protocol: Protocol(e.Category), historical: e.Time != 0 && e.Time < old}
}

// frameBatch makes requests of the batch protocol. There is no sent_at: PostHog would move the timestamps of what has waited in the
// queue (https://posthog.com/docs/data/timestamps).
func (b *backend) frameBatch(requests []delivery.Request, events []delivery.Event, to lane) []delivery.Request {
	head := jsonappend.String([]byte(`{"api_key":`), b.key)
	head = append(appendHistorical(append(head, ','), to), batchOpen...)
	join := newJoin(head)
	for len(events) > 0 {
		req := delivery.Request{URL: b.batch.url, Header: b.header}
		events = b.batch.fill(&req, join, events, &b.notices)
		requests = append(requests, req)
	}
	return requests
}

func appendHistorical(head []byte, to lane) []byte {
	if !to.historical {
		return head
	}
	return append(head, `"historical_migration":true,`...)
}

const batchOpen = `"batch":[`

func newJoin(head []byte) delivery.Join {
	return delivery.Join{Head: string(head), Separator: ",", Tail: "]}"}
}

// fill puts as many of the events into the request as it has room for, and returns the others. One whose uuid another one of the
// request has is not in its body, since it is the same event: it shares the other's fate. Capture v1 would refuse the request.
func (r *route) fill(req *delivery.Request, join delivery.Join, events []delivery.Event, notices *notices) (rest []delivery.Event) {
	n, repeated := r.fit(len(join.Head)+len(join.Tail)-len(join.Separator), events)
	req.Events, req.Join = events[:n:n], join
	if len(repeated) > 0 {
		notices.count(noticeDuplicate, len(repeated))
		once := *req
		once.Events = nil
		for i := range req.Events {
			if !repeated[i] {
				once.Events = append(once.Events, req.Events[i])
			}
		}
		req.Body = once.AppendBody(make([]byte, 0, once.Size()))
	}
	return events[n:]
}

// fit is how many of the events one body has room for, which is one at least, and which of them are repetitions. The size is that of
// a body without events, less a comma, since each event adds one.
func (r *route) fit(size int, events []delivery.Event) (n int, repeated map[int]bool) {
	seen := newSeen(min(len(events), r.maxEvents))
	for n < len(events) && n < r.maxEvents {
		if seen.has(events, n) {
			if repeated == nil {
				repeated = map[int]bool{}
			}
			repeated[n] = true
			n++
			continue
		}
		size += len(events[n].Payload) + len(",")
		if n > 0 && size > r.maxBody {
			break
		}
		n++
	}
	return n, repeated
}

// seen is a hash table of events by their uuid.
type seen struct {
	// slots are the places of events, counted from 1.
	slots []int32
	// seed keeps a sender from choosing ids that share a slot.
	seed maphash.Seed
}

// newSeen is a table for so many events, of which half is empty.
func newSeen(events int) seen {
	size := 2
	for size < 2*events {
		size *= 2
	}
	return seen{slots: make([]int32, size), seed: maphash.MakeSeed()}
}

// has reports whether an event with the uuid of the one at i was asked for before.
func (s *seen) has(events []delivery.Event, i int) bool {
	id := uuidIn(events[i].Payload)
	for slot := maphash.Bytes(s.seed, id[:]); ; slot++ {
		at := &s.slots[slot%uint64(len(s.slots))]
		if *at == 0 {
			*at = int32(i + 1) //nolint:gosec // there are not that many
			return false
		}
		if uuidIn(events[*at-1].Payload) == id {
			return true
		}
	}
}

// uuidIn is the uuid of the event that is written in a payload.
func uuidIn(payload []byte) (id uuid) {
	if len(payload) > uuidAt+uuidLength {
		copy(id[:], payload[uuidAt:])
	}
	return id
}

// jsonHeader is the header of all requests.
func jsonHeader() http.Header { return http.Header{"Content-Type": {"application/json"}} }
