// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"net/http"
	"strconv"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// Headers of capture v1 (v1/analytics/process.rs in PostHog/posthog), all of them required.
const (
	headerSDKInfo   = "PostHog-Sdk-Info"
	headerAttempt   = "PostHog-Attempt"
	headerRequestID = "PostHog-Request-Id"
	headerTimestamp = "PostHog-Request-Timestamp"
)

// frameV1 makes requests of capture v1. What is owed of an earlier request goes into one of the same id.
func (b *backend) frameV1(requests []delivery.Request, events []delivery.Event, to lane, now time.Time) []delivery.Request {
	for _, part := range b.tries.split(events) {
		t := part.try
		for rest := part.events; len(rest) > 0; {
			req := b.requestV1(&t, to, now)
			rest = b.v1.fill(&req, req.Join, rest, &b.notices)
			owed, again := req.Events, t
			req.Unanswered = func() { b.tries.remember(owed, again) }
			requests = append(requests, req)
			t = try{}
		}
	}
	return requests
}

// requestV1 is a request without its events: the next attempt of a try, or the first of a new one.
func (b *backend) requestV1(t *try, to lane, now time.Time) delivery.Request {
	if t.attempt == 0 {
		*t = try{id: newRequestID(), createdAt: now.UTC().Format(time.RFC3339Nano)}
	}
	t.attempt++
	head := jsonappend.String([]byte(`{"created_at":`), t.createdAt)
	head = append(appendHistorical(append(head, ','), to), batchOpen...)
	return delivery.Request{URL: b.v1.url, Header: b.headerV1(*t, now), Join: newJoin(head)}
}

func newRequestID() string {
	id := randomUUID()
	return string(id[:])
}

// headerV1 is the header of an attempt.
func (b *backend) headerV1(t try, now time.Time) http.Header {
	header := jsonHeader()
	header.Set("Authorization", "Bearer "+b.key)
	header.Set(headerSDKInfo, libName+"/"+b.version)
	header.Set(headerAttempt, strconv.Itoa(t.attempt))
	header.Set(headerRequestID, t.id)
	header.Set(headerTimestamp, now.UTC().Format(time.RFC3339Nano))
	return header
}

// part is events that go into requests of their own.
type part struct {
	try    try // its attempt is 0 for new ones
	events []delivery.Event
}

// split puts what is owed of each request into a part of its own.
func (ts *tries) split(events []delivery.Event) []part {
	taken := ts.take(events)
	if len(taken) == 0 {
		return []part{{events: events}}
	}
	var parts []part
	at := map[string]int{} // by the id of the request
	for i := range events {
		t := taken[uuidIn(events[i].Payload)]
		n, ok := at[t.id]
		if !ok {
			n = len(parts)
			at[t.id] = n
			parts = append(parts, part{try: t})
		}
		parts[n].events = append(parts[n].events, events[i])
	}
	return parts
}
