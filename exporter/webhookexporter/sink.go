// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// appendSink appends a flat envelope that always has the same nine members: strings or null, and
// the event JSON as content.
func (enc *encoder) appendSink(dst []byte, e *appevent.Event) ([]byte, error) {
	actorType, actorID := actorOf(e)
	dst = appendMember(append(dst, '{'), "event_type", typeOf(e))
	dst = appendMember(dst, "payload_id", e.ID())
	dst = appendOrNull(dst, "source", e.Source.ServiceName)
	dst = appendOrNull(dst, "subject", e.Subject)
	dst = appendMember(dst, "destination", enc.exporterID)
	if hasTime(e) {
		dst = enc.clock.Time(appendName(dst, "timestamp"), e.Time)
	} else {
		dst = appendOrNull(dst, "timestamp", "")
	}
	dst = appendOrNull(dst, "actor_type", actorType)
	dst = appendOrNull(dst, "actor_id", actorID)
	dst = enc.events.Append(appendName(dst, "content"), e)
	return append(dst, '}'), nil
}

// actorOf returns who caused the event: a user, an anonymous user, or nobody.
func actorOf(e *appevent.Event) (actorType, id string) {
	switch {
	case e.User.ID != "":
		return "user", e.User.ID
	case e.User.AnonymousID != "":
		return "anonymous", e.User.AnonymousID
	default:
		return "", ""
	}
}
