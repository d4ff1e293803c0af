// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package jsontemplate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// Tree is a parsed tree. Its methods are safe for concurrent use.
type Tree struct{ root node }

// node is a node of a tree.
type node interface {
	// append appends the rendered node. It returns false, and appends nothing, if the node is left
	// out.
	append(dst []byte, r *run) ([]byte, bool, error)
}

// Parse parses a tree. key is the tree's key in the configuration: errors begin with the key of the
// leaf, and name the line of its template.
func Parse(tree any, key string) (*Tree, error) {
	root, err := parseNode(tree, key, 0)
	if err != nil {
		return nil, err
	}
	return &Tree{root: root}, nil
}

// Append renders the tree for a document and appends the JSON, on one line. Its errors contain no
// values of the document.
func (t *Tree) Append(dst []byte, document map[string]any) ([]byte, error) {
	out, ok, err := t.root.append(dst, newRun(document))
	if err == nil && !ok {
		out = append(out, "null"...)
	}
	return out, err
}

// maxDepth limits how deeply maps and lists are nested.
const maxDepth = 64

func parseNode(tree any, key string, depth int) (node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%s: is nested deeper than %d levels", key, maxDepth)
	}
	switch v := tree.(type) {
	case nil:
		return literal("null"), nil
	case bool:
		return literal(strconv.FormatBool(v)), nil
	case int:
		return literal(strconv.Itoa(v)), nil
	case int64:
		return literal(strconv.FormatInt(v, 10)), nil
	case uint64:
		return literal(strconv.FormatUint(v, 10)), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%s: is a number that JSON cannot represent", key)
		}
		return literal(jsonappend.Double(nil, v)), nil
	case string:
		return parseLeaf(v, asString, key)
	case []any:
		return parseList(v, key, depth)
	case map[string]any:
		return parseMap(v, key, depth)
	default:
		return nil, fmt.Errorf("%s: is a %T; write strings, numbers, booleans, null, or maps and lists of these", key, tree)
	}
}

func parseList(items []any, key string, depth int) (node, error) {
	l := make(list, 0, len(items))
	for i, item := range items {
		n, err := parseNode(item, key+"::"+strconv.Itoa(i), depth+1)
		if err != nil {
			return nil, err
		}
		l = append(l, n)
	}
	return l, nil
}

func parseMap(members map[string]any, key string, depth int) (node, error) {
	if _, ok := members[conditionName]; ok {
		return parseCondition(members, key, depth)
	}
	if len(members) == 1 {
		for name, value := range members {
			if kind, ok := kinds[name]; ok {
				return parseTyped(value, kind, key+"::"+name)
			}
		}
	}
	o := make(object, 0, len(members))
	for _, name := range slices.Sorted(maps.Keys(members)) {
		at := key + "::" + name
		if _, ok := kinds[name]; ok {
			return nil, fmt.Errorf("%s: must be the only key of its map", at)
		}
		n, err := parseNode(members[name], at, depth+1)
		if err != nil {
			return nil, err
		}
		o = append(o, member{name: append(jsonappend.String(nil, name), ':'), value: n})
	}
	return o, nil
}

// The members of a conditional subtree.
const (
	conditionName = "$if"
	thenName      = "$then"
)

func parseCondition(members map[string]any, key string, depth int) (node, error) {
	condition, isText := members[conditionName].(string)
	then, ok := members[thenName]
	if !isText || !ok || len(members) != 2 {
		return nil, fmt.Errorf("%s: write {%s: template, %s: subtree}; the subtree is left out if the template renders empty or false", key, conditionName, thenName)
	}
	text, err := ParseText(condition, key+"::"+conditionName)
	if err != nil {
		return nil, err
	}
	n, err := parseNode(then, key+"::"+thenName, depth+1)
	if err != nil {
		return nil, err
	}
	return &conditional{condition: text, then: n}, nil
}

// conditional is a subtree that may be left out.
type conditional struct {
	condition *Text
	then      node
}

func (c *conditional) append(dst []byte, r *run) ([]byte, bool, error) {
	text, err := c.condition.render(r)
	if err != nil {
		return nil, false, err
	}
	switch strings.TrimSpace(text) {
	case "", "false", "{}", "[]":
		return dst, false, nil
	default:
		return c.then.append(dst, r)
	}
}

