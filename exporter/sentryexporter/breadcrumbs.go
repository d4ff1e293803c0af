// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// breadcrumbs groups the events of a batch by trace. It reads them when the first Issue of the batch
// asks for its breadcrumbs, so a batch without Issues costs nothing.
type breadcrumbs struct {
	limit int
	// destination returns where an event goes: an Issue does not show events of another project.
	destination func(e *appevent.Event) string
	// unread yields the events of the batch; nil once they are in byTrace.
	unread  iter.Seq[*appevent.Event]
	byTrace map[crumbKey][]crumb
}

type crumbKey struct {
	trace       pcommon.TraceID
	destination string
}

// crumb is a record that an Issue may show as a breadcrumb.
type crumb struct {
	at         pcommon.Timestamp
	severity   plog.SeverityNumber
	category   string
	message    string
	attributes pcommon.Map
}

func (b *breadcrumbs) prepare(batch iter.Seq[*appevent.Event]) { b.unread = batch }

func (b *breadcrumbs) reset() { b.unread, b.byTrace = nil, nil }

// before returns the last crumbs before a time, oldest first. They are of the same trace, and of
// events with the same destination.
func (b *breadcrumbs) before(trace pcommon.TraceID, destination string, at pcommon.Timestamp) []crumb {
	if b.limit == 0 || trace.IsEmpty() {
		return nil
	}
	if b.unread != nil {
		b.gather()
	}
	crumbs := b.byTrace[crumbKey{trace, destination}]
	end, _ := slices.BinarySearchFunc(crumbs, at, func(c crumb, at pcommon.Timestamp) int { return cmp.Compare(c.at, at) })
	begin, size := end, 0
	for begin > 0 && end-begin < b.limit && size < maxCrumbs {
		begin--
		size += crumbs[begin].size()
	}
	return crumbs[begin:end]
}

// Limits on breadcrumbs. Without them, many errors in one trace would each repeat the whole trace.
const (
	maxCrumbs       = 8 << 10 // bytes for each Issue
	maxCrumbMessage = 512
	maxCrumbData    = 256 // bytes of attributes; a breadcrumb with more shows none
	crumbOverhead   = 160 // an estimate of the rest of a breadcrumb
)

// size estimates the size of the breadcrumb in bytes.
func (c *crumb) size() int {
	size := crumbOverhead + min(len(c.message), maxCrumbMessage)
	if c.attributes.Len() > 0 {
		size += maxCrumbData
	}
	return size
}

func (b *breadcrumbs) gather() {
	b.byTrace = map[crumbKey][]crumb{}
	for e := range b.unread {
		b.add(e)
	}
	b.unread = nil
	for _, crumbs := range b.byTrace {
		slices.SortStableFunc(crumbs, func(a, b crumb) int { return cmp.Compare(a.at, b.at) })
	}
}

func (b *breadcrumbs) add(e *appevent.Event) {
	if e.TraceID.IsEmpty() || !isTime(e.Time) {
		return
	}
	c := crumb{at: e.Time, severity: e.SeverityLevel(), category: e.Source.Scope.Name(), message: e.Message(), attributes: e.Attributes()}
	switch {
	case e.IsException():
		c.category = "exception"
		if c.severity == plog.SeverityNumberUnspecified {
			c.severity = plog.SeverityNumberError
		}
		c.message = cmp.Or(e.Exception.Type, noType) + ": " + e.Exception.Message
	case e.Name != "":
		c.category = e.Name
	}
	key := crumbKey{e.TraceID, b.destination(e)}
	b.byTrace[key] = append(b.byTrace[key], c)
}

// appendBreadcrumbs appends the earlier events (Sentry's SDK documentation, "Breadcrumbs Interface").
func appendBreadcrumbs(dst []byte, crumbs []crumb, vs valueWriter) []byte {
	if len(crumbs) == 0 {
		return dst
	}
	dst = append(dst, `,"breadcrumbs":{"values":[`...)
	for n := range crumbs {
		if n > 0 {
			dst = append(dst, ',')
		}
		dst = appendCrumb(dst, &crumbs[n], vs)
	}
	return append(dst, "]}"...)
}

func appendCrumb(dst []byte, c *crumb, vs valueWriter) []byte {
	dst = append(dst, `{"timestamp":`...)
	dst = appendSeconds(dst, c.at)
	dst = textMember(dst, "type", "default")
	dst = textMember(dst, "category", c.category)
	dst = textMember(dst, "level", crumbLevel(c.severity))
	dst = textMember(dst, "message", cut(c.message, maxCrumbMessage))
	data := len(dst)
	dst = append(dst, `,"data":`...)
	start := len(dst)
	dst = vs.appendObject(dst, withoutFields(c.attributes))
	if size := len(dst) - start; size == len("{}") || size > maxCrumbData {
		dst = dst[:data]
	}
	return append(dst, '}')
}

// withoutFields yields the attributes that no other field of a breadcrumb shows.
func withoutFields(attributes pcommon.Map) iter.Seq2[string, pcommon.Value] {
	return func(yield func(string, pcommon.Value) bool) {
		for name, v := range attributes.All() {
			hidden := strings.HasPrefix(name, appevent.FanoutPrefix) || strings.HasPrefix(name, "exception.") ||
				name == appevent.AttrID || name == appevent.AttrEventName || name == appevent.AttrPlainEventName
			if !hidden && !yield(name, v) {
				return
			}
		}
	}
}

// crumbLevel returns Sentry's word for the severity of a breadcrumb. The default is info; for an
// Issue it is error.
func crumbLevel(n plog.SeverityNumber) string {
	if n == plog.SeverityNumberUnspecified {
		return "info"
	}
	return appevent.IssueLevel(n)
}
