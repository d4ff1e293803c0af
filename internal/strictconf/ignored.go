// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// Ignored returns a sentence for each key of conf that the collector would ignore where it reads cfg, a pointer to the struct of a
// component that is not ours: one at or below a struct that squashes another with an Unmarshal method.
func Ignored(conf map[string]any, cfg any) []string {
	return ignored(conf, reflect.TypeOf(cfg), nil)
}

func ignored(conf map[string]any, t reflect.Type, path []string) []string {
	t = deref(t)
	if optional, ok := optionalOf(t); ok {
		t = deref(optional)
	}
	switch {
	case t.Kind() != reflect.Struct || hasUnmarshal(t): // it knows its keys itself
		return nil
	case squashesUnmarshal(t):
		return check(conf, t, path)
	}
	keys := map[string]reflect.Type{}
	collect(t, keys)
	var found []string
	for _, key := range slices.Sorted(maps.Keys(conf)) {
		below, isMap := conf[key].(map[string]any)
		if field, ok := keys[key]; ok && isMap {
			found = append(found, ignored(below, field, append(slices.Clone(path), key))...)
		}
	}
	return found
}

func squashesUnmarshal(t reflect.Type) bool {
	for field := range t.Fields() {
		_, options, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
		if strings.Contains(options, "squash") && hasUnmarshal(deref(field.Type)) {
			return true
		}
	}
	return false
}

func hasUnmarshal(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[confmap.Unmarshaler]())
}
