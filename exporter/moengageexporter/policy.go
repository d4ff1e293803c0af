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

// value appends an attribute of any type.
func (a *object) value(dst []byte, name string, v pcommon.Value) []byte {
	return a.named(dst, a.enc.known.of(name), v)
}

// named is value for a name that was looked up. MoEngage refuses maps: their members become attributes.
func (a *object) named(dst []byte, name *attributeName, v pcommon.Value) []byte {
	if s := v.Str(); s != "" { // as most are
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
		return a.flatten(dst, name.given, v.Map())
	case pcommon.ValueTypeSlice:
		return a.array(dst, name, v.Slice())
	case pcommon.ValueTypeBytes:
		return a.string(dst, name, v.AsString())
	}
	a.enc.noted[correctedEmpty]++
	return dst
}

func isNumber(f float64) bool { return f-f == 0 } // else NaN or an infinity

// scalar appends an attribute that is a number or a boolean.
func (a *object) scalar(dst []byte, name *attributeName, v pcommon.Value) []byte {
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

// name appends the name of an attribute, and reports whether its value may follow.
func (a *object) name(dst []byte, name *attributeName) ([]byte, bool) {
	if name.why != 0 {
		a.enc.noted.addBits(name.why)
	}
	switch {
	case name.given == "":
		a.enc.noted[correctedEmpty]++
		return dst, false
	case a.members.Len() >= a.most:
		a.enc.noted[correctedAttributes]++
		return dst, false
	case a.names != nil && !a.isKept(name.taken.Text()):
		a.enc.noted[correctedUserAttributes]++
		return dst, false
	}
	dst, ok := a.members.Ready(dst, &name.taken)
	if !ok {
		a.enc.noted[correctedDuplicate]++
	}
	return dst, ok
}

// isKept reports whether MoEngage has the attribute of users, or room for it.
func (a *object) isKept(name string) bool {
	return slices.Contains(standardAttributes[:], name) || a.names.admits(name)
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
func (a *object) array(dst []byte, name *attributeName, s pcommon.Slice) []byte {
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
		switch item := s.At(i); {
		case texts:
			dst = jsonappend.String(dst, a.enc.fitItem(item.Str()))
		case numbers:
			dst = a.enc.values.Value(dst, item)
		default:
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

// attributeName is the name of an attribute.
type attributeName struct {
	given string
	// taken is the name that MoEngage takes, and why has a bit for each correction that was made for that.
	taken jsonappend.Name
	why   uint32
	// telling tells that the attribute may say something of the device.
	telling bool
}

func newAttributeName(name string) attributeName {
	taken, why := rewrite(name)
	if name == attrUnsubscribe {
		taken, why = name, 0
	}
	return attributeName{given: name, taken: jsonappend.NewName(taken), why: why, telling: tells(name)}
}

// knownNames are names of attributes, since the same come again and again. Each has a place, where a newer one may push it out.
type knownNames [256]attributeName

// of is the name of an attribute. It is valid until the next one.
func (k *knownNames) of(name string) *attributeName {
	if len(name) == 0 {
		return &attributeName{}
	}
	known := &k[placeOf(name)]
	if known.given == name {
		return known
	}
	if len(name) > maxName {
		long := newAttributeName(name)
		return &long
	}
	*known = newAttributeName(strings.Clone(name))
	return known
}

func placeOf(name string) uint8 {
	return uint8(len(name)*31 + int(name[0])*7 + int(name[len(name)-1])) //nolint:gosec // the lowest bits
}

// taken is a name of an event that MoEngage takes.
func (enc *encoder) taken(name string) string {
	if len(name) <= maxName && strings.IndexByte(name, '.') < 0 && !strings.HasPrefix(name, reservedPrefix) {
		return name // as it is
	}
	taken, why := rewrite(name)
	enc.noted.addBits(why)
	return taken
}

// rewrite makes a name that MoEngage takes, and a bit for each correction.
func rewrite(name string) (taken string, why uint32) {
	name = appevent.ValidText(name)
	if strings.Contains(name, ".") { // which MoEngage puts a space behind
		why |= 1 << correctedPeriod
		name = strings.ReplaceAll(name, ".", "_")
	}
	if strings.HasPrefix(name, reservedPrefix) {
		why |= 1 << correctedReserved
		name = "_" + name
	}
	if utf8.RuneCountInString(name) > maxName {
		why |= 1 << correctedName
		name = firstCharacters(name, maxName)
	}
	return name, why
}
