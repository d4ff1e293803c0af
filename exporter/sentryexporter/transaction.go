// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// part is a span in the queue on its way into a transaction, which is made of those that are sent together. A span does not know
// yet whether it will be the transaction or a part of one, so it is written for both.
type part struct {
	TraceID string `json:"trace_id"`
	SpanID  string `json:"span_id"`
	Parent  string `json:"parent_span_id"`
	Segment bool   `json:"segment"`
	// Context is contexts.trace of the transaction, and the beginning of the span, which Span is the rest of.
	Context json.RawMessage `json:"context"`
	Span    json.RawMessage `json:"span"`
	// Event is the rest of the transaction, but for its context of OpenTelemetry.
	Event json.RawMessage `json:"event"`
	Otel  json.RawMessage `json:"otel"`
}

// appendPart appends a span as a part.
func (enc *spanEncoder) appendPart(dst []byte, src *source, span ptrace.Span, t trim) []byte {
	dst = appendSpanIDs(append(dst, '{'), span)
	dst = append(dst, `,"segment":`...)
	dst = jsonappend.Bool(dst, isSegment(span))

	op, nameSource := operationOf(span)
	dst = append(dst, `,"context":{`...)
	dst = appendSpanIDs(dst, span)
	dst = textMember(dst, "op", op)
	dst = textMember(dst, "status", legacyStatus(span))
	dst = textMember(dst, "origin", origin)
	if t < trimAttributes {
		dst = enc.appendLinks(dst, span, false)
	}
	dst = append(dst, `,"data":`...)
	dst = enc.appendSpanData(dst, span, t)

	dst = append(dst, `},"span":{`...)
	dst = textMember(dst, "description", t.text(enc.descriptionOf(span)))
	dst = appendSpanTimes(dst, span, "start_timestamp", "timestamp")

	dst = append(dst, `},"event":{`...)
	dst = textMember(dst, "transaction", cut(withoutBreaks(nameOf(span)), maxShort))
	dst = append(dst, `,"transaction_info":{"source":"`+nameSource+`"}`...)
	dst = appendSpanTimes(dst, span, "start_timestamp", "timestamp")
	dst = textMember(dst, "platform", src.platform)
	dst = textMember(dst, "server_name", cut(withoutBreaks(src.server), maxShort))
	dst = textMember(dst, "release", src.release)
	if src.release != "" {
		dst = textMember(dst, "dist", src.dist)
	}
	dst = textMember(dst, "environment", src.environment)
	dst = append(append(dst, ','), enc.sdk...)

	dst = append(dst, `},"otel":{`...)
	if t < trimAttributes {
		dst = append(memberName(dst, "resource"), src.resource...)
	}
	return append(dst, "}}"...)
}

// descriptionOf is what a span of a transaction did, in the words of Sentry's own SDKs: a query, a request without what follows
// its path, else the name.
func (enc *spanEncoder) descriptionOf(span ptrace.Span) string {
	text := func(names ...string) string {
		for _, name := range names {
			if v, ok := span.Attributes().Get(name); ok && v.Type() == pcommon.ValueTypeStr && v.Str() != "" {
				return enc.attributes.shown(v.Str(), enc.attributes.name(name).treat)
			}
		}
		return ""
	}
	if query := text("db.query.text", "db.statement"); query != "" {
		return query
	}
	method, url := text("http.request.method", "http.method"), text("url.full", "http.url")
	if span.Kind() != ptrace.SpanKindClient || method == "" || url == "" {
		return nameOf(span)
	}
	if end := strings.IndexAny(url, "?#"); end >= 0 {
		url = url[:end]
	}
	return method + " " + url
}

// appendSpanData appends the attributes of a span as plain values.
func (enc *spanEncoder) appendSpanData(dst []byte, span ptrace.Span, t trim) []byte {
	if t >= trimAttributes {
		return append(textMember(append(dst, '{'), attrTrimmed, t.note()), '}')
	}
	return appendAttributes(dst, func(yield func(string, pcommon.Value) bool) {
		if t > trimNothing && !yield(attrTrimmed, pcommon.NewValueStr(t.note())) {
			return
		}
		for name, v := range span.Attributes().All() {
			if name != appevent.AttrID && !strings.HasPrefix(name, appevent.FanoutPrefix) && !yield(name, v) {
				return
			}
		}
	}, enc.attributes)
}

