// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
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

// Frame implements delivery.Backend: envelopes of one Issue, of logs, of spans or of one transaction.
func (b *backend) Frame(events []delivery.Event) (requests []delivery.Request, refusals []delivery.Refusal) {
	now := time.Now()
	groups, refusals := b.groups(events)
	for i := range groups {
		g := &groups[i]
		if until := g.project.limits.of(g.category, now); !until.IsZero() {
			refusals = b.refuseLimited(refusals, g, until)
			continue
		}
		first := len(requests)
		requests = b.frameGroup(requests, g, now)
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

func (b *backend) frameGroup(requests []delivery.Request, g *group, now time.Time) []delivery.Request {
	switch g.category {
	case categoryLog:
		return b.frameContainers(requests, g, maxLogs, `{"type":"log","item_count":`, contentTypeLogs, now)
	case categorySpan:
		return b.frameContainers(requests, g, maxSpans, `{"type":"span","item_count":`, contentTypeSpans, now)
	case categoryTransaction:
		return b.frameTransactions(requests, g, now)
	}
	for i := range g.events {
		payload := g.events[i].Payload
		head := b.appendHead(nil, "event", payload[idStart:idStart+32], len(payload), now)
		requests = append(requests, g.project.request(delivery.Join{Head: string(head)}, g.events[i:i+1:i+1]))
	}
	return requests
}

func (p *project) request(join delivery.Join, events []delivery.Event) delivery.Request {
	return delivery.Request{URL: p.url, Header: p.header, Join: join, Events: events}
}

// idStart is where the id stands in the payload of an event: behind {"event_id":".
const idStart = len(`{"event_id":"`)

// appendHead appends what stands before the payload of an envelope with one item, an event or a transaction.
func (b *backend) appendHead(dst []byte, itemType string, id []byte, size int, now time.Time) []byte {
	dst = append(append(dst, `{"event_id":"`...), id...)
	dst = b.appendSent(append(dst, `",`...), now)
	dst = append(append(dst, `{"type":"`...), itemType...)
	dst = append(dst, `","length":`...)
	dst = strconv.AppendInt(dst, int64(size), 10)
	return append(dst, "}\n"...)
}

// appendSent appends the rest of an envelope's header: when the attempt is made, by which Sentry corrects our clock, and by whom.
func (b *backend) appendSent(dst []byte, now time.Time) []byte {
	dst = append(dst, `"sent_at":`...)
	dst = jsonappend.Time(dst, pcommon.NewTimestampFromTime(now))
	dst = append(append(dst, ','), b.sdk...)
	return append(dst, "}\n"...)
}

// A container is an object around its items.
const (
	containerHead = `{"items":[`
	containerTail = `]}`
)

// frameContainers puts items into containers, one an envelope.
func (b *backend) frameContainers(requests []delivery.Request, g *group, most int, itemHead, contentType string, now time.Time) []delivery.Request {
	for events := g.events; len(events) > 0; {
		n, size := fit(events, most)
		head := b.appendSent([]byte{'{'}, now)
		head = append(head, itemHead...)
		head = strconv.AppendInt(head, int64(n), 10)
		head = append(head, `,"content_type":"`+contentType+`","length":`...)
		head = strconv.AppendInt(head, int64(size), 10)
		head = append(head, "}\n"+containerHead...)
		join := delivery.Join{Head: string(head), Separator: ",", Tail: containerTail}
		requests = append(requests, g.project.request(join, events[:n:n]))
		events = events[n:]
	}
	return requests
}

// fit is how many of the events go into one container, at least one, and its size.
func fit(events []delivery.Event, most int) (n, size int) {
	size = len(containerHead) + len(containerTail)
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
	if first.Body != nil {
		first.Body = appendReport(first.Body, counts, now)
	} else {
		first.Join.Tail = string(appendReport([]byte(first.Join.Tail), counts, now))
	}
	first.Unanswered = func() { p.reports.add(counts) }
}
