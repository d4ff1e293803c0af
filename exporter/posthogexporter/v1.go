// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// Required headers of capture v1 (v1/analytics/process.rs in PostHog/posthog).
const (
	headerSDKInfo   = "PostHog-Sdk-Info"
	headerAttempt   = "PostHog-Attempt"
	headerRequestID = "PostHog-Request-Id"
	headerTimestamp = "PostHog-Request-Timestamp"
)

// appendV1Requests appends requests of capture v1. Pending events of an earlier request are resent
// in a request of the same id.
func (b *backend) appendV1Requests(requests []delivery.Request, events []delivery.Event, historical bool, now time.Time) []delivery.Request {
	if len(events) == 0 {
		return requests
	}
	for _, group := range b.tries.group(events) {
		t := group.try
		for rest := group.events; len(rest) > 0; {
			req := b.nextV1Request(&t, historical, now)
			rest = b.v1.fill(&req, rest, &b.notices)
			pending, sent := req.Events, t
			req.OnNoResponse = func() { b.tries.remember(pending, sent) }
			requests = append(requests, req)
			t = try{}
		}
	}
	return requests
}

// nextV1Request returns the next attempt of a try, or the first one of a new try, without events.
func (b *backend) nextV1Request(t *try, historical bool, now time.Time) delivery.Request {
	if t.attempt == 0 {
		*t = try{id: newRequestID(), createdAt: now.UTC().Format(time.RFC3339Nano)}
	}
	t.attempt++
	head := jsonappend.String([]byte(`{"created_at":`), t.createdAt)
	return delivery.Request{URL: b.v1.url, Header: b.headerV1(*t, now), Join: newJoin(head, historical)}
}

func newRequestID() string { return uuid.NewString() }

// headerV1 returns the headers of an attempt.
func (b *backend) headerV1(t try, now time.Time) http.Header {
	header := jsonHeader()
	header.Set("Authorization", "Bearer "+b.key)
	header.Set(headerSDKInfo, libName+"/"+b.version)
	header.Set(headerAttempt, strconv.Itoa(t.attempt))
	header.Set(headerRequestID, t.id)
	header.Set(headerTimestamp, now.UTC().Format(time.RFC3339Nano))
	return header
}
