// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonread"
)

// Route is the endpoint that a body was sent to. It may imply the kind of the events.
type Route uint8

// The routes. All but RouteEvents also accept the members of the track API: event, userId,
// anonymousId, messageId and so on.
const (
	RouteEvents Route = iota
	RouteTrack
	RouteIdentify
	RoutePage
	RouteScreen
	RouteGroup
	RouteAlias
	// RouteException accepts exceptions whose type, message, stacktrace and handled are members of
	// the event.
	RouteException
	// RouteBatch accepts events of any kind in an object, as libraries of the track API send them.
	RouteBatch
)

// SetRoute sets the route of the bodies that are decoded next. The default is RouteEvents.
func (d *Decoder) SetRoute(route Route) { d.route = route }

// routeKinds maps routes to kinds.
var routeKinds = [...]appevent.Kind{
	RouteTrack: appevent.KindTrack, RouteIdentify: appevent.KindIdentify, RoutePage: appevent.KindPage,
	RouteScreen: appevent.KindScreen, RouteGroup: appevent.KindGroup, RouteAlias: appevent.KindAlias,
}

// kind returns the kind of all events of the route, and false if the route implies none.
func (r Route) kind() (appevent.Kind, bool) {
	if r == RouteEvents || int(r) >= len(routeKinds) {
		return appevent.KindTrack, false
	}
	return routeKinds[r], true
}

func (r Route) field(name string) (field, bool) {
	if r == RouteException {
		if f, ok := exceptionFields[name]; ok {
			return f, true
		}
	}
	if name == "" {
		return field{}, false
	}
	if at := &fieldSlots[slot(name)]; at.name == name {
		return at.field, true
	}
	f, ok := fields[name]
	if !ok && r != RouteEvents {
		f, ok = trackFields[name]
	}
	return f, ok
}

// Bits in pending.seen for members that only some routes have. Synonyms share a bit.
const (
	bitUserID uint64 = 1 << (iota + 40) // above those of fields
	bitAnonymousID
	bitCategory
	bitSentAt
	bitReceivedAt
	bitWriteKey
	bitChannel
	bitVersion
	bitMetadata
	bitExceptionType
	bitExceptionMessage
	bitExceptionStacktrace
	bitExceptionHandled
)

// isBatchMember reports whether libraries send this member next to the events of a batch. It is
// ignored, because each event has its own.
func (r Route) isBatchMember(name string) bool {
	return r == RouteBatch && (name == "context" || name == "messageId")
}

// trackFields are the members of the track API whose names differ from those of events.
var trackFields = map[string]field{
	"event":             {fields[fieldName].bit, (*Decoder).readName},
	"messageId":         {fields[fieldID].bit, (*Decoder).readID},
	"originalTimestamp": {fields[fieldTimestamp].bit, (*Decoder).readTimestamp},
	"previousId":        {fields[fieldPreviousID].bit, textReader(appevent.AttrPreviousID)},
	"userId":            {bitUserID, textReader(appevent.AttrUserID)},
	"anonymousId":       {bitAnonymousID, textReader(appevent.AttrAnonymousID)},
	"groupId":           {fields[fieldGroups].bit, (*Decoder).readGroupID},
	"integrations":      {fields[fieldDestinations].bit, (*Decoder).readIntegrations},
	"category":          {bitCategory, func(d *Decoder) error { return d.putAttribute(d.event.record.Attributes(), "category") }},
	"sentAt":            {bitSentAt, (*Decoder).ignore},
	"receivedAt":        {bitReceivedAt, (*Decoder).ignore},
	"writeKey":          {bitWriteKey, (*Decoder).ignore},
	"channel":           {bitChannel, (*Decoder).ignore},
	"version":           {bitVersion, (*Decoder).ignore},
	"_metadata":         {bitMetadata, (*Decoder).ignore},
}

// exceptionFields are the members of an exception at RouteException.
var exceptionFields = map[string]field{
	"type":       {bitExceptionType, func(d *Decoder) error { return d.exceptionMember("type") }},
	"message":    {bitExceptionMessage, func(d *Decoder) error { return d.exceptionMember("message") }},
	"stacktrace": {bitExceptionStacktrace, func(d *Decoder) error { return d.exceptionMember("stacktrace") }},
	"stack":      {bitExceptionStacktrace, func(d *Decoder) error { return d.exceptionMember("stacktrace") }},
	"handled":    {bitExceptionHandled, func(d *Decoder) error { return d.exceptionMember("handled") }},
}

// groupType is the type of a group that is given only by groupId.
const groupType = "group"

func (d *Decoder) readGroupID() error {
	v, err := newMember(d.event.record.Attributes(), appevent.AttrGroups)
	if err != nil {
		return err
	}
	id, err := d.id()
	v.SetEmptyMap().PutStr(groupType, id)
	return err
}

// readIntegrations reads destinations. A backend's value may be an object of options, which means
// true.
func (d *Decoder) readIntegrations() error {
	attributes := d.event.record.Attributes()
	v, err := newMember(attributes, appevent.AttrDestinations)
	if err != nil {
		return err
	}
	m := v.SetEmptyMap()
	err = d.members(func(name string) error {
		if d.json.Kind() != jsonread.Object {
			return d.putBool(m, name)
		}
		member, err := newMember(m, name)
		if err != nil {
			return err
		}
		member.SetBool(true)
		return syntaxError(d.json.Skip())
	})
	if m.Len() == 0 {
		attributes.Remove(appevent.AttrDestinations)
	}
	return err
}

func (d *Decoder) ignore() error { return syntaxError(d.json.Skip()) }

// completeRoute checks the event against its route and sets the route's kind.
func (d *Decoder) completeRoute() error {
	if d.route == RouteException && !d.event.hasException {
		return reject("has no type, message or stacktrace; this path accepts only exceptions")
	}
	kind, ok := d.route.kind()
	if !ok || kind == d.event.kind {
		return nil
	}
	d.event.kind = kind
	return d.put(appevent.AttrKind, kind.String())
}
