// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package pattern matches names of events and attributes against patterns. In a pattern, * matches
// any number of characters, and every other character matches itself.
package pattern

import "strings"

// Match reports whether the name matches the pattern. It takes at most time proportional to the
// product of their lengths.
func Match(pattern, name string) bool {
	prefix, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == name
	}
	if !strings.HasPrefix(name, prefix) {
		return false
	}
	name = name[len(prefix):]
	for {
		literal, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(name, literal)
		}
		at := strings.Index(name, literal) // the first match leaves the most text for the rest
		if at < 0 {
			return false
		}
		name, rest = name[at+len(literal):], after
	}
}

// Any reports whether the name matches one of the patterns.
func Any(patterns []string, name string) bool {
	for _, p := range patterns {
		if Match(p, name) {
			return true
		}
	}
	return false
}
