// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// Events about persons and groups (https://posthog.com/docs/api/capture).
const (
	eventIdentify = "$identify"
	eventSet      = "$set"
	eventAlias    = "$create_alias"
	eventGroup    = "$groupidentify"
)

// encodeIdentify writes who somebody is: $identify for a person whose name is known, with the anonymous id that is the same person, or
// $set for one whose name is not.
func (enc *encoder) encodeIdentify(w *delivery.Writer, e *appevent.Event) error {
	if enc.cfg.PersonProfiles == ProfilesNever {
		return delivery.Skip("no_profiles")
	}
	c := enc.captureAbout(e, eventIdentify)
	if !c.who.known() {
		return errors.New("an identify event has no id of a person that PostHog takes; set user.id, or see distinct_id::from")
	}
	var previous string
	var err error
	if c.who.anonymous {
		c.event = eventSet
	} else if previous, err = enc.previousID(e, c.who.id); err != nil {
		return err
	}
	dst, err := enc.begin(w, &c)
	if err != nil {
		return err
	}
	dst = enc.appendAttributes(dst, e)
	dst = enc.appendText(dst, "$anon_distinct_id", previous)
	dst = enc.appendTraits(dst, e)
	enc.endRecord(w, dst, e, &c, &c.who)
	return nil
}

// withoutProfile are attributes that would make PostHog refuse an event about persons.
var withoutProfile = []string{propProcessPerson}

// captureAbout is capture for an event about persons or groups.
func (enc *encoder) captureAbout(e *appevent.Event, event string) capture {
	var c capture
	enc.capture(&c, e, event, noAttributes)
	c.aboutPerson, c.dropped = true, withoutProfile
	return c
}

// previousID is another id of the same person, or empty where the event tells none that PostHog takes for a person.
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

// encodeAlias writes that two ids are one person. PostHog merges the person of the alias into that of the distinct id, unless the
// alias' person is identified already (nodejs/src/worker/ingestion/persons/person-merge-service.ts in PostHog/posthog).
func (enc *encoder) encodeAlias(w *delivery.Writer, e *appevent.Event) error {
	if enc.cfg.PersonProfiles == ProfilesNever {
		return delivery.Skip("no_profiles")
	}
	c := enc.captureAbout(e, eventAlias)
	if !c.who.known() {
		return errors.New("an alias event has no id of a person that PostHog takes; set user.id, or see distinct_id::from")
	}
	previous, err := enc.previousID(e, c.who.id)
	if err != nil {
		return err
	}
	if previous == "" {
		return errors.New("an alias event has no previous id that PostHog takes; set fanout.previous_id to another id of the person")
	}
	dst, err := enc.begin(w, &c)
	if err != nil {
		return err
	}
	dst = enc.appendText(dst, "alias", previous)
	dst = enc.appendAttributes(dst, e)
	dst = enc.appendTraits(dst, e)
	enc.endRecord(w, dst, e, &c, &c.who)
	return nil
}

// encodeGroups writes what a group is, one event a group. The distinct id is the group's, as in PostHog's SDKs.
func (enc *encoder) encodeGroups(w *delivery.Writer, e *appevent.Event) error {
	if enc.cfg.PersonProfiles == ProfilesNever {
		return delivery.Skip("no_profiles")
	}
	groups := 0
	for kind, v := range e.Groups.All() {
		if key := groupKey(v); key != "" && kind != "" {
			groups++
			if err := enc.encodeGroup(w, e, appevent.ValidText(kind), key); err != nil {
				return err
			}
		}
	}
	if groups == 0 {
		return errors.New("a group event has no group; set fanout.groups to a map of group types and keys")
	}
	return nil
}

func (enc *encoder) encodeGroup(w *delivery.Writer, e *appevent.Event, kind, key string) error {
	c := enc.captureAbout(e, eventGroup)
	c.who = identity{id: "$" + kind + "_" + key}
	if e.Groups.Len() > 1 { // of which the event's own uuid can only be one's
		c.uuid = enc.derive("group\x00"+kind, c.id)
	}
	dst, err := enc.begin(w, &c)
	if err != nil {
		return err
	}
	dst = enc.appendText(dst, "$group_type", kind)
	dst = enc.appendText(dst, "$group_key", key)
	dst, _ = enc.props.Name(dst, "$group_set")
	dst = enc.values.Map(dst, e.Traits)
	dst = enc.appendAttributes(dst, e)
	enc.endRecord(w, dst, e, &c, &identity{})
	return nil
}

// appendGroups appends the groups that the event is of.
func (enc *encoder) appendGroups(dst []byte, groups pcommon.Map) []byte {
	if groups.Len() == 0 {
		return dst
	}
	start := len(dst)
	dst, ok := enc.props.Name(dst, "$groups")
	if !ok {
		return dst[:start]
	}
	dst = append(dst, '{')
	members := enc.values.Members()
	defer members.End()
	for kind, v := range groups.All() {
		key := groupKey(v)
		if kind == "" || key == "" {
			continue
		}
		if dst, ok = members.Name(dst, kind); ok {
			dst = jsonappend.String(dst, key)
		}
	}
	return append(dst, '}')
}

// groupKey is the key of a group, which is a string, or with some producers a number; empty where it is neither.
func groupKey(v pcommon.Value) string {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return appevent.ValidText(v.Str())
	case pcommon.ValueTypeInt:
		return strconv.FormatInt(v.Int(), 10)
	default:
		return ""
	}
}

// appendTraits appends what is to be set on the person.
func (enc *encoder) appendTraits(dst []byte, e *appevent.Event) []byte {
	if e.Traits.Len() > 0 || e.Kind == appevent.KindIdentify {
		dst = enc.appendSet(dst, e)
	}
	if e.TraitsOnce.Len() > 0 {
		var ok bool
		if dst, ok = enc.props.Name(dst, "$set_once"); ok {
			dst = enc.values.Map(dst, e.TraitsOnce)
		}
	}
	return dst
}

// appendSet appends the traits and, with an identify event, what else it tells of the person, under the names that PostHog shows.
func (enc *encoder) appendSet(dst []byte, e *appevent.Event) []byte {
	dst, ok := enc.props.Name(dst, "$set")
	if !ok {
		return dst
	}
	dst = append(dst, '{')
	set := enc.values.Members()
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
