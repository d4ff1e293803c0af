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

// array is how events become a JSON array.
var array = delivery.Join{Head: "[", Separator: ",", Tail: "]"} //nolint:gochecknoglobals // a constant

// backend is a webhook.
type backend struct {
	url      string
	header   http.Header
	batching Batching
}

var _ delivery.Backend = (*backend)(nil)

func newBackend(cfg *Config) *backend {
	return &backend{
		url:      cfg.ClientConfig.Endpoint,
		header:   http.Header{"Content-Type": {"application/json"}},
		batching: cfg.Batching,
	}
}

// NewEncoder implements delivery.Backend.
func (*backend) NewEncoder() delivery.Encoder { return &encoder{} }

// Frame implements delivery.Backend.
func (b *backend) Frame(events []delivery.Event) ([]delivery.Request, []delivery.Refusal) {
	var requests []delivery.Request
	for len(events) > 0 {
		n := 1
		var join delivery.Join
		if b.batching == BatchingArray {
			n, join = fit(events), array
		}
		requests = append(requests, delivery.Request{URL: b.url, Header: b.header, Join: join, Events: events[:n:n]})
		events = events[n:]
	}
	return requests, nil
}

// fit is how many of the events go into one array, at least one.
func fit(events []delivery.Event) int {
	size := len(array.Head) + len(array.Tail)
	for n := range events {
		size += len(events[n].Payload)
		if n > 0 {
			size += len(array.Separator)
			if size > maxBody {
				return n
			}
		}
	}
	return len(events)
}

// Answer implements delivery.Backend: a webhook answers with a status.
func (*backend) Answer(req *delivery.Request, response *delivery.Response) delivery.Verdict {
	return delivery.DefaultAnswer(req, response)
}
