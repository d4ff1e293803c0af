// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"fmt"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonread"
)

// cheapMembers is how many members of an object count as one value each. pdata searches linearly on
// insert, so further members count double, then triple, and so on.
const cheapMembers = 64

// members reads an object and calls read for each member, positioned before its value.
func (d *Decoder) members(read func(name string) error) error {
	if d.json.Kind() == jsonread.Array && d.route.isTrackAPI() {
		return d.emptyArray()
	}
	if d.json.Kind() != jsonread.Object {
		return d.wrongKind("want an object")
	}
	d.json.Open()
	d.depth++
	for n := 0; ; n++ {
		more, err := d.json.Next(jsonread.EndObject, n == 0)
		if err != nil {
			return syntaxError(err)
		}
		if !more {
			d.depth--
			return nil
		}
		if n == MaxMembers {
			return reject("has more than %d members", MaxMembers)
		}
		name, err := d.name()
		if err != nil {
			return err
		}
		d.valueCount += n / cheapMembers
		if err := read(name); err != nil {
			return within(name, err)
		}
	}
}

// emptyArray reads an array that stands for an empty object.
func (d *Decoder) emptyArray() error {
	d.json.Open()
	more, err := d.json.Next(jsonread.EndArray, true)
	if err == nil && more {
		return reject("want an object, got an array")
	}
	return syntaxError(err)
}

// name reads the name of a member. Events of one sender are alike, so it first tries the name that
// followed the last one before.
func (d *Decoder) name() (string, error) {
	d.json.Kind() // skip white space
	at := d.names.known[d.names.last].next
	if next := &d.names.known[at]; next.written != nil && d.json.Take(next.written) {
		d.names.last = at
		return next.name, nil
	}
	raw, escaped, err := d.json.Name()
	if err != nil {
		return "", syntaxError(err)
	}
	if escaped {
		return string(jsonread.Unquote(nil, raw)), nil
	}
	return d.names.intern(raw, d.depth), nil
}

// nameCache interns member names, so that a repeated name is allocated once.
type nameCache struct {
	known [nameSlots]cachedName
	last  int // index of the last name
}

// cachedName is a name, and its text from the first quote to the colon.
type cachedName struct {
	name    string
	written []byte
	next    int // index of the name that followed it
}

const nameSlots = 512

// slot returns the hash of a non-empty name.
func slot[T string | []byte](name T) int {
	return (int(name[0])*131 + int(name[len(name)/2])*31 + int(name[len(name)-1])*7 + len(name)) % nameSlots
}

// maxCachedName is the length in bytes up to which a name is cached.
const maxCachedName = 63

// intern returns raw as a string. The depth is part of the hash, since the name that follows
// depends on it.
func (n *nameCache) intern(raw []byte, depth int) string {
	if len(raw) == 0 || len(raw) > maxCachedName {
		return string(raw)
	}
	at := (slot(raw) + 61*depth) % nameSlots
	known := &n.known[at]
	if known.name != string(raw) {
		*known = cachedName{name: string(raw), written: append(append([]byte{'"'}, raw...), `":`...)}
	}
	n.known[n.last].next = at
	n.last = at
	return known.name
}

// readAttributes reads an object into attributes, each under its own name.
func (d *Decoder) readAttributes(attributes pcommon.Map) error {
	return d.members(func(name string) error { return d.putAttribute(attributes, name) })
}

// putAttribute reads any value into an attribute. Names with the fanout prefix are reserved.
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

// newMember adds a member to m. It fails if the name is taken.
func newMember(m pcommon.Map, name string) (pcommon.Value, error) {
	v, taken := m.GetOrPutEmpty(name)
	if taken {
		return v, reject("given twice: under this name, or also in the event field for this attribute")
	}
	return v, nil
}

// value reads any JSON value into v.
func (d *Decoder) value(v pcommon.Value) error {
	if err := d.countValue(); err != nil {
		return err
	}
	switch d.json.Kind() {
	case jsonread.String:
		s, err := d.string()
		v.SetStr(s)
		return err
	case jsonread.Number:
		return d.number(v)
	case jsonread.True:
		v.SetBool(true)
		return syntaxError(d.json.Literal())
	case jsonread.False:
		v.SetBool(false)
		return syntaxError(d.json.Literal())
	case jsonread.Null:
		return syntaxError(d.json.Literal())
	case jsonread.Object:
		return d.object(v)
	case jsonread.Array:
		return d.items(v)
	default:
		return syntaxError(d.json.Unexpected())
	}
}

func (d *Decoder) countValue() error {
	if d.valueCount++; d.valueCount > MaxValues {
		return &TooManyError{What: "values", Limit: MaxValues}
	}
	return nil
}

