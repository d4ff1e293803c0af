// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"math"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// attributes writes attributes in the form that Sentry's logs and spans have: {"name":{"value":...,"type":"..."}}, where a value
// is a string, an integer, a double or a boolean (Sentry's SDK documentation, "Logs", "Log Envelope Item Payload"). It serves one
// goroutine.
type attributes struct {
	privacy privacy
	json    *jsonappend.Writer
	names   map[string]*name
	first   *name  // the empty name, which all objects begin behind
	last    *name  // the one that was asked for last
	object  uint64 // counts the objects that were begun
	written bool   // whether the one that is being written has a member
	brief   bool   // whether long values are cut off
	depth   int    // how many maps are around the value that is being written
	scratch []byte
}

// name is the name of an attribute, of which there are few: what was once found out about it.
type name struct {
	text string
	// begin is how its member begins, behind a comma.
	begin string
	treat treatment
	// object is the last that it was written in: each name stands once in an object.
	object uint64
	// next is the name that followed it the last time, or else itself.
	next *name
}

// maxNames bounds the memory of an application that makes up names.
const maxNames = 4096

func newAttributes(p privacy) *attributes {
	a := &attributes{privacy: p, names: map[string]*name{}}
	a.json = &jsonappend.Writer{Mask: a.masks}
	a.forget()
	return a
}

// masks is for the members of maps in arrays, of which only the last name is known.
func (a *attributes) masks(member string) bool {
	treat := a.name(member).treat
	return treat == treatSecret || treat == treatPersonal
}

// forgets drops the names where they are too many, and reports whether they were. It is for when no object is being written.
func (a *attributes) forgets() bool {
	if len(a.names) <= maxNames {
		return false
	}
	a.forget()
	return true
}

func (a *attributes) forget() {
	clear(a.names)
	a.first = a.newName("")
	a.last = a.first
}

// name is what is known about a name. Most objects have the names of the one before, in its order: they are found without the map.
func (a *attributes) name(text string) *name {
	next := a.last.next
	if next.text != text {
		next = a.find(text)
	}
	a.last = next
	return next
}

func (a *attributes) find(text string) *name {
	n, ok := a.names[text]
	if !ok {
		n = a.newName(strings.Clone(text))
	}
	a.last.next = n
	return n
}

func (a *attributes) newName(text string) *name {
	begin := append(jsonappend.String([]byte{','}, text), `:{"value":`...)
	n := &name{text: text, begin: string(begin), treat: a.privacy.of(text)}
	n.next = n
	a.names[text] = n
	return n
}

// begin begins an object, whose braces are the caller's.
func (a *attributes) begin() {
	a.object++
	a.written = false
	a.last = a.first
}

// member appends the beginning of a member, unless the object has one of the name.
func (a *attributes) member(dst []byte, n *name) ([]byte, bool) {
	if n.object == a.object {
		return dst, false
	}
	n.object = a.object
	if a.written {
		return append(dst, n.begin...), true
	}
	a.written = true
	return append(dst, n.begin[1:]...), true
}

// maxFlattened is how deep maps are flattened; what is deeper is written as JSON.
const maxFlattened = 8

// append appends an attribute: maps as an attribute for each member, with dotted names, arrays as JSON. An empty value is left out,
// as is what must not be sent.
func (a *attributes) append(dst []byte, text string, v pcommon.Value) []byte {
	n, t := a.name(text), v.Type()
	switch {
	case n.treat == treatPersonal || t == pcommon.ValueTypeEmpty:
		return dst
	case t == pcommon.ValueTypeMap && a.depth < maxFlattened && n.treat != treatSecret:
		return a.appendFlattened(dst, text, v.Map())
	}
	dst, ok := a.member(dst, n)
	if !ok {
		return dst
	}
	if n.treat != treatPlain || a.brief {
		return a.appendTreated(dst, v, n.treat)
	}
	return a.appendTyped(dst, v, t)
}

