// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// members reads an object and calls read for each member, with the decoder before its value.
func (d *Decoder) members(read func(name string) error) error {
	if d.json.PeekKind() != '{' {
		return d.wrongKind("want an object")
	}
	if _, err := d.json.ReadToken(); err != nil {
		return syntaxError(err)
	}
	for n := 0; d.json.PeekKind() != '}'; n++ {
		if n == MaxMembers {
			return reject("has more than %d members", MaxMembers)
		}
		name, err := d.name()
		if err != nil {
			return err
		}
		if err := read(name); err != nil {
			return within(name, err)
		}
	}
	_, err := d.json.ReadToken()
	return syntaxError(err)
}

// The names of members that are kept, so that each is one string however often it comes.
const (
	keptNames   = 1024
	keptNameLen = 64
)

// name reads the name of a member.
func (d *Decoder) name() (string, error) {
	quoted, err := d.json.ReadValue()
	if err != nil {
		return "", syntaxError(err)
	}
	raw := quoted[1 : len(quoted)-1]
	if name, ok := d.names[string(raw)]; ok {
		return name, nil
	}
	if bytes.IndexByte(raw, '\\') >= 0 {
		if raw, err = jsontext.AppendUnquote(nil, quoted); err != nil {
			return "", syntaxError(err)
		}
		return string(raw), nil
	}
	name := string(raw)
	if len(d.names) < keptNames && len(name) <= keptNameLen {
		d.names[name] = name
	}
	return name, nil
}

// readAttributes reads an object into attributes, each under its own name.
func (d *Decoder) readAttributes(attributes pcommon.Map) error {
	return d.members(func(name string) error { return d.putAttribute(attributes, name) })
}

// putAttribute reads any value. The names that start with fanout. are ours.
func (d *Decoder) putAttribute(attributes pcommon.Map, name string) error {
	if strings.HasPrefix(name, appevent.FanoutPrefix) {
		return reject("names that start with %s are reserved; use the event's own fields", appevent.FanoutPrefix)
	}
	v, err := newMember(attributes, name)
	if err != nil {
		return err
	}
	return d.value(v)
}

// newMember is the place for a value whose name must not be taken yet.
func newMember(m pcommon.Map, name string) (pcommon.Value, error) {
	v, taken := m.GetOrPutEmpty(name)
	if taken {
		return v, reject("given twice, here or by the event's field that stands for it")
	}
	return v, nil
}

// value reads any JSON value into v.
func (d *Decoder) value(v pcommon.Value) error {
	if d.valueCount++; d.valueCount > MaxValues {
		return &TooManyError{What: "values", Limit: MaxValues}
	}
	switch d.json.PeekKind() {
	case '{':
		if d.tooDeep() {
			return reject("is nested more than %d deep", MaxDepth)
		}
		m := v.SetEmptyMap()
		return d.members(func(name string) error {
			member, err := newMember(m, name)
			if err != nil {
				return err
			}
			return d.value(member)
		})
	case '[':
		if d.tooDeep() {
			return reject("is nested more than %d deep", MaxDepth)
		}
		return d.items(v.SetEmptySlice())
	case '0':
		return d.number(v)
	}
	token, err := d.json.ReadToken()
	if err != nil {
		return syntaxError(err)
	}
	switch token.Kind() {
	case '"':
		v.SetStr(token.String())
	case 't', 'f':
		v.SetBool(token.Bool())
	}
	return nil
}

func (d *Decoder) tooDeep() bool { return d.json.StackDepth()-d.event.depth > MaxDepth }

func (d *Decoder) items(s pcommon.Slice) error {
	if _, err := d.json.ReadToken(); err != nil {
		return syntaxError(err)
	}
	for i := 0; d.json.PeekKind() != ']'; i++ {
		if err := d.value(s.AppendEmpty()); err != nil {
			if isRejection(err) {
				return within("["+strconv.Itoa(i)+"]", err)
			}
			return err
		}
	}
	_, err := d.json.ReadToken()
	return syntaxError(err)
}

