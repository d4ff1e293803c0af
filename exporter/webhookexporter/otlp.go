// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// An event in OTLP JSON is encoded as an item of one of these lists, so that several events can
// share a body.
const (
	otlpLogsHead   = `{"resourceLogs":[`
	otlpTracesHead = `{"resourceSpans":[`
	otlpTail       = `]}`
)

// appendRecord appends the record with its resource and scope. A record without an ID gets one.
func (enc *encoder) appendRecord(dst []byte, e *appevent.Event) ([]byte, error) {
	record := e.Record()
	if enc.cfg.Content == ContentSummary {
		record = summaryRecord(e)
	}
	if enc.source != e.Source {
		head, err := otlpSource(e.Source)
		if err != nil {
			return nil, err
		}
		enc.source, enc.sourceHead = e.Source, head
	}
	dst = appendLogRecord(append(dst, enc.sourceHead...), record, e.ID())
	return append(dst, otlpSourceTail...), nil
}

// otlpNoRecord is an empty record; otlpSourceTail follows a record within its item.
const (
	otlpNoRecord   = `{"body":{}}`
	otlpSourceTail = `]}]}`
)

// otlpSource returns the part of an item before its record, which is the same for all records of a
// source.
func otlpSource(source *appevent.Source) ([]byte, error) {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	source.Resource.CopyTo(rl.Resource())
	sl := rl.ScopeLogs().AppendEmpty()
	source.Scope.CopyTo(sl.Scope())
	sl.LogRecords().AppendEmpty()
	text, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
	if err != nil {
		return nil, err
	}
	item, err := appendItem(nil, text, otlpLogsHead)
	if err != nil {
		return nil, err
	}
	head, ok := bytes.CutSuffix(item, []byte(otlpNoRecord+otlpSourceTail))
	if !ok {
		return nil, errNotOTLP
	}
	return head, nil
}

// summaryRecord returns a summary as a record.
func summaryRecord(e *appevent.Event) plog.LogRecord {
	record := plog.NewLogRecord()
	record.SetEventName(e.Name)
	record.SetTimestamp(e.Time)
	record.SetSeverityNumber(e.SeverityNumber)
	record.SetSeverityText(e.SeverityText)
	record.SetTraceID(e.TraceID)
	record.SetSpanID(e.SpanID)
	record.SetFlags(e.Flags)
	attributes := record.Attributes()
	for _, a := range []struct{ name, value string }{
		{appevent.AttrID, e.UID}, {appevent.AttrUserID, e.User.ID}, {appevent.AttrAnonymousID, e.User.AnonymousID},
		{appevent.AttrSessionID, e.SessionID}, {appevent.AttrSubject, e.Subject}, {appevent.AttrPreviousID, e.PreviousID},
		{appevent.AttrExceptionType, e.Exception.Type},
	} {
		if a.value != "" {
			attributes.PutStr(a.name, a.value)
		}
	}
	if e.Kind != appevent.KindTrack {
		attributes.PutStr(appevent.AttrKind, e.Kind.String())
	}
	if e.Exception.HandledKnown {
		attributes.PutBool(appevent.AttrHandled, e.Exception.Handled)
	}
	if e.Groups.Len() > 0 {
		e.Groups.CopyTo(attributes.PutEmptyMap(appevent.AttrGroups))
	}
	if e.Destinations.Len() > 0 {
		e.Destinations.CopyTo(attributes.PutEmptyMap(appevent.AttrDestinations))
	}
	return record
}

// appendSpan appends the span with its resource and scope. The summary of a span has no attributes,
// events, links or status message.
func (enc *encoder) appendSpan(dst []byte, source *appevent.Source, span ptrace.Span) ([]byte, error) {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	ss := rs.ScopeSpans().AppendEmpty()
	if enc.cfg.Content == ContentSummary {
		enc.summarizer.SummarySource(source).Resource.CopyTo(rs.Resource())
		summarySpan(span, ss.Spans().AppendEmpty())
	} else {
		source.Resource.CopyTo(rs.Resource())
		source.Scope.CopyTo(ss.Scope())
		span.CopyTo(ss.Spans().AppendEmpty())
	}
	text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(td)
	if err != nil {
		return nil, err
	}
	return appendItem(dst, text, otlpTracesHead)
}

func summarySpan(span, summary ptrace.Span) {
	summary.SetTraceID(span.TraceID())
	summary.SetSpanID(span.SpanID())
	summary.SetParentSpanID(span.ParentSpanID())
	summary.SetName(span.Name())
	summary.SetKind(span.Kind())
	summary.SetFlags(span.Flags())
	summary.SetStartTimestamp(span.StartTimestamp())
	summary.SetEndTimestamp(span.EndTimestamp())
	summary.Status().SetCode(span.Status().Code())
}

var errNotOTLP = errors.New("the record cannot be written as OTLP JSON")

// appendItem appends the only item of the list in the text, which begins with head.
func appendItem(dst, text []byte, head string) ([]byte, error) {
	item, ok := bytes.CutPrefix(text, []byte(head))
	if !ok {
		return nil, errNotOTLP
	}
	if item, ok = bytes.CutSuffix(item, []byte(otlpTail)); !ok {
		return nil, errNotOTLP
	}
	if !utf8.Valid(item) {
		item = bytes.ToValidUTF8(item, []byte("\uFFFD"))
	}
	return append(dst, item...), nil
}
