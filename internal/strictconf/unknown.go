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

// Unknown returns a sentence for each key of conf that does not exist where the collector reads cfg, a pointer to the struct of
// a component that is not ours. The collector refuses most of them itself, without a suggestion, and ignores those at or below a
// struct that squashes another with an Unmarshal method.
func Unknown(conf map[string]any, cfg any) []string {
	return unknownKeys(conf, reflect.TypeOf(cfg), nil)
}

func unknownKeys(conf map[string]any, t reflect.Type, path []string) []string {
	t = inner(t)
	optional, isOptional := optionalOf(t)
	switch {
	case isOptional && hasUnmarshal(deref(optional)), !isOptional && (t.Kind() != reflect.Struct || hasUnmarshal(t)):
		return nil // it knows its keys itself, or has none
	case squashesUnmarshal(t):
		return check(conf, t, path)
	}
	keys := map[string]reflect.Type{}
	if open := collect(t, keys); open {
		return nil
	}
	var found []string
	for _, key := range slices.Sorted(maps.Keys(conf)) {
		at := append(slices.Clone(path), key)
		field, ok := keys[key]
		if !ok {
			found = append(found, sentence(at, keys))
			continue
		}
		if below, isMap := conf[key].(map[string]any); isMap {
			found = append(found, unknownKeys(below, field, at)...)
		}
	}
	return found
}

func squashesUnmarshal(t reflect.Type) bool {
	if optional, ok := optionalOf(t); ok {
		t = deref(optional)
	}
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