// frameTransactions makes transactions of the spans, each with those below it that are there too. What has no parent here
// is a transaction of its own, as is what the transaction above it has no room for.
func (b *backend) frameTransactions(requests []delivery.Request, g *group) []delivery.Request {
	a := newAssembly(g.events)
	for {
		members := a.next()
		if len(members) == 0 {
			return requests
		}
		events := make([]delivery.Event, 0, len(members))
		for _, n := range members {
			events = append(events, g.events[n])
		}
		payload := transaction(a, members)
		r := b.request(g, "transaction", payload, events)
		sending := r.Sending
		r.Sending = func(r *delivery.Request, at time.Time) { // the payload is none of an event's
			sending(r, at)
			r.Body = slices.Concat([]byte(r.Join.Head), payload, []byte(r.Join.Tail))
		}
		requests = append(requests, r)
	}
}

// assembly is spans by their parents.
type assembly struct {
	events   []delivery.Event
	parts    []part
	children map[string][]int
	taken    []bool
	roots    []int // of transactions that are yet to be made
	left     int   // the first that may not be taken
}

func newAssembly(events []delivery.Event) *assembly {
	a := &assembly{events: events, parts: make([]part, len(events)), children: map[string][]int{}, taken: make([]bool, len(events))}
	here := make(map[string]bool, len(events))
	for n := range events {
		_ = json.Unmarshal(events[n].Payload, &a.parts[n]) // it is our own JSON
		here[a.parts[n].TraceID+a.parts[n].SpanID] = true
	}
	for n := range a.parts {
		p := &a.parts[n]
		if parent := p.TraceID + p.Parent; p.Segment || !here[parent] {
			a.roots = append(a.roots, n)
		} else {
			a.children[parent] = append(a.children[parent], n)
		}
	}
	return a
}

// next is the spans of the next transaction, its root first; none when all are taken.
func (a *assembly) next() []int {
	for len(a.roots) > 0 {
		root := a.roots[0]
		a.roots = a.roots[1:]
		if !a.taken[root] {
			return a.take(root)
		}
	}
	for ; a.left < len(a.taken); a.left++ { // spans that are each other's parents, as in no honest trace
		if !a.taken[a.left] {
			return a.take(a.left)
		}
	}
	return nil
}

// take is a root and the spans below it, as many as a transaction has room for. Those that it has no room for become roots.
func (a *assembly) take(root int) []int {
	a.taken[root] = true
	members := []int{root}
	size := 2 * len(a.events[root].Payload)
	for next := 0; next < len(members); next++ {
		p := &a.parts[members[next]]
		for _, child := range a.children[p.TraceID+p.SpanID] {
			grown := size + len(a.events[child].Payload)
			switch {
			case a.taken[child]:
			case len(members) > maxSpans || grown > maxItem:
				a.roots = append(a.roots, child)
			default:
				a.taken[child] = true
				size = grown
				members = append(members, child)
			}
		}
	}
	return members
}

// transaction is the payload of a transaction (Sentry's SDK documentation, "Event Payloads", "Transaction Payloads"). Its id is
// made of its root's, so that it is the same at each attempt.
func transaction(a *assembly, members []int) []byte {
	root := &a.parts[members[0]]
	id := uuidOf(xxh3.HashString128(root.TraceID + root.SpanID))
	payload := append([]byte(`{"event_id":"`), hex.EncodeToString(id[:])...)
	payload = append(payload, `","type":"transaction",`...)
	payload = append(payload, within(root.Event)...)
	payload = append(payload, `,"contexts":{"trace":`...)
	payload = append(payload, root.Context...)
	payload = append(payload, `,"otel":`...)
	payload = append(payload, root.Otel...)
	payload = append(payload, `},"spans":[`...)
	for i, n := range members[1:] {
		if i > 0 {
			payload = append(payload, ',')
		}
		payload = append(append(payload, '{'), within(a.parts[n].Context)...)
		payload = append(append(payload, ','), within(a.parts[n].Span)...)
		payload = append(payload, '}')
	}
	return append(payload, "]}"...)
}

// within is the members of an object.
func within(object []byte) []byte { return object[1 : len(object)-1] }
