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

// Mention is where a configuration names another component, which is always an extension: a storage, an authenticator, a store of
// dead letters.
type Mention struct {
	Key string
	ID  component.ID
}

// Mentions returns the extensions that conf names where the collector reads cfg, a pointer to the struct of a component. Sections
// that are off name none, and what is no id is the collector's to report.
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

// fieldOf is the type of what conf, which is read into t, has below a key, or nil.
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
