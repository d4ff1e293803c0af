// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cases

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var (
	// badEscape matches a tilde that stands for nothing.
	badEscape = regexp.MustCompile(`~([^01]|$)`)
	// arrayIndex matches the index of an item.
	arrayIndex = regexp.MustCompile(`^(0|[1-9][0-9]*)$`)
)

// checkPointer returns an error unless the text is a JSON pointer (RFC 6901).
func checkPointer(text string) error {
	switch {
	case text != "" && !strings.HasPrefix(text, "/"):
		return fmt.Errorf("%q is not a JSON pointer; write one such as /batch/0/event", text)
	case badEscape.MatchString(text):
		return fmt.Errorf("%q is not a JSON pointer; write ~0 for ~, and ~1 for / in a name", text)
	}
	return nil
}

// find returns the value at a JSON pointer.
func find(value any, pointer string) (any, bool) {
	if pointer == "" {
		return value, true
	}
	for token := range strings.SplitSeq(pointer[1:], "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch v := value.(type) {
		case map[string]any:
			member, ok := v[token]
			if !ok {
				return nil, false
			}
			value = member
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || !arrayIndex.MatchString(token) || i >= len(v) {
				return nil, false
			}
			value = v[i]
		default:
			return nil, false
		}
	}
	return value, true
}

// valueOf decodes a body: JSON, or lines of which each is JSON, as an array.
func valueOf(body string) (any, error) {
	if value, err := decode([]byte(body)); err == nil {
		return value, nil
	}
	var lines []any
	for line := range strings.Lines(body) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		value, err := decode([]byte(line))
		if err != nil {
			return nil, fmt.Errorf("the body is neither JSON nor lines of JSON: %w", err)
		}
		lines = append(lines, value)
	}
	return lines, nil
}

// pretty returns a decoded value as indented JSON.
func pretty(value any) string {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}
