// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Decode reads one JSON value, and keeps the text of numbers. Invalid JSON breaks the given rule.
func Decode(b []byte, rule Rule, where string) (any, *Violation) {
	if !utf8.Valid(b) {
		return nil, Violate(RuleUTF8, where, "is not UTF-8")
	}
	strict := jsontext.NewDecoder(bytes.NewReader(b))
	_, err := strict.ReadValue()
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return nil, Violate(RuleDuplicateName, where, "has a name twice: %v", err)
	case err != nil && jsontext.Value(b).IsValid(jsontext.AllowInvalidUTF8(true)):
		return nil, Violate(RuleUTF8, where, "has half a surrogate pair: %v", err)
	case err != nil:
		return nil, Violate(rule, where, "is not JSON: %v", err)
	}
	if _, err := strict.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, Violate(rule, where, "has something after its JSON value")
	}
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, Violate(rule, where, "is not JSON: %v", err)
	}
	return value, nil
}

// DecodeObject reads a JSON object whose members are checked against the rule.
func (c *Checker) DecodeObject(b []byte, rule Rule, where string) (Object, bool) {
	value, violation := Decode(b, rule, where)
	if violation != nil {
		c.Violations = append(c.Violations, *violation)
		return Object{}, false
	}
	members, ok := value.(map[string]any)
	if !ok {
		c.Violate(rule, where, "is %s, not an object", TypeOf(value))
	}
	return c.Object(members, rule, where), ok
}

// Object is a JSON object, its location, and the rule that a member of the wrong type breaks.
// Methods that read a member return false if it is absent, which is allowed, or has the wrong type.
type Object struct {
	*Checker
	Where   string
	Rule    Rule
	Members map[string]any
}

// Object returns an object for the checker.
func (c *Checker) Object(members map[string]any, rule Rule, where string) Object {
	return Object{Checker: c, Where: where, Rule: rule, Members: members}
}

// Breaks records a violation by a member.
func (o Object) Breaks(rule Rule, name, format string, args ...any) {
	o.Violate(rule, o.Where+"."+name, format, args...)
}

// Names returns the members' names, sorted, so that violations have a stable order.
func (o Object) Names() []string { return slices.Sorted(maps.Keys(o.Members)) }

// Require records missing members as violations.
func (o Object) Require(names ...string) {
	for _, name := range names {
		if _, ok := o.Members[name]; !ok {
			o.Violate(o.Rule, o.Where, "has no %s", name)
		}
	}
}

// Only records members that the format does not have as violations.
func (o Object) Only(rule Rule, names ...string) {
	for _, name := range o.Names() {
		if !slices.Contains(names, name) {
			o.Violate(rule, o.Where, "has a member %q, which the format does not have", name)
		}
	}
}

// Text returns a string member.
func (o Object) Text(name string) (string, bool) { return Member[string](o, name, "a string") }

// Texts checks that members are strings.
func (o Object) Texts(names ...string) {
	for _, name := range names {
		o.Text(name)
	}
}

// Booleans checks that members are booleans.
func (o Object) Booleans(names ...string) {
	for _, name := range names {
		Member[bool](o, name, "a boolean")
	}
}

// OneOf checks that a member is one of the values.
func (o Object) OneOf(rule Rule, name string, values ...string) {
	value, ok := o.Text(name)
	if ok && !slices.Contains(values, value) {
		o.Breaks(rule, name, "is %q, not one of %s", value, strings.Join(values, ", "))
	}
}

// Number returns a numeric member.
func (o Object) Number(name string) (float64, bool) {
	written, ok := Member[json.Number](o, name, "a number")
	if !ok {
		return 0, false
	}
	value, err := written.Float64()
	if err != nil {
		o.Breaks(o.Rule, name, "is %s, which no float64 holds", written)
	}
	return value, err == nil
}

// Integer returns a numeric member without fraction and exponent.
func (o Object) Integer(name string) (int64, bool) {
	written, ok := Member[json.Number](o, name, "an integer")
	if !ok {
		return 0, false
	}
	value, err := strconv.ParseInt(string(written), 10, 64)
	if err != nil {
		o.Breaks(o.Rule, name, "is %s, which is not a 64-bit integer", written)
	}
	return value, err == nil
}

// List returns an array member.
func (o Object) List(name string) ([]any, bool) { return Member[[]any](o, name, "an array") }

// Nested returns an object member. It and its members are checked against the given rule.
func (o Object) Nested(name string, rule Rule) (Object, bool) {
	o.Rule = rule
	members, ok := Member[map[string]any](o, name, "an object")
	return o.Object(members, rule, o.Where+"."+name), ok
}

// Objects returns the objects in an array member, checked against the rule in the same way.
func (o Object) Objects(name string, rule Rule) ([]Object, bool) {
	o.Rule = rule
	values, ok := o.List(name)
	var objects []Object
	for i, value := range values {
		where := fmt.Sprintf("%s.%s[%d]", o.Where, name, i)
		members, ok := value.(map[string]any)
		if !ok {
			o.Violate(rule, where, "is %s, not an object", TypeOf(value))
			continue
		}
		objects = append(objects, o.Object(members, rule, where))
	}
	return objects, ok
}

// Member returns a member of a type; wanted names the type in violations.
func Member[T any](o Object, name, wanted string) (value T, ok bool) {
	written, present := o.Members[name]
	if !present {
		return value, false
	}
	if value, ok = written.(T); !ok {
		o.Breaks(o.Rule, name, "is %s, not %s", TypeOf(written), wanted)
	}
	return value, ok
}

// TypeOf returns the type of a JSON value, in words.
func TypeOf(value any) string {
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
