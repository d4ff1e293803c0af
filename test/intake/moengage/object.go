// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageintake

import (
	"fmt"
	"maps"
	"slices"
)

// object is a JSON object, and where it stands.
type object struct {
	*checker
	where   string
	members map[string]any
}

// only notes members that the object does not have at MoEngage.
func (o object) only(names ...string) {
	for _, name := range slices.Sorted(maps.Keys(o.members)) {
		if !slices.Contains(names, name) {
			o.broke(RuleMember, o.where, "has a member %q, which MoEngage does not know", name)
		}
	}
}

// text is a member that is a string, or empty.
func (o object) text(name string) string {
	text, _ := o.members[name].(string)
	return text
}

// optionalText wants a member, where it is there, to be a string that is not empty.
func (o object) optionalText(name string) {
	if value, ok := o.members[name]; ok && (value == "" || o.text(name) == "") {
		o.broke(RuleMember, o.where+"."+name, "is %v, not a text", value)
	}
}

// objects is a member that is an array of objects, of one at least.
func (o object) objects(name string) []object {
	values, _ := o.members[name].([]any)
	if len(values) == 0 {
		o.broke(RuleMember, o.where, "has no %s", name)
	}
	var objects []object
	for i, value := range values {
		where := fmt.Sprintf("%s.%s[%d]", o.where, name, i)
		members, ok := value.(map[string]any)
		if !ok {
			o.broke(RuleMember, where, "is not an object")
			continue
		}
		objects = append(objects, object{o.checker, where, members})
	}
	return objects
}

// attributes is the member of that name, each of which keeps to the tracking policy.
func (o object) attributes() map[string]any {
	attributes, ok := o.members["attributes"].(map[string]any)
	if !ok {
		o.broke(RuleMember, o.where, "has no attributes")
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		where := o.where + ".attributes." + name
		o.name(where, name)
		o.attribute(where, attributes[name])
	}
	return attributes
}
