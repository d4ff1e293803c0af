// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// Limits of one envelope (Sentry's SDK documentation, "Envelopes", "Size Limits", and "Envelope
// Items").
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

// group has the events of one category for one project, which may share envelopes.
type group struct {
	project  *project
	category string
	events   []delivery.Event
}

// order puts Issues last: each of them needs an envelope, while the other groups need few.
func (g *group) order() int {
	if g.category == categoryError {
		return 1
	}
	return 0
}

// BuildRequests implements delivery.Backend. A request is an envelope with one Issue, logs, spans of
// one trace, or one transaction.
func (b *backend) BuildRequests(events []delivery.Event) (requests []delivery.Request, refusals []delivery.Refusal) {
	now := time.Now()
	groups, refusals := b.groups(events)
	slices.SortStableFunc(groups, func(a, b group) int { return cmp.Compare(a.order(), b.order()) })
	for i := range groups {
		g := &groups[i]
		if until := g.project.limits.of(g.category, now); !until.IsZero() {
			refusals = b.refuseLimited(refusals, g, until)
			continue
		}
		built, corrupt := b.buildGroup(g)
		b.attachReport(built, g.project, now)
		requests, refusals = append(requests, built...), append(refusals, corrupt...)
	}
	return requests, refusals
}

// groups returns the events by project and category. It refuses events whose project is no longer in
// the configuration.
func (b *backend) groups(events []delivery.Event) (groups []group, refusals []delivery.Refusal) {
	for i := range events {
		p := b.projects.of(events[i].Destination)
		if p == nil {
			refusals = append(refusals, delivery.Refusal{
				Event: events[i], Reason: deadletter.ReasonRefused,
				Message: "its routing value no longer has a DSN; add it to routing::dsns, or set dsn for all other values, and replay",
			})
			continue
		}
		g := groupOf(&groups, p, events[i].Category)
		g.events = append(g.events, events[i])
	}
	return groups, refusals
}

// groupOf searches the groups one by one: there are few.
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
	message := "Sentry limits the category " + g.category + " for this project until " + until.UTC().Format(time.RFC3339)
	for i := range g.events {
		refusals = append(refusals, delivery.Refusal{
			Event: g.events[i], Reason: deadletter.ReasonRateLimited, Message: message, Discard: b.cfg.RateLimited == RateLimitedDrop,
			Until: until,
		})
	}
	return refusals
}

func (b *backend) buildGroup(g *group) ([]delivery.Request, []delivery.Refusal) {
	switch g.category {
	case categoryLog:
		in := container{maxItems: maxLogs, itemHead: `{"type":"log","item_count":`, contentType: contentTypeLogs}
		return b.appendContainers(nil, g.project, g.events, &in), nil
	case categorySpan:
		return b.buildSpans(g), nil
	case categoryTransaction:
		return b.buildTransactions(g)
	default:
		return b.buildIssues(g), nil
	}
}

func (b *backend) buildIssues(g *group) []delivery.Request {
	requests := make([]delivery.Request, len(g.events))
	for i := range g.events {
		e := &g.events[i]
		requests[i] = delivery.Request{
			URL: g.project.url, Header: g.project.header, Events: g.events[i : i+1 : i+1],
			BeforeSend: func(r *delivery.Request, now time.Time) {
				r.Join.Head = string(b.appendEventHead(nil, e.VendorID, "event", len(e.Payload), now))
			},
		}
	}
	return requests
}

// buildTransactions joins spans into transactions. A span whose parent is missing becomes a
// transaction of its own, and so does a span that does not fit into its parent's.
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
			BeforeSend: func(r *delivery.Request, now time.Time) { // the body does not consist of the events' payloads
				r.Body = slices.Concat(b.appendEventHead(nil, id, "transaction", len(payload), now), payload, []byte(r.Join.Tail))
			},
		})
	}
	return requests, refusals
}

// appendEventHead appends the lines before the payload of an event or a transaction in an envelope.
func (b *backend) appendEventHead(dst []byte, id, itemType string, size int, now time.Time) []byte {
	dst = textMember(append(dst, '{'), "event_id", id)
	dst = b.appendSent(dst, now)
	dst = append(dst, `{"type":"`+itemType+`","length":`...)
	return append(strconv.AppendInt(dst, int64(size), 10), "}\n"...)
}

// appendSent appends the rest of an envelope's header: the sender and the time of sending, which Sentry
// uses to correct clock drift.
func (b *backend) appendSent(dst []byte, now time.Time) []byte {
	dst = jsonappend.Time(memberName(dst, "sent_at"), pcommon.NewTimestampFromTime(now))
	dst = append(append(dst, ','), b.sdk...)
	return append(dst, "}\n"...)
}

// container is an item that contains several logs or spans. It has version 2, with which Sentry does
// not mistake the sender for the user (Sentry's SDK documentation, "Envelope Items",
// ingest_settings).
type container struct {
	maxItems    int
	itemHead    string
	contentType string
	trace       []byte // the JSON member "trace" of the envelope's header
}

const (
	containerHead = `{"version":2,"items":[`
	containerTail = `]}`

	containerOverhead = len(containerHead) + len(containerTail)
)

// buildSpans puts the spans of each trace into separate containers: Sentry refuses containers with
// several traces.
func (b *backend) buildSpans(g *group) (requests []delivery.Request) {
	slices.SortStableFunc(g.events, func(a, b delivery.Event) int { return strings.Compare(a.VendorID, b.VendorID) })
	for events := g.events; len(events) > 0; {
		trace := events[0].VendorID
		n := slices.IndexFunc(events, func(e delivery.Event) bool { return e.VendorID != trace })
		if n < 0 {
			n = len(events)
		}
		in := container{maxItems: maxSpans, itemHead: `{"type":"span","item_count":`, contentType: contentTypeSpans}
		in.trace = appendTraceHeader(nil, g.project, events[:n])
		requests = b.appendContainers(requests, g.project, events[:n:n], &in)
		events = events[n:]
	}
	return requests
}

// appendContainers puts items into containers, one per envelope.
func (b *backend) appendContainers(requests []delivery.Request, p *project, events []delivery.Event, in *container) []delivery.Request {
	for len(events) > 0 {
		n, size := fit(events, in.maxItems)
		requests = append(requests, delivery.Request{
			URL: p.url, Header: p.header, Events: events[:n:n],
			Join: delivery.Join{Separator: ",", Tail: containerTail},
			BeforeSend: func(r *delivery.Request, now time.Time) {
				head := b.appendSent(append([]byte{'{'}, in.trace...), now)
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

// fit returns how many of the events go into one container, at least one, and its size.
func fit(events []delivery.Event, maxItems int) (n, size int) {
	size = containerOverhead
	for n < len(events) && n < maxItems {
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

// attachReport adds the project's client report to the first envelope. If that is not delivered, the
// counts go into a later report.
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
	first.OnNoResponse = func() { p.reports.add(counts) }
}
