// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package strictconf checks configuration: it refuses unknown keys and suggests the one that was
// probably meant. The collector refuses them without a suggestion, and ignores them in a struct
// that squashes one with an Unmarshal method, such as that of the health_check extension.
package strictconf

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/confmap"
)

// Unmarshal reads conf into cfg, a pointer to a struct. Its error names every unknown key, at any
// depth and within lists and maps, and every duration without a unit. The Unmarshal method of a
// configuration calls it.
func Unmarshal(conf *confmap.Conf, cfg any) error {
	// This comes first because the collector's own error suggests no key.
	root := reflect.TypeOf(cfg).Elem()
	if unknown := (checker{root}).check(conf.ToStringMap(), root, nil); len(unknown) > 0 {
		return errors.New(strings.Join(unknown, "; "))
	}
	return conf.Unmarshal(cfg)
}

// checker checks the configuration of a component.
type checker struct {
	root reflect.Type // that of the configuration
}

// check returns a sentence for each key of conf, at any depth, for which t has no field.
func (c checker) check(conf map[string]any, t reflect.Type, path []string) []string {
	keys := map[string]reflect.Type{}
	if open := collect(t, keys); open {
		return nil
	}
	var unknown []string
	for _, key := range slices.Sorted(maps.Keys(conf)) {
		at := append(slices.Clone(path), key)
		field, ok := keys[key]
		if !ok {
			unknown = append(unknown, c.sentence(at, keys))
			continue
		}
		unknown = append(unknown, c.checkValue(conf[key], field, at)...)
	}
	return unknown
}

func (c checker) checkValue(value any, t reflect.Type, path []string) []string {
	t = inner(t)
	if t == reflect.TypeFor[time.Duration]() {
		return checkDuration(value, path)
	}
	if conf, ok := value.(map[string]any); ok && t.Kind() == reflect.Struct {
		if readsText(t) {
			return nil
		}
		return c.check(conf, t, path)
	}
	return checkItems(value, t, path, c.checkValue)
}

// checkItems runs a check on each item of a list or map, and returns all sentences.
func checkItems(value any, t reflect.Type, path []string, check func(any, reflect.Type, []string) []string) []string {
	var found []string
	switch v := value.(type) {
	case map[string]any:
		if t.Kind() != reflect.Map {
			return nil
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			found = append(found, check(v[key], t.Elem(), append(slices.Clone(path), key))...)
		}
	case []any:
		if t.Kind() != reflect.Slice {
			return nil
		}
		for i, item := range v {
			found = append(found, check(item, t.Elem(), append(slices.Clone(path), strconv.Itoa(i)))...)
		}
	}
	return found
}

// checkDuration returns a sentence for a number without a unit, which the collector would read as
// nanoseconds.
func checkDuration(value any, path []string) []string {
	number := reflect.ValueOf(value)
	switch {
	case !number.IsValid(), number.IsZero(), number.Type() == reflect.TypeFor[time.Duration]():
		return nil
	case number.CanInt(), number.CanUint(), number.CanFloat():
		return []string{fmt.Sprintf("%s: %v has no unit; write %[2]vs for seconds, or one with ms, m or h", strings.Join(path, confmap.KeyDelimiter), value)}
	}
	return nil
}

// collect adds the keys of the struct and of those squashed into it. It reports whether the struct
// accepts any other key as well.
func collect(t reflect.Type, keys map[string]reflect.Type) (open bool) {
	t = deref(t)
	if optional, ok := optionalOf(t); ok {
		keys["enabled"] = reflect.TypeFor[bool]()
		return collect(optional, keys)
	}
	for field := range t.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
		switch {
		case strings.Contains(options, "squash"): // also of an embedded struct that is not exported
			if collect(field.Type, keys) {
				return true
			}
		case !field.IsExported() || name == "-":
		case strings.Contains(options, "remain"):
			return true
		case name == "":
			keys[strings.ToLower(field.Name)] = field.Type
		default:
			keys[name] = field.Type
		}
	}
	return false
}

// inner returns t without pointers. An optional struct stays optional, because it has the key
// enabled; other optional values are unwrapped.
func inner(t reflect.Type) reflect.Type {
	t = deref(t)
	if optional, ok := optionalOf(t); ok && deref(optional).Kind() != reflect.Struct {
		return deref(optional)
	}
	return t
}

// unwrap returns the T of a configoptional.Optional[T], and any other type as it is.
func unwrap(t reflect.Type) reflect.Type {
	if optional, ok := optionalOf(t); ok {
		return deref(optional)
	}
	return t
}

func deref(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// optionalOf returns the T of a configoptional.Optional[T], and whether t is one.
func optionalOf(t reflect.Type) (reflect.Type, bool) {
	if !strings.HasSuffix(t.PkgPath(), "/configoptional") || !strings.HasPrefix(t.Name(), "Optional[") {
		return nil, false
	}
	value, ok := t.FieldByName("value")
	return value.Type, ok
}

// readsText reports whether a struct is written as a string, such as the ID of a component.
func readsText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func (c checker) sentence(path []string, keys map[string]reflect.Type) string {
	name, last := strings.Join(path, confmap.KeyDelimiter), path[len(path)-1]
	if right := c.elsewhere(last); right != "" {
		return fmt.Sprintf("unknown key %q; write %s", name, right)
	}
	if near := Nearest(last, slices.Sorted(maps.Keys(keys))); near != "" {
		return fmt.Sprintf("unknown key %q; did you mean %q?", name, near)
	}
	if len(keys) == 0 {
		return fmt.Sprintf("unknown key %q; this block has no keys", name)
	}
	return fmt.Sprintf("unknown key %q; valid keys are %s", name, strings.Join(slices.Sorted(maps.Keys(keys)), ", "))
}

// maxDepth is how many levels of blocks are searched for a key that was written in another one.
const maxDepth = 4

// elsewhere returns the path of a key that has the name, the one with the fewest levels, or an empty
// string if there is none or several.
func (c checker) elsewhere(name string) string {
	level := map[string]reflect.Type{"": c.root}
	for range maxDepth {
		var found []string
		next := map[string]reflect.Type{}
		for prefix, t := range level {
			for key, field := range keysOf(t) {
				if key == name {
					found = append(found, prefix+key)
				}
				next[prefix+key+confmap.KeyDelimiter] = field
			}
		}
		switch len(found) {
		case 0:
			level = next
		case 1:
			return found[0]
		default:
			return ""
		}
	}
	return ""
}

// keysOf returns the keys of a block; none if t is not one.
func keysOf(t reflect.Type) map[string]reflect.Type {
	keys := map[string]reflect.Type{}
	if t = inner(t); t.Kind() == reflect.Struct && !readsText(t) {
		collect(t, keys)
	}
	return keys
}

// Nearest returns the one of the sorted words that was probably meant by name, or an empty string.
func Nearest(name string, words []string) string {
	best, bestDistance := "", 1+len(name)/3
	for _, word := range words {
		if d := distance(name, word); d < bestDistance || d == bestDistance && best == "" {
			best, bestDistance = word, d
		}
	}
	return best
}

// distance returns the Levenshtein distance of two words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
