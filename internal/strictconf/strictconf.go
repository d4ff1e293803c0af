// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package strictconf refuses configuration keys that do not exist, and names the key that was probably meant. The collector
// refuses them too, without a suggestion, but silently ignores them at and below a struct that squashes another one with
// an Unmarshal method, as the configuration of the health_check extension does.
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

// Unmarshal reads conf into cfg, a pointer to a struct, and returns an error that names each unknown key, and each duration
// without a unit. It is what the Unmarshal method of a configuration calls.
func Unmarshal(conf *confmap.Conf, cfg any) error {
	// First, since the collector's own error, where it has one, does not name the right key.
	if unknown := check(conf.ToStringMap(), reflect.TypeOf(cfg).Elem(), nil); len(unknown) > 0 {
		return errors.New(strings.Join(unknown, "; "))
	}
	return conf.Unmarshal(cfg)
}

// check returns a sentence for each key of conf, at any depth, that t has no field for.
func check(conf map[string]any, t reflect.Type, path []string) []string {
	keys := map[string]reflect.Type{}
	if open := collect(t, keys); open {
		return nil
	}
	var unknown []string
	for _, key := range slices.Sorted(maps.Keys(conf)) {
		at := append(slices.Clone(path), key)
		field, ok := keys[key]
		if !ok {
			unknown = append(unknown, sentence(at, keys))
			continue
		}
		unknown = append(unknown, checkValue(conf[key], field, at)...)
	}
	return unknown
}

func checkValue(value any, t reflect.Type, path []string) []string {
	t = inner(t)
	if t == reflect.TypeFor[time.Duration]() {
		return checkDuration(value, path)
	}
	switch v := value.(type) {
	case map[string]any:
		if t.Kind() == reflect.Struct && !readsText(t) {
			return check(v, t, path)
		}
	case []any:
		if t.Kind() != reflect.Slice {
			return nil
		}
		var unknown []string
		for i, item := range v {
			unknown = append(unknown, checkValue(item, t.Elem(), append(slices.Clone(path), strconv.Itoa(i)))...)
		}
		return unknown
	}
	return nil
}

// checkDuration returns a sentence for a number without a unit, which the collector takes for nanoseconds.
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

// collect adds the keys of the struct and of those squashed into it, and reports whether it takes any others too.
func collect(t reflect.Type, keys map[string]reflect.Type) (open bool) {
	t = deref(t)
	if optional, ok := optionalOf(t); ok {
		keys["enabled"] = reflect.TypeFor[bool]()
		return collect(optional, keys)
	}
	for field := range t.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
		switch {
		case !field.IsExported() || name == "-":
		case strings.Contains(options, "remain"):
			return true
		case strings.Contains(options, "squash"):
			if collect(field.Type, keys) {
				return true
			}
		case name == "":
			keys[strings.ToLower(field.Name)] = field.Type
		default:
			keys[name] = field.Type
		}
	}
	return false
}

// inner is t without its pointers; an optional section stays what it is, for the sake of its enabled key.
func inner(t reflect.Type) reflect.Type {
	t = deref(t)
	if optional, ok := optionalOf(t); ok && deref(optional).Kind() != reflect.Struct {
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

// optionalOf is the T of a configoptional.Optional[T].
func optionalOf(t reflect.Type) (reflect.Type, bool) {
	if !strings.HasSuffix(t.PkgPath(), "/configoptional") || !strings.HasPrefix(t.Name(), "Optional[") {
		return nil, false
	}
	value, ok := t.FieldByName("value")
	return value.Type, ok
}

// readsText reports a struct that is written as a word, such as a component's id.
func readsText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func sentence(path []string, keys map[string]reflect.Type) string {
	name := strings.Join(path, confmap.KeyDelimiter)
	if near := nearest(path[len(path)-1], keys); near != "" {
		return fmt.Sprintf("unknown key %q; did you mean %q?", name, near)
	}
	if len(keys) == 0 {
		return fmt.Sprintf("unknown key %q; this block has no keys", name)
	}
	return fmt.Sprintf("unknown key %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(keys)), ", "))
}

// nearest is the key that name is most likely a slip of, or empty.
func nearest(name string, keys map[string]reflect.Type) string {
	best, bestDistance := "", 1+len(name)/3
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if d := distance(name, key); d < bestDistance || d == bestDistance && best == "" {
			best, bestDistance = key, d
		}
	}
	return best
}

// distance is the Levenshtein distance of two words.
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
