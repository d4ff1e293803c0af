// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonread"
)

// Route is where a body was sent to, which may say what kind of events it holds.
type Route uint8

// The routes. All but the first also take the members of the track API that other systems share: event, userId,
// anonymousId, messageId and so on.
const (
	RouteEvents Route = iota
	RouteTrack
	RouteIdentify
	RoutePage
	RouteScreen
	RouteGroup
	RouteAlias
	// RouteException takes exceptions whose type, message, stacktrace and handled are the event's own members.
	RouteException
	// RouteBatch takes events of any kind in an object around them, as the track API's libraries send them.
	RouteBatch
)

// Expect says where the bodies that are decoded next were sent to. It is RouteEvents until then.
func (d *Decoder) Expect(route Route) { d.route = route }

// routeKinds are the kinds that routes stand for.
var routeKinds = [...]appevent.Kind{
	RouteTrack: appevent.KindTrack, RouteIdentify: appevent.KindIdentify, RoutePage: appevent.KindPage,
	RouteScreen: appevent.KindScreen, RouteGroup: appevent.KindGroup, RouteAlias: appevent.KindAlias,
}

// kind is the kind that all events of the route have, if it says so.
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

// The bits in pending.seen of the members that only some routes have. Two members that mean the same share one.
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

// isBatchMember reports a member that libraries put beside a batch. Each event has its own of it where it matters.
func (r Route) isBatchMember(name string) bool {
	return r == RouteBatch && (name == "context" || name == "messageId")
}

// trackFields are the members that the track API has where ours are called otherwise.
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

// exceptionFields are the members of an exception where the event is one.
var exceptionFields = map[string]field{
	"type":       {bitExceptionType, func(d *Decoder) error { return d.exceptionMember("type") }},
	"message":    {bitExceptionMessage, func(d *Decoder) error { return d.exceptionMember("message") }},
	"stacktrace": {bitExceptionStacktrace, func(d *Decoder) error { return d.exceptionMember("stacktrace") }},
	"stack":      {bitExceptionStacktrace, func(d *Decoder) error { return d.exceptionMember("stacktrace") }},
	"handled":    {bitExceptionHandled, func(d *Decoder) error { return d.exceptionMember("handled") }},
}

// groupType is the type of a group that is given by nothing but its id.
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

// readIntegrations reads destinations whose switch may be an object of options, which is as good as true.
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

// completeRoute holds the event against its route, and gives it the route's kind.
func (d *Decoder) completeRoute() error {
	if d.route == RouteException && !d.event.hasException {
		return reject("it has neither a type, a message nor a stacktrace; this path takes exceptions")
	}
	kind, ok := d.route.kind()
	if !ok || kind == d.event.kind {
		return nil
	}
	d.event.kind = kind
	return d.put(appevent.AttrKind, kind.String())
}
