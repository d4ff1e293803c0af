// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// assemble builds a list from indexed attributes, one for each member of an item: {0.role: user,
// 0.content: hi} becomes [{role: user, content: hi}]. One attribute may also hold the whole list.
func assemble(parts []part, values *jsonappend.Writer) any {
	root := map[string]any{}
	for _, p := range parts {
		if prefix, _, _ := strings.Cut(p.path, "."); isIndex(prefix) {
			put(root, p.path, jsontext.Value(values.Value(nil, p.value))) // arguments of tools stay text
			continue
		}
		var whole any
		text := jsonOf(p.value, values)
		if json.Unmarshal(text, &whole) != nil || text.Kind() != '[' {
			return text
		}
		putAll(root, "", whole, 0)
	}
	return listed(root)
}

// putAll puts each leaf of a Go value at its path below path. Names of members may be paths too.
func putAll(root map[string]any, path string, value any, depth int) {
	switch value := value.(type) {
	case []any:
		if depth < maxPath && len(value) > 0 {
			for i, item := range value {
				putAll(root, join(path, strconv.Itoa(i)), item, depth+1)
			}
			return
		}
	case map[string]any:
		if depth < maxPath && len(value) > 0 {
			for _, name := range slices.Sorted(maps.Keys(value)) {
				putAll(root, join(path, name), value[name], depth+1)
			}
			return
		}
	}
	put(root, path, value)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// maxPath is how deep members may be nested. The rest of a longer path becomes one name.
const maxPath = 16

// put puts a leaf at a path, such as 0.message.tool_calls.0.tool_call.function.name. It leaves out the
// kind of the item (here message and tool_call), which OpenInference repeats before the members.
func put(root map[string]any, path string, leaf any) {
	in, parent := root, ""
	for depth := 0; ; depth++ {
		name, rest, nested := strings.Cut(path, ".")
		if nested && depth > 0 && (isKind(name) && isIndex(parent) || name == parent) {
			path = rest
			continue
		}
		if !nested || depth >= maxPath {
			putLeaf(in, appevent.ValidText(path), leaf)
			return
		}
		in, path, parent = child(in, appevent.ValidText(name)), rest, name
	}
}

// child returns the object at a name. If the name already has a leaf, the object replaces it and keeps
// it in the member named value.
func child(in map[string]any, name string) map[string]any {
	object, ok := in[name].(map[string]any)
	if !ok {
		object = map[string]any{}
		if leaf, taken := in[name]; taken {
			object["value"] = leaf
		}
		in[name] = object
	}
	return object
}

func putLeaf(in map[string]any, name string, leaf any) {
	switch at := in[name].(type) {
	case nil:
		in[name] = leaf
	case map[string]any:
		putLeaf(at, "value", leaf)
	}
}

// isKind reports whether the name is a kind of item that OpenInference puts before the members.
func isKind(name string) bool {
	switch name {
	case "message", "message_content", "tool_call", "document", "embedding", "prompt", "completion", "tool":
		return true
	}
	return false
}

// isIndex reports whether a name is the index of an item.
func isIndex(name string) bool {
	if name == "" || len(name) > 6 || name[0] == '0' && len(name) > 1 {
		return false
	}
	return strings.Trim(name, "0123456789") == ""
}

// listed replaces objects whose names are all indexes by lists.
func listed(value any) any {
	object, ok := value.(map[string]any)
	if !ok {
		return value
	}
	names := slices.Collect(maps.Keys(object))
	for _, name := range names {
		object[name] = listed(object[name])
	}
	if len(names) == 0 || slices.ContainsFunc(names, func(name string) bool { return !isIndex(name) }) {
		return object
	}
	slices.SortFunc(names, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	items := make([]any, len(names))
	for i, name := range names {
		items[i] = object[name]
	}
	return items
}

// shapeMessages gives messages the members that PostHog shows: role, content and tool_calls.
func shapeMessages(items any, role string) any {
	list, ok := items.([]any)
	if !ok {
		return items
	}
	for i := range list {
		m, ok := list[i].(map[string]any)
		if !ok {
			list[i] = map[string]any{"role": role, "content": list[i]}
			continue
		}
		rename(m, "contents", "content")
		rename(m, "text", "content")
		if m["role"] == nil {
			m["role"] = role
		}
		calls, _ := m["tool_calls"].([]any)
		for _, call := range calls {
			if call, ok := call.(map[string]any); ok && call["function"] != nil && call["type"] == nil {
				call["type"] = "function"
			}
		}
	}
	return list
}

// rename renames a member, unless there is one of the new name.
func rename(m map[string]any, name, to string) {
	if value, ok := m[name]; ok && m[to] == nil {
		m[to] = value
		delete(m, name)
	}
}

// pick replaces each item that has the member by that member. A json_schema in a string becomes JSON.
func pick(items any, member string) any {
	list, ok := items.([]any)
	if !ok {
		return items
	}
	for i := range list {
		m, ok := list[i].(map[string]any)
		if !ok || m[member] == nil {
			continue
		}
		list[i] = m[member]
		var text string
		if raw, ok := m[member].(jsontext.Value); ok && member == "json_schema" && json.Unmarshal(raw, &text) == nil {
			list[i] = jsontext.Value(appendParsed(nil, text))
		}
	}
	return list
}
