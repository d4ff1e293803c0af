// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package jsonappend

import (
	"math"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Observer is told of every value whose type JSON does not keep: bytes, and doubles that are not numbers. The
// path leads to the value: the names of the maps and the places in the arrays around it. It is valid only
// during the call.
type Observer func(path []Step, t pcommon.ValueType)

// Step is one step of a path: into a map by Name or, where Index is not negative, into an array.
type Step struct {
	Name  string
	Index int
}

// Masked is what is written in place of a value that is not to be shown.
const Masked = `"[Filtered]"`

// Writer appends pdata values as JSON. The zero value is ready for use; one Writer serves one goroutine.
type Writer struct {
	// Observe may be nil.
	Observe Observer
	// Mask, where not nil, tells which members are not to be shown: their values are written as "[Filtered]".
	Mask func(name string) bool

	path  []Step
	names []string // of the members of the objects that are being written
}

// At sets where the values that follow stand, for the observer.
func (w *Writer) At(names ...string) {
	w.path = w.path[:0]
	for _, name := range names {
		w.path = append(w.path, Step{Name: name, Index: -1})
	}
}

// Value appends any value; an empty one is null.
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

// Map appends m as an object.
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

// Members appends the members of one object, with their commas, and each name once: OTLP forbids two attributes
// of one name but nothing keeps a sender from it, and JSON parsers disagree on what such an object means. The
// first one stays.
type Members struct {
	w     *Writer
	first int // where the names of this object begin in w.names
	seen  placeSet
	// many has the names, of an object of many.
	many map[string]struct{}
}

// manyNames is how many names are looked through one by one.
const manyNames = 64

// Members begins an object; its braces are the caller's. Call End when it is written.
func (w *Writer) Members() Members { return Members{w: w, first: len(w.names)} }

// Len is the number of members written.
func (m *Members) Len() int { return len(m.w.names) - m.first }

// End forgets the names.
func (m *Members) End() {
	clear(m.w.names[m.first:])
	m.w.names = m.w.names[:m.first]
}

// Append appends the member, unless its name was written before.
func (m *Members) Append(dst []byte, name string, v pcommon.Value) []byte {
	dst, ok := m.Name(dst, name)
	if !ok {
		return dst
	}
	w := m.w
	if w.Mask != nil && w.Mask(name) {
		return append(dst, Masked...)
	}
	if s := v.Str(); s != "" { // most are strings, and nobody asks where they stand
		return String(dst, s)
	}
	if v.Type() == pcommon.ValueTypeInt {
		return Int(dst, v.Int())
	}
	w.path = append(w.path, Step{Name: w.names[len(w.names)-1], Index: -1}) // as Name has written it
	dst = w.Value(dst, v)
	w.path = w.path[:len(w.path)-1]
	return dst
}

// Name appends the name of a member, for the caller to append its value. It reports false, and appends nothing, where the name
// was written before.
func (m *Members) Name(dst []byte, name string) ([]byte, bool) {
	if !isPlain(name) {
		return m.quotedName(dst, name)
	}
	place := placeOf(name)
	if m.seen.has(place) && m.isAmong(name) {
		return dst, false
	}
	m.seen.add(place)
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
	place := placeOf(name)
	if m.seen.has(place) && m.isAmong(name) {
		return dst, false
	}
	m.seen.add(place)
	if m.Len() > 0 {
		dst = append(dst, ',')
	}
	m.w.names = append(m.w.names, name)
	return append(String(dst, name), ':'), true
}

// Ready is [Members.Name] for a name that was made ready.
func (m *Members) Ready(dst []byte, name *Name) ([]byte, bool) {
	if m.seen.has(name.place) && m.isAmong(name.text) {
		return dst, false
	}
	m.seen.add(name.place)
	quoted := name.quoted
	if m.Len() == 0 {
		quoted = quoted[1:] // without the comma
	}
	m.w.names = append(m.w.names, name.text)
	return append(dst, quoted...), true
}

// isAmong looks for a name among those of the object. That need not be asked where none of them has its place.
func (m *Members) isAmong(name string) bool {
	names := m.w.names[m.first:]
	if len(names) < manyNames {
		return slices.Contains(names, name)
	}
	if m.many == nil {
		m.seen = placeSet{math.MaxUint64, math.MaxUint64, math.MaxUint64, math.MaxUint64} // so that every name comes here
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
