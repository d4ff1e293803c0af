// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package pattern matches names of events and attributes against patterns. In a pattern, * matches
// any number of characters, and every other character matches itself.
package pattern

import (
	"fmt"
	"strings"
	"unicode"
)

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

// Check returns an error if a pattern looks like a regular expression or like a pattern of a shell,
// which would match nothing. Its error says what to write. Names in words, such as "[Web] Opened" or
// "Was it useful?", may contain any character.
func Check(pattern string) error {
	switch special := foreign(pattern); special {
	case "":
		return nil
	case "^", "$":
		return fmt.Errorf("%q: only * is special in a pattern, which matches the whole name; remove %s", pattern, special)
	default:
		return fmt.Errorf("%q: only * is special in a pattern, so %s matches only itself; write * for any text, such as signup_*", pattern, special)
	}
}

// CheckAll returns the error of Check for the first of the patterns that has one.
func CheckAll(patterns []string) error {
	for _, p := range patterns {
		if err := Check(p); err != nil {
			return err
		}
	}
	return nil
}

// foreign returns the first part of a pattern that is special elsewhere, or "".
func foreign(pattern string) string {
	switch {
	case strings.HasPrefix(pattern, "^"):
		return "^"
	case len(pattern) > 1 && strings.HasSuffix(pattern, "$") && !strings.HasSuffix(pattern, " $"):
		return "$"
	case strings.ContainsFunc(pattern, unicode.IsSpace): // a name in words
		return ""
	case strings.Contains(pattern, "?"):
		return "?"
	case strings.Contains(pattern, "["):
		return "[...]"
	}
	return ""
}
