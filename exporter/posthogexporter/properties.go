// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// appendRecord is the properties phase of an event made from a record.
func (enc *encoder) appendRecord(dst []byte, ev *event, e *appevent.Event) []byte {
	switch e.Kind {
	case appevent.KindAlias:
		dst = ev.props.text(dst, "alias", ev.previous)
	case appevent.KindGroup:
		dst = ev.about.append(dst, &ev.props, e.Traits)
	}
	dst = enc.appendAttributes(dst, ev, e)
	switch e.Kind {
	case appevent.KindPage:
		ev.ofClient = true
		dst = appendPage(dst, &ev.props, e)
	case appevent.KindScreen:
		ev.ofClient = true
		dst = appendScreen(dst, &ev.props, e)
	case appevent.KindIdentify:
		dst = ev.props.text(dst, "$anon_distinct_id", ev.previous)
	}
	if e.Kind != appevent.KindGroup {
		dst = appendTraits(dst, &ev.props, e)
	}
	dst = enc.appendFields(dst, ev, e)
	if !e.IsEvent() {
		dst = ev.props.text(dst, "severity", e.Severity())
	}
	if e.IsException() {
		dst = appendExceptionText(dst, ev, e)
	}
	return dst
}

// appendAttributes appends the attributes that are not fields of the event.
func (enc *encoder) appendAttributes(dst []byte, ev *event, e *appevent.Event) []byte {
	special := enc.special | ev.suffix.names
	for name, v := range e.Properties() {
		if !special.mayHave(name) { // the common case
			dst = ev.props.Append(dst, name, v)
		} else {
			dst = enc.appendAttribute(dst, ev, name, v)
		}
	}
	return dst
}

// appendAttribute appends an attribute as a property, unless the event has it elsewhere or must not
// have it.
func (enc *encoder) appendAttribute(dst []byte, ev *event, name string, v pcommon.Value) []byte {
	switch {
	case ev.isDistinctID(name, v), ev.ignores(name), ev.protocol == ProtocolV1 && ev.lifted.lift(name, v):
		return dst
	case isOption(name):
		return enc.appendOption(dst, ev, name, v)
	case enc.hidesContent && isContent(name):
		return appendHiddenContent(dst, &ev.props, enc.cfg.AI.Content, name, v)
	}
	ev.overridden = ev.overridden || ev.suffix.has(name)
	ev.ofClient = ev.ofClient || isOfClient(name, v)
	return ev.props.Append(dst, name, v)
}

// isDistinctID reports whether an attribute meant for PostHog repeats the distinct ID.
func (ev *event) isDistinctID(name string, v pcommon.Value) bool {
	if name != attrDistinctID && name != attrVercelDistinctID {
		return false
	}
	id := ev.personID()
	return id != "" && id == appevent.IDText(v)
}

// ignores reports whether the event must not have the attribute.
func (ev *event) ignores(name string) bool {
	return ev.needsProfile && name == propProcessPerson || slices.Contains(ev.ignored, name)
}

// appendFields appends the body and the subject. Attributes with these names take precedence, so the
// attributes must be appended first.
func (enc *encoder) appendFields(dst []byte, ev *event, e *appevent.Event) []byte {
	dst = enc.appendBody(dst, ev, e)
	return ev.props.text(dst, "subject", e.Subject)
}

// appendExceptionText appends the type and message of an exception to an event that is not an
// $exception.
func appendExceptionText(dst []byte, ev *event, e *appevent.Event) []byte {
	dst = ev.props.text(dst, appevent.AttrExceptionType, e.Exception.Type)
	return ev.props.text(dst, appevent.AttrExceptionMessage, e.Exception.Message)
}

// appendBody appends the body. In the events of language models it is a prompt or an output.
func (enc *encoder) appendBody(dst []byte, ev *event, e *appevent.Event) []byte {
	if e.Body.Type() == pcommon.ValueTypeEmpty {
		return dst
	}
	if enc.hidesContent && isContentEvent(e.Name) {
		return appendHiddenContent(dst, &ev.props, enc.cfg.AI.Content, "body", e.Body)
	}
	return ev.props.Append(dst, "body", e.Body)
}
