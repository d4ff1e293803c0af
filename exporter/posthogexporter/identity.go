// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// Limits of these fields in bytes (capture v1, v1/analytics/constants.rs in PostHog/posthog). The
// batch protocol cuts off longer ones, which would make one person of many.
const (
	maxName       = 200
	maxDistinctID = 200
)

// attrVercelDistinctID is where Vercel's AI SDK puts the distinct id that it was given for PostHog.
// It is read before all others, as PostHog's own OTLP endpoint does.
const attrVercelDistinctID = "ai.telemetry.metadata.posthog_distinct_id"

// identity is whom an event is about.
type identity struct {
	// id is the distinct ID, where the event tells one.
	id string
	// anonymous tells that it is an ID of somebody whose name is not known.
	anonymous bool
	// made is the distinct ID of an event that tells none.
	made uuidText
}

// identifyRecord is the identity phase of an event that a record becomes.
func (enc *encoder) identifyRecord(ev *event, e *appevent.Event) error {
	enc.identify(ev, e, enc.titleOf(e), noAttributes)
	switch e.Kind {
	case appevent.KindIdentify, appevent.KindAlias:
		if err := enc.identifyPerson(ev, e); err != nil {
			return err
		}
	case appevent.KindGroup:
		ev.identifyGroup(e.Groups.Len())
	}
	return ev.check()
}

// logName is the name of plain logs in PostHog.
const logName = "log"

// titleOf returns the name of a record in PostHog.
func (enc *encoder) titleOf(e *appevent.Event) string {
	switch e.Kind {
	case appevent.KindPage:
		return eventPage
	case appevent.KindScreen:
		return eventScreen
	case appevent.KindIdentify:
		return eventIdentify
	case appevent.KindAlias:
		return eventAlias
	case appevent.KindGroup:
		return eventGroup
	}
	if !e.IsEvent() {
		return logName
	}
	if name, ok := enc.cfg.EventNames.Map[e.Name]; ok {
		return name
	}
	return appevent.ValidText(e.Name)
}

// identify sets the fields that events of all kinds have. Where the event itself has no distinct
// ID, the attributes of the span that it happened in may have it.
func (enc *encoder) identify(ev *event, e *appevent.Event, title string, span pcommon.Map) {
	ev.id, ev.name, ev.title, ev.at, ev.protocol = e.ID(), e.Name, title, e.Time, enc.cfg.Protocol
	ev.uuid = uuidOf(ev.id)
	if enc.usualIDs && span == noAttributes && ev.who.findUsual(e) {
		return
	}
	for _, attributes := range [...]pcommon.Map{e.Attributes(), span, e.Source.Resource.Attributes()} {
		var ok bool
		if ev.who, ok = enc.find(attributes); ok {
			return
		}
	}
	ev.who = newIdentity(e.SessionID, pcommon.TraceID{}, ev.uuid)
}

// findUsual is the fast path of find: most records have a user ID, and no distinct ID of PostHog's.
func (who *identity) findUsual(e *appevent.Event) bool {
	id := appevent.ValidText(e.User.ID)
	if isIllegalID(id) {
		return false
	}
	if _, better := e.Attribute(attrDistinctID); better {
		return false
	}
	who.id = id
	return true
}

// find looks for a distinct ID that PostHog takes for a person among attributes.
func (enc *encoder) find(attributes pcommon.Map) (who identity, ok bool) {
	better := enc.cfg.DistinctID.From
	for name, v := range attributes.All() {
		if !enc.idNames.mayHave(name) {
			continue
		}
		rank := slices.Index(better, name)
		if rank < 0 {
			continue
		}
		id := appevent.IDText(v)
		if id != "" && isIllegalID(id) {
			enc.notices.count(noticeIllegalID, 1)
		} else if id != "" {
			who, ok = identity{id: id, anonymous: name == appevent.AttrAnonymousID}, true
			better = better[:rank]
		}
	}
	return who, ok
}

// newIdentity returns the identity of an event that tells none: that of its session, else of its
// trace where it is a span of one, else its own. It is never the same for all, since PostHog limits
// how many events one distinct ID may have.
func newIdentity(session string, trace pcommon.TraceID, own uuidText) identity {
	switch {
	case session != "":
		return identity{made: derive("session", session)}
	case !trace.IsEmpty():
		return identity{made: derive("trace", string(trace[:]))}
	}
	return identity{made: own}
}

// check returns an error for a field that PostHog would refuse, or cut off.
func (ev *event) check() error {
	if ev.title == "" {
		return errors.New("the event has no name, and PostHog takes none without; set the record's event name")
	}
	if len(ev.title) > maxName {
		return fmt.Errorf("the name has %d bytes, and PostHog takes %d; shorten it, or give it another in event_names::map", len(ev.title), maxName)
	}
	if len(ev.who.id) > maxDistinctID {
		return fmt.Errorf("the distinct id has %d bytes, and PostHog takes %d; see distinct_id::from", len(ev.who.id), maxDistinctID)
	}
	return nil
}

// known reports whether the event tells whom it is about.
func (who *identity) known() bool { return who.id != "" }

// append appends the distinct ID as JSON.
func (who *identity) append(dst []byte) []byte {
	if who.known() {
		return jsonappend.String(dst, who.id)
	}
	dst = append(append(dst, '"'), who.made[:]...)
	return append(dst, '"')
}

// illegalIDs are distinct ids, by their length and in any case, for which PostHog processes no
// person: many people share them (capture v1, v1/analytics/constants.rs in PostHog/posthog).
var illegalIDs = [...][]string{
	1: {"0"}, 2: {"id"}, 3: {"nan"}, 4: {"none", "null", "true", "user"}, 5: {"email", "false", "guest"}, 6: {"system"}, 7: {"backend"},
	9: {"anonymous", "undefined"}, 10: {"distinctid"}, 11: {"distinct_id"}, 14: {"anonymous-user"}, 15: {"[object object]"},
	17: {"not_authenticated"}, 36: {"00000000-0000-0000-0000-000000000000"},
}

// isIllegalID reports whether an id is one of these, or blank.
func isIllegalID(id string) bool {
	id = strings.TrimSpace(id)
	if id == "" {
		return true
	}
	if len(id) >= len(illegalIDs) {
		return false
	}
	for _, illegal := range illegalIDs[len(id)] {
		if strings.EqualFold(id, illegal) {
			return true
		}
	}
	return false
}
