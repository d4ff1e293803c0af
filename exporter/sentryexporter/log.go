// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// logItem is an event that is being written as an item of a log container.
type logItem struct {
	*appevent.Event
	source   *source
	at       pcommon.Timestamp
	severity plog.SeverityNumber
	message  string
	values   valueWriter
}

// read collects the fields of the event that more than one phase writes.
func (l *logItem) read(e *appevent.Event, src *source, ns *nameCache) {
	l.Event, l.source, l.values.nameCache = e, src, ns
	l.at, l.severity, l.message = timeOrNow(e.Time), e.SeverityLevel(), messageOf(e, ns)
}

// appendLog appends the payload (Sentry's SDK documentation, "Logs", "Log Envelope Item Payload").
func appendLog(dst []byte, l *logItem) []byte {
	dst = appendLogIdentity(dst, l)
	dst = appendLogMessage(dst, l)
	dst = append(dst, `,"attributes":{`...)
	dst = appendLogAttributes(dst, l)
	return append(dst, "}}"...)
}

// appendLogIdentity appends time and trace. Sentry requires a trace id, so a record without one gets
// an id made from its own.
func appendLogIdentity(dst []byte, l *logItem) []byte {
	dst = append(dst, `{"timestamp":`...)
	dst = appendSeconds(dst, l.at)
	if l.TraceID.IsEmpty() {
		dst = append(dst, `,"trace_id":"`...)
		return append(appendIDOf(dst, l.Event), '"')
	}
	dst = hexMember(dst, "trace_id", l.TraceID[:])
	if !l.SpanID.IsEmpty() {
		dst = hexMember(dst, "span_id", l.SpanID[:])
	}
	return dst
}

func appendLogMessage(dst []byte, l *logItem) []byte {
	dst = append(dst, `,"level":"`...)
	dst = append(dst, appevent.LogLevel(l.severity)...)
	dst = append(dst, `","body":`...)
	dst = jsonappend.String(dst, l.values.trim.text(l.message))
	if l.severity != plog.SeverityNumberUnspecified {
		dst = append(dst, `,"severity_number":`...)
		dst = jsonappend.Int(dst, int64(l.severity))
	}
	return dst
}

func appendLogAttributes(dst []byte, l *logItem) []byte {
	var o typedObject
	o.begin(l.values)
	dst = o.text(dst, appevent.AttrPlainEventName, o.trim.text(l.Name))
	dst = o.text(dst, attrTrimmed, o.trim.note())
	if o.trim < trimAttributes {
		for name, v := range l.Properties() {
			dst = o.append(dst, name, v)
		}
		dst = appendLogFields(dst, l, &o)
	}
	return o.appendSharedWithin(dst, l.source, &l.source.logShared)
}

// appendLogFields appends the fields that appevent read from the attributes, and a body that is not a
// string.
func appendLogFields(dst []byte, l *logItem, o *typedObject) []byte {
	dst = o.text(dst, attrSubject, l.Subject)
	dst = o.text(dst, appevent.AttrSessionID, l.SessionID)
	if l.Kind != appevent.KindTrack {
		dst = o.text(dst, attrKind, l.Kind.String())
	}
	for name, v := range l.Groups.All() {
		dst = o.append(dst, prefixGroup+name, v)
	}
	if l.IsException() { // of a low severity, or Issues are off
		dst = o.text(dst, appevent.AttrExceptionType, l.Exception.Type)
		dst = o.text(dst, appevent.AttrExceptionMessage, l.Exception.Message)
		dst = o.text(dst, appevent.AttrExceptionStacktrace, l.Exception.Stacktrace)
	}
	if body := l.Body.Type(); body != pcommon.ValueTypeStr && body != pcommon.ValueTypeEmpty {
		dst = o.append(dst, attrBody, l.Body)
	}
	return appendLogUser(dst, l, o)
}

// appendLogUser appends the actor, if personal data may be sent.
func appendLogUser(dst []byte, l *logItem, o *typedObject) []byte {
	if o.privacy.personal {
		return dst
	}
	dst = o.text(dst, appevent.AttrUserID, l.User.ID)
	dst = o.text(dst, appevent.AttrUserEmail, l.User.Email)
	dst = o.text(dst, appevent.AttrUserName, l.User.Name)
	dst = o.text(dst, appevent.AttrUserFullName, l.User.FullName)
	dst = o.text(dst, appevent.AttrAnonymousID, l.User.AnonymousID)
	dst = o.append(dst, appevent.AttrUserRoles, l.User.Roles)
	dst = o.text(dst, attrPreviousID, l.PreviousID)
	traits := prefixTrait
	if l.Kind == appevent.KindGroup {
		traits = prefixGroupTrait
	}
	for name, v := range l.Traits.All() {
		dst = o.append(dst, traits+name, v)
	}
	for name, v := range l.TraitsOnce.All() {
		dst = o.append(dst, prefixTraitOnce+name, v)
	}
	return dst
}
