// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/signature"
)

// maxBody is the size limit in bytes of a body with several events: the default limit of many web
// servers. A single event may be larger.
const maxBody = 1 << 20

// joins says how encoded events and spans are joined into bodies.
type joins struct{ events, spans delivery.Join }

func joinsOf(cfg *Config) joins {
	if cfg.Format == FormatOTLPJSON {
		return joins{events: otlpJoin(otlpLogsHead, cfg.batching()), spans: otlpJoin(otlpTracesHead, cfg.batching())}
	}
	switch cfg.batching() {
	case BatchingArray:
		return joins{events: delivery.Join{Head: "[", Separator: ",", Tail: "]"}}
	case BatchingNDJSON:
		return joins{events: delivery.Join{Separator: "\n", Tail: "\n"}}
	default:
		return joins{}
	}
}

// otlpJoin joins events into one OTLP request or, as NDJSON, puts each in a request on its own line.
func otlpJoin(head string, batching Batching) delivery.Join {
	if batching == BatchingNDJSON {
		return delivery.Join{Head: head, Separator: otlpTail + "\n" + head, Tail: otlpTail + "\n"}
	}
	return delivery.Join{Head: head, Separator: ",", Tail: otlpTail}
}

func (j *joins) of(e *delivery.Event) delivery.Join {
	if e.Category == categorySpan {
		return j.spans
	}
	return j.events
}

// BuildRequests implements delivery.Backend.
func (b *backend) BuildRequests(events []delivery.Event) ([]delivery.Request, []delivery.Refusal) {
	if b.batching == BatchingSingle {
		return b.singleRequests(events), nil
	}
	events = sortByTarget(events)
	var requests []delivery.Request
	for len(events) > 0 {
		n := b.fit(events)
		requests = append(requests, b.request(events[:n:n]))
		events = events[n:]
	}
	return requests, nil
}

func (b *backend) singleRequests(events []delivery.Event) []delivery.Request {
	requests := make([]delivery.Request, len(events))
	for i := range events {
		requests[i] = b.request(events[i : i+1 : i+1])
	}
	return requests
}

func sameTarget(a, b *delivery.Event) bool {
	return a.Destination == b.Destination && a.Category == b.Category
}

// sortByTarget groups events by target, and keeps their order within a group. It does not change the
// slice that it is given.
func sortByTarget(events []delivery.Event) []delivery.Event {
	if !slices.ContainsFunc(events, func(e delivery.Event) bool { return !sameTarget(&e, &events[0]) }) {
		return events
	}
	events = slices.Clone(events)
	slices.SortStableFunc(events, func(a, b delivery.Event) int {
		return cmp.Or(cmp.Compare(a.Destination, b.Destination), cmp.Compare(a.Category, b.Category))
	})
	return events
}

// fit returns how many of the events, which are sorted by target, go into one body; at least one.
func (b *backend) fit(events []delivery.Event) int {
	join := b.joins.of(&events[0])
	size := len(join.Head) + len(events[0].Payload) + len(join.Tail)
	for n := 1; n < len(events); n++ {
		size += len(join.Separator) + len(events[n].Payload)
		if size > maxBody || !sameTarget(&events[n], &events[0]) {
			return n
		}
	}
	return len(events)
}

// request returns the request for the events. It is signed when it is sent: a rate limit may delay
// it by minutes.
func (b *backend) request(events []delivery.Event) delivery.Request {
	req := delivery.Request{URL: b.endpoint.url, Header: b.header, Join: b.joins.of(&events[0]), Events: events}
	if b.cfg.Format == FormatPagerDuty {
		req.Body = withRoutingKey(events[0].Payload, string(b.cfg.PagerDuty.RoutingKey))
	}
	if events[0].Destination != "" {
		t := parseTarget(events[0].Destination)
		req.URL = b.endpoint.with(t.path, t.query)
		req.Header = t.addTo(b.header)
	}
	if b.signer != nil {
		req.BeforeSend = b.sign
	}
	return req
}

// sign adds the signature, which covers the body and the time.
func (b *backend) sign(req *delivery.Request, now time.Time) {
	if req.Body == nil {
		req.Body = req.AppendBody(make([]byte, 0, req.Size()))
	}
	ids := make([]string, len(req.Events))
	for i := range req.Events {
		ids[i] = req.Events[i].ID
	}
	header := req.Header.Clone()
	b.signer.Sign(header, signature.SafeIDs(ids), now, req.Body)
	req.Header = header
}

// addTo returns the header with the fields of the target added.
func (t *target) addTo(header http.Header) http.Header {
	if len(t.header) == 0 {
		return header
	}
	header = header.Clone()
	for _, field := range t.header {
		header.Set(field.name, field.value)
	}
	return header
}