// parseTyped also accepts a literal, because ${env:NUMBER} becomes one.
func parseTyped(value any, kind leafKind, key string) (node, error) {
	text, ok := value.(string)
	if !ok {
		switch value.(type) {
		case bool, int, int64, float64, nil:
			return parseNode(value, key, 0)
		}
		return nil, fmt.Errorf("%s: is a %T; write a template", key, value)
	}
	return parseLeaf(text, kind, key)
}

func parseLeaf(text string, kind leafKind, key string) (node, error) {
	t, err := ParseText(text, key)
	if err != nil {
		return nil, err
	}
	l := &leaf{kind: kind, text: t}
	if t.parsed != nil {
		return l, nil
	}
	// The text is constant, so it is rendered only once.
	out, ok, err := l.append(nil, newRun(nil))
	if err != nil {
		return nil, err
	}
	if !ok {
		return absent{}, nil
	}
	return literal(out), nil
}

// literal is constant JSON.
type literal []byte

func (l literal) append(dst []byte, r *run) ([]byte, bool, error) {
	return append(dst, l...), true, r.spend(len(l))
}

// absent is a node that is always left out.
type absent struct{}

func (absent) append(dst []byte, _ *run) ([]byte, bool, error) { return dst, false, nil }

type list []node

func (l list) append(dst []byte, r *run) ([]byte, bool, error) {
	dst = append(dst, '[')
	empty := true
	for _, item := range l {
		start := len(dst)
		if !empty {
			dst = append(dst, ',')
		}
		out, ok, err := item.append(dst, r)
		if err != nil {
			return nil, false, err
		}
		if !ok {
			dst = dst[:start]
			continue
		}
		dst, empty = out, false
	}
	return append(dst, ']'), true, nil
}

type object []member

type member struct {
	name  []byte // JSON with the colon
	value node
}

func (o object) append(dst []byte, r *run) ([]byte, bool, error) {
	dst = append(dst, '{')
	empty := true
	for i := range o {
		start := len(dst)
		if !empty {
			dst = append(dst, ',')
		}
		out, ok, err := o[i].value.append(append(dst, o[i].name...), r)
		if err != nil {
			return nil, false, err
		}
		if !ok {
			dst = dst[:start]
			continue
		}
		dst, empty = out, false
	}
	return append(dst, '}'), true, nil
}

// leafKind is the type of a leaf.
type leafKind string

const (
	asString   leafKind = ""
	asNumber   leafKind = "$number"
	asBool     leafKind = "$bool"
	asJSON     leafKind = "$json"
	asOptional leafKind = "$optional"
)

var kinds = map[string]leafKind{
	string(asNumber): asNumber, string(asBool): asBool, string(asJSON): asJSON, string(asOptional): asOptional,
}

// leaf is a template that renders one value.
type leaf struct {
	kind leafKind
	text *Text
}

func (l *leaf) append(dst []byte, r *run) ([]byte, bool, error) {
	text, err := l.text.render(r)
	if err != nil {
		return nil, false, err
	}
	switch l.kind {
	case asString:
		return jsonappend.String(dst, text), true, nil
	case asOptional:
		if text == "" {
			return dst, false, nil
		}
		return jsonappend.String(dst, text), true, nil
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return append(dst, "null"...), true, nil
	}
	if !l.kind.holds(text) {
		return nil, false, &ValueError{Key: l.text.key, Type: map[leafKind]string{asNumber: "a number", asBool: "true or false", asJSON: "JSON"}[l.kind]}
	}
	if l.kind != asJSON {
		return append(dst, text...), true, nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(text)); err != nil {
		return nil, false, &ValueError{Key: l.text.key, Type: "JSON"}
	}
	return append(dst, compact.Bytes()...), true, nil
}

// ValueError means that for this document, a leaf renders a text that is not of the leaf's type.
type ValueError struct {
	// Key is the key of the leaf, and Type the name of its type, such as "a number".
	Key, Type string
}

func (e *ValueError) Error() string { return e.Key + ": is not " + e.Type }

// holds reports whether the text is a value of the type.
func (k leafKind) holds(text string) bool {
	switch k {
	case asBool:
		return text == "true" || text == "false"
	case asNumber:
		return (text[0] == '-' || text[0] >= '0' && text[0] <= '9') && jsontext.Value(text).IsValid()
	default:
		return jsontext.Value(text).IsValid() // refuses duplicate names and invalid UTF-8
	}
}
