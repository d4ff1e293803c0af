// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
)

// Mention is a reference to an extension, such as a storage, an authenticator or a dead letter
// store.
type Mention struct {
	// Key is where the configuration has the reference, such as sending_queue::storage.
	Key string
	ID  component.ID
}

// Mentions returns the extensions that conf refers to. cfg is a pointer to the component's
// configuration. It skips disabled sections, and invalid IDs, which the collector reports.
func Mentions(conf map[string]any, cfg any) []Mention {
	return mentions(conf, reflect.TypeOf(cfg), nil)
}

func mentions(value any, t reflect.Type, path []string) []Mention {
	t = inner(t)
	if t == reflect.TypeFor[component.ID]() {
		return mention(value, path)
	}
	var found []Mention
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if field := fieldOf(t, v, key); field != nil {
				found = append(found, mentions(v[key], field, append(slices.Clone(path), key))...)
			}
		}
	case []any:
		if t.Kind() != reflect.Slice {
			return nil
		}
		for i, item := range v {
			found = append(found, mentions(item, t.Elem(), append(slices.Clone(path), strconv.Itoa(i)))...)
		}
	}
	return found
}

func mention(value any, path []string) []Mention {
	text, _ := value.(string)
	var id component.ID
	if id.UnmarshalText([]byte(text)) != nil {
		return nil
	}
	return []Mention{{Key: strings.Join(path, confmap.KeyDelimiter), ID: id}}
}

// fieldOf returns the type of the value that conf, which is read into t, has for a key; nil if the
// value is unknown or unused.
func fieldOf(t reflect.Type, conf map[string]any, key string) reflect.Type {
	_, isOptional := optionalOf(t)
	switch {
	case isOptional && conf["enabled"] == false:
		return nil
	case t.Kind() == reflect.Map:
		return t.Elem()
	case t.Kind() != reflect.Struct:
		return nil
	}
	keys := map[string]reflect.Type{}
	collect(t, keys)
	return keys[key]
}