// number keeps integers exactly: a number is a double only where it is written as one.
func (d *Decoder) number(v pcommon.Value) error {
	raw, err := d.json.ReadValue()
	if err != nil {
		return syntaxError(err)
	}
	if bytes.ContainsAny(raw, ".eE") {
		f, err := strconv.ParseFloat(string(raw), 64)
		if err != nil {
			return reject("is beyond the range of a double; write it as a string")
		}
		v.SetDouble(f)
		return nil
	}
	i, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return reject("is beyond 64 bits; write it as a string, or with a decimal point if it need not be exact")
	}
	v.SetInt(i)
	return nil
}

// text reads a string.
func (d *Decoder) text() (string, error) {
	if d.json.PeekKind() != '"' {
		return "", d.wrongKind("want a string")
	}
	token, err := d.json.ReadToken()
	if err != nil {
		return "", syntaxError(err)
	}
	return token.String(), nil
}

// id reads a string, or an integer as one: ids are often numbers.
func (d *Decoder) id() (string, error) {
	switch d.json.PeekKind() {
	case '"':
		return d.text()
	case '0':
		raw, err := d.json.ReadValue()
		if err != nil {
			return "", syntaxError(err)
		}
		if bytes.ContainsAny(raw, ".eE") {
			return "", reject("is a number that is not an integer; write it as a string")
		}
		return string(raw), nil
	}
	return "", d.wrongKind("want a string or an integer")
}

// integer reads a number between low and high.
func (d *Decoder) integer(low, high int64) (int64, error) {
	want := fmt.Sprintf("want an integer from %d to %d", low, high)
	if d.json.PeekKind() != '0' {
		return 0, d.wrongKind(want)
	}
	raw, err := d.json.ReadValue()
	if err != nil {
		return 0, syntaxError(err)
	}
	i, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || i < low || i > high {
		return 0, reject("%s", want)
	}
	return i, nil
}

func (d *Decoder) null() error {
	_, err := d.json.ReadToken()
	return syntaxError(err)
}

// put writes a string that was read already.
func (d *Decoder) put(attribute, s string) error {
	v, err := newMember(d.event.record.Attributes(), attribute)
	if err != nil {
		return err
	}
	v.SetStr(s)
	return nil
}

// putText reads a string into an attribute; null and the empty string are none.
func (d *Decoder) putText(attributes pcommon.Map, attribute string) error {
	return d.putRead(attributes, attribute, d.text)
}

// putID reads an id into an attribute; null and the empty string are none.
func (d *Decoder) putID(attributes pcommon.Map, attribute string) error {
	return d.putRead(attributes, attribute, d.id)
}

func (d *Decoder) putRead(attributes pcommon.Map, attribute string, read func() (string, error)) error {
	if d.json.PeekKind() == 'n' {
		return d.null()
	}
	s, err := read()
	if err != nil || s == "" {
		return err
	}
	v, err := newMember(attributes, attribute)
	if err != nil {
		return err
	}
	v.SetStr(s)
	return nil
}

// putBool reads a bool into an attribute; null is none.
func (d *Decoder) putBool(attributes pcommon.Map, attribute string) error {
	switch d.json.PeekKind() {
	case 'n':
		return d.null()
	case 't', 'f':
		v, err := newMember(attributes, attribute)
		if err != nil {
			return err
		}
		return d.value(v)
	}
	return d.wrongKind("want true or false")
}

// textReader reads a string or an integer into an attribute of the record.
func textReader(attribute string) func(*Decoder) error {
	return func(d *Decoder) error { return d.putID(d.event.record.Attributes(), attribute) }
}

// mapReader reads an object of any values into an attribute of the record.
func mapReader(attribute string) func(*Decoder) error {
	return func(d *Decoder) error {
		return d.readMap(attribute, func(m pcommon.Map, name string) error {
			v, err := newMember(m, name)
			if err != nil {
				return err
			}
			return d.value(v)
		})
	}
}

// wrongKind rejects the value that comes next, unless it is not JSON at all.
func (d *Decoder) wrongKind(want string) error {
	kind := d.json.PeekKind()
	if kindNames[kind] == "" {
		_, err := d.json.ReadToken()
		return syntaxError(err)
	}
	return reject("%s, got %s", want, kindNames[kind])
}

var kindNames = map[jsontext.Kind]string{
	'n': "null", 't': "true", 'f': "false", '"': "a string", '0': "a number", '{': "an object", '[': "an array",
}
