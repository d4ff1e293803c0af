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

// Paths of the protocols (https://posthog.com/docs/api/capture; rust/capture/src/router.rs and v1
// in PostHog/posthog).
const (
	pathBatch = "/batch/"
	pathV1    = "/i/v1/analytics/events"
)

// Limits of PostHog's requests.
const (
	// maxEvent is the size of one event. PostHog's limit of 1 MB includes fields that PostHog itself
	// adds (https://posthog.com/docs/data/ingestion-warnings). RudderStack's destination also uses
	// this value (src/v0/destinations/posthog in rudderlabs/rudder-transformer).
	maxEvent = 900_000
	// maxBatchBody is just below 20 MB before compression (https://posthog.com/docs/api/capture).
	maxBatchBody = 20_000_000 - 1
	// maxV1Body is below capture v1's limit of 10 MiB, which applies after compression. Its limit
	// before compression is not published.
	maxV1Body = 10_000_000 - 1
	// maxBatchEvents bounds requests if large batches are configured. PostHog has no such limit.
	maxBatchEvents = 10_000
	// maxV1Events keeps the response, up to 110 bytes for each event, within the 64 KiB that
	// delivery reads.
	maxV1Events = 500
)

// historicalAge is the age above which events are historical data
// (https://posthog.com/docs/migrate).
const historicalAge = 48 * time.Hour

// route holds the URL and the request limits of a protocol.
type route struct {
	url       string
	maxEvents int
	maxBody   int
}

// BuildRequests implements delivery.Backend.
func (b *backend) BuildRequests(events []delivery.Event) ([]delivery.Request, []delivery.Refusal) {
	now := b.now()
	groups, refusals := b.group(events, now)
	var requests []delivery.Request
	requests = b.appendBatchRequests(requests, groups[batchRecent], false)
	requests = b.appendBatchRequests(requests, groups[batchHistorical], true)
	requests = b.appendV1Requests(requests, groups[v1Recent], false, now)
	requests = b.appendV1Requests(requests, groups[v1Historical], true, now)
	return requests, refusals
}

// requestGroup is a group of events that may share requests. An event keeps the protocol for which
// it was encoded, even on disk and as a dead letter.
type requestGroup int

const (
	batchRecent requestGroup = iota
	batchHistorical
	v1Recent
	v1Historical
	numRequestGroups
)

// group groups events and refuses those that are too large.
func (b *backend) group(events []delivery.Event, now time.Time) (groups [numRequestGroups][]delivery.Event, refusals []delivery.Refusal) {
	cutoff := b.historicalCutoff(now)
	first, current := 0, batchRecent // start and group of the current run of events
	for i := range events {
		e := &events[i]
		if len(e.Payload) > maxEvent {
			refusals = append(refusals, delivery.Refusal{
				Event: *e, Reason: deadletter.ReasonTooLarge,
				Message: fmt.Sprintf("the event has %d bytes, but PostHog accepts at most %d", len(e.Payload), maxEvent),
			})
			groups[current] = appendRun(groups[current], events[first:i])
			first = i + 1
			continue
		}
		if g := groupOf(e, cutoff); g != current {
			groups[current] = appendRun(groups[current], events[first:i])
			first, current = i, g
		}
	}
	groups[current] = appendRun(groups[current], events[first:])
	return groups, refusals
}

// appendRun appends a run of events to a group. It does not copy the first run, which is often the
// whole batch.
func appendRun(group, run []delivery.Event) []delivery.Event {
	if len(group) == 0 {
		return slices.Clip(run)
	}
	return append(group, run...)
}

// historicalCutoff returns the time before which events are historical. It is 0 if historical
// events share requests with all others.
func (b *backend) historicalCutoff(now time.Time) pcommon.Timestamp {
	if b.cfg.HistoricalMigration == HistoricalNever {
		return 0
	}
	return pcommon.NewTimestampFromTime(now.Add(-historicalAge))
}