func (d *Decoder) object(v pcommon.Value) error {
	if d.depth > MaxDepth {
		return reject("is nested more than %d deep", MaxDepth)
	}
	m := v.SetEmptyMap()
	size := &d.sizes[d.depth]
	m.EnsureCapacity(*size)
	err := d.members(func(name string) error {
		member, err := newMember(m, name)
		if err != nil {
			return err
		}
		return d.value(member)
	})
	*size = min(m.Len(), maxCapacityHint)
	return err
}

func (d *Decoder) items(v pcommon.Value) error {
	if d.depth > MaxDepth {
		return reject("is nested more than %d deep", MaxDepth)
	}
	s := v.SetEmptySlice()
	length := &d.lengths[d.depth]
	s.EnsureCapacity(*length)
	d.json.Open()
	d.depth++
	for i := 0; ; i++ {
		more, err := d.json.Next(jsonread.EndArray, i == 0)
		if err != nil {
			return syntaxError(err)
		}
		if !more {
			d.depth--
			*length = min(i, maxCapacityHint)
			return nil
		}
		if err := d.value(s.AppendEmpty()); err != nil {
			if isRejection(err) {
				return within("["+strconv.Itoa(i)+"]", err)
			}
			return err
		}
	}
}

// number reads an integer exactly. Only a number written with a fraction or an exponent is a
// double.
func (d *Decoder) number(v pcommon.Value) error {
	raw, whole, err := d.json.Number()
	if err != nil {
		return syntaxError(err)
	}
	if !whole {
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

// string reads the next value, which is a string.
func (d *Decoder) string() (string, error) {
	raw, escaped, err := d.json.String()
	if err != nil {
		return "", syntaxError(err)
	}
	if escaped {
		d.unquoted = jsonread.Unquote(d.unquoted[:0], raw)
		raw = d.unquoted
	}
	return d.strings.keep(raw), nil
}

// text reads a string and rejects any other value.
func (d *Decoder) text() (string, error) {
	if d.json.Kind() != jsonread.String {
		return "", d.wrongKind("want a string")
	}
	return d.string()
}

// id reads a string, or an integer as a string: ids are often numbers.
func (d *Decoder) id() (string, error) {
	switch d.json.Kind() {
	case jsonread.String:
		return d.string()
	case jsonread.Number:
		raw, whole, err := d.json.Number()
		if err != nil {
			return "", syntaxError(err)
		}
		if !whole {
			return "", reject("is a number that is not an integer; write it as a string")
		}
		return string(raw), nil
	}
	return "", d.wrongKind("want a string or an integer")
}

// integer reads an integer from low to high.
func (d *Decoder) integer(low, high int64) (int64, error) {
	if d.json.Kind() != jsonread.Number {
		return 0, d.wrongKind(wantInteger(low, high))
	}
	raw, _, err := d.json.Number()
	if err != nil {
		return 0, syntaxError(err)
	}
	i, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || i < low || i > high {
		return 0, reject("%s", wantInteger(low, high))
	}
	return i, nil
}

func wantInteger(low, high int64) string {
	return fmt.Sprintf("want an integer from %d to %d", low, high)
}

func (d *Decoder) null() error { return syntaxError(d.json.Literal()) }

// put sets an attribute of the record to a string that was read before.
func (d *Decoder) put(attribute, s string) error {
	v, err := newMember(d.event.record.Attributes(), attribute)
	if err != nil {
		return err
	}
	v.SetStr(s)
	return nil
}

// putText reads a string into an attribute; null and the empty string mean absent.
func (d *Decoder) putText(attributes pcommon.Map, attribute string) error {
	return d.putRead(attributes, attribute, d.text)
}

// putID reads an id into an attribute; null and the empty string mean absent.
func (d *Decoder) putID(attributes pcommon.Map, attribute string) error {
	return d.putRead(attributes, attribute, d.id)
}

func (d *Decoder) putRead(attributes pcommon.Map, attribute string, read func() (string, error)) error {
	if d.json.Kind() == 'n' {
		return d.null()
	}
	if err := d.countValue(); err != nil {
		return err
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

// putBool reads a bool into an attribute; null means absent.
func (d *Decoder) putBool(attributes pcommon.Map, attribute string) error {
	switch d.json.Kind() {
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

// textReader returns a reader of a string or an integer into an attribute of the record.
func textReader(attribute string) func(*Decoder) error {
	return func(d *Decoder) error { return d.putID(d.event.record.Attributes(), attribute) }
}

// mapReader returns a reader of an object into an attribute of the record.
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

// wrongKind rejects the next value, unless it is not JSON at all.
func (d *Decoder) wrongKind(want string) error {
	name := kindNames[d.json.Kind()]
	if name == "" {
		return syntaxError(d.json.Unexpected())
	}
	return reject("%s, got %s", want, name)
}

var kindNames = map[jsonread.Kind]string{
	jsonread.Null: "null", jsonread.True: "true", jsonread.False: "false", jsonread.String: "a string",
	jsonread.Number: "a number", jsonread.Object: "an object", jsonread.Array: "an array",
}
