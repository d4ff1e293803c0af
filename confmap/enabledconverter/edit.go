// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package enabledconverter

import (
	"maps"
	"strings"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

// edit sets the key at path to a value, or removes it.
type edit struct {
	path   []string
	value  any
	remove bool
}

// apply changes no other key. Conf has no path into a map that comes from a provider as a whole, as
// in `exporters: ${file:exporters.yaml}`, so apply replaces such a map.
func (e edit) apply(conf *confmap.Conf) error {
	var node any = xconfmap.ToStringMapRaw(conf)
	for i, key := range e.path {
		if expanded, ok := node.(xconfmap.ExpandedValue); ok {
			return set(conf, e.path[:i], e.within(expanded, e.path[i:]))
		}
		node = table(node)[key]
	}
	if e.remove {
		return remove(conf, e.path)
	}
	return set(conf, e.path, e.value)
}

// within returns a copy of node with the edit applied at path.
func (e edit) within(node any, path []string) any {
	if expanded, ok := node.(xconfmap.ExpandedValue); ok {
		expanded.Value = e.within(expanded.Value, path)
		return expanded
	}
	if len(path) == 0 {
		return e.value
	}

	copied := maps.Clone(table(node))
	if copied == nil {
		copied = map[string]any{}
	}
	if e.remove && len(path) == 1 {
		delete(copied, path[0])
		return copied
	}
	copied[path[0]] = e.within(copied[path[0]], path[1:])
	return copied
}

// remove deletes a key but keeps the map around it, which Conf.Delete would delete too once it is
// empty: a component without settings is not the same as no component.
func remove(conf *confmap.Conf, path []string) error {
	conf.Delete(join(path))
	if parent := path[:len(path)-1]; !conf.IsSet(join(parent)) {
		return conf.Merge(nested(parent, map[string]any{}))
	}
	return nil
}

// set replaces a value. It deletes the old one first, because with the feature gate
// confmap.enableMergeAppendOption, Merge appends to lists, and loses the text of list items that
// come from a provider.
func set(conf *confmap.Conf, path []string, value any) error {
	conf.Delete(join(path))
	return conf.Merge(nested(path, value))
}

func join(path []string) string { return strings.Join(path, confmap.KeyDelimiter) }

func nested(path []string, value any) *confmap.Conf {
	for i := len(path) - 1; i > 0; i-- {
		value = map[string]any{path[i]: value}
	}
	return confmap.NewFromStringMap(map[string]any{path[0]: value})
}
