// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package acmeexporter

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// What Acme takes in one request (https://docs.acme.example/ingest#limits).
const (
	maxEvents = 500
	maxBody   = 1 << 20 // bytes, before compression
)

// A body is an object around the events.
const (
	bodyHead = `{"events":[`
	bodyTail = `]}`
	maxEvent = maxBody - len(bodyHead) - len(bodyTail) // bytes of one that stands alone
)

// backend is an Acme project.
type backend struct {
	url    string
	header http.Header
}

var _ delivery.Backend = (*backend)(nil)

func newBackend(cfg *Config) *backend {
	return &backend{
		url:    strings.TrimSuffix(cfg.ClientConfig.Endpoint, "/") + "/ingest",
		header: http.Header{"Content-Type": {"application/json"}, "X-Acme-Key": {string(cfg.APIKey)}},
	}
}

// NewEncoder implements delivery.Backend.
func (*backend) NewEncoder() delivery.Encoder { return &encoder{} }

// Frame implements delivery.Backend.
func (b *backend) Frame(events []delivery.Event) ([]delivery.Request, []delivery.Refusal) {
	events, refusals := withoutHuge(events)
	var requests []delivery.Request
	for len(events) > 0 {
		n, size := fit(events)
		requests = append(requests, delivery.Request{
			URL: b.url, Header: b.header, Body: join(events[:n], size), Events: events[:n:n],
		})
		events = events[n:]
	}
	return requests, refusals
}

// withoutHuge refuses the events that no request has room for.
func withoutHuge(events []delivery.Event) ([]delivery.Event, []delivery.Refusal) {
	huge := func(e delivery.Event) bool { return len(e.Payload) > maxEvent }
	if !slices.ContainsFunc(events, huge) {
		return events, nil
	}
	var fitting []delivery.Event
	var refusals []delivery.Refusal
	for _, e := range events {
		if !huge(e) {
			fitting = append(fitting, e)
			continue
		}
		refusals = append(refusals, delivery.Refusal{
			Event: e, Reason: deadletter.ReasonTooLarge,
			Message: fmt.Sprintf("the event has %d bytes, and Acme takes %d", len(e.Payload), maxEvent),
		})
	}
	return fitting, refusals
}

// fit is how many of the events one body has room for, which is one at least, and the size of that body.
func fit(events []delivery.Event) (n, size int) {
	size = len(bodyHead) + len(bodyTail)
	for n < len(events) && n < maxEvents {
		grown := size + len(events[n].Payload)
		if n > 0 {
			grown++ // a comma
		}
		if grown > maxBody {
			break
		}
		size = grown
		n++
	}
	return n, size
}

// join is the body that holds the events.
func join(events []delivery.Event, size int) []byte {
	body := append(make([]byte, 0, size), bodyHead...)
	for i := range events {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, events[i].Payload...)
	}
	return append(body, bodyTail...)
}
