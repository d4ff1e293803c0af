// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// identity is whom an event is about.
type identity struct {
	// id is the distinct id, where the event tells one.
	id string
	// anonymous tells that it is an id of somebody whose name is not known.
	anonymous bool
	// made is the distinct id of an event that tells none.
	made uuid
}

// known reports whether the event tells whom it is about.
func (who *identity) known() bool { return who.id != "" }

// append appends the distinct id as JSON.
func (who *identity) append(dst []byte) []byte {
	if who.known() {
		return jsonappend.String(dst, who.id)
	}
	dst = append(append(dst, '"'), who.made[:]...)
	return append(dst, '"')
}

// find looks for a distinct id that PostHog takes for a person among attributes.
func (enc *encoder) find(attributes pcommon.Map) (who identity, ok bool) {
	better := enc.cfg.DistinctID.From
	for name, v := range attributes.All() {
		if enc.idNames&nameBit(name) == 0 {
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

// makeUp is the identity of an event that tells none: that of its session, else of its trace where it is a span of one, else its
// own. It is never the same for all, since PostHog limits how many events one distinct id may have.
func (enc *encoder) makeUp(session string, trace pcommon.TraceID, own uuid) identity {
	switch {
	case session != "":
		return identity{made: enc.derive("session", session)}
	case !trace.IsEmpty():
		return identity{made: enc.derive("trace", string(trace[:]))}
	}
	return identity{made: own}
}

// hasProfile reports whether PostHog is to process the person.
func (enc *encoder) hasProfile(who *identity) bool {
	switch enc.cfg.PersonProfiles {
	case ProfilesNever:
		return false
	case ProfilesIdentifiedOnly:
		return who.known() && !who.anonymous
	default:
		return who.known()
	}
}

// illegalIDs are distinct ids, by their length and in any case, for which PostHog processes no person: many people share them (capture
// v1, v1/analytics/constants.rs in PostHog/posthog).
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
