// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// What an envelope holds at most (Sentry's SDK documentation, "Envelopes", "Size Limits", and "Envelope Items").
const (
	maxItem  = 1 << 20 // bytes
	maxLogs  = 100
	maxSpans = 1000
)

// Content types of containers (Sentry's SDK documentation, "Logs" and "Span Protocol").
const (
	contentTypeLogs  = "application/vnd.sentry.items.log+json"
	contentTypeSpans = "application/vnd.sentry.items.span.v2+json"
)

// group is what may share envelopes: data of one category for one project.
type group struct {
	project  *project
	category string
	events   []delivery.Event
}

// order lets those with few envelopes go first: an Issue is one each.
func (g *group) order() int {
	if g.category == categoryError {
		return 1
	}
	return 0
}

// Frame implements delivery.Backend: envelopes of one Issue, of logs, of spans or of one transaction.
func (b *backend) Frame(events []delivery.Event) (requests []delivery.Request, refusals []delivery.Refusal) {
	now := time.Now()
	groups, refusals := b.groups(events)
	slices.SortStableFunc(groups, func(a, b group) int { return cmp.Compare(a.order(), b.order()) })
	for i := range groups {
		g := &groups[i]
		if until := g.project.limits.of(g.category, now); !until.IsZero() {
			refusals = b.refuseLimited(refusals, g, until)
			continue
		}
		first := len(requests)
		requests = b.frameGroup(requests, g)
		b.attachReport(requests[first:], g.project, now)
	}
	return requests, refusals
}

// groups refuses what the configuration no longer knows a project for.
func (b *backend) groups(events []delivery.Event) (groups []group, refusals []delivery.Refusal) {
	for i := range events {
		p := b.projects.of(events[i].Destination)
		if p == nil {
			refusals = append(refusals, delivery.Refusal{
				Event: events[i], Reason: deadletter.ReasonRefused,
				Message: "its routing value has no DSN any more; add it to routing::dsns, or set dsn for all others, and replay",
			})
			continue
		}
		g := groupOf(&groups, p, events[i].Category)
		g.events = append(g.events, events[i])
	}
	return groups, refusals
}

// groupOf looks through the groups, which are few.
func groupOf(groups *[]group, p *project, category string) *group {
	for i := range *groups {
		if g := &(*groups)[i]; g.project == p && g.category == category {
			return g
		}
	}
	*groups = append(*groups, group{project: p, category: category})
	return &(*groups)[len(*groups)-1]
}

func (b *backend) refuseLimited(refusals []delivery.Refusal, g *group, until time.Time) []delivery.Refusal {
	message := "Sentry takes no more of category " + g.category + " from this project before " + until.UTC().Format(time.RFC3339)
	for i := range g.events {
		refusals = append(refusals, delivery.Refusal{
			Event: g.events[i], Reason: deadletter.ReasonRateLimited, Message: message, Discard: b.cfg.RateLimited == RateLimitedDrop,
		})
	}
	return refusals
}

func (b *backend) frameGroup(requests []delivery.Request, g *group) []delivery.Request {
	switch g.category {
	case categoryLog:
		in := container{most: maxLogs, itemHead: `{"type":"log","item_count":`, contentType: contentTypeLogs}
		return b.frameContainers(requests, g.project, g.events, &in)
	case categorySpan:
		return b.frameSpans(requests, g)
	case categoryTransaction:
		return b.frameTransactions(requests, g)
	}
	for i := range g.events {
		requests = append(requests, b.request(g, "event", g.events[i].Payload, g.events[i:i+1:i+1]))
	}
	return requests
}

// request is that of an envelope with one item, an event or a transaction, with this payload.
func (b *backend) request(g *group, itemType string, payload []byte, events []delivery.Event) delivery.Request {
	return delivery.Request{
		URL: g.project.url, Header: g.project.header, Events: events,
		Sending: func(r *delivery.Request, at time.Time) {
			head := append([]byte(`{"event_id":"`), leadingID(payload)...)
			head = b.appendSent(append(head, `",`...), at)
			head = append(head, `{"type":"`+itemType+`","length":`...)
			r.Join.Head = string(append(strconv.AppendInt(head, int64(len(payload)), 10), "}\n"...))
		},
	}
}

