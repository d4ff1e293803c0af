// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"cmp"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// Events about persons (https://posthog.com/docs/api/capture).
const (
	eventIdentify = "$identify"
	eventSet      = "$set"
	// eventAlias merges the person of the alias into that of the distinct ID, unless the former is
	// identified (nodejs/src/worker/ingestion/persons/person-merge-service.ts in PostHog/posthog).
	eventAlias = "$create_alias"
)

// withoutProfile are attributes that would make PostHog refuse an event about persons.
var withoutProfile = []string{propProcessPerson}

// identifyPerson completes the identity of an event that tells who somebody is, or that two IDs are
// one person. The former is $identify for a person whose name is known, else $set.
func (enc *encoder) identifyPerson(ev *event, e *appevent.Event) error {
	ev.aboutPerson, ev.dropped = true, withoutProfile
	isAlias := e.Kind == appevent.KindAlias
	if !ev.who.known() {
		return fmt.Errorf("an %s event has no id of a person that PostHog takes; set user.id, or see distinct_id::from", e.Kind)
	}
	if ev.who.anonymous && !isAlias {
		ev.title = eventSet
		return nil
	}
	var err error
	ev.previous, err = enc.previousID(e, ev.who.id)
	if err == nil && isAlias && ev.previous == "" {
		return errors.New("an alias event has no previous id that PostHog takes; set fanout.previous_id to another id of the person")
	}
	return err
}

// previousID is another ID of the same person, or empty where the event tells none that PostHog
// takes for a person.
func (enc *encoder) previousID(e *appevent.Event, id string) (string, error) {
	previous := appevent.ValidText(cmp.Or(e.PreviousID, e.User.AnonymousID))
	switch {
	case previous == "" || previous == id:
		return "", nil
	case isIllegalID(previous):
		enc.notices.count(noticeIllegalID, 1)
		return "", nil
	case len(previous) > maxDistinctID:
		return "", fmt.Errorf("the previous id has %d bytes, and PostHog takes %d; shorten fanout.previous_id", len(previous), maxDistinctID)
	}
	return previous, nil
}

// appendTraits appends what is to be set on the person.
func appendTraits(dst []byte, props *properties, e *appevent.Event) []byte {
	if e.Traits.Len() > 0 || e.Kind == appevent.KindIdentify {
		dst = appendSet(dst, props, e)
	}
	if e.TraitsOnce.Len() > 0 {
		var ok bool
		if dst, ok = props.Name(dst, "$set_once"); ok {
			dst = props.values.Map(dst, e.TraitsOnce)
		}
	}
	return dst
}

// appendSet appends the traits and, with an identify event, what else it tells of the person, under
// the names that PostHog shows.
func appendSet(dst []byte, props *properties, e *appevent.Event) []byte {
	dst, ok := props.Name(dst, "$set")
	if !ok {
		return dst
	}
	dst = append(dst, '{')
	set := props.values.Members()
	defer set.End()
	for name, v := range e.Traits.All() {
		dst = set.Append(dst, name, v)
	}
	if e.Kind != appevent.KindIdentify {
		return append(dst, '}')
	}
	u := &e.User
	for _, trait := range [...]property{{"email", u.Email}, {"name", u.FullName}, {"username", u.Name}} {
		if trait.value == "" {
			continue
		}
		if dst, ok = set.Name(dst, trait.name); ok {
			dst = jsonappend.String(dst, trait.value)
		}
	}
	if u.Roles.Type() != pcommon.ValueTypeEmpty {
		dst = set.Append(dst, "roles", u.Roles)
	}
	return append(dst, '}')
}
