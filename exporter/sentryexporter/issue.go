// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"encoding/hex"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
	"github.com/otelcol-fanout/otelcol-fanout/internal/stacktrace"
)

// issue is an event that is being written as an Issue.
type issue struct {
	*appevent.Event
	source *source
	cfg    *IssuesConfig
	sdk    string
	id     eventID
	at     pcommon.Timestamp
	// platform, and transaction (the name of the operation), are derived from several other fields.
	platform, transaction string
	// span is the span of a span event; nil for a log record.
	span *spanContext

	stack *stacktrace.Stack
	http  httpRequest
	// attributes are the event's properties and, for a span event, the attributes of its span.
	attributes []attribute
	crumbs     []crumb
	values     valueWriter
}

// attribute is an attribute of the event or of its span.
type attribute struct {
	name  string
	value pcommon.Value
}

// spanContext is the part of a span that an Issue shows if it was made from one of the span's events.
type spanContext struct {
	parent      pcommon.SpanID
	op, status  string
	transaction string // the segment's name; empty if the segment is not in the batch
	attributes  pcommon.Map
}

// issueReader reads events into issues. An issue is valid until the next one is read.
type issueReader struct {
	cfg    *IssuesConfig
	sdk    string
	names  *nameCache
	parser stacktrace.Parser
	crumbs breadcrumbs
	// attributes is memory that the attributes of each issue reuse.
	attributes []attribute
}

func newIssueReader(cfg *Config, sdk string, ns *nameCache, destination func(*appevent.Event) string) issueReader {
	return issueReader{
		cfg: &cfg.Issues, sdk: sdk, names: ns,
		parser: stacktrace.Parser{Rules: cfg.InApp},
		crumbs: breadcrumbs{limit: cfg.Issues.MaxBreadcrumbs, destination: destination},
	}
}

// read collects the fields of the event that more than one phase writes.
func (r *issueReader) read(e *appevent.Event, src *source, id eventID, span *spanContext, destination string) issue {
	x := &e.Exception
	r.parser.Root = src.folder
	i := issue{
		Event: e, source: src, cfg: r.cfg, sdk: r.sdk, id: id, at: timeOrNow(e.Time), span: span, values: valueWriter{nameCache: r.names},
		stack: r.parser.Parse(src.language, x.Type, x.Message, e.Chain()), attributes: r.readAttributes(e, span),
	}
	for n := range i.attributes {
		i.http.readAttribute(i.attributes[n].name, i.attributes[n].value)
	}
	i.platform, i.transaction = src.issuePlatform(i.stack), transactionOf(span, &i.http)
	i.crumbs = r.crumbs.before(e.TraceID, destination, i.at)
	return i
}

func (r *issueReader) readAttributes(e *appevent.Event, span *spanContext) []attribute {
	r.attributes = r.attributes[:0]
	for name, v := range e.Properties() {
		r.attributes = append(r.attributes, attribute{name, v})
	}
	if span != nil {
		for name, v := range span.attributes.All() {
			r.attributes = append(r.attributes, attribute{name, v})
		}
	}
	return r.attributes
}

// transactionOf returns the name of the operation: that of the segment, else that of the HTTP request.
func transactionOf(span *spanContext, http *httpRequest) string {
	switch {
	case span != nil && span.transaction != "":
		return span.transaction
	case http.route != "" && http.method != "":
		return http.method + " " + http.route
	default:
		return http.route
	}
}

// maxKept is the largest number of attributes whose memory is kept for the next batch.
const maxKept = 256

// reset drops all references to pdata.
func (r *issueReader) reset() {
	r.crumbs.reset()
	if cap(r.attributes) > maxKept {
		r.attributes = nil
	}
	clear(r.attributes[:cap(r.attributes)])
}

// Limits of these fields (Sentry's SDK documentation, "Event Payloads").
const (
	maxTag     = 200 // bytes of a key or a value
	maxTags    = 100
	maxMessage = 8192
)

// appendIssue appends the payload of an item of type event (Sentry's SDK documentation, "Event
// Payloads").
func appendIssue(dst []byte, i *issue) []byte {
	dst = appendIssueIdentity(dst, i)
	dst = appendIssueException(dst, i)
	dst = appendIssueContext(dst, i)
	dst = appendIssueAttributes(dst, i)
	return appendIssueClose(dst, i)
}

// appendIssueIdentity appends the event's id, time and origin.
func appendIssueIdentity(dst []byte, i *issue) []byte {
	dst = append(dst, `{"event_id":"`...)
	dst = hex.AppendEncode(dst, i.id[:])
	dst = append(dst, `","timestamp":`...)
	dst = appendSeconds(dst, i.at)
	dst = textMember(dst, "platform", i.platform)
	dst = textMember(dst, "level", appevent.IssueLevel(i.SeverityLevel()))
	dst = append(dst, i.source.logger...)
	dst = textMember(dst, "transaction", line(i.transaction, maxShort))
	dst = append(dst, i.source.origin...)
	return append(append(dst, ','), i.sdk...)
}

// appendIssueClose appends breadcrumbs and extra data.
func appendIssueClose(dst []byte, i *issue) []byte {
	if i.values.trim < trimLong {
		dst = appendBreadcrumbs(dst, i.crumbs, i.values)
	}
	dst = appendExtra(dst, i)
	return append(dst, '}')
}

// appendExtra appends data for which Issues have no field: a stack that could not be parsed, a body
// that is not a string, and a note about what was trimmed.
func appendExtra(dst []byte, i *issue) []byte {
	start := len(dst)
	dst = append(dst, `,"extra":{`...)
	m := i.values.json.Members()
	defer m.End()
	var ok bool
	if unread := i.stack.Unparsed; unread != "" {
		if dst, ok = m.Name(dst, appevent.AttrExceptionStacktrace); ok {
			dst = jsonappend.String(dst, i.values.trim.stack(unread))
		}
	}
	if body := i.Body.Type(); i.values.trim < trimLong && body != pcommon.ValueTypeStr && body != pcommon.ValueTypeEmpty {
		dst = i.values.appendMember(dst, &m, attrBody, attrBody, i.Body, 0)
	}
	if i.values.trim > trimNothing {
		if dst, ok = m.Name(dst, attrTrimmed); ok {
			dst = jsonappend.String(dst, i.values.trim.note())
		}
	}
	if m.Len() == 0 {
		return dst[:start]
	}
	return append(dst, '}')
}
