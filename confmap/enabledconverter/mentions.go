// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package enabledconverter

import (
	"maps"
	"slices"

	"go.opentelemetry.io/collector/confmap/xconfmap"
)

// mentionEdits takes the disabled extensions out of service::extensions and out of the components that use one as a
// storage or as a dead letter store: both are optional, and a component works without.
//
// A mention under auth or authenticator is left alone on purpose. Dropping it would open a listener to everyone, or send
// requests without credentials; left in place it makes the collector refuse to start.
func mentionEdits(root map[string]any, off disabled) []edit {
	var edits []edit

	list := listOf(table(root["service"])[extensions])
	left := slices.DeleteFunc(slices.Clone(list), func(m any) bool { return off.has(m, extensions) })
	if len(left) < len(list) {
		edits = append(edits, edit{path: []string{"service", extensions}, value: left})
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

// storeEdits finds the keys below path that name a disabled extension as a store. The configuration has no path to an
// element of a list, so a list that contains such a key is set anew as a whole.
func storeEdits(path []string, config any, off disabled) []edit {
	if list, ok := plain(config).([]any); ok {
		if stripped, changed := withoutStores(list, off); changed {
			return []edit{{path: path, value: stripped}}
		}
		return nil
	}

	var edits []edit
	for key, value := range sorted(table(config)) {
		below := append(slices.Clone(path), key)
		if isStore(key, value, off) {
			edits = append(edits, edit{path: below, remove: true})
			continue
		}
		edits = append(edits, storeEdits(below, value, off)...)
	}
	return edits
}

// withoutStores returns a copy of a list or map without the keys that name a disabled extension as a store.
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

// listOf returns a list of ids, or nil when value is something else: that is the collector's to report.
func listOf(value any) []any {
	switch list := plain(value).(type) {
	case []any:
		return list
	case []string: // from another converter, no provider makes one
		ids := make([]any, len(list))
		for i, id := range list {
			ids[i] = id
		}
		return ids
	}
	return nil
}
