// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package privacyprocessor

import (
	"encoding/hex"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/detect"
)

// mask replaces masked data.
const mask = "****"

// match is a part of a text that a rule matches.
type match struct {
	detect.Extent

	rule int
}

// matcher holds the memory of change.
type matcher struct {
	found          []detect.Extent
	matches, other []match
	out, in, sum   []byte
}

// change applies the rules to the parts of a text that they match. All rules look at the text as it
// was; where two match the same part, the first one applies. gone reports whether the text was nothing
// but dropped data, ok whether a rule matches.
func (w *walker) change(text string) (changed string, gone, ok bool) {
	if text == "" || len(w.rules.texts) == 0 {
		return text, false, false
	}
	features := detect.FeaturesOf(text)
	w.matches = w.matches[:0]
	for i := range w.rules.texts {
		rule := &w.rules.texts[i]
		if features&rule.features != rule.features {
			continue
		}
		if w.found = rule.find(w.found[:0], text); len(w.found) > 0 {
			w.merge(rule.rule)
		}
	}
	if len(w.matches) == 0 {
		return text, false, false
	}
	changed = w.rewrite(text)
	return changed, strings.TrimSpace(changed) == "", true
}

// merge adds what a rule found to the matches. Of what overlaps a match of an earlier rule, only the rest
// is added.
func (w *walker) merge(rule int) {
	merged, next := w.other[:0], 0
	for _, e := range w.found {
		for next < len(w.matches) && w.matches[next].Start < e.End {
			m := w.matches[next]
			if e.Start < m.Start {
				merged = append(merged, match{detect.Extent{Start: e.Start, End: m.Start}, rule})
			}
			e.Start = max(e.Start, m.End)
			if m.End > e.End { // it may overlap what was found next, too
				break
			}
			merged = append(merged, m)
			next++
		}
		if e.Start < e.End {
			merged = append(merged, match{e, rule})
		}
	}
	merged = append(merged, w.matches[next:]...)
	w.matches, w.other = merged, w.matches
}

// rewrite returns the text with each match replaced.
func (w *walker) rewrite(text string) string {
	w.out = w.out[:0]
	end := 0
	for _, m := range w.matches {
		w.out = append(w.out, text[end:m.Start]...)
		w.out = w.replace(w.out, text[m.Start:m.End], m.rule)
		end = m.End
	}
	return string(append(w.out, text[end:]...))
}

// replace appends what takes the place of personal data.
func (w *walker) replace(dst []byte, data string, rule int) []byte {
	w.changes[rule]++
	switch w.rules.actions[rule] {
	case ActionHash:
		w.mac.Reset()
		w.in = append(w.in[:0], data...)
		_, _ = w.mac.Write(w.in) // it cannot fail
		w.sum = w.mac.Sum(w.sum[:0])
		return hex.AppendEncode(dst, w.sum)
	case ActionMask:
		return append(dst, mask...)
	default:
		return dst
	}
}
