// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package pattern

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPatternsOfOtherLanguagesAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"signup_?":         `"signup_?": only * is special in a pattern, so ? matches only itself; write * for any text, such as signup_*`,
		"order_[0-9]*":     `"order_[0-9]*": only * is special in a pattern, so [...] matches only itself; write * for any text, such as signup_*`,
		"^signup_*":        `"^signup_*": only * is special in a pattern, which matches the whole name; remove ^`,
		"^Order Completed": `"^Order Completed": only * is special in a pattern, which matches the whole name; remove ^`,
		"signup_*$":        `"signup_*$": only * is special in a pattern, which matches the whole name; remove $`,
	} {
		assert.EqualError(t, Check(text), want)
	}
	for _, name := range []string{"", "*", "$", "$pageview", "$ai_*", "http.*", "order placed", "[Web] Order Opened", "Was it useful?", "Price in $", "a|b", "signup_*"} {
		assert.NoError(t, Check(name), name)
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"order_placed", "order_placed", true},
		{"order_placed", "order_placed2", false},
		{"order_*", "order_placed", true},
		{"order_*", "order_", true},
		{"order_*", "reorder_placed", false},
		{"*_placed", "order_placed", true},
		{"*_placed", "order_placed_again", false},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "a-c-b", false},
		{"a*a", "a", false},
		{"*", "", true},
		{"*", "any/thing", true},
		{"**", "x", true},
		{"", "", true},
		{"", "x", false},
		{"[x]?", "[x]?", true},
		{"[x]?", "xy", false},
	} {
		assert.Equal(t, c.want, Match(c.pattern, c.name), "%q, %q", c.pattern, c.name)
	}
	assert.True(t, Any([]string{"a", "b*"}, "bc"))
	assert.False(t, Any(nil, "bc"))
}

// FuzzMatch compares Match with an equivalent regular expression.
func FuzzMatch(f *testing.F) {
	f.Add("a*b*c", "a-b-b-c")
	f.Add("**a", "aaa")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 50 || strings.ToValidUTF8(pattern+name, "") != pattern+name {
			return
		}
		literals := strings.Split(pattern, "*")
		for i := range literals {
			literals[i] = regexp.QuoteMeta(literals[i])
		}
		want := regexp.MustCompile(`(?s)\A` + strings.Join(literals, ".*") + `\z`).MatchString(name)
		if got := Match(pattern, name); got != want {
			t.Fatalf("%q, %q: %v", pattern, name, got)
		}
	})
}
