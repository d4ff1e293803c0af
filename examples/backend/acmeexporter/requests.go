// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package acmeexporter

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// Acme's limits for one request (https://docs.acme.example/ingest#limits).
const (
	maxEvents = 500
	maxBody   = 1 << 20 // bytes, before compression
)

// A body is a JSON object around the events.
const (
	bodyHead = `{"events":[`
	bodyTail = `]}`
	maxEvent = maxBody - len(bodyHead) - len(bodyTail) // bytes of an event alone in a body
)

// backend sends events to one Acme project.
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

// BuildRequests implements delivery.Backend.
func (b *backend) BuildRequests(events []delivery.Event) (requests []delivery.Request, refusals []delivery.Refusal) {
	for len(events) > 0 {
		if size := len(events[0].Payload); size > maxEvent {
			refusals = append(refusals, delivery.Refusal{
				Event: events[0], Reason: deadletter.ReasonTooLarge,
				Message: fmt.Sprintf("the event has %d bytes, but Acme accepts %d", size, maxEvent),
			})
			events = events[1:]
			continue
		}
		n := fit(events)
		requests = append(requests, delivery.Request{
			URL: b.url, Header: b.header, Events: events[:n:n],
			Join: delivery.Join{Head: bodyHead, Separator: ",", Tail: bodyTail},
		})
		events = events[n:]
	}
	return requests, refusals
}

// fit returns how many of the events fit into one body. The first one always does.
func fit(events []delivery.Event) (n int) {
	size := len(bodyHead) + len(bodyTail) - len(",")
	for n < len(events) && n < maxEvents {
		if size += len(",") + len(events[n].Payload); size > maxBody {
			break
		}
		n++
	}
	return n
}
