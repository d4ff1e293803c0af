// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package jsontemplate

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// signature is a function of templates. maxArgs is -1 if there is no limit.
type signature struct {
	minArgs, maxArgs int
	usage            string
	call             any // nil for functions of text/template
}

// Functions returns the usage of each function that templates can call, sorted.
func Functions() []string {
	usages := make([]string, 0, len(signatures))
	for _, name := range slices.Sorted(maps.Keys(signatures)) {
		usages = append(usages, signatures[name].usage)
	}
	return usages
}

// signatures are the functions that templates can call. Each returns at most maxOutput bytes.
var signatures = map[string]signature{
	"and": {1, -1, "and a b ...", nil},
	"or":  {1, -1, "or a b ...", nil},
	"not": {1, 1, "not a", nil},

	"eq": {2, -1, "eq a b ...", func(a any, others ...any) bool {
		return slices.ContainsFunc(others, func(b any) bool { return compare(a, b) == 0 })
	}},
	"ne": {2, 2, "ne a b", func(a, b any) bool { return compare(a, b) != 0 }},
	"lt": {2, 2, "lt a b", func(a, b any) bool { return compare(a, b) < 0 }},
	"le": {2, 2, "le a b", func(a, b any) bool { return compare(a, b) <= 0 }},
	"gt": {2, 2, "gt a b", func(a, b any) bool { return compare(a, b) > 0 }},
	"ge": {2, 2, "ge a b", func(a, b any) bool { return compare(a, b) >= 0 }},

	"default":   {2, 2, "default text value", orDefault},
	"first":     {2, 2, "first count value", first},
	"get":       {2, -1, "get value name ...", get},
	"len":       {1, 1, "len value", length},
	"join":      {2, 2, "join separator list", join},
	"json":      {1, 1, "json value", func(v any) (string, error) { return bounded(string(appendJSON(nil, v))) }},
	"lower":     {1, 1, "lower text", func(v any) string { return strings.ToLower(textOf(v)) }},
	"upper":     {1, 1, "upper text", func(v any) string { return strings.ToUpper(textOf(v)) }},
	"trim":      {1, 1, "trim text", func(v any) string { return strings.TrimSpace(textOf(v)) }},
	"truncate":  {2, 2, "truncate length text", func(n int, v any) string { return truncate(textOf(v), n, units) }},
	"replace":   {3, 3, "replace old new text", replace},
	"contains":  {2, 2, "contains part text", func(part, v any) bool { return strings.Contains(textOf(v), textOf(part)) }},
	"hasPrefix": {2, 2, "hasPrefix part text", func(part, v any) bool { return strings.HasPrefix(textOf(v), textOf(part)) }},
	"hasSuffix": {2, 2, "hasSuffix part text", func(part, v any) bool { return strings.HasSuffix(textOf(v), textOf(part)) }},
	"date":      {2, 2, "date layout timestamp", date},
	"urlquery":  {1, 1, "urlquery text", func(v any) (string, error) { return bounded(url.QueryEscape(textOf(v))) }},

	// For the presets.
	"mrkdwn":   {2, 2, "mrkdwn length text", func(n int, v any) string { return mrkdwn(textOf(v), n) }},
	"markdown": {2, 2, "markdown length text", func(n int, v any) string { return markdown(textOf(v), n) }},
	"fit":      {2, 2, "fit bytes text", func(n int, v any) string { return fit(textOf(v), n) }},
	"members":  {2, 2, "members bytes map", members},
	"pairs":    {6, 6, "pairs name value count bytes bytes map", pairs},
}

// functions returns the functions of signatures, and those that prepare inserts calls of.
func functions() template.FuncMap {
	all := template.FuncMap{
		callField: get,
		callText:  func(v any) (string, error) { return bounded(textOf(v)) },
		callItems: items,
		callCount: func(r *run) (string, error) { return r.countIteration() },
	}
	for name := range signatures {
		if f := signatures[name].call; f != nil {
			all[name] = f
		}
	}
	return all
}

