// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// object writes the attributes of an event or a user, or the members of a map, within MoEngage's
// limits.
type object struct {
	enc     *encoder
	members jsonappend.Members
	max     int
	// names, if not nil, limits the distinct names of all objects.
	names *limitedNames
	depth int
}

// object starts an object of at most limit attributes, whose braces the caller writes. Call end
// when it is complete.
func (enc *encoder) object(limit int, names *limitedNames) object {
	return object{enc: enc, members: enc.values.Members(), max: limit, names: names}
}

func (a *object) end() { a.members.End() }

// value appends an attribute of any type.
func (a *object) value(dst []byte, name string, v pcommon.Value) []byte {
	return a.named(dst, a.enc.known.of(name), v)
}

// named is like value, for a name that was already looked up.
func (a *object) named(dst []byte, name *attributeName, v pcommon.Value) []byte {
	if s := v.Str(); s != "" { // the usual case
		return a.string(dst, name, s)
	}
	switch v.Type() {
	case pcommon.ValueTypeInt, pcommon.ValueTypeBool:
		return a.scalar(dst, name, v)
	case pcommon.ValueTypeDouble:
		if isNumber(v.Double()) {
			return a.scalar(dst, name, v)
		}
		a.enc.noted[correctedNotANumber]++
		return dst
	case pcommon.ValueTypeMap:
		if a.enc.cfg.Objects == ObjectsFlatten {
			return a.flatten(dst, name.given, v.Map())
		}
		return a.nested(dst, name, v.Map())
	case pcommon.ValueTypeSlice:
		return a.array(dst, name, v.Slice())
	case pcommon.ValueTypeBytes:
		return a.string(dst, name, v.AsString())
	}
	a.enc.noted[correctedEmpty]++
	return dst
}

func isNumber(f float64) bool { return f-f == 0 } // false for NaN and the infinities

// scalar appends an attribute that is a number or a boolean.
func (a *object) scalar(dst []byte, name *attributeName, v pcommon.Value) []byte {
	dst, ok := a.name(dst, name)
	if !ok {
		return dst
	}
	return a.enc.values.Value(dst, v)
}

// text appends a string, unless it is empty.
func (a *object) text(dst []byte, name, s string) []byte {
	if s == "" {
		return dst
	}
	return a.string(dst, a.enc.known.of(name), s)
}

func (a *object) string(dst []byte, name *attributeName, s string) []byte {
	if len(s) > maxValue {
		short, ok := a.enc.fit(s)
		if !ok {
			return dst
		}
		s = short
	}
	dst, ok := a.name(dst, name)
	if !ok {
		return dst
	}
	return jsonappend.String(dst, s)
}

// name appends the name of an attribute, and reports whether to append its value. If not, the
// attribute is left out.
func (a *object) name(dst []byte, name *attributeName) ([]byte, bool) {
	if name.corrections != 0 {
		a.enc.noted.addBits(name.corrections)
	}
	switch {
	case name.given == "":
		a.enc.noted[correctedEmpty]++
		return dst, false
	case a.members.Len() >= a.max:
		a.enc.noted[correctedAttributes]++
		return dst, false
	case a.names != nil && !a.admit(name.valid.Text()):
		a.enc.noted[correctedUserAttributes]++
		return dst, false
	}
	dst, ok := a.members.PrecomputedName(dst, &name.valid)
	if !ok {
		a.enc.noted[correctedDuplicate]++
	}
	return dst, ok
}

// admit reports whether the attribute may be sent: MoEngage defines it, or it is within the limit of
// names, toward which it then counts.
func (a *object) admit(name string) bool {
	return slices.Contains(standardAttributes[:], name) || a.names.admit(name)
}

// nested appends an object.
func (a *object) nested(dst []byte, name *attributeName, m pcommon.Map) []byte {
	if a.depth == maxDepth {
		a.enc.noted[correctedDepth]++
		return dst
	}
	if !hasMembers(m, a.depth) {
		a.enc.noted[correctedEmpty]++
		return dst
	}
	dst, ok := a.name(dst, name)
	if !ok {
		return dst
	}
	return a.appendMembers(dst, m)
}

// appendMembers appends the members of an object, with braces.
func (a *object) appendMembers(dst []byte, m pcommon.Map) []byte {
	inner := a.enc.object(anyNumber, nil)
	inner.depth = a.depth + 1
	dst = append(dst, '{')
	for name, v := range m.All() {
		dst = inner.value(dst, name, v)
	}
	inner.end()
	return append(dst, '}')
}

