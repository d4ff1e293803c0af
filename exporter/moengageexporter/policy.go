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
	// maxRewritten bounds the names that an encoder remembers.
	maxRewritten = 1024
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
		return a.text(dst, name, v.Str())
	case pcommon.ValueTypeMap:
		return a.flatten(dst, name, v.Map())
	case pcommon.ValueTypeSlice:
		return a.array(dst, name, v.Slice())
	case pcommon.ValueTypeBytes:
		return a.text(dst, name, v.AsString())
	case pcommon.ValueTypeEmpty:
		a.enc.noted[correctedEmpty]++
		return dst
	case pcommon.ValueTypeDouble:
		if f := v.Double(); math.IsNaN(f) || math.IsInf(f, 0) {
			a.enc.noted[correctedNotANumber]++
			return dst
		}
	}
	dst, ok := a.name(dst, name)
	if !ok {
		return dst
	}
	if v.Type() == pcommon.ValueTypeInt {
		return jsonappend.Int(dst, v.Int())
	}
	return a.enc.values.Value(dst, v)
}

// text appends an attribute that is a string, unless it is empty.
func (a *object) text(dst []byte, name, s string) []byte {
	if s == "" {
		return dst
	}
	s, ok := a.enc.fit(s)
	if !ok {
		return dst
	}
	dst, ok = a.name(dst, name)
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
	a.depth++
	for member, v := range m.All() {
		dst = a.value(dst, name+"_"+member, v)
	}
	a.depth--
	return dst
}

// array appends an array whose items are all of one type, which is number or string.
func (a *object) array(dst []byte, name string, s pcommon.Slice) []byte {
	if s.Len() == 0 {
		a.enc.noted[correctedEmpty]++
		return dst
	}
	dst, ok := a.name(dst, name)
	if !ok {
		return dst
	}
	if s.Len() > maxItems {
		a.enc.noted[correctedItems]++
	}
	numbers, texts := itemTypes(s)
	if !numbers && !texts {
		a.enc.noted[correctedArrayType]++
	}
	dst = append(dst, '[')
	for i := range min(s.Len(), maxItems) {
		if i > 0 {
			dst = append(dst, ',')
		}
		if numbers {
			dst = a.enc.values.Value(dst, s.At(i))
			continue
		}
		text, _ := a.enc.fit(s.At(i).AsString())
		dst = jsonappend.String(dst, text)
	}
	return append(dst, ']')
}

// itemTypes reports whether all items are numbers, or all are strings.
func itemTypes(s pcommon.Slice) (numbers, texts bool) {
	numbers, texts = true, true
	for i := range s.Len() {
		switch item := s.At(i); item.Type() {
		case pcommon.ValueTypeStr:
			numbers = false
		case pcommon.ValueTypeInt:
			texts = false
		case pcommon.ValueTypeDouble:
			texts = false
			numbers = numbers && !math.IsNaN(item.Double()) && !math.IsInf(item.Double(), 0)
		default:
			return false, false
		}
	}
	return numbers, texts
}

// fit is a string that is no longer than a value may be. It reports false for what cannot be made so: a URL whose query is not
// what makes it long.
func (enc *encoder) fit(s string) (string, bool) {
	if len(s) <= maxValue {
		return s, true
	}
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

// firstCharacters are the first n characters of s, which has more.
func firstCharacters(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// rewritten is a name that MoEngage takes, and what was corrected for that.
type rewritten struct {
	name string
	why  tally
}

// taken is a name that MoEngage takes as it is.
func (enc *encoder) taken(name string) string {
	if isTaken(name) {
		return name
	}
	r := rewrite(name)
	enc.noted.add(&r.why)
	return r.name
}

// takenAttribute is taken for names of attributes, most of which have a period, and come again and again.
func (enc *encoder) takenAttribute(name string) string {
	if isTaken(name) || name == attrUnsubscribe {
		return name
	}
	r, ok := enc.rewritten[name]
	if !ok {
		if len(enc.rewritten) == maxRewritten {
			clear(enc.rewritten)
		}
		r = rewrite(name)
		enc.rewritten[strings.Clone(name)] = r
	}
	enc.noted.add(&r.why)
	return r.name
}

// isTaken reports whether nothing is to be rewritten.
func isTaken(name string) bool {
	return len(name) <= maxName && strings.IndexByte(name, '.') < 0 && !strings.HasPrefix(name, reservedPrefix)
}

func rewrite(name string) (r rewritten) {
	name = appevent.ValidText(name)
	if strings.Contains(name, ".") { // which MoEngage puts a space behind
		r.why[correctedPeriod]++
		name = strings.ReplaceAll(name, ".", "_")
	}
	if strings.HasPrefix(name, reservedPrefix) {
		r.why[correctedReserved]++
		name = "_" + name
	}
	if utf8.RuneCountInString(name) > maxName {
		r.why[correctedName]++
		name = firstCharacters(name, maxName)
	}
	r.name = strings.Clone(name)
	return r
}
