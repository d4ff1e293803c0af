// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package appevent

import "go.opentelemetry.io/collector/pdata/pcommon"

// Summarizer makes summaries of events. The zero value is ready for use; one Summarizer serves one
// goroutine.
type Summarizer struct {
	of, source *Source
	event      Event
}

// Summary returns the event without its content: id, name, kind, time, severity, subject, ids of
// the actor and session, groups and trace remain; properties, traits, body, exception texts and
// other user fields do not. It is valid until the next call.
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

// SummarySource returns the source with only the attributes that name the application.
func (s *Summarizer) SummarySource(source *Source) *Source {
	if s.of != source {
		s.of, s.source = source, summaryOf(source)
	}
	return s.source
}

// Reset forgets the last event and source, so that no pdata stays alive.
func (s *Summarizer) Reset() { *s = Summarizer{} }

// summaryOfException keeps the type and whether it was handled.
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

// summaryOf keeps the attributes that name the application.
func summaryOf(s *Source) *Source {
	resource := pcommon.NewResource()
	for _, name := range []string{AttrServiceName, AttrServiceNamespace, AttrServiceVersion, AttrEnvironment, AttrLegacyEnvironment} {
		if v, ok := s.Resource.Attributes().Get(name); ok && v.Type() == pcommon.ValueTypeStr {
			v.CopyTo(resource.Attributes().PutEmpty(name))
		}
	}
	return NewSource(resource, pcommon.NewInstrumentationScope())
}
