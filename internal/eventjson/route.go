// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

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

// isTrackAPI reports whether libraries of a track API send to the route. Their events have members
// of all kinds, and an empty object may be an array, as PHP writes it.
func (r Route) isTrackAPI() bool { return r != RouteEvents && r != RouteException }

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

// isBatchMember reports whether a member next to the events of a batch is ignored, such as context
// and messageId: each event has its own.
func (r Route) isBatchMember(name string) bool { return r == RouteBatch && !isEvents(name) }

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

// contextObjects are the objects in the context of a track API: the prefix of their attributes, and
// the members that OpenTelemetry names differently.
var contextObjects = map[string]struct {
	prefix string
	names  map[string]string
}{
	"device":  {"device.", map[string]string{"model": "device.model.identifier", "token": "device.push_id"}},
	"os":      {"os.", nil},
	"app":     {"app.", map[string]string{"build": "app.build_id"}},
	"screen":  {"screen.", nil},
	"library": {"telemetry.sdk.", nil},
}

// trackContext reads a member of the context of a track API.
func (d *Decoder) trackContext(name string) error {
	attributes, kind := d.event.record.Attributes(), d.json.Kind()
	object, isObject := contextObjects[name]
	switch {
	case kind == jsonread.Null:
		return d.null()
	case name == "traits" && (kind == jsonread.Object || kind == jsonread.Array):
		if d.event.hasTraits {
			return reject("given twice")
		}
		d.event.contextTraits, d.event.hasTraits = pcommon.NewMap(), true
		return d.members(func(member string) error {
			v, err := newMember(d.event.contextTraits, member)
			if err != nil {
				return err
			}
			return d.value(v)
		})
	case name == "groupId":
		id, err := d.id()
		d.event.contextGroup = id
		return err
	case isObject && (kind == jsonread.Object || kind == jsonread.Array):
		return d.members(func(member string) error {
			attribute, ok := object.names[member]
			if !ok {
				attribute = object.prefix + member
			}
			return d.putAttribute(attributes, attribute)
		})
	}
	return d.putAttribute(attributes, name)
}

// completeContext sets what the context says of the user and the group, unless the event says it
// itself. Only identify sets traits of the user: those of a group event are the group's.
func (d *Decoder) completeContext() {
	attributes := d.event.record.Attributes()
	if _, ok := attributes.Get(appevent.AttrGroups); !ok && d.event.contextGroup != "" {
		attributes.PutEmptyMap(appevent.AttrGroups).PutStr(groupType, d.event.contextGroup)
	}
	if !d.event.hasTraits || d.event.contextTraits.Len() == 0 {
		return
	}
	attribute := "traits"
	if d.event.kind == appevent.KindIdentify {
		attribute = appevent.AttrTraits
	}
	v, ok := attributes.Get(attribute)
	if !ok {
		d.event.contextTraits.MoveTo(attributes.PutEmptyMap(attribute))
		return
	}
	if v.Type() != pcommon.ValueTypeMap || attribute != appevent.AttrTraits {
		return
	}
	for name, value := range d.event.contextTraits.All() {
		if _, ok := v.Map().Get(name); !ok {
			value.CopyTo(v.Map().PutEmpty(name))
		}
	}
}

func (d *Decoder) ignore() error { return syntaxError(d.json.Skip()) }

// completeRoute checks the event against its route and sets the route's kind.
func (d *Decoder) completeRoute() error {
	if d.route == RouteException && !d.event.hasException {
		return reject("has no type, message or stacktrace; this path accepts only exceptions")
	}
	kind, ok := d.route.kind()
	isImplied := ok && kind != d.event.kind
	if isImplied {
		d.event.kind = kind
	}
	d.completeContext()
	if !isImplied {
		return nil
	}
	return d.put(appevent.AttrKind, kind.String())
}
