// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package enabledconverter

import (
	"maps"
	"slices"

	"go.opentelemetry.io/collector/confmap/xconfmap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/confedit"
)

// referenceEdits removes disabled extensions from service::extensions, and from the keys storage
// and dead_letter of components, which are optional. It keeps references under auth and
// authenticator, so that the collector refuses to start rather than open a listener to everyone.
func referenceEdits(root map[string]any, off disabled) []confedit.Edit {
	var edits []confedit.Edit

	list := listOf(table(root["service"])[extensions])
	left := slices.DeleteFunc(slices.Clone(list), func(r any) bool { return off.has(r, extensions) })
	if len(left) < len(list) {
		edits = append(edits, confedit.Edit{Path: []string{"service", extensions}, Value: left})
	}

	for _, section := range []string{connectors, exporters, extensions, processors, receivers} {
		for id, config := range sorted(table(root[section])) {
			if !off.has(id, section) {
				edits = append(edits, storeEdits([]string{section, id}, config, off)...)
			}
		}
	}
	return edits
}

// storeEdits removes the keys below path that refer to a disabled extension as a store. A list that
// contains such a key is replaced, because Conf has no path to an item of a list.
func storeEdits(path []string, config any, off disabled) []confedit.Edit {
	if list, ok := plain(config).([]any); ok {
		if stripped, changed := withoutStores(list, off); changed {
			return []confedit.Edit{{Path: path, Value: stripped}}
		}
		return nil
	}

	var edits []confedit.Edit
	for key, value := range sorted(table(config)) {
		below := append(slices.Clone(path), key)
		if isStore(key, value, off) {
			edits = append(edits, confedit.Edit{Path: below, Remove: true})
			continue
		}
		edits = append(edits, storeEdits(below, value, off)...)
	}
	return edits
}

// withoutStores returns a copy of a list or map without references to disabled stores.
func withoutStores(value any, off disabled) (stripped any, changed bool) {
	switch v := value.(type) {
	case xconfmap.ExpandedValue:
		v.Value, changed = withoutStores(v.Value, off)
		return v, changed
	case []any:
		list := slices.Clone(v)
		for i, element := range v {
			below, cut := withoutStores(element, off)
			list[i], changed = below, changed || cut
		}
		return list, changed
	case map[string]any:
		config := maps.Clone(v)
		maps.DeleteFunc(config, func(key string, value any) bool { return isStore(key, value, off) })
		changed = len(config) < len(v)
		for key, value := range config {
			below, cut := withoutStores(value, off)
			config[key], changed = below, changed || cut
		}
		return config, changed
	}
	return value, false
}

func isStore(key string, value any, off disabled) bool {
	return (key == "storage" || key == "dead_letter") && off.has(value, extensions)
}

// listOf returns a list of IDs, or nil if value is not a list, which the collector reports.
func listOf(value any) []any {
	switch list := plain(value).(type) {
	case []any:
		return list
	case []string: // from another converter; providers return []any
		ids := make([]any, len(list))
		for i, id := range list {
			ids[i] = id
		}
		return ids
	}
	return nil
}
