// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// What MoEngage takes, and cuts off or drops without a word beyond it (help.moengage.com: Data Tracking Policies, and How to
// Understand the MoEngage Data Tracking Policy).
const (
	maxEventNames     = 512 // of a workspace
	maxUserAttributes = 256 // of a workspace
	maxAttributes     = 100 // of an event
	maxName           = 200 // characters
	maxValue          = 512 // characters
	maxItems          = 50  // of an array
)

const (
	// reservedPrefix begins names of MoEngage's own (moengage.com/docs/api/event/track-event); one of them may be set.
	reservedPrefix  = "moe_"
	attrUnsubscribe = "moe_unsubscribe"
	// anyNumber is the limit of objects that have none.
	anyNumber = math.MaxInt
	// maxDepth is how deep maps are looked into.
	maxDepth = 8
)

// object writes attributes in a form that MoEngage keeps as it is.
type object struct {
	enc     *encoder
	members jsonappend.Members
	most    int
	// names, where not nil, says which names there may be.
	names *nameSet
	depth int
}

// object begins one of so many attributes; its braces are the caller's. Call end when it is written.
func (enc *encoder) object(most int, names *nameSet) object {
	return object{enc: enc, members: enc.values.Members(), most: most, names: names}
}

func (a *object) end() { a.members.End() }

// value appends an attribute of any type. MoEngage refuses maps: their members become attributes.
func (a *object) value(dst []byte, name string, v pcommon.Value) []byte {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		if s := v.Str(); s != "" {
			return a.text(dst, name, s)
		}
	case pcommon.ValueTypeInt, pcommon.ValueTypeBool:
		return a.scalar(dst, name, v)
	case pcommon.ValueTypeDouble:
		if isNumber(v.Double()) {
			return a.scalar(dst, name, v)
		}
		a.enc.noted[correctedNotANumber]++
		return dst
	case pcommon.ValueTypeMap:
		return a.flatten(dst, name, v.Map())
	case pcommon.ValueTypeSlice:
		return a.array(dst, name, v.Slice())
	case pcommon.ValueTypeBytes:
		return a.text(dst, name, v.AsString())
	}
	a.enc.noted[correctedEmpty]++
	return dst
}

func isNumber(f float64) bool { return f-f == 0 } // else NaN or an infinity

// scalar appends an attribute that is a number or a boolean.
func (a *object) scalar(dst []byte, name string, v pcommon.Value) []byte {
	dst, ok := a.name(dst, name)
	if !ok {
		return dst
	}
	return a.enc.values.Value(dst, v)
}

// text appends an attribute that is a string, unless it is empty.
func (a *object) text(dst []byte, name, s string) []byte {
	if s == "" {
		return dst
	}
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

// name appends the name of an attribute, and reports whether its value may follow.
func (a *object) name(dst []byte, name string) ([]byte, bool) {
	name = a.enc.takenAttribute(name)
	switch {
	case name == "":
		a.enc.noted[correctedEmpty]++
		return dst, false
	case a.members.Len() >= a.most:
		a.enc.noted[correctedAttributes]++
		return dst, false
	case a.names != nil && !slices.Contains(standardAttributes[:], name) && !a.names.admits(name):
		a.enc.noted[correctedUserAttributes]++
		return dst, false
	}
	dst, ok := a.members.Name(dst, name)
	if !ok {
		a.enc.noted[correctedDuplicate]++
	}
	return dst, ok
}

// flatten appends the members of a map as attributes, with its name before theirs.
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
	name = firstCharacters(name, maxName) // a name that is cut off is not put before each of many members
	a.depth++
	for member, v := range m.All() {
		dst = a.value(dst, name+"_"+member, v)
	}
	a.depth--
	return dst
}

