// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package privacyprocessor

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"strconv"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// walker applies the rules to the values of one batch. It serves one goroutine.
type walker struct {
	rules *rules
	mac   hash.Hash
	// changes counts what each rule changed.
	changes []int64
	// path is that of the current attribute or member: their names, with dots between.
	path []byte
	// renames are the members that get another name, of the maps that are being read.
	renames []renamed
	// onMember is the method member, and onItem the method value.
	onMember func(string, pcommon.Value) bool
	onItem   func(pcommon.Value) bool

	matcher
}

func newWalker(rules *rules, hashKey string) *walker {
	w := &walker{rules: rules, mac: hmac.New(sha256.New, []byte(hashKey)), changes: make([]int64, len(rules.actions))}
	w.onMember, w.onItem = w.member, w.value
	return w
}

// attributes applies the rules to attributes, and to what they hold.
func (w *walker) attributes(m pcommon.Map) {
	w.path = w.path[:0]
	w.members(m)
}

// body applies the rules to the body of a record.
func (w *walker) body(v pcommon.Value) {
	w.path = w.path[:0]
	if w.value(v) {
		pcommon.NewValueEmpty().CopyTo(v)
	}
}

// text applies the rules to a text that is no attribute.
func (w *walker) text(text string, set func(string)) {
	if changed, _, ok := w.change(text); ok {
		set(changed)
	}
}

// renamed is a member whose name had personal data.
type renamed struct {
	name  string
	value pcommon.Value
}

func (w *walker) members(m pcommon.Map) {
	before := len(w.renames)
	m.RemoveIf(w.onMember)
	w.addRenames(m, before)
}

// addRenames adds those renames to the map that were found since before.
func (w *walker) addRenames(m pcommon.Map, before int) {
	if renames := w.renames[before:]; len(renames) > 0 {
		addRenamed(m, renames)
		clear(renames)
		w.renames = w.renames[:before]
	}
}

// fewRenames is the number of members that are added one by one, each in time linear in the size of the map.
const fewRenames = 16

// addRenamed adds members under their new names.
func addRenamed(m pcommon.Map, renames []renamed) {
	setFreeNames(m, renames)
	if len(renames) <= fewRenames {
		for _, r := range renames {
			r.value.MoveTo(m.PutEmpty(r.name))
		}
		return
	}
	values := make(map[string]pcommon.Value, m.Len()+len(renames))
	names := make(map[string]any, m.Len()+len(renames))
	add := func(name string, v pcommon.Value) {
		values[name], names[name] = pcommon.NewValueEmpty(), nil
		v.MoveTo(values[name])
	}
	for name, v := range m.All() {
		add(name, v)
	}
	for _, r := range renames {
		add(r.name, r.value)
	}
	_ = m.FromRaw(names) // it cannot fail: the values are empty
	for name, v := range m.All() {
		values[name].MoveTo(v)
	}
}

// setFreeNames appends numbers to names that the map or another member has: two masked names are equal.
func setFreeNames(m pcommon.Map, renames []renamed) {
	last := make(map[string]int, m.Len()+len(renames)) // by name, the number that was last appended to it
	for name := range m.All() {
		last[name] = 1
	}
	for i, r := range renames {
		name := r.name
		for last[name] > 0 {
			last[r.name]++
			name = r.name + strconv.Itoa(last[r.name])
		}
		last[name] = 1
		renames[i].name = name
	}
}

// member applies the rules to the name and the value of a member of a map, and reports whether it has to
// be removed.
func (w *walker) member(name string, v pcommon.Value) bool {
	length := len(w.path)
	if length > 0 {
		w.path = append(w.path, '.')
	}
	w.path = append(w.path, name...)
	nameRule := w.rules.nameRule(w.path, name)
	remove := false
	switch nameRule.rule {
	case kept:
	case noRule:
		remove = w.value(v)
	default:
		remove = w.whole(v, nameRule.rule)
	}
	w.path = w.path[:length]
	if remove || nameRule.rule == kept || !nameRule.personal {
		return remove
	}
	return w.rename(name, v)
}

// rename applies the rules to the name of a member. It reports whether the member has to be removed: if
// its name is nothing but dropped data, or since it gets another name later.
func (w *walker) rename(name string, v pcommon.Value) bool {
	changed, gone, ok := w.change(name)
	if ok && !gone {
		value := pcommon.NewValueEmpty()
		v.MoveTo(value)
		w.renames = append(w.renames, renamed{changed, value})
	}
	return ok
}

// value applies the rules to a value and reports whether nothing of it remains.
func (w *walker) value(v pcommon.Value) bool {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return w.set(v, v.Str())
	case pcommon.ValueTypeInt:
		if n := v.Int(); w.rules.all || n >= minNumber || n <= -minNumber {
			return w.set(v, strconv.FormatInt(n, 10))
		}
	case pcommon.ValueTypeDouble:
		if n := v.Double(); w.rules.all || n >= minNumber || n <= -minNumber {
			return w.set(v, strconv.FormatFloat(n, 'f', -1, 64))
		}
	case pcommon.ValueTypeBytes:
		return w.bytes(v.Bytes())
	case pcommon.ValueTypeMap:
		w.members(v.Map())
	case pcommon.ValueTypeSlice:
		v.Slice().RemoveIf(w.onItem)
	default: // a bool, or nothing
	}
	return false
}

// minNumber is the smallest number in which a preset may find something: a card number has 13 digits.
const minNumber = 1e12

// set applies the rules to the text of a value. A number that changes becomes a text.
func (w *walker) set(v pcommon.Value, text string) (gone bool) {
	changed, gone, ok := w.change(text)
	if ok && !gone {
		v.SetStr(changed)
	}
	return gone
}

func (w *walker) bytes(b pcommon.ByteSlice) (gone bool) {
	raw := b.AsRaw()
	if !utf8.Valid(raw) {
		return false
	}
	changed, gone, ok := w.change(string(raw))
	if ok && !gone {
		b.FromRaw([]byte(changed))
	}
	return gone
}

// whole applies the action of a rule to a whole value, and reports whether the value has to be removed.
// Maps and lists keep their form: backends expect a map of traits.
func (w *walker) whole(v pcommon.Value, rule int) bool {
	if w.rules.actions[rule] == ActionDrop {
		w.changes[rule]++
		return true
	}
	switch v.Type() {
	case pcommon.ValueTypeEmpty:
	case pcommon.ValueTypeMap:
		w.wholeMap(v.Map(), rule)
	case pcommon.ValueTypeSlice:
		for _, item := range v.Slice().All() {
			w.whole(item, rule)
		}
	default:
		if text := textOf(v); text != "" {
			v.SetStr(string(w.replace(nil, text, rule)))
		}
	}
	return false
}

// wholeMap applies the action of a rule to each value of a map, and the rules of texts to the names.
func (w *walker) wholeMap(m pcommon.Map, rule int) {
	before := len(w.renames)
	m.RemoveIf(func(name string, v pcommon.Value) bool {
		w.whole(v, rule)
		return w.rename(name, v)
	})
	w.addRenames(m, before)
}

// textOf returns the text of a value, which is the same for a string and its bytes.
func textOf(v pcommon.Value) string {
	if v.Type() == pcommon.ValueTypeBytes {
		if raw := v.Bytes().AsRaw(); utf8.Valid(raw) {
			return string(raw)
		}
	}
	return v.AsString()
}
