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

// Limits in bytes (capture v1, v1/analytics/constants.rs in PostHog/posthog). The batch protocol
// truncates longer IDs, which would merge different people into one person.
const (
	maxName       = 200
	maxDistinctID = 200
)

// attrVercelDistinctID is where Vercel's AI SDK puts the distinct ID meant for PostHog. In spans it
// takes precedence over all others, as in PostHog's own OTLP endpoint.
const attrVercelDistinctID = "ai.telemetry.metadata.posthog_distinct_id"

// identity says whom an event is about.
type identity struct {
	// id is the distinct ID that the event carries, or empty.
	id string
	// anonymous is set if id belongs to a person who is not identified.
	anonymous bool
	// generated is the distinct ID of an event that carries none.
	generated uuidText
}

// identifyRecord is the identity phase of an event made from a record.
func (enc *encoder) identifyRecord(ev *event, e *appevent.Event) error {
	enc.setMeta(ev, e, enc.titleOf(e))
	if e.Kind == appevent.KindGroup {
		return ev.identifyGroup(e.Groups.Len())
	}
	enc.identify(ev, e, noAttributes, pcommon.TraceID{})
	if e.Kind == appevent.KindIdentify || e.Kind == appevent.KindAlias {
		if err := enc.identifyPerson(ev, e); err != nil {
			return err
		}
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

// setMeta sets the fields that identify an event made from a record or span event.
func (enc *encoder) setMeta(ev *event, e *appevent.Event, title string) {
	ev.id, ev.name, ev.title, ev.at, ev.protocol = e.ID(), e.Name, title, e.Time, enc.cfg.Protocol
	ev.uuid = uuidOf(ev.id)
}

// identify sets whom the event is about, from the attributes of the event, of the span that it
// happened in, or of the resource. Without a distinct ID it generates one that events of the same
// session (or else the same trace) share.
func (enc *encoder) identify(ev *event, e *appevent.Event, span pcommon.Map, trace pcommon.TraceID) {
	if enc.usualIDs && span == noAttributes && ev.who.findUsual(e) {
		return
	}
	for _, attributes := range [...]pcommon.Map{e.Attributes(), span, e.Source.Resource.Attributes()} {
		if enc.find(&ev.who, attributes) {
			return
		}
	}
	ev.who = newIdentity(e.SessionID, trace, ev.uuid)
}

// findUsual is the fast path: most records have a user ID and no posthog.distinct_id.
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

// find looks for the best distinct ID among attributes.
func (enc *encoder) find(who *identity, attributes pcommon.Map) bool {
	better, found := enc.cfg.DistinctID.From, false
	for name, v := range attributes.All() {
		if !enc.idNames.mayHave(name) {
			continue
		}
		rank := slices.Index(better, name)
		if rank < 0 {
			continue
		}
		if id := appevent.IDText(v); enc.checkID(id) {
			*who = identity{id: id, anonymous: name == appevent.AttrAnonymousID}
			better, found = better[:rank], true
		}
	}
	return found
}

// checkID reports whether PostHog processes a person for the ID. It counts an illegal ID as a
// notice.
func (enc *encoder) checkID(id string) bool {
	if id == "" {
		return false
	}
	if isIllegalID(id) {
		enc.notices.count(noticeIllegalID, 1)
		return false
	}
	return true
}

// newIdentity generates a distinct ID for an event that carries none: from its session, else from
// its trace, else from its uuid. One constant ID would exceed PostHog's rate limit per distinct ID.
func newIdentity(session string, trace pcommon.TraceID, own uuidText) identity {
	switch {
	case session != "":
		return identity{generated: derive("session", session)}
	case !trace.IsEmpty():
		return identity{generated: derive("trace", string(trace[:]))}
	}
	return identity{generated: own}
}

// check returns an error for a field that PostHog would refuse or truncate.
func (ev *event) check() error {
	if ev.title == "" {
		return errors.New("the event has no name, and PostHog requires one; set the record's event name")
	}
	if len(ev.title) > maxName {
		return fmt.Errorf("the name has %d bytes, but PostHog accepts at most %d; shorten it, or map it to another name in event_names::map", len(ev.title), maxName)
	}
	if len(ev.who.id) > maxDistinctID {
		return fmt.Errorf("the distinct ID has %d bytes, but PostHog accepts at most %d; shorten it, or list another attribute in distinct_id::from", len(ev.who.id), maxDistinctID)
	}
	return nil
}

// known reports whether the event carries a distinct ID.
func (who *identity) known() bool { return who.id != "" }

// append appends the distinct ID as JSON.
func (who *identity) append(dst []byte) []byte {
	if who.known() {
		return jsonappend.String(dst, who.id)
	}
	dst = append(append(dst, '"'), who.generated[:]...)
	return append(dst, '"')
}

// illegalIDs are the distinct IDs, indexed by length and compared without case, for which PostHog
// processes no person because many people share them (capture v1, v1/analytics/constants.rs in
// PostHog/posthog).
var illegalIDs = [...][]string{
	1: {"0"}, 2: {"id"}, 3: {"nan"}, 4: {"none", "null", "true", "user"}, 5: {"email", "false", "guest"}, 6: {"system"}, 7: {"backend"},
	9: {"anonymous", "undefined"}, 10: {"distinctid"}, 11: {"distinct_id"}, 14: {"anonymous-user"}, 15: {"[object object]"},
	17: {"not_authenticated"}, 36: {"00000000-0000-0000-0000-000000000000"},
}

// isIllegalID reports whether an ID is one of illegalIDs, or blank.
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
