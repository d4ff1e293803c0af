// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package confedit changes single keys of a configuration. The collector's own functions would lose
// the text of environment variables, and maps that come from a provider as a whole.
package confedit

import (
	"maps"
	"strings"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

// Edit sets the key at a path to a value, or removes it.
type Edit struct {
	Path   []string
	Value  any
	Remove bool
}

// Apply changes no other key. Conf has no path into a map that comes from a provider as a whole, as
// in `exporters: ${file:exporters.yaml}`, so Apply replaces such a map.
func (e Edit) Apply(conf *confmap.Conf) error {
	var node any = xconfmap.ToStringMapRaw(conf)
	for i, key := range e.Path {
		if expanded, ok := node.(xconfmap.ExpandedValue); ok {
			return set(conf, e.Path[:i], e.within(expanded, e.Path[i:]))
		}
		config, _ := node.(map[string]any)
		node = config[key]
	}
	if e.Remove {
		return remove(conf, e.Path)
	}
	return set(conf, e.Path, e.Value)
}

// within returns a copy of node with the edit applied at path.
func (e Edit) within(node any, path []string) any {
	if expanded, ok := node.(xconfmap.ExpandedValue); ok {
		expanded.Value = e.within(expanded.Value, path)
		return expanded
	}
	if len(path) == 0 {
		return e.Value
	}

	config, _ := node.(map[string]any)
	copied := maps.Clone(config)
	if copied == nil {
		copied = map[string]any{}
	}
	if e.Remove && len(path) == 1 {
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