func (a *attributes) appendFlattened(dst []byte, text string, members pcommon.Map) []byte {
	a.depth++
	for k, member := range members.All() {
		dst = a.append(dst, text+"."+k, member)
	}
	a.depth--
	return dst
}

// appendTreated is appendTyped for a value that is not sent as it is, or is cut off where it is long.
func (a *attributes) appendTreated(dst []byte, v pcommon.Value, treat treatment) []byte {
	start, t := len(dst), v.Type()
	switch {
	case treat == treatSecret:
		return append(dst, jsonappend.Masked+typeString...)
	case t == pcommon.ValueTypeStr:
		dst = append(jsonappend.String(dst, a.shown(v.Str(), treat)), typeString...)
	default:
		dst = a.appendTyped(dst, v, t)
	}
	if a.brief && len(dst)-start > longValue {
		return append(a.appendBrief(dst[:start], v, treat), typeString...)
	}
	return dst
}

// longValue is the size from which on a value is cut off where an item is too large.
const longValue = 1024

// appendBrief appends the beginning of a text, and a word in the place of any other value.
func (a *attributes) appendBrief(dst []byte, v pcommon.Value, treat treatment) []byte {
	if v.Type() != pcommon.ValueTypeStr {
		return append(dst, `"[Trimmed]"`...)
	}
	return jsonappend.String(dst, cut(a.shown(v.Str(), treat), shortText)+"...")
}

// shown is a text as it may be sent.
func (a *attributes) shown(s string, treat treatment) string {
	if treat == treatURL {
		return withoutSecrets(s)
	}
	return s
}

// appendTyped appends a value, which is of type t, and its type.
func (a *attributes) appendTyped(dst []byte, v pcommon.Value, t pcommon.ValueType) []byte {
	switch t {
	case pcommon.ValueTypeStr:
		return append(jsonappend.String(dst, v.Str()), typeString...)
	case pcommon.ValueTypeInt:
		return append(jsonappend.Int(dst, v.Int()), typeInteger...)
	case pcommon.ValueTypeBool:
		return append(jsonappend.Bool(dst, v.Bool()), typeBoolean...)
	case pcommon.ValueTypeDouble:
		if f := v.Double(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return append(jsonappend.Double(dst, f), typeDouble...)
		}
		return append(a.json.Value(dst, v), typeString...)
	case pcommon.ValueTypeBytes:
		return append(jsonappend.Bytes(dst, v.Bytes()), typeString...)
	default:
		a.scratch = a.json.Value(a.scratch[:0], v)
		return append(jsonappend.Quoted(dst, a.scratch), typeString...)
	}
}

// What follows the value of an attribute of each type.
const (
	typeString  = `,"type":"string"}`
	typeInteger = `,"type":"integer"}`
	typeDouble  = `,"type":"double"}`
	typeBoolean = `,"type":"boolean"}`
)

// text appends an attribute that is not empty, whatever its name.
func (a *attributes) text(dst []byte, text, value string) []byte {
	if value == "" {
		return dst
	}
	return a.appendText(dst, text, value)
}

func (a *attributes) appendText(dst []byte, text, value string) []byte {
	dst, ok := a.member(dst, a.name(text))
	if !ok {
		return dst
	}
	return append(jsonappend.String(dst, value), typeString...)
}

// shared is an attribute that many objects have, written once.
type shared struct {
	name *name
	// typed is its value and type.
	typed string
}

// sharedAttributes are those of one source.
type sharedAttributes struct {
	all []shared
	// joined is all of them as members, each behind a comma.
	joined []byte
}

// appendShared appends those that the object has no attribute of the name of. They are its last.
func (a *attributes) appendShared(dst []byte, s *sharedAttributes) []byte {
	own := func(other shared) bool { return other.name.object == a.object }
	if a.written && !slices.ContainsFunc(s.all, own) {
		return append(dst, s.joined...)
	}
	var ok bool
	for i := range s.all {
		if dst, ok = a.member(dst, s.all[i].name); ok {
			dst = append(dst, s.all[i].typed...)
		}
	}
	return dst
}
