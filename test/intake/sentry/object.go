// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// checker collects violations.
type checker struct{ violations []Violation }

func (c *checker) violate(rule Rule, where, format string, args ...any) {
	c.violations = append(c.violations, *violate(rule, where, format, args...))
}

// report lists the violations, each on a line.
func (c *checker) report() string {
	var lines strings.Builder
	for i := range c.violations {
		lines.WriteString("\n  " + c.violations[i].Error())
	}
	return lines.String()
}

// object is a JSON object, where it stands, and the rule that is broken when a member does not have the type it should have.
// The methods that read a member report false where it is absent, which they do not mind, and where it has another type.
type object struct {
	*checker
	where   string
	rule    Rule
	members map[string]any
}

// breaks notes what is wrong with a member.
func (o object) breaks(rule Rule, name, format string, args ...any) {
	o.violate(rule, o.where+"."+name, format, args...)
}

// require notes members that are missing.
func (o object) require(names ...string) {
	for _, name := range names {
		if _, ok := o.members[name]; !ok {
			o.violate(o.rule, o.where, "has no %s", name)
		}
	}
}

// only notes members that the format does not have.
func (o object) only(names ...string) {
	for _, name := range o.names() {
		if !slices.Contains(names, name) {
			o.violate(RuleUnknownField, o.where, "has a member %q, which the format does not have", name)
		}
	}
}

// texts wants members to be strings.
func (o object) texts(names ...string) {
	for _, name := range names {
		o.text(name)
	}
}

// booleans wants members to be booleans.
func (o object) booleans(names ...string) {
	for _, name := range names {
		member[bool](o, name, "a boolean")
	}
}

// text is a member that is a string.
func (o object) text(name string) (string, bool) { return member[string](o, name, "a string") }

// oneOf wants a string of an enumeration.
func (o object) oneOf(rule Rule, name string, values ...string) {
	value, ok := o.text(name)
	if ok && !slices.Contains(values, value) {
		o.breaks(rule, name, "is %q, which is none of %s", value, strings.Join(values, ", "))
	}
}

// number is a member that is a number.
func (o object) number(name string) (float64, bool) {
	written, ok := member[json.Number](o, name, "a number")
	if !ok {
		return 0, false
	}
	value, err := written.Float64()
	if err != nil {
		o.breaks(o.rule, name, "is %s, which no float64 holds", written)
		return 0, false
	}
	return value, true
}

// integer is a member that is a number without a fraction and an exponent.
func (o object) integer(name string) (int64, bool) {
	written, ok := member[json.Number](o, name, "an integer")
	if !ok {
		return 0, false
	}
	value, err := strconv.ParseInt(string(written), 10, 64)
	if err != nil {
		o.breaks(o.rule, name, "is %s, which is not a 64-bit integer", written)
		return 0, false
	}
	return value, true
}

// list is a member that is an array.
func (o object) list(name string) ([]any, bool) { return member[[]any](o, name, "an array") }

// strings wants a member to be an array of strings.
func (o object) strings(name string) ([]any, bool) {
	values, ok := o.list(name)
	for i, value := range values {
		if _, ok := value.(string); !ok {
			o.breaks(o.rule, fmt.Sprintf("%s[%d]", name, i), "is %s, not a string", typeOf(value))
		}
	}
	return values, ok
}

// object is a member that is an object, whose own members break the rule that is given.
func (o object) object(name string, rule Rule) (object, bool) {
	members, ok := member[map[string]any](object{o.checker, o.where, rule, o.members}, name, "an object")
	return object{o.checker, o.where + "." + name, rule, members}, ok
}

// objects is a member that is an array of objects.
func (o object) objects(name string, rule Rule) ([]object, bool) {
	values, ok := member[[]any](object{o.checker, o.where, rule, o.members}, name, "an array")
	var objects []object
	for i, value := range values {
		where := fmt.Sprintf("%s.%s[%d]", o.where, name, i)
		members, ok := value.(map[string]any)
		if !ok {
			o.violate(rule, where, "is %s, not an object", typeOf(value))
			continue
		}
		objects = append(objects, object{o.checker, where, rule, members})
	}
	return objects, ok
}

// names are the names of the members, sorted so that violations come in the same order each time.
func (o object) names() []string { return slices.Sorted(maps.Keys(o.members)) }

func member[T any](o object, name, wanted string) (value T, ok bool) {
	written, present := o.members[name]
	if !present {
		return value, false
	}
	if value, ok = written.(T); !ok {
		o.breaks(o.rule, name, "is %s, not %s", typeOf(written), wanted)
	}
	return value, ok
}

func typeOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case json.Number:
		return "a number"
	case []any:
		return "an array"
	default:
		return "an object"
	}
}

// isHex reports n lowercase hexadecimal digits.
func isHex(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789abcdef") == ""
}

// id wants a member that is n lowercase hexadecimal digits and not all 0, as the ids of traces and spans are.
func (o object) id(name string, n int) string {
	value, ok := o.text(name)
	if ok && (!isHex(value, n) || strings.Trim(value, "0") == "") {
		o.breaks(o.rule, name, "is %q, not %d lowercase hexadecimal digits that are not all 0", value, n)
	}
	return value
}
