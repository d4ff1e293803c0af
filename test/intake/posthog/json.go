// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogintake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// decode reads one JSON value, with numbers as they are written. It wants UTF-8, and no name twice in an object.
func (c *checker) decode(b []byte) (any, bool) {
	if !utf8.Valid(b) {
		c.violate(RuleUTF8, "body", "is not UTF-8")
		return nil, false
	}
	strict := jsontext.NewDecoder(bytes.NewReader(b))
	_, err := strict.ReadValue()
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		c.violate(RuleDuplicateName, "body", "has a name twice: %v", err)
		return nil, false
	case err != nil && jsontext.Value(b).IsValid(jsontext.AllowInvalidUTF8(true)):
		c.violate(RuleUTF8, "body", "has half a surrogate pair: %v", err)
		return nil, false
	case err != nil:
		c.violate(RuleBody, "body", "is not JSON: %v", err)
		return nil, false
	}
	if _, err := strict.ReadToken(); !errors.Is(err, io.EOF) {
		c.violate(RuleBody, "body", "has something after its JSON value")
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		c.violate(RuleBody, "body", "is not JSON: %v", err)
		return nil, false
	}
	return value, true
}

// object is a JSON object that is looked at, and the rule that its members break.
type object struct {
	*checker
	where   string
	rule    Rule
	members map[string]any
}

func (o object) breaks(rule Rule, name, format string, args ...any) {
	o.violate(rule, o.where+"."+name, format, args...)
}

// only wants no other members than these.
func (o object) only(rule Rule, names ...string) {
	for _, name := range slices.Sorted(maps.Keys(o.members)) {
		if !slices.Contains(names, name) {
			o.breaks(rule, name, "is not a member that the format has")
		}
	}
}

func (o object) require(names ...string) {
	for _, name := range names {
		if _, ok := o.members[name]; !ok {
			o.breaks(o.rule, name, "is missing")
		}
	}
}

// member is a member of a type; it breaks the object's rule where it has another.
func member[T any](o object, name, wanted string) (value T, ok bool) {
	written, present := o.members[name]
	if !present {
		return value, false
	}
	if value, ok = written.(T); !ok {
		o.breaks(o.rule, name, "is %T, not %s", written, wanted)
	}
	return value, ok
}

func (o object) text(name string) (string, bool) { return member[string](o, name, "a string") }

func (o object) texts(names ...string) {
	for _, name := range names {
		o.text(name)
	}
}

// filled wants members that are strings and not empty.
func (o object) filled(names ...string) {
	o.require(names...)
	for _, name := range names {
		if text, ok := o.text(name); ok && text == "" {
			o.breaks(o.rule, name, "is empty")
		}
	}
}

func (o object) bools(names ...string) {
	for _, name := range names {
		member[bool](o, name, "a boolean")
	}
}

// oneOf wants a member to be one of some words.
func (o object) oneOf(name string, words ...string) {
	if text, ok := o.text(name); ok && !slices.Contains(words, text) {
		o.breaks(o.rule, name, "is %q, not one of %q", text, words)
	}
}

// number is a member that is a number, from the least on.
func (o object) number(name string, least float64) {
	written, ok := member[json.Number](o, name, "a number")
	if !ok {
		return
	}
	if f, err := written.Float64(); err != nil || f < least {
		o.breaks(o.rule, name, "is %s, not a number from %v on", written, least)
	}
}

// integer is a member that is a whole number, from the least on.
func (o object) integer(name string, least int64) {
	written, ok := member[json.Number](o, name, "a number")
	if !ok {
		return
	}
	if n, err := written.Int64(); err != nil || n < least {
		o.breaks(o.rule, name, "is %s, not a whole number from %d on", written, least)
	}
}

// object is a member that is an object, whose own members break the rule that is given.
func (o object) object(name string, rule Rule) (object, bool) {
	members, ok := member[map[string]any](o, name, "an object")
	return object{o.checker, o.where + "." + name, rule, members}, ok
}

// objects is a member that is an array of objects.
func (o object) objects(name string) []object {
	values, _ := member[[]any](o, name, "an array")
	var objects []object
	for i, value := range values {
		where := fmt.Sprintf("%s.%s[%d]", o.where, name, i)
		members, ok := value.(map[string]any)
		if !ok {
			o.violate(o.rule, where, "is %T, not an object", value)
			continue
		}
		objects = append(objects, object{o.checker, where, o.rule, members})
	}
	return objects
}
