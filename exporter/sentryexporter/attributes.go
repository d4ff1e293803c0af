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

// attributes writes attributes in the form that Sentry's logs and spans have:
// {"name":{"value":...,"type":"..."}}, where a value is a string, an integer, a double or a boolean
// (Sentry's SDK documentation, "Logs", "Log Envelope Item Payload"). It serves one goroutine.
type attributes struct {
	privacy privacy
	json    *jsonappend.Writer
	names   map[string]*name
	first   *name  // the empty name; the first name of an object is its next
	last    *name  // the last one that was looked up
	object  uint64 // number of the current object
	written bool   // whether the current object has a member
	brief   bool   // whether long values are cut off
	depth   int    // how many maps enclose the current value
	scratch []byte
	// trace is the values of the current object that the trace header of an envelope repeats.
	trace traceTexts
}

// name caches what is known about the name of an attribute. There are few names.
type name struct {
	text string
	// begin is the beginning of its member, after a comma.
	begin string
	treat treatment
	trace traceField
	// special is whether its values need more than appendTyped.
	special bool
	// object is the number of the last object that has it: each name is in an object once.
	object uint64
	// next is the name that followed it last time, or itself.
	next *name
}

// maxNames bounds the cache for applications that generate names.
const maxNames = 4096

func newAttributes(p privacy) *attributes {
	a := &attributes{privacy: p, names: map[string]*name{}}
	a.json = &jsonappend.Writer{Mask: a.masks}
	a.forget()
	return a
}

// masks reports whether a member of a map in an array is masked. Only its own name is known there.
func (a *attributes) masks(member string) bool {
	treat := a.name(member).treat
	return treat == treatSecret || treat == treatPersonal
}

// forgets empties the cache if it is too large, and reports whether it was. Call it between objects
// only.
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

// name looks a name up. Most objects have the same names in the same order as the one before, so
// that the map is rarely needed.
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
	n := &name{text: text, begin: string(begin), treat: a.privacy.of(text), trace: traceFieldOf(text)}
	n.special = n.treat != treatPlain || n.trace != notInTraceHeader
	n.next = n
	a.names[text] = n
	return n
}

// begin begins an object. The caller writes its braces.
func (a *attributes) begin() {
	a.object++
	a.written = false
	a.last = a.first
}

// member appends the beginning of a member, unless the object already has one of that name.
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

// maxFlattened is how deep maps are flattened. Deeper maps are written as JSON.
const maxFlattened = 8

// append appends an attribute: a map as one attribute per member, with dotted names, an array as
// JSON. Empty values, and those that must not be sent, are left out.
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
	if n.special || a.brief {
		return a.appendSpecial(dst, n, v)
	}
	return a.appendTyped(dst, v, t)
}

// appendSpecial is appendTyped for a value that may be treated, cut off, or repeated in the trace
// header.
func (a *attributes) appendSpecial(dst []byte, n *name, v pcommon.Value) []byte {
	start := len(dst)
	dst = a.appendTreated(dst, v, n.treat)
	a.trace.note(n.trace, dst[start:])
	return dst
}

func (a *attributes) appendFlattened(dst []byte, text string, members pcommon.Map) []byte {
	a.depth++
	for k, member := range members.All() {
		dst = a.append(dst, text+"."+k, member)
	}
	a.depth--
	return dst
}

// appendTreated is appendTyped for a value that may have to be masked or shortened.
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

// longValue is the size in bytes above which values are shortened if an item is too large.
const longValue = 1024

// appendBrief appends the beginning of a text, or a placeholder for any other value.
func (a *attributes) appendBrief(dst []byte, v pcommon.Value, treat treatment) []byte {
	if v.Type() != pcommon.ValueTypeStr {
		return append(dst, `"[Trimmed]"`...)
	}
	return jsonappend.String(dst, cut(a.shown(v.Str(), treat), shortText)+"...")
}

// shown returns a text without what must not be sent.
func (a *attributes) shown(s string, treat treatment) string {
	if treat == treatURL {
		return withoutSecrets(s)
	}
	return s
}

// appendTyped appends a value of type t, and that type.
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

// The rest of an attribute after its value, for each type.
const (
	typeString  = `,"type":"string"}`
	typeInteger = `,"type":"integer"}`
	typeDouble  = `,"type":"double"}`
	typeBoolean = `,"type":"boolean"}`
)

// text appends an attribute unless it is empty. Its name is not checked for what must not be sent.
func (a *attributes) text(dst []byte, text, value string) []byte {
	if value == "" {
		return dst
	}
	return a.appendText(dst, text, value)
}

func (a *attributes) appendText(dst []byte, text, value string) []byte {
	n := a.name(text)
	dst, ok := a.member(dst, n)
	if !ok {
		return dst
	}
	start := len(dst)
	dst = jsonappend.String(dst, value)
	if n.trace != notInTraceHeader {
		a.trace[n.trace] = within(dst[start:])
	}
	return append(dst, typeString...)
}

// shared is an attribute of many objects, encoded once.
type shared struct {
	name *name
	// typed is its value and type.
	typed []byte
}

// sharedAttributes are the shared attributes of one source.
type sharedAttributes struct {
	all []shared
	// joined is all of them as members, each after a comma.
	joined []byte
	// inTrace is the ones that the trace header repeats.
	inTrace []shared
}

// noteShared notes the values for the trace header that appendShared will append.
func (a *attributes) noteShared(s *sharedAttributes) {
	for i := range s.inTrace {
		if n := s.inTrace[i].name; n.object != a.object {
			a.trace.note(n.trace, s.inTrace[i].typed)
		}
	}
}

// appendShared appends the shared attributes, except those whose name the object already has. It
// must come last.
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
