// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageintake

import "github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"

// object is a JSON object that is checked against the rules.
type object = standin.Object

// text returns a string member, empty if it has another type.
func text(o object, name string) string {
	text, _ := o.Members[name].(string)
	return text
}

// optionalText checks that a member, if present, is a nonempty string.
func optionalText(o object, name string) {
	if text, ok := o.Text(name); ok && text == "" {
		o.Breaks(RuleMember, name, "is empty")
	}
}

// some returns an array member with at least one object.
func some(o object, name string) []object {
	objects, _ := o.Objects(name, RuleMember)
	if len(objects) == 0 {
		o.Violate(RuleMember, o.Where, "has no %s", name)
	}
	return objects
}

// attributes returns the attributes, checked against the tracking policy.
func (c *checker) attributes(o object) map[string]any {
	o.Require("attributes")
	attributes, _ := o.Nested("attributes", RuleMember)
	for _, name := range attributes.Names() {
		where := attributes.Where + "." + name
		c.name(where, name)
		c.attribute(where, attributes.Members[name])
	}
	return attributes.Members
}
