// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// appendTransactionSpan appends a span on its way into a transaction, which is made of the spans
// that are sent together. Whether a span will be the transaction itself or a span of it is not
// known yet, so its sections serve both:
//
//	context  contexts.trace of a transaction, or the first members of one of its spans
//	span     the other members of one of its spans
//	event    the members of a transaction
//	otel     its contexts.otel
//
// It sets sizes. The members before the sections are for completeMeta.
func (enc *spanEncoder) appendTransactionSpan(dst []byte, sizes *sectionSizes, src *source, span ptrace.Span, t trim) []byte {
	dst = enc.ids.append(append(dst, '{'), span.ParentSpanID())
	dst = append(dst, `,"segment":`...)
	dst = jsonappend.Bool(dst, isSegment(span))
	op, nameSource := operationOf(span)
	for s, name := range sectionNames {
		dst = append(dst, name...)
		start := len(dst)
		switch section(s) {
		case sectionContext:
			dst = enc.appendContextSection(dst, op, span, t)
		case sectionSpan:
			dst = enc.appendSpanSection(dst, span, t)
		case sectionEvent:
			dst = enc.appendEventSection(dst, nameSource, src, span)
		case sectionOtel:
			dst = appendOtelSection(dst, src, t)
		}
		sizes[s] = len(dst) - start
	}
	return append(dst, '}')
}

func (enc *spanEncoder) appendContextSection(dst []byte, op string, span ptrace.Span, t trim) []byte {
	dst = enc.ids.append(append(dst, '{'), span.ParentSpanID())
	dst = textMember(dst, "op", op)
	dst = textMember(dst, "status", legacyStatus(span))
	dst = textMember(dst, "origin", origin)
	if t < trimAttributes {
		dst = enc.appendLinks(dst, span, false)
	}
	dst = append(dst, `,"data":`...)
	return append(enc.appendSpanData(dst, span, t), '}')
}

func (enc *spanEncoder) appendSpanSection(dst []byte, span ptrace.Span, t trim) []byte {
	dst = textMember(append(dst, '{'), "description", t.text(enc.descriptionOf(span)))
	return append(appendSpanTimes(dst, span, `,"start_timestamp":`, `,"timestamp":`), '}')
}

func (enc *spanEncoder) appendEventSection(dst []byte, nameSource string, src *source, span ptrace.Span) []byte {
	dst = textMember(append(dst, '{'), "transaction", cut(withoutBreaks(nameOf(span)), maxShort))
	dst = textMember(append(memberName(dst, "transaction_info"), '{'), "source", nameSource)
	dst = appendSpanTimes(append(dst, '}'), span, `,"start_timestamp":`, `,"timestamp":`)
	dst = textMember(dst, "platform", src.platform)
	dst = textMember(dst, "server_name", cut(withoutBreaks(src.server), maxShort))
	dst = textMember(dst, "release", src.release)
	if src.release != "" {
		dst = textMember(dst, "dist", src.dist)
	}
	dst = textMember(dst, "environment", src.environment)
	dst = append(append(dst, ','), enc.sdk...)
	return append(dst, '}')
}

func appendOtelSection(dst []byte, src *source, t trim) []byte {
	dst = append(dst, '{')
	if t < trimAttributes {
		dst = append(memberName(dst, "resource"), src.resource...)
	}
	return append(dst, '}')
}

// descriptionOf describes a span of a transaction as Sentry's own SDKs do: by its query, by its
// request up to the path, or else by its name.
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

// appendSpanData appends the attributes of a span as plain values, without types.
func (enc *spanEncoder) appendSpanData(dst []byte, span ptrace.Span, t trim) []byte {
	if t >= trimAttributes {
		return append(textMember(append(dst, '{'), attrTrimmed, t.note()), '}')
	}
	a := enc.attributes
	dst = append(dst, '{')
	m := a.json.Members()
	if t > trimNothing {
		dst = a.appendPlainMember(dst, &m, attrTrimmed, attrTrimmed, pcommon.NewValueStr(t.note()), 0)
	}
	for name, v := range span.Attributes().All() {
		if name != appevent.AttrID && !strings.HasPrefix(name, appevent.FanoutPrefix) {
			dst = a.appendPlainMember(dst, &m, name, name, v, 0)
		}
	}
	m.End()
	return append(dst, '}')
}

// buildTransactions makes transactions of the spans, each with the spans below it. A span whose
// parent is not among them is a transaction of its own, and so is one that does not fit into the
// transaction above it.
func (b *backend) buildTransactions(g *group) (requests []delivery.Request, refusals []delivery.Refusal) {
	spans, refusals := transactionSpans(g.events)
	f := newForest(spans)
	for members := f.next(); len(members) > 0; members = f.next() {
		id, payload := transaction(spans, members)
		events := make([]delivery.Event, 0, len(members))
		for _, n := range members {
			events = append(events, *spans[n].event)
		}
		requests = append(requests, delivery.Request{
			URL: g.project.url, Header: g.project.header, Events: events,
			BeforeSend: func(r *delivery.Request, now time.Time) { // the body is not the payloads of events
				r.Body = slices.Concat(b.appendEventHead(nil, id, "transaction", len(payload), now), payload, []byte(r.Join.Tail))
			},
		})
	}
	return requests, refusals
}

