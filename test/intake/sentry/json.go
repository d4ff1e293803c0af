// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// decode reads one JSON value, with numbers as they are written. It wants UTF-8, and no name twice in an object. What is not
// JSON at all breaks the rule that the caller names.
func decode(b []byte, rule Rule, where string) (any, *Violation) {
	if !utf8.Valid(b) {
		return nil, violate(RuleUTF8, where, "is not UTF-8")
	}
	strict := jsontext.NewDecoder(bytes.NewReader(b))
	_, err := strict.ReadValue()
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return nil, violate(RuleDuplicateName, where, "has a name twice: %v", err)
	}
	if err != nil && jsontext.Value(b).IsValid(jsontext.AllowInvalidUTF8(true)) {
		return nil, violate(RuleUTF8, where, "has half a surrogate pair: %v", err)
	}
	if err != nil {
		return nil, violate(rule, where, "is not JSON: %v", err)
	}
	if _, err := strict.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, violate(rule, where, "has something after its JSON value")
	}
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, violate(rule, where, "is not JSON: %v", err)
	}
	return value, nil
}
