// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"errors"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// groupPrefix precedes the type of a group, and the names of its traits.
const groupPrefix = "group_"

// userAttributes maps common names of traits to the names that MoEngage defines (Track User;
// rudder-transformer: MOENGAGEIdentifyAttributesConfig.json).
var userAttributes = map[string]string{
	"firstName": "first_name", "firstname": "first_name", "first name": "first_name", "given_name": "first_name",
	"lastName": "last_name", "lastname": "last_name", "last name": "last_name", "family_name": "last_name",
	"phone": "mobile", "phone_number": "mobile", "phoneNumber": "mobile",
	"createdAt": "created_time", "created_at": "created_time",
	"lastSeen": "last_seen", "last_seen_at": "last_seen",
	"moeUnsubscribe": "moe_unsubscribe",
}

// standardAttributes are the attributes that MoEngage defines. They do not count toward the limit of
// a workspace.
var standardAttributes = [...]string{
	"name", "first_name", "last_name", "email", "mobile", "age", "gender", "source", "created_time", "last_seen", "transactions",
	"revenue", attrUnsubscribe,
}

// encodeIdentify writes a user and their device.
func (enc *encoder) encodeIdentify(w *delivery.Writer, e *appevent.Event, customer string) error {
	enc.encodeUser(w, e, customer)
	enc.encodeDevice(w, e, customer)
	return nil
}

// encodeUser writes the traits as attributes of the user. An identify event also adds the user's
// email, names and roles.
func (enc *encoder) encodeUser(w *delivery.Writer, e *appevent.Event, customer string) {
	dst := append(beginUser(w, e, customer), '{')
	a := enc.object(anyNumber, enc.userAttributes)
	for name, v := range e.Traits.All() {
		if known, ok := userAttributes[name]; ok {
			name = known
		}
		if name == "id" || name == "_id" { // MoEngage drops attributes with these names
			enc.noted[correctedReserved]++
			name = "id_"
		}
		dst = a.value(dst, name, v)
	}
	if e.Kind == appevent.KindIdentify {
		duplicates := enc.noted[correctedDuplicate]
		dst = a.text(dst, "email", e.User.Email)
		dst = a.text(dst, "name", e.User.FullName)
		dst = a.text(dst, "username", e.User.Name)
		if e.User.Roles.Type() != pcommon.ValueTypeEmpty {
			dst = a.value(dst, "roles", e.User.Roles)
		}
		enc.noted[correctedDuplicate] = duplicates // a trait overrides these; this is not counted
	}
	a.end()
	w.End(append(dst, "}}"...))
}

// encodeGroups writes a user's groups and their traits as attributes of the user, because MoEngage
// has no groups.
func (enc *encoder) encodeGroups(w *delivery.Writer, e *appevent.Event, customer string) error {
	if e.Groups.Len() == 0 {
		return errors.New("a group event has no group; set fanout.groups to a map of group types and keys")
	}
	dst := append(beginUser(w, e, customer), '{')
	a := enc.object(anyNumber, enc.userAttributes)
	for kind, key := range e.Groups.All() {
		dst = a.value(dst, groupPrefix+kind, key)
	}
	for name, v := range e.Traits.All() {
		dst = a.value(dst, groupPrefix+name, v)
	}
	a.end()
	w.End(append(dst, "}}"...))
	return nil
}

// encodeAlias writes a merge: MoEngage merges the previous customer into the event's.
func (enc *encoder) encodeAlias(w *delivery.Writer, e *appevent.Event, customer string) error {
	previous := cleanID(e.PreviousID)
	if previous == "" {
		previous = cleanID(e.User.AnonymousID)
	}
	if isSharedID(previous) || previous == customer {
		return errors.New("an alias event has no previous ID that MoEngage accepts; set fanout.previous_id to another ID of the customer")
	}
	dst := w.Begin(metaOf(e, kindMerge, mergeDestination(customer, previous)))
	dst = jsonappend.String(append(dst, `{"merged_user":`...), previous)
	dst = jsonappend.String(append(dst, `,"retained_user":`...), customer)
	w.End(append(dst, '}'))
	return nil
}
