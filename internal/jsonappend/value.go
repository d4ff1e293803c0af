// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package jsonappend

import (
	"math"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Observer is called for every value whose type JSON cannot represent: bytes, NaN and the
// infinities. path leads to the value and is valid only during the call.
type Observer func(path []Step, t pcommon.ValueType)

// Step is one step of a path: into a map by Name or, if Index is not negative, into an array.
type Step struct {
	Name  string
	Index int
}

// Masked is the JSON string written in place of a masked value.
const Masked = `"[Filtered]"`

// Writer appends pdata values as JSON. The zero value is ready for use; one Writer serves one
// goroutine.
type Writer struct {
	// Observe is optional.
	Observe Observer
	// Mask is optional. It reports which members are masked: [Masked] is written instead of their
	// values.
	Mask func(name string) bool

	path  []Step
	names []string // of the members of all open objects
}

// At sets the path of the values that are written next, as the observer sees it.
func (w *Writer) At(names ...string) {
	w.path = w.path[:0]
	for _, name := range names {
		w.path = append(w.path, Step{Name: name, Index: -1})
	}
}

// Value appends any value; an empty value is written as null.
func (w *Writer) Value(dst []byte, v pcommon.Value) []byte {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return String(dst, v.Str())
	case pcommon.ValueTypeInt:
		return Int(dst, v.Int())
	case pcommon.ValueTypeBool:
		return Bool(dst, v.Bool())
	case pcommon.ValueTypeDouble:
		f := v.Double()
		if f-f != 0 { // NaN or an infinity
			w.observe(v.Type())
		}
		return Double(dst, f)
	case pcommon.ValueTypeBytes:
		w.observe(v.Type())
		return Bytes(dst, v.Bytes())
	case pcommon.ValueTypeMap:
		return w.Map(dst, v.Map())
	case pcommon.ValueTypeSlice:
		return w.slice(dst, v.Slice())
	default:
		return append(dst, "null"...)
	}
}

// Map appends m as an object. Of repeated names, the first is written.
func (w *Writer) Map(dst []byte, m pcommon.Map) []byte {
	dst = append(dst, '{')
	members := w.Members()
	for k, v := range m.All() {
		dst = members.Append(dst, k, v)
	}
	members.End()
	return append(dst, '}')
}

func (w *Writer) slice(dst []byte, s pcommon.Slice) []byte {
	dst = append(dst, '[')
	w.path = append(w.path, Step{})
	for i, item := range s.All() {
		if i > 0 {
			dst = append(dst, ',')
		}
		w.path[len(w.path)-1].Index = i
		dst = w.Value(dst, item)
	}
	w.path = w.path[:len(w.path)-1]
	return append(dst, ']')
}

func (w *Writer) observe(t pcommon.ValueType) {
	if w.Observe != nil {
		w.Observe(w.path, t)
	}
}

// Members appends the members of one object, with commas, and skips repeated names. OTLP forbids
// repeated attribute names but senders may send them, and JSON parsers disagree on what they mean.
// The first one wins.
type Members struct {
	w     *Writer
	first int // index in w.names of this object's first name
	seen  bucketSet
	// many is the set of names once there are more than manyNames.
	many map[string]struct{}
}

// manyNames is the number of names up to which a linear search is used.
const manyNames = 64

// Members begins an object; the caller writes its braces. Call End when it is complete.
func (w *Writer) Members() Members { return Members{w: w, first: len(w.names)} }

// Len returns the number of members written.
func (m *Members) Len() int { return len(m.w.names) - m.first }

// End ends the object and forgets its names.
func (m *Members) End() {
	clear(m.w.names[m.first:])
	m.w.names = m.w.names[:m.first]
}

// Append appends a member, unless its name was written before.
func (m *Members) Append(dst []byte, name string, v pcommon.Value) []byte {
	dst, ok := m.Name(dst, name)
	if !ok {
		return dst
	}
	w := m.w
	if w.Mask != nil && w.Mask(name) {
		return append(dst, Masked...)
	}
	if s := v.Str(); s != "" { // fast path: most values are strings, which are never observed
		return String(dst, s)
	}
	if v.Type() == pcommon.ValueTypeInt {
		return Int(dst, v.Int())
	}
	w.path = append(w.path, Step{Name: w.names[len(w.names)-1], Index: -1}) // as Name wrote it
	dst = w.Value(dst, v)
	w.path = w.path[:len(w.path)-1]
	return dst
}

// Name appends the name of a member; the caller appends the value. If the name was written before,
// it appends nothing and reports false.
func (m *Members) Name(dst []byte, name string) ([]byte, bool) {
	if !isPlain(name) {
		return m.quotedName(dst, name)
	}
	bucket := bucketOf(name)
	if m.seen.has(bucket) && m.isWritten(name) {
		return dst, false
	}
	m.seen.add(bucket)
	if m.Len() > 0 {
		dst = append(dst, ',', '"')
	} else {
		dst = append(dst, '"')
	}
	m.w.names = append(m.w.names, name)
	dst = append(dst, name...)
	return append(dst, '"', ':'), true
}

func (m *Members) quotedName(dst []byte, name string) ([]byte, bool) {
	name = validName(name)
	bucket := bucketOf(name)
	if m.seen.has(bucket) && m.isWritten(name) {
		return dst, false
	}
	m.seen.add(bucket)
	if m.Len() > 0 {
		dst = append(dst, ',')
	}
	m.w.names = append(m.w.names, name)
	return append(String(dst, name), ':'), true
}

// PrecomputedName is [Members.Name] for a precomputed name.
func (m *Members) PrecomputedName(dst []byte, name *Name) ([]byte, bool) {
	if m.seen.has(name.bucket) && m.isWritten(name.text) {
		return dst, false
	}
	m.seen.add(name.bucket)
	quoted := name.quoted
	if m.Len() == 0 {
		quoted = quoted[1:] // without the comma
	}
	m.w.names = append(m.w.names, name.text)
	return append(dst, quoted...), true
}

// isWritten reports whether the object has the name already. Callers check the bucket first.
func (m *Members) isWritten(name string) bool {
	names := m.w.names[m.first:]
	if len(names) < manyNames {
		return slices.Contains(names, name)
	}
	if m.many == nil {
		m.seen = bucketSet{math.MaxUint64, math.MaxUint64, math.MaxUint64, math.MaxUint64} // so that every name is looked up here
		m.many = make(map[string]struct{}, 4*manyNames)
		for _, earlier := range names {
			m.many[earlier] = struct{}{}
		}
	}
	if _, ok := m.many[name]; ok {
		return true
	}
	m.many[name] = struct{}{}
	return false
}