// array appends an array whose items are all of one type, which is number or string.
func (a *object) array(dst []byte, name string, s pcommon.Slice) []byte {
	n := s.Len()
	if n == 0 {
		a.enc.noted[correctedEmpty]++
		return dst
	}
	dst, ok := a.name(dst, name)
	if !ok {
		return dst
	}
	if n > maxItems {
		a.enc.noted[correctedItems]++
	}
	numbers, texts := itemTypes(s)
	if !numbers && !texts {
		a.enc.noted[correctedArrayType]++
	}
	dst = append(dst, '[')
	for i := range min(n, maxItems) {
		if i > 0 {
			dst = append(dst, ',')
		}
		if item := s.At(i); numbers {
			dst = a.enc.values.Value(dst, item)
		} else {
			dst = jsonappend.String(dst, a.enc.fitItem(item.AsString()))
		}
	}
	return append(dst, ']')
}

// itemTypes reports whether all items are numbers, or all are strings.
func itemTypes(s pcommon.Slice) (numbers, texts bool) {
	numbers, texts = true, true
	for _, item := range s.All() {
		switch item.Type() {
		case pcommon.ValueTypeStr:
			numbers = false
		case pcommon.ValueTypeInt:
			texts = false
		case pcommon.ValueTypeDouble:
			texts = false
			numbers = numbers && isNumber(item.Double())
		default:
			return false, false
		}
	}
	return numbers, texts
}

// fit is a string that has more bytes than a value may have characters, made so short. It reports false for what cannot be made so:
// a URL whose query is not what makes it long.
func (enc *encoder) fit(s string) (string, bool) {
	s = appevent.ValidText(s)
	if utf8.RuneCountInString(s) <= maxValue {
		return s, true
	}
	if strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
		enc.noted[correctedURL]++
		s, _, _ = strings.Cut(s, "#")
		s, _, _ = strings.Cut(s, "?")
		return s, utf8.RuneCountInString(s) <= maxValue
	}
	enc.noted[correctedValue]++
	return firstCharacters(s, maxValue), true
}

// fitItem is fit for items of arrays, which are not left out.
func (enc *encoder) fitItem(s string) string {
	if len(s) <= maxValue {
		return s
	}
	s, ok := enc.fit(s)
	if !ok {
		return firstCharacters(s, maxValue)
	}
	return s
}

// firstCharacters are the first n characters of s, or all where it has fewer.
func firstCharacters(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// rewritten is a name that MoEngage takes, and a bit for each correction that was made for that.
type rewritten struct {
	name string
	why  uint32
}

// knownNames is what names have become, since the same come again and again. Each has a place, where a newer one may push it out.
type knownNames [256]struct {
	name string
	rewritten
}

func placeOf(name string) uint8 {
	return uint8(len(name)*31 + int(name[0])*7 + int(name[len(name)-1])) //nolint:gosec // the lowest bits
}

// takenAttribute is taken for names of attributes.
func (enc *encoder) takenAttribute(name string) string {
	if len(name) == 0 {
		return ""
	}
	known := &enc.known[placeOf(name)]
	if known.name != name {
		if len(name) > maxName {
			return enc.taken(name)
		}
		known.name = strings.Clone(name)
		if known.rewritten = rewrite(known.name); name == attrUnsubscribe {
			known.rewritten = rewritten{name: attrUnsubscribe}
		}
	}
	if known.why != 0 {
		enc.noted.addBits(known.why)
	}
	return known.rewritten.name
}

// taken is a name that MoEngage takes.
func (enc *encoder) taken(name string) string {
	if len(name) <= maxName && strings.IndexByte(name, '.') < 0 && !strings.HasPrefix(name, reservedPrefix) {
		return name // as it is
	}
	r := rewrite(name)
	enc.noted.addBits(r.why)
	return r.name
}

func rewrite(name string) (r rewritten) {
	name = appevent.ValidText(name)
	if strings.Contains(name, ".") { // which MoEngage puts a space behind
		r.why |= 1 << correctedPeriod
		name = strings.ReplaceAll(name, ".", "_")
	}
	if strings.HasPrefix(name, reservedPrefix) {
		r.why |= 1 << correctedReserved
		name = "_" + name
	}
	if utf8.RuneCountInString(name) > maxName {
		r.why |= 1 << correctedName
		name = firstCharacters(name, maxName)
	}
	r.name = name
	return r
}
