// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"net/netip"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// appendContext is the context phase. It appends the user, session, groups, address and trace. An
// attribute with PostHog's name for one of them takes precedence.
func (enc *encoder) appendContext(dst []byte, ev *event, e *appevent.Event) []byte {
	dst = appendUser(dst, ev, e)
	if ev.protocol == ProtocolBatch {
		dst = ev.props.text(dst, propSession, e.SessionID)
	} else if ev.lifted.session == "" {
		ev.lifted.session = e.SessionID
	}
	dst = appendGroups(dst, &ev.props, e.Groups)
	dst = appendAddress(dst, ev, e, enc.cfg.IPAttribute)
	if !e.TraceID.IsEmpty() {
		dst = ev.props.hex(dst, "trace_id", e.TraceID[:])
	}
	if !e.SpanID.IsEmpty() {
		dst = ev.props.hex(dst, "span_id", e.SpanID[:])
	}
	return dst
}

// appendUser appends the fields of the user other than the distinct ID.
func appendUser(dst []byte, ev *event, e *appevent.Event) []byte {
	props, u, distinctID := &ev.props, &e.User, ev.personID()
	if u.ID != distinctID {
		dst = props.text(dst, appevent.AttrUserID, u.ID)
	}
	if u.AnonymousID != distinctID {
		dst = props.text(dst, appevent.AttrAnonymousID, u.AnonymousID)
	}
	if e.Kind == appevent.KindIdentify {
		return dst // $set has the other fields
	}
	dst = props.text(dst, appevent.AttrUserEmail, u.Email)
	dst = props.text(dst, appevent.AttrUserName, u.Name)
	dst = props.text(dst, appevent.AttrUserFullName, u.FullName)
	if u.Roles.Type() != pcommon.ValueTypeEmpty {
		dst = props.Append(dst, appevent.AttrUserRoles, u.Roles)
	}
	return dst
}

// appendAddress appends the address by which PostHog locates the person. Without one it appends
// $geoip_disable, because PostHog would locate this machine.
func appendAddress(dst []byte, ev *event, e *appevent.Event, attribute string) []byte {
	if attribute == "" {
		return dst // the properties of the source have $geoip_disable
	}
	if v, ok := e.Attribute(attribute); ok && isAddress(v.AsString()) {
		return ev.props.text(dst, "$ip", v.AsString())
	}
	ev.overridden = ev.overridden || ev.suffix.has(propGeoIPDisable)
	return ev.props.boolean(dst, propGeoIPDisable, true)
}

// isAddress reports whether PostHog can locate the address.
func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}