// leadingID is the id that a payload begins with: that of the event, behind {"event_id":", or of the span's trace, behind {"trace_id":".
func leadingID(payload []byte) []byte {
	const start = len(`{"event_id":"`)
	return payload[min(start, len(payload)):min(start+32, len(payload))]
}

// appendSent appends the rest of an envelope's header: when it is sent, by which Sentry corrects our clock, and by whom.
func (b *backend) appendSent(dst []byte, now time.Time) []byte {
	dst = append(dst, `"sent_at":`...)
	dst = jsonappend.Time(dst, pcommon.NewTimestampFromTime(now))
	dst = append(append(dst, ','), b.sdk...)
	return append(dst, "}\n"...)
}

// container is an item that is an object around items. Its version has Sentry not take the sender for the user (Sentry's SDK documentation,
// "Envelope Items", ingest_settings).
type container struct {
	most        int // items
	itemHead    string
	contentType string
	trace       []byte // of the envelope's header
}

const (
	containerHead = `{"version":2,"items":[`
	containerTail = `]}`

	containerFrame = len(containerHead) + len(containerTail)
)

// frameSpans puts spans into containers, those of each trace into their own: Sentry refuses spans of several traces.
func (b *backend) frameSpans(requests []delivery.Request, g *group) []delivery.Request {
	slices.SortStableFunc(g.events, func(a, b delivery.Event) int { return bytes.Compare(leadingID(a.Payload), leadingID(b.Payload)) })
	for events := g.events; len(events) > 0; {
		trace := leadingID(events[0].Payload)
		n := slices.IndexFunc(events, func(e delivery.Event) bool { return !bytes.Equal(leadingID(e.Payload), trace) })
		if n < 0 {
			n = len(events)
		}
		in := container{most: maxSpans, itemHead: `{"type":"span","item_count":`, contentType: contentTypeSpans}
		in.trace = appendTraceHeader(nil, g.project, events[:n])
		requests = b.frameContainers(requests, g.project, events[:n:n], &in)
		events = events[n:]
	}
	return requests
}

// frameContainers puts items into containers, one an envelope.
func (b *backend) frameContainers(requests []delivery.Request, p *project, events []delivery.Event, in *container) []delivery.Request {
	for len(events) > 0 {
		n, size := fit(events, in.most)
		requests = append(requests, delivery.Request{
			URL: p.url, Header: p.header, Events: events[:n:n],
			Join: delivery.Join{Separator: ",", Tail: containerTail},
			Sending: func(r *delivery.Request, at time.Time) {
				head := b.appendSent(append([]byte{'{'}, in.trace...), at)
				head = append(head, in.itemHead...)
				head = strconv.AppendInt(head, int64(n), 10)
				head = append(head, `,"content_type":"`+in.contentType+`","length":`...)
				head = strconv.AppendInt(head, int64(size), 10)
				r.Join.Head = string(append(head, "}\n"+containerHead...))
			},
		})
		events = events[n:]
	}
	return requests
}

// fit is how many of the events go into one container, at least one, and its size.
func fit(events []delivery.Event, most int) (n, size int) {
	size = containerFrame
	for n < len(events) && n < most {
		grown := size + len(events[n].Payload)
		if n > 0 {
			grown++ // a comma
			if grown > maxItem {
				break
			}
		}
		size = grown
		n++
	}
	return n, size
}

// attachReport adds what there is to tell Sentry to the first envelope. It is told again when that does not get there.
func (b *backend) attachReport(requests []delivery.Request, p *project, now time.Time) {
	if len(requests) == 0 || !b.cfg.SendClientReports {
		return
	}
	counts := p.reports.take()
	if len(counts) == 0 {
		return
	}
	first := &requests[0]
	first.Join.Tail = string(appendReport([]byte(first.Join.Tail), counts, now))
	first.Unanswered = func() { p.reports.add(counts) }
}
