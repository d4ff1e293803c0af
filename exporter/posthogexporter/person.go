// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
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
	// eventAlias merges the person of the alias into the person of the distinct ID, unless the
	// alias is identified (nodejs/src/worker/ingestion/persons/person-merge-service.ts in
	// PostHog/posthog).
	eventAlias = "$create_alias"
)

// identifyPerson completes the identity of an identify or alias event. An identify event becomes
// $identify if the person is identified, else $set.
func (enc *encoder) identifyPerson(ev *event, e *appevent.Event) error {
	ev.needsProfile = true
	isAlias := e.Kind == appevent.KindAlias
	if !ev.who.known() {
		return fmt.Errorf("an %s event needs the ID of a person, but has none that PostHog accepts; set user.id, or list its attribute in distinct_id::from", e.Kind)
	}
	if ev.who.anonymous && !isAlias {
		ev.title = eventSet
		return nil
	}
	var err error
	ev.previous, err = enc.previousID(e, ev.who.id)
	if err == nil && isAlias && ev.previous == "" {
		return errors.New("an alias event needs a previous ID, but has none that PostHog accepts; set fanout.previous_id to another ID of the person")
	}
	return err
}

// previousID returns another ID of the same person. It is empty if the event has none that PostHog
// accepts.
func (enc *encoder) previousID(e *appevent.Event, id string) (string, error) {
	attribute, previous := appevent.AttrPreviousID, e.PreviousID
	if previous == "" {
		attribute, previous = appevent.AttrAnonymousID, e.User.AnonymousID
	}
	previous = appevent.ValidText(previous)
	if previous == id || !enc.checkID(previous) {
		return "", nil
	}
	if len(previous) > maxDistinctID {
		return "", fmt.Errorf("the previous ID has %d bytes, but PostHog accepts at most %d; shorten %s", len(previous), maxDistinctID, attribute)
	}
	return previous, nil
}

// appendTraits appends the properties to set on the person.
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

// appendSet appends the traits and, for an identify event, the other fields of the user under the
// names that PostHog displays.
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
