// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// Limits above which MoEngage silently truncates or drops data (help.moengage.com: Data Tracking
// Policies, and How to Understand the MoEngage Data Tracking Policy).
const (
	maxEventNames     = 512 // per workspace
	maxUserAttributes = 256 // per workspace
	maxAttributes     = 100 // per event
	maxName           = 200 // characters
	maxValue          = 512 // characters
	maxItems          = 50  // per array
)

const (
	// reservedPrefix begins the names that MoEngage reserves (moengage.com/docs/api/event/track-event).
	// attrUnsubscribe is the only one that may be set.
	reservedPrefix  = "moe_"
	attrUnsubscribe = "moe_unsubscribe"
	// anyNumber stands for no limit.
	anyNumber = math.MaxInt
	// maxDepth is how deep maps may be nested.
	maxDepth = 8
)

// fit shortens a string of more than maxValue bytes to maxValue characters. It reports false for a
// URL that is too long even without its query: a truncated one would lead elsewhere.
func (enc *encoder) fit(s string) (string, bool) {
	s = appevent.ValidText(s)
	if utf8.RuneCountInString(s) <= maxValue {
		return s, true
	}
	if short, ok := withoutQuery(s); ok {
		enc.noted[correctedURL]++
		return short, utf8.RuneCountInString(short) <= maxValue
	}
	enc.noted[correctedValue]++
	return firstCharacters(s, maxValue), true
}

// withoutQuery returns a URL without its query and fragment, and whether s is one.
func withoutQuery(s string) (string, bool) {
	if !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") {
		return s, false
	}
	s, _, _ = strings.Cut(s, "#")
	s, _, _ = strings.Cut(s, "?")
	return s, true
}

// isLongURL reports whether fit leaves the string out.
func isLongURL(s string) bool {
	if len(s) <= maxValue {
		return false
	}
	short, ok := withoutQuery(appevent.ValidText(s))
	return ok && utf8.RuneCountInString(short) > maxValue
}

// fitItem is like fit, but for items of arrays: even URLs are truncated rather than left out.
func (enc *encoder) fitItem(s string) string {
	if len(s) <= maxValue {
		return s
	}
	s, ok := enc.fit(s)
	if !ok {
		return firstCharacters(s, maxValue)
	}
	return s
}

// firstCharacters returns the first n characters of s, or all if it has fewer.
func firstCharacters(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
