// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cases

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// maxDepth limits how deeply values are nested; an alias could hold itself.
const maxDepth = 100

// toJSON returns a YAML value as JSON. Numbers keep their digits.
func toJSON(node *yaml.Node) ([]byte, error) { return appendNode(nil, node, 0) }

func appendNode(dst []byte, node *yaml.Node, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("is nested more than %d levels deep", maxDepth)
	}
	switch node.Kind {
	case yaml.AliasNode:
		return appendNode(dst, node.Alias, depth+1)
	case yaml.MappingNode:
		return appendMap(dst, node, depth)
	case yaml.SequenceNode:
		dst = append(dst, '[')
		for i, item := range node.Content {
			if i > 0 {
				dst = append(dst, ',')
			}
			var err error
			if dst, err = appendNode(dst, item, depth+1); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	default:
		return appendScalar(dst, node)
	}
}

func appendMap(dst []byte, node *yaml.Node, depth int) ([]byte, error) {
	dst = append(dst, '{')
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].ShortTag() == "!!merge" {
			return nil, errors.New("<<: is not supported; repeat the keys")
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, node.Content[i].Value), ':')
		var err error
		if dst, err = appendNode(dst, node.Content[i+1], depth+1); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

func appendScalar(dst []byte, node *yaml.Node) ([]byte, error) {
	switch node.ShortTag() {
	case "!!null":
		return append(dst, "null"...), nil
	case "!!bool":
		var b bool
		err := node.Decode(&b)
		return strconv.AppendBool(dst, b), err
	case "!!int", "!!float":
		if json.Valid([]byte(node.Value)) {
			return append(dst, node.Value...), nil
		}
		var n any // such as 0x10 or +1
		if err := node.Decode(&n); err != nil {
			return nil, err
		}
		text, err := json.Marshal(n)
		if err != nil {
			return nil, fmt.Errorf("%s is not a number in JSON; write it in quotes", node.Value)
		}
		return append(dst, text...), nil
	default:
		return appendString(dst, node.Value), nil
	}
}

func appendString(dst []byte, text string) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // it cannot fail
	return append(dst, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
}

// decode decodes JSON. Numbers keep their digits.
func decode(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if decoder.More() {
		return nil, errors.New("more than one value")
	}
	return value, nil
}

// equal reports whether two decoded values are the same. Numbers are compared by their values.
func equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		other, ok := b.(map[string]any)
		if !ok || len(a) != len(other) {
			return false
		}
		for key, value := range a {
			if there, ok := other[key]; !ok || !equal(value, there) {
				return false
			}
		}
		return true
	case []any:
		other, ok := b.([]any)
		return ok && slices.EqualFunc(a, other, equal)
	case json.Number:
		other, ok := b.(json.Number)
		return ok && equalNumbers(string(a), string(other))
	default:
		return a == b
	}
}

// maxDigits limits the numbers that are compared by value: an exponent makes huge ones short.
const maxDigits = 400

func equalNumbers(a, b string) bool {
	if a == b {
		return true
	}
	x, okX := number(a)
	y, okY := number(b)
	return okX && okY && x.Cmp(y) == 0
}

func number(text string) (*big.Rat, bool) {
	if f, err := strconv.ParseFloat(text, 64); err != nil || len(text) > maxDigits || f == 0 && len(text) > len("-0.0") {
		return nil, false // too large, or so small that it has many digits
	}
	return new(big.Rat).SetString(text)
}
