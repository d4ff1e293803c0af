// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package enabledconverter

import (
	"maps"
	"strings"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

// edit is one change: the key at path gets the value, or goes.
type edit struct {
	path   []string
	value  any
	remove bool
}

// apply makes the change and touches no other key. Conf has no path into a map that came as a whole from a provider, as in
// `exporters: ${file:exporters.yaml}`, so there the changed map takes the place of the old one.
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

// within returns a copy of node with the change made at path.
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

// remove deletes a key. Conf.Delete takes every map it empties along, but a component or a queue without keys is not the
// same as none, so the map around the key stays.
func remove(conf *confmap.Conf, path []string) error {
	conf.Delete(join(path))
	if parent := path[:len(path)-1]; !conf.IsSet(join(parent)) {
		return conf.Merge(nested(parent, map[string]any{}))
	}
	return nil
}

// set puts a value in the place of the old one. The old one is deleted first, because Merge adds to a list when the gate
// confmap.enableMergeAppendOption is on. With that gate Merge also keeps only the parsed value of a list's elements that
// came from a provider, not their text.
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
