// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"encoding/hex"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// transactionSpan is a span that will become a transaction, or a span of one.
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

func (s *transactionSpan) ref() spanRef { return spanRef{s.event.VendorID, s.span} }

func (s *transactionSpan) parentRef() spanRef { return spanRef{s.event.VendorID, s.parent} }

// transactionSpans parses the keys of events. It refuses events whose key does not match the payload.
func transactionSpans(events []delivery.Event) (spans []transactionSpan, refusals []delivery.Refusal) {
	spans = make([]transactionSpan, 0, len(events))
	for i := range events {
		e := &events[i]
		s := transactionSpan{transactionKey: parseTransactionKey(e.Key), event: e}
		var ok bool
		if s.sections, ok = s.sizes.of(e.Payload); !ok {
			refusals = append(refusals, delivery.Refusal{
				Event: *e, Reason: deadletter.ReasonRefused,
				Message: "the stored span is corrupt: its key does not match its payload",
			})
			continue
		}
		spans = append(spans, s)
	}
	return spans, refusals
}

// forest groups spans by parent.
type forest struct {
	spans    []transactionSpan
	children map[spanRef][]int
	taken    []bool
	roots    []int // of the transactions that remain
	rest     int   // index of the first span that may not be taken yet
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

// next returns the spans of the next transaction, its root first; nil when all are taken.
func (f *forest) next() []int {
	for len(f.roots) > 0 {
		root := f.roots[0]
		f.roots = f.roots[1:]
		if !f.taken[root] {
			return f.take(root)
		}
	}
	for ; f.rest < len(f.taken); f.rest++ { // the spans that are left are their own ancestors
		if !f.taken[f.rest] {
			return f.take(f.rest)
		}
	}
	return nil
}

// take returns a root and as many of the spans below it as fit into a transaction. The others become
// roots.
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
// "Transaction Payloads"). The id is derived from that of the root, so it is the same in each attempt.
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