// transactionSpan is a span that is to become a transaction, or a span of one.
type transactionSpan struct {
	transactionKey
	event    *delivery.Event
	sections sections
}

// spanRef identifies a span.
type spanRef struct {
	trace string
	span  pcommon.SpanID
}

func (s *transactionSpan) ref() spanRef       { return spanRef{s.event.VendorID, s.span} }
func (s *transactionSpan) parentRef() spanRef { return spanRef{s.event.VendorID, s.parent} }

// transactionSpans refuses events whose key is not that of their payload.
func transactionSpans(events []delivery.Event) (spans []transactionSpan, refusals []delivery.Refusal) {
	spans = make([]transactionSpan, 0, len(events))
	for i := range events {
		e := &events[i]
		s := transactionSpan{transactionKey: parseTransactionKey(e.Key), event: e}
		var ok bool
		if s.sections, ok = s.sizes.of(e.Payload); !ok {
			refusals = append(refusals, delivery.Refusal{
				Event: *e, Reason: deadletter.ReasonRefused,
				Message: "the stored span is damaged: its payload and its key do not belong together",
			})
			continue
		}
		spans = append(spans, s)
	}
	return spans, refusals
}

// forest is spans by their parents.
type forest struct {
	spans    []transactionSpan
	children map[spanRef][]int
	taken    []bool
	roots    []int // of transactions that are not made yet
	rest     int   // the first span that may not be taken yet
}

func newForest(spans []transactionSpan) *forest {
	f := &forest{spans: spans, children: map[spanRef][]int{}, taken: make([]bool, len(spans))}
	present := make(map[spanRef]bool, len(spans))
	for n := range spans {
		present[spans[n].ref()] = true
	}
	for n := range spans {
		if parent := spans[n].parentRef(); spans[n].segment || !present[parent] {
			f.roots = append(f.roots, n)
		} else {
			f.children[parent] = append(f.children[parent], n)
		}
	}
	return f
}

// next returns the spans of the next transaction, its root first; none when all are taken.
func (f *forest) next() []int {
	for len(f.roots) > 0 {
		root := f.roots[0]
		f.roots = f.roots[1:]
		if !f.taken[root] {
			return f.take(root)
		}
	}
	for ; f.rest < len(f.taken); f.rest++ { // only spans that are each other's parents are left
		if !f.taken[f.rest] {
			return f.take(f.rest)
		}
	}
	return nil
}

// take returns a root and the spans below it, as many as a transaction has room for. The others
// become roots.
func (f *forest) take(root int) []int {
	f.taken[root] = true
	members := []int{root}
	size := 2 * len(f.spans[root].event.Payload)
	for next := 0; next < len(members); next++ {
		for _, child := range f.children[f.spans[members[next]].ref()] {
			grown := size + len(f.spans[child].event.Payload)
			switch {
			case f.taken[child]:
			case len(members) > maxSpans || grown > maxItem:
				f.roots = append(f.roots, child)
			default:
				f.taken[child] = true
				size = grown
				members = append(members, child)
			}
		}
	}
	return members
}

// transaction returns a transaction and its id (Sentry's SDK documentation, "Event Payloads",
// "Transaction Payloads"). The id is made from that of its root, so that it is the same at each
// attempt.
func transaction(spans []transactionSpan, members []int) (id string, payload []byte) {
	root := &spans[members[0]]
	digest := uuidOf(xxh3.HashString128(root.event.VendorID + root.span.String()))
	id = hex.EncodeToString(digest[:])
	payload = textMember([]byte{'{'}, "event_id", id)
	payload = append(payload, `,"type":"transaction",`...)
	payload = append(payload, within(root.sections[sectionEvent])...)
	payload = append(payload, `,"contexts":{"trace":`...)
	payload = append(payload, root.sections[sectionContext]...)
	payload = append(payload, `,"otel":`...)
	payload = append(payload, root.sections[sectionOtel]...)
	payload = append(payload, `},"spans":[`...)
	for i, n := range members[1:] {
		if i > 0 {
			payload = append(payload, ',')
		}
		payload = append(append(payload, '{'), within(spans[n].sections[sectionContext])...)
		payload = append(append(payload, ','), within(spans[n].sections[sectionSpan])...)
		payload = append(payload, '}')
	}
	return id, append(payload, "]}"...)
}

// within returns the members of an object.
func within(object []byte) []byte { return object[1 : len(object)-1] }
