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

// maxBody is the size that a body of several events is kept below: what many web servers take by default. A single event may
// be larger.
const maxBody = 1 << 20

// joins are how bodies are made of encoded events and spans.
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

// otlpJoin makes one OTLP request of several events or, as NDJSON, one a line.
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

// Frame implements delivery.Backend.
func (b *backend) Frame(events []delivery.Event) ([]delivery.Request, []delivery.Refusal) {
	if b.batching == BatchingSingle {
		return b.frameSingle(events), nil
	}
	events = byTarget(events)
	var requests []delivery.Request
	for len(events) > 0 {
		n := b.fit(events)
		requests = append(requests, b.request(events[:n:n]))
		events = events[n:]
	}
	return requests, nil
}

func (b *backend) frameSingle(events []delivery.Event) []delivery.Request {
	requests := make([]delivery.Request, len(events))
	for i := range events {
		requests[i] = b.request(events[i : i+1 : i+1])
	}
	return requests
}

// byTarget brings events of one target together, each in its order. It leaves the slice as it is.
func byTarget(events []delivery.Event) []delivery.Event {
	another := func(e delivery.Event) bool {
		return e.Destination != events[0].Destination || e.Category != events[0].Category
	}
	if !slices.ContainsFunc(events, another) {
		return events
	}
	events = slices.Clone(events)
	slices.SortStableFunc(events, func(a, b delivery.Event) int {
		return cmp.Or(cmp.Compare(a.Destination, b.Destination), cmp.Compare(a.Category, b.Category))
	})
	return events
}

// fit is how many of the events, which are together by their target, go into one body; at least one.
func (b *backend) fit(events []delivery.Event) int {
	first := &events[0]
	join := b.joins.of(first)
	size := len(join.Head) + len(join.Tail)
	for n := range events {
		size += len(events[n].Payload)
		if n == 0 {
			continue
		}
		if size += len(join.Separator); size > maxBody || events[n].Destination != first.Destination || events[n].Category != first.Category {
			return n
		}
	}
	return len(events)
}

// request is the request that holds the events. It is signed when it is sent, which with a rate limit may be minutes later.
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
		req.Sending = b.sign
	}
	return req
}

// sign adds the signature of the body, made at that time.
func (b *backend) sign(req *delivery.Request, at time.Time) {
	if req.Body == nil {
		req.Body = req.AppendBody(make([]byte, 0, req.Size()))
	}
	ids := make([]string, len(req.Events))
	for i := range req.Events {
		ids[i] = req.Events[i].ID
	}
	header := req.Header.Clone()
	b.signer.Sign(header, signature.SafeIDs(ids), at, req.Body)
	req.Header = header
}

// addTo is the header with the fields of the target.
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
