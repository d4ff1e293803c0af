// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package appevent

import "go.opentelemetry.io/collector/pdata/pcommon"

// Summarizer makes summaries of events. The zero value is ready for use; one Summarizer serves one goroutine.
type Summarizer struct {
	of, source *Source
	event      Event
}

// Summary is the event without what it says: who, what kind of thing, when and about what, with the same id, but no
// properties or traits, no body, no text of an exception, no name or address of the user, and nothing of the resource and the
// scope but what names the application. It is valid until the next one is made.
func (s *Summarizer) Summary(e *Event) *Event {
	s.event = Event{
		Source: s.SummarySource(e.Source), UID: e.ID(), Name: e.Name, Kind: e.Kind, Time: e.Time,
		SeverityNumber: e.SeverityNumber, SeverityText: e.SeverityText, Body: noValue,
		Subject: e.Subject, SessionID: e.SessionID, PreviousID: e.PreviousID,
		User:      User{ID: e.User.ID, AnonymousID: e.User.AnonymousID, Roles: noValue},
		Exception: summaryOfException(e),
		Groups:    e.Groups, Traits: noMap, TraitsOnce: noMap, Destinations: e.Destinations, Fingerprint: noValue,
		TraceID: e.TraceID, SpanID: e.SpanID, Flags: e.Flags,
		attributes: noMap,
	}
	return &s.event
}

// SummarySource is the source without all but what names the application.
func (s *Summarizer) SummarySource(source *Source) *Source {
	if s.of != source {
		s.of, s.source = source, summaryOf(source)
	}
	return s.source
}

// Reset forgets the last event and its source, so that no pdata is kept alive.
func (s *Summarizer) Reset() { *s = Summarizer{} }

// summaryOfException keeps that there is one.
func summaryOfException(e *Event) Exception {
	if !e.IsException() {
		return Exception{}
	}
	x := Exception{Type: e.Exception.Type, Handled: e.Exception.Handled, HandledKnown: e.Exception.HandledKnown}
	if x.Type == "" {
		x.Type = ExceptionEventName
	}
	return x
}

// summaryOf keeps what names the application.
func summaryOf(s *Source) *Source {
	resource := pcommon.NewResource()
	for _, name := range []string{AttrServiceName, AttrServiceNamespace, AttrServiceVersion, AttrEnvironment, AttrLegacyEnvironment} {
		if v, ok := s.Resource.Attributes().Get(name); ok && v.Type() == pcommon.ValueTypeStr {
			v.CopyTo(resource.Attributes().PutEmpty(name))
		}
	}
	return NewSource(resource, pcommon.NewInstrumentationScope())
}
