// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"fmt"
	"strings"
)

// Rule is one of a vendor's rules for what is sent to it.
type Rule string

// Rules of JSON, for any vendor (RFC 7493).
const (
	// RuleUTF8: JSON is UTF-8, escapes included.
	RuleUTF8 Rule = "utf-8"
	// RuleDuplicateName: an object has no name twice.
	RuleDuplicateName Rule = "duplicate-name"
)

// Violation is a rule that was broken. It is an error.
//
//nolint:errname // What is broken is a rule of a vendor's; it is an error only where there is nothing else to return.
type Violation struct {
	// Rule is the rule.
	Rule Rule
	// Where is the place, such as "item 0 (event).exception.values[1].mechanism".
	Where string
	// Message says what is wrong there. Where is its subject.
	Message string
}

// Error implements error.
func (v *Violation) Error() string { return fmt.Sprintf("%s %s (rule %q)", v.Where, v.Message, v.Rule) }

// Violate is a violation with this message.
func Violate(rule Rule, where, format string, args ...any) *Violation {
	return &Violation{Rule: rule, Where: where, Message: fmt.Sprintf(format, args...)}
}

// Checker collects violations.
type Checker struct{ Violations []Violation }

// Violate notes a violation.
func (c *Checker) Violate(rule Rule, where, format string, args ...any) {
	c.Violations = append(c.Violations, *Violate(rule, where, format, args...))
}

// report lists violations, each on a line.
func report(violations []Violation) string {
	var lines strings.Builder
	for i := range violations {
		lines.WriteString("\n  " + violations[i].Error())
	}
	return lines.String()
}