// hasMembers reports whether a map within an object of the given depth has a member that is sent.
func hasMembers(m pcommon.Map, depth int) bool {
	for name, v := range m.All() {
		if name != "" && isSent(v, depth+1) {
			return true
		}
	}
	return false
}

// isSent reports whether a value at the given depth is sent.
func isSent(v pcommon.Value, depth int) bool {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return v.Str() != "" && !isLongURL(v.Str())
	case pcommon.ValueTypeDouble:
		return isNumber(v.Double())
	case pcommon.ValueTypeMap:
		return depth < maxDepth && hasMembers(v.Map(), depth)
	case pcommon.ValueTypeSlice:
		return isArraySent(v.Slice(), depth)
	case pcommon.ValueTypeBytes:
		return v.Bytes().Len() > 0
	}
	return v.Type() != pcommon.ValueTypeEmpty
}

// isArraySent is isSent for an array. An empty array, or one of maps without members, is not sent.
func isArraySent(s pcommon.Slice, depth int) bool {
	for _, item := range s.All() {
		if item.Type() != pcommon.ValueTypeMap || depth >= maxDepth || hasMembers(item.Map(), depth) {
			return true
		}
	}
	return false
}

// flatten appends the members of a map as attributes. Their names begin with the name of the map.
func (a *object) flatten(dst []byte, name string, m pcommon.Map) []byte {
	if a.depth == maxDepth {
		a.enc.noted[correctedDepth]++
		return dst
	}
	if m.Len() == 0 {
		a.enc.noted[correctedEmpty]++
		return dst
	}
	a.enc.noted[correctedMap]++
	name = firstCharacters(name, maxName) // so that many members do not each repeat a very long name
	a.depth++
	for member, v := range m.All() {
		dst = a.value(dst, name+"_"+member, v)
	}
	a.depth--
	return dst
}

// array appends an array of numbers, of strings or of objects. In any other array, all items become
// strings.
func (a *object) array(dst []byte, name *attributeName, s pcommon.Slice) []byte {
	kind := a.itemsOf(s)
	if s.Len() == 0 || kind == objectItems && !a.hasObjects(s) {
		a.enc.noted[correctedEmpty]++
		return dst
	}
	dst, ok := a.name(dst, name)
	if !ok {
		return dst
	}
	if kind == mixedItems {
		a.enc.noted[correctedArrayType]++
	}
	return a.items(append(dst, '['), kind, s)
}

// items appends the items of an array that are sent, and its closing bracket.
func (a *object) items(dst []byte, kind itemKind, s pcommon.Slice) []byte {
	n := 0
	for _, item := range s.All() {
		switch {
		case kind == objectItems && !hasMembers(item.Map(), a.depth):
			a.enc.noted[correctedEmpty]++
			continue
		case n == maxItems:
			a.enc.noted[correctedItems]++
			return append(dst, ']')
		case n > 0:
			dst = append(dst, ',')
		}
		dst = a.item(dst, kind, item)
		n++
	}
	return append(dst, ']')
}

// hasObjects reports whether one of the maps in an array is sent.
func (a *object) hasObjects(s pcommon.Slice) bool {
	for _, item := range s.All() {
		if hasMembers(item.Map(), a.depth) {
			return true
		}
	}
	return false
}

func (a *object) item(dst []byte, kind itemKind, item pcommon.Value) []byte {
	switch kind {
	case textItems:
		return jsonappend.String(dst, a.enc.fitItem(item.Str()))
	case numberItems:
		return a.enc.values.Value(dst, item)
	case objectItems:
		return a.appendMembers(dst, item.Map())
	default:
		return jsonappend.String(dst, a.enc.fitItem(item.AsString()))
	}
}

// itemKind is the type that all items of an array have.
type itemKind int

const (
	mixedItems itemKind = iota
	numberItems
	textItems
	objectItems
)

// itemsOf returns the type of an array's items. Maps that are nested too deeply are mixed items.
func (a *object) itemsOf(s pcommon.Slice) itemKind {
	kind := mixedItems
	for i, item := range s.All() {
		of := a.kindOf(item)
		if of == mixedItems || i > 0 && of != kind {
			return mixedItems
		}
		kind = of
	}
	return kind
}

func (a *object) kindOf(item pcommon.Value) itemKind {
	switch item.Type() {
	case pcommon.ValueTypeStr:
		return textItems
	case pcommon.ValueTypeInt:
		return numberItems
	case pcommon.ValueTypeDouble:
		if isNumber(item.Double()) {
			return numberItems
		}
	case pcommon.ValueTypeMap:
		if a.enc.cfg.Objects == ObjectsSend && a.depth < maxDepth {
			return objectItems
		}
	}
	return mixedItems
}