// plain returns the value of a template's operand. The run is the template's dot, and stands for
// the document.
func plain(v any) any {
	switch v := v.(type) {
	case *run:
		return v.document
	case int:
		return int64(v)
	default:
		return v
	}
}

// get follows names through nested maps. It returns nil if one of them is missing.
func get(v any, names ...any) any {
	for _, name := range names {
		m, _ := plain(v).(map[string]any)
		v = m[textOf(name)]
	}
	return plain(v)
}

// items returns what range iterates over. A value other than a map, a list or nil is a single item.
func items(v any) any {
	switch v := plain(v).(type) {
	case map[string]any, []any, nil:
		return v
	default:
		return []any{v}
	}
}

// textOf returns a value as text: JSON for maps and lists, and an empty string for nil.
func textOf(v any) string {
	switch v := plain(v).(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strings.TrimSuffix(strings.Trim(string(jsonappend.Double(nil, v)), `"`), ".0")
	default:
		return string(appendJSON(nil, v))
	}
}

// appendJSON appends a value as JSON. Members of maps are sorted by name.
func appendJSON(dst []byte, v any) []byte {
	switch v := plain(v).(type) {
	case string:
		return jsonappend.String(dst, v)
	case bool:
		return jsonappend.Bool(dst, v)
	case int64:
		return jsonappend.Int(dst, v)
	case float64:
		return jsonappend.Double(dst, v)
	case []any:
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, item)
		}
		return append(dst, ']')
	case map[string]any:
		dst = append(dst, '{')
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(append(jsonappend.String(dst, name), ':'), v[name])
		}
		return append(dst, '}')
	default:
		return append(dst, "null"...)
	}
}

// compare compares numbers by value, and anything else as text.
func compare(a, b any) int {
	a, b = plain(a), plain(b)
	if x, ok := a.(int64); ok {
		if y, ok := b.(int64); ok {
			return cmp.Compare(x, y)
		}
	}
	x, isNumber := number(a)
	y, areNumbers := number(b)
	if isNumber && areNumbers {
		return cmp.Compare(x, y)
	}
	return strings.Compare(textOf(a), textOf(b))
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case nil:
		return 0, true // so that a missing number is less than any positive one
	default:
		return 0, false
	}
}

func orDefault(fallback, value any) any {
	if textOf(value) == "" {
		return fallback
	}
	return plain(value)
}

func length(v any) int {
	switch v := plain(v).(type) {
	case map[string]any:
		return len(v)
	case []any:
		return len(v)
	default:
		return utf8.RuneCountInString(textOf(v))
	}
}

func join(separator, list any) (string, error) {
	all, ok := plain(list).([]any)
	if !ok {
		return bounded(textOf(list))
	}
	var b strings.Builder
	for i, item := range all {
		if i > 0 {
			b.WriteString(textOf(separator))
		}
		b.WriteString(textOf(item))
		if b.Len() > maxOutput {
			break
		}
	}
	return bounded(b.String())
}

func replace(old, replacement, v any) (string, error) {
	text, from, to := textOf(v), textOf(old), textOf(replacement)
	if n := strings.Count(text, from); len(text)+n*(len(to)-len(from)) > maxOutput {
		return "", problem(fmt.Sprintf("writes more than %d bytes", maxOutput))
	}
	return strings.ReplaceAll(text, from, to), nil
}

// date formats a timestamp (RFC 3339) in UTC, with a layout of Go's time package. It returns any
// other text unchanged.
func date(layout, v any) (string, error) {
	t, err := time.Parse(time.RFC3339Nano, textOf(v))
	if err != nil {
		return bounded(textOf(v))
	}
	return bounded(t.UTC().Format(textOf(layout)))
}

func bounded(text string) (string, error) {
	if len(text) > maxOutput {
		return "", problem(fmt.Sprintf("writes more than %d bytes", maxOutput))
	}
	return text, nil
}
