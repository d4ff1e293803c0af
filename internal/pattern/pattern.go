// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package pattern matches names, such as those of events and attributes, against patterns in which * stands for any
// characters, or none. Everything else stands for itself.
package pattern

import "strings"

// Match reports whether the name matches the pattern. Its time is at most their lengths multiplied.
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
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(name, part)
		}
		at := strings.Index(name, part) // the first place leaves most for what follows
		if at < 0 {
			return false
		}
		name, rest = name[at+len(part):], after
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
