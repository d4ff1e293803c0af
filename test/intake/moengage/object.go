// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageintake

import "github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"

// object is a JSON object that is held against the rules.
type object = standin.Object

// text is a member that is a string, or empty.
func text(o object, name string) string {
	text, _ := o.Members[name].(string)
	return text
}

// optionalText wants a member, where it is there, to be a string that is not empty.
func optionalText(o object, name string) {
	if text, ok := o.Text(name); ok && text == "" {
		o.Breaks(RuleMember, name, "is empty")
	}
}

// some is a member that is an array of objects, of one at least.
func some(o object, name string) []object {
	objects, _ := o.Objects(name, RuleMember)
	if len(objects) == 0 {
		o.Violate(RuleMember, o.Where, "has no %s", name)
	}
	return objects
}

// attributes is the member of that name, each of which keeps to the tracking policy.
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
