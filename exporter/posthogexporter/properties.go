// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// appendRecord is the properties phase of an event that a record becomes.
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
		dst = appendPage(dst, &ev.props, e)
	case appevent.KindScreen:
		dst = appendScreen(dst, &ev.props, e)
	case appevent.KindIdentify:
		dst = ev.props.text(dst, "$anon_distinct_id", ev.previous)
	}
	if e.Kind != appevent.KindGroup {
		dst = appendTraits(dst, &ev.props, e)
	}
	return enc.appendFields(dst, ev, e)
}

// appendAttributes appends the attributes that are not fields of the event.
func (enc *encoder) appendAttributes(dst []byte, ev *event, e *appevent.Event) []byte {
	special := enc.special | ev.ending.names
	for name, v := range e.Properties() {
		if !special.mayHave(name) { // most are
			dst = ev.props.Append(dst, name, v)
		} else {
			dst = enc.appendAttribute(dst, ev, name, v)
		}
	}
	return dst
}

// appendAttribute appends an attribute, unless it is more than a property.
func (enc *encoder) appendAttribute(dst []byte, ev *event, name string, v pcommon.Value) []byte {
	if ev.takes(name, v) {
		return dst
	}
	if enc.hidesContent && isContent(name) {
		return appendContent(dst, &ev.props, enc.cfg.AI.Content, name, v)
	}
	ev.overridden = ev.overridden || ev.ending.has(name)
	return ev.props.Append(dst, name, v)
}

// takes reports whether an attribute is not a property: it is the distinct ID, is lifted, or is
// dropped.
func (ev *event) takes(name string, v pcommon.Value) bool {
	switch {
	case name == attrDistinctID, name == attrVercelDistinctID, slices.Contains(ev.dropped, name):
		return true
	case ev.protocol == ProtocolV1:
		return ev.lifted.lift(name, v)
	}
	return false
}

// appendFields appends the fields of a record that are not attributes.
func (enc *encoder) appendFields(dst []byte, ev *event, e *appevent.Event) []byte {
	dst = enc.appendBody(dst, ev, e)
	dst = ev.props.text(dst, "subject", e.Subject)
	if !e.IsEvent() {
		dst = ev.props.text(dst, "severity", e.Severity())
	}
	if e.IsException() {
		dst = ev.props.text(dst, appevent.AttrExceptionType, e.Exception.Type)
		dst = ev.props.text(dst, appevent.AttrExceptionMessage, e.Exception.Message)
	}
	return dst
}

// appendBody appends the body. That of an event of a language model is a prompt or an output.
func (enc *encoder) appendBody(dst []byte, ev *event, e *appevent.Event) []byte {
	if e.Body.Type() == pcommon.ValueTypeEmpty {
		return dst
	}
	if enc.hidesContent && isContentEvent(e.Name) {
		return appendContent(dst, &ev.props, enc.cfg.AI.Content, "body", e.Body)
	}
	return ev.props.Append(dst, "body", e.Body)
}
