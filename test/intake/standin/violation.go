// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"fmt"
	"strings"
)

// Rule is a vendor's rule for requests.
type Rule string

// Rules of JSON, for any vendor (RFC 7493).
const (
	// RuleUTF8: JSON is valid UTF-8, including escapes.
	RuleUTF8 Rule = "utf-8"
	// RuleDuplicateName: an object has no duplicate names.
	RuleDuplicateName Rule = "duplicate-name"
)

// Violation is a broken rule. It is an error.
//
//nolint:errname // It is a violation first; only some functions return it as an error.
type Violation struct {
	// Rule is the rule that the request breaks.
	Rule Rule
	// Where is the location, such as "item 0 (event).exception.values[1].mechanism".
	Where string
	// Message says what is wrong. Its subject is Where.
	Message string
}

// Error implements error.
func (v *Violation) Error() string { return fmt.Sprintf("%s %s (rule %q)", v.Where, v.Message, v.Rule) }

// Violate returns a violation.
func Violate(rule Rule, where, format string, args ...any) *Violation {
	return &Violation{Rule: rule, Where: where, Message: fmt.Sprintf(format, args...)}
}

// Checker collects violations.
type Checker struct{ Violations []Violation }

// Violate records a violation.
func (c *Checker) Violate(rule Rule, where, format string, args ...any) {
	c.Violations = append(c.Violations, *Violate(rule, where, format, args...))
}

// report lists violations, one per line.
func report(violations []Violation) string {
	var lines strings.Builder
	for i := range violations {
		lines.WriteString("\n  " + violations[i].Error())
	}
	return lines.String()
}
