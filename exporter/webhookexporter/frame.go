// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"net/http"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// maxBody is the size that an array of events is kept below: what many web servers take by default. A single event may
// be larger.
const maxBody = 1 << 20

// backend is a webhook.
type backend struct {
	url      string
	batching Batching
}

var _ delivery.Backend = (*backend)(nil)

func newBackend(cfg *Config) *backend {
	return &backend{url: cfg.ClientConfig.Endpoint, batching: cfg.Batching}
}

// NewEncoder implements delivery.Backend.
func (*backend) NewEncoder() delivery.Encoder { return &encoder{} }

// Frame implements delivery.Backend.
func (b *backend) Frame(events []delivery.Event) ([]delivery.Request, []delivery.Refusal) {
	if b.batching == BatchingSingle {
		requests := make([]delivery.Request, len(events))
		for i := range events {
			requests[i] = b.request(events[i].Payload, events[i:i+1:i+1])
		}
		return requests, nil
	}
	var requests []delivery.Request
	for len(events) > 0 {
		n, size := fit(events)
		requests = append(requests, b.request(join(events[:n], size), events[:n:n]))
		events = events[n:]
	}
	return requests, nil
}

func (b *backend) request(body []byte, events []delivery.Event) delivery.Request {
	return delivery.Request{
		URL: b.url, Header: http.Header{"Content-Type": {"application/json"}}, Body: body, Events: events,
	}
}

// fit is how many of the events go into one array, at least one, and the array's size.
func fit(events []delivery.Event) (n, size int) {
	size = len("[]")
	for n < len(events) {
		grown := size + len(events[n].Payload)
		if n > 0 {
			grown++ // a comma
			if grown > maxBody {
				break
			}
		}
		size = grown
		n++
	}
	return n, size
}

// join is the events as a JSON array of the given size.
func join(events []delivery.Event, size int) []byte {
	body := make([]byte, 0, size)
	body = append(body, '[')
	for i := range events {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, events[i].Payload...)
	}
	return append(body, ']')
}

// Answer implements delivery.Backend: a webhook answers with a status.
func (*backend) Answer(req *delivery.Request, response *delivery.Response) delivery.Verdict {
	return delivery.DefaultAnswer(req, response)
}
