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

// Unknown returns a sentence for each key of conf, at any depth and within lists and maps, that a
// component of another module does not have. cfg is a pointer to the component's configuration.
// Structs with an Unmarshal method are skipped: they may accept keys that they have no field for.
func Unknown(conf map[string]any, cfg any) []string {
	return checker{deref(reflect.TypeOf(cfg))}.unknownKeys(conf, reflect.TypeOf(cfg), nil)
}

func (c checker) unknownKeys(value any, t reflect.Type, path []string) []string {
	t = inner(t)
	if hasUnmarshal(unwrap(t)) {
		return nil
	}
	conf, isMap := value.(map[string]any)
	switch {
	case !isMap || t.Kind() != reflect.Struct:
		return checkItems(value, t, path, c.unknownKeys)
	case readsText(t):
		return nil
	case squashesUnmarshal(t):
		return c.check(conf, t, path)
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
			found = append(found, c.sentence(at, keys))
			continue
		}
		found = append(found, c.unknownKeys(conf[key], field, at)...)
	}
	return found
}

// squashesUnmarshal reports whether t squashes a struct with an Unmarshal method. For such structs
// the collector itself ignores unknown keys, at any depth.
func squashesUnmarshal(t reflect.Type) bool {
	for field := range unwrap(t).Fields() {
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