func groupOf(e *delivery.Event, cutoff pcommon.Timestamp) requestGroup {
	historical := e.Time != 0 && e.Time < cutoff
	switch isV1 := Protocol(e.Category) == ProtocolV1; {
	case isV1 && historical:
		return v1Historical
	case isV1:
		return v1Recent
	case historical:
		return batchHistorical
	default:
		return batchRecent
	}
}

// appendBatchRequests appends requests of the batch protocol. They have no sent_at, because PostHog
// would shift the timestamps of events that waited in the queue by it
// (https://posthog.com/docs/data/timestamps).
func (b *backend) appendBatchRequests(requests []delivery.Request, events []delivery.Event, historical bool) []delivery.Request {
	if len(events) == 0 {
		return requests
	}
	join := newJoin(jsonappend.String([]byte(`{"api_key":`), b.key), historical)
	for len(events) > 0 {
		req := delivery.Request{URL: b.batch.url, Header: b.header, Join: join}
		events = b.batch.fill(&req, events, &b.notices)
		requests = append(requests, req)
	}
	return requests
}

// newJoin returns the text around the events of a body. head is its beginning.
func newJoin(head []byte, historical bool) delivery.Join {
	head = append(head, ',')
	if historical {
		head = append(head, `"historical_migration":true,`...)
	}
	head = append(head, `"batch":[`...)
	return delivery.Join{Head: string(head), Separator: ",", Tail: "]}"}
}

// fill adds as many events to the request as fit, and returns the rest. The body has only one event
// of each uuid, because capture v1 refuses requests with duplicates. A duplicate gets the outcome of
// the event that was sent.
func (r *route) fill(req *delivery.Request, events []delivery.Event, notices *notices) (rest []delivery.Event) {
	n, duplicates := r.fit(len(req.Join.Head)+len(req.Join.Tail)-len(req.Join.Separator), events)
	req.Events = events[:n:n]
	if len(duplicates) > 0 {
		notices.count(noticeDuplicate, len(duplicates))
		distinct := delivery.Request{Join: req.Join}
		for i := range req.Events {
			if !duplicates[i] {
				distinct.Events = append(distinct.Events, req.Events[i])
			}
		}
		req.Body = distinct.AppendBody(make([]byte, 0, distinct.Size()))
	}
	return events[n:]
}

// fit returns how many events fit into one body, at least one, and the indexes of duplicates among
// them. size is the size of a body without events, minus one separator, since n events need n-1.
func (r *route) fit(size int, events []delivery.Event) (n int, duplicates map[int]bool) {
	seen := newSeen(min(len(events), r.maxEvents))
	for n < len(events) && n < r.maxEvents {
		if seen.addOrFind(events, n) {
			if duplicates == nil {
				duplicates = map[int]bool{}
			}
			duplicates[n] = true
			n++
			continue
		}
		size += len(events[n].Payload) + len(",")
		if n > 0 && size > r.maxBody {
			break
		}
		n++
	}
	return n, duplicates
}

// seen is a hash table of events by uuid.
type seen struct {
	// slots hold the indexes of events plus 1; 0 is an empty slot.
	slots []int32
	// seed prevents senders from choosing uuids that share a slot.
	seed maphash.Seed
}

// newSeen returns a table for the given number of events. At least half of its slots stay empty.
func newSeen(events int) seen {
	size := 2
	for size < 2*events {
		size *= 2
	}
	return seen{slots: make([]int32, size), seed: maphash.MakeSeed()}
}

// addOrFind adds events[i], unless the table has an event with the same uuid. It reports whether it
// does.
func (s *seen) addOrFind(events []delivery.Event, i int) bool {
	id := eventUUID(&events[i])
	for slot := maphash.String(s.seed, id); ; slot++ {
		at := &s.slots[slot%uint64(len(s.slots))]
		if *at == 0 {
			*at = int32(i + 1) //nolint:gosec // a request has far fewer events
			return false
		}
		if eventUUID(&events[*at-1]) == id {
			return true
		}
	}
}

// jsonHeader returns the headers that all requests share.
func jsonHeader() http.Header { return http.Header{"Content-Type": {"application/json"}} }
