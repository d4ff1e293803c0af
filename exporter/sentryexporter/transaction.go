// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// appendTransactionSpan appends a span for a transaction. Which span becomes the transaction itself is
// known only when BuildRequests joins the spans that are sent together. So the payload has sections
// for both cases:
//
//	context  contexts.trace of a transaction, or the first members of one of its spans
//	span     the other members of one of its spans
//	event    the members of a transaction
//	otel     contexts.otel of a transaction
//
// It sets sizes. The members before the sections are for completeMeta.
func appendTransactionSpan(dst []byte, s *spanItem, sizes *sectionSizes, sdk string) []byte {
	dst = appendSpanIDs(append(dst, '{'), s)
	dst = append(dst, `,"segment":`...)
	dst = jsonappend.Bool(dst, s.isSegment)
	var buffer [maxTimes]byte
	times := appendTransactionTimes(buffer[:0], s)
	for n, name := range sectionNames {
		dst = append(dst, name...)
		start := len(dst)
		switch section(n) {
		case sectionContext:
			dst = appendContextSection(dst, s)
		case sectionSpan:
			dst = appendSpanSection(dst, s, times)
		case sectionEvent:
			dst = appendEventSection(dst, s, times, sdk)
		case sectionOtel:
			dst = appendOtelSection(dst, s)
		}
		sizes[n] = len(dst) - start
	}
	return append(dst, '}')
}

func appendContextSection(dst []byte, s *spanItem) []byte {
	dst = appendSpanIDs(append(dst, '{'), s)
	dst = textMember(dst, "op", s.op)
	dst = textMember(dst, "status", legacyStatus(s.Span))
	dst = textMember(dst, "origin", origin)
	if s.values.trim < trimAttributes {
		dst = appendLinks(dst, s, false)
	}
	dst = append(dst, `,"data":`...)
	return append(appendSpanData(dst, s), '}')
}

func appendSpanSection(dst []byte, s *spanItem, times []byte) []byte {
	dst = textMember(append(dst, '{'), "description", s.values.trim.text(descriptionOf(s)))
	return append(append(dst, times...), '}')
}

// maxTimes is the size of two times with their names.
const maxTimes = 96

// appendTransactionTimes appends when the span began and ended, as members after a comma. They are in
// RFC 3339: sentry-cli accepts no other form in a transaction.
func appendTransactionTimes(dst []byte, s *spanItem) []byte {
	dst = appendRFC3339(append(dst, `,"start_timestamp":`...), s.began)
	return appendRFC3339(append(dst, `,"timestamp":`...), s.ended)
}

func appendEventSection(dst []byte, s *spanItem, times []byte, sdk string) []byte {
	dst = textMember(append(dst, '{'), "transaction", line(s.name, maxShort))
	dst = textMember(append(memberName(dst, "transaction_info"), '{'), "source", s.nameSource)
	dst = append(append(dst, '}'), times...)
	dst = textMember(dst, "platform", s.source.platform)
	dst = append(dst, s.source.origin...)
	dst = append(append(dst, ','), sdk...)
	return append(dst, '}')
}

func appendOtelSection(dst []byte, s *spanItem) []byte {
	dst = append(dst, '{')
	if s.values.trim < trimAttributes {
		dst = append(memberName(dst, "resource"), s.source.resource...)
	}
	return append(dst, '}')
}

// descriptionOf describes a span as Sentry's SDKs do: by its database query, else by its HTTP method
// and URL (without the query string), else by its name.
func descriptionOf(s *spanItem) string {
	text := func(names ...string) string {
		for _, name := range names {
			if v, ok := s.Attributes().Get(name); ok && v.Type() == pcommon.ValueTypeStr && v.Str() != "" {
				return s.values.shown(v.Str(), s.values.of(name).treat)
			}
		}
		return ""
	}
	if query := text("db.query.text", "db.statement"); query != "" {
		return query
	}
	method, url := text("http.request.method", "http.method"), text("url.full", "http.url")
	if s.Kind() != ptrace.SpanKindClient || method == "" || url == "" {
		return s.name
	}
	if end := strings.IndexAny(url, "?#"); end >= 0 {
		url = url[:end]
	}
	return method + " " + url
}

// appendSpanData appends the attributes of a span as plain values, without types.
func appendSpanData(dst []byte, s *spanItem) []byte {
	if s.values.trim >= trimAttributes {
		return append(textMember(append(dst, '{'), attrTrimmed, s.values.trim.note()), '}')
	}
	dst = append(dst, '{')
	m := s.values.json.Members()
	if s.values.trim > trimNothing {
		dst = s.values.appendMember(dst, &m, attrTrimmed, attrTrimmed, pcommon.NewValueStr(s.values.trim.note()), 0)
	}
	for name, v := range s.Attributes().All() {
		if name != appevent.AttrID && !strings.HasPrefix(name, appevent.FanoutPrefix) {
			dst = s.values.appendMember(dst, &m, name, name, v, 0)
		}
	}
	m.End()
	return append(dst, '}')
}
