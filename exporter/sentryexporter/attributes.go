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
	// recent are names where shortHash puts them, so that most are found without the map.
	recent  [256]*name
	object  uint64 // counts the objects that were begun
	written bool   // whether the one that is being written has a member
	brief   bool   // whether long values are cut off
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
}

// maxNames bounds the memory of an application that makes up names.
const maxNames = 4096

func newAttributes(p privacy) *attributes {
	a := &attributes{privacy: p, names: map[string]*name{}}
	a.json = &jsonappend.Writer{Mask: a.masks}
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
	clear(a.names)
	clear(a.recent[:])
	return true
}

func (a *attributes) name(text string) *name {
	place := &a.recent[shortHash(text)]
	if n := *place; n != nil && n.text == text {
		return n
	}
	n, ok := a.names[text]
	if !ok {
		begin := append(jsonappend.String([]byte{','}, text), `:{"value":`...)
		n = &name{text: strings.Clone(text), begin: string(begin), treat: a.privacy.of(text)}
		a.names[n.text] = n
	}
	*place = n
	return n
}

func shortHash(text string) byte {
	n := len(text)
	if n == 0 {
		return 0
	}
	return byte(n&0xff)*31 + text[0]*7 + text[n-1]*3 + text[n/2]*5
}

// begin begins an object, whose braces are the caller's.
func (a *attributes) begin() {
	a.object++
	a.written = false
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
	return a.appendAt(dst, text, v, 0)
}

func (a *attributes) appendAt(dst []byte, text string, v pcommon.Value, depth int) []byte {
	n, t := a.name(text), v.Type()
	switch {
	case n.treat == treatPersonal || t == pcommon.ValueTypeEmpty:
		return dst
	case t == pcommon.ValueTypeMap && depth < maxFlattened && n.treat != treatSecret:
		for k, member := range v.Map().All() {
			dst = a.appendAt(dst, text+"."+k, member, depth+1)
		}
		return dst
	}
	dst, ok := a.member(dst, n)
	if !ok {
		return dst
	}
	return a.appendTyped(dst, v, n.treat)
}

// appendTyped appends a value and its type.
func (a *attributes) appendTyped(dst []byte, v pcommon.Value, treat treatment) []byte {
	start := len(dst)
	dst = a.appendWhole(dst, v, treat)
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

func (a *attributes) appendWhole(dst []byte, v pcommon.Value, treat treatment) []byte {
	if treat == treatSecret {
		return append(dst, jsonappend.Masked+typeString...)
	}
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return append(jsonappend.String(dst, a.shown(v.Str(), treat)), typeString...)
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
