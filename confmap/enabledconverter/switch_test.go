// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package enabledconverter

import (
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

func TestParseSwitch(t *testing.T) {
	for _, tt := range []struct {
		name  string
		value any
		want  bool
	}{
		{"true", true, true},
		{"false", false, false},
		{"null", nil, false},
		{"empty string", "", false},
		{"only space", " \t", false},
		{"true as text", "true", true},
		{"false as text", "false", false},
		{"1 as text", "1", true},
		{"0 as text", "0", false},
		{"1", 1, true},
		{"0", 0, false},
		{"int64", int64(1), true},
		{"uint64", uint64(0), false},
		{"yes", "yes", true},
		{"no", "no", false},
		{"on", "on", true},
		{"off", "off", false},
		{"mixed case", "YeS", true},
		{"space around a word", " Off\n", false},
		{"value from a provider", xconfmap.ExpandedValue{Value: true, Original: "true"}, true},
		{"unset environment variable", xconfmap.ExpandedValue{Value: nil, Original: ""}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			on, err := parseSwitch(tt.value)
			assert.NoError(t, err)
			assert.Equal(t, tt.want, on)
		})
	}
}

func TestEnabledIfSetNeedsText(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config map[string]any
		want   bool
	}{
		{"path", map[string]any{"enabled_if_set": "/var/lib/fanout"}, true},
		{"word that means false for enabled", map[string]any{"enabled_if_set": "off"}, true},
		{"environment variable with a number", map[string]any{"enabled_if_set": xconfmap.ExpandedValue{Value: 0, Original: "0"}}, true},
		{"unset environment variable", map[string]any{"enabled_if_set": xconfmap.ExpandedValue{Value: nil, Original: ""}}, false},
		{"only space", map[string]any{"enabled_if_set": " "}, false},
		{"empty string", map[string]any{"enabled_if_set": ""}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			key, on, err := readSwitch(tt.config)
			assert.NoError(t, err)
			assert.Equal(t, "enabled_if_set", key)
			assert.Equal(t, tt.want, on)
		})
	}
}

func TestInvalidSwitchErrorShowsTheValue(t *testing.T) {
	const remedy = " is not a switch; write true or false (or 1/0, yes/no, on/off; empty is false)"
	for _, tt := range []struct {
		name  string
		value any
		want  string
	}{
		{"word", "maybe", `"maybe"`},
		{"line break", "a\nb", `"a\nb"`},
		{"word of 32 characters", strings.Repeat("é", 32), `"` + strings.Repeat("é", 32) + `"`},
		{"longer word is truncated", strings.Repeat("é", 33), `"` + strings.Repeat("é", 31) + `…"`},
		{"look-alike of yes", "yeſ", `"yeſ"`},
		{"integer", 2, "2"},
		{"negative integer", -1, "-1"},
		{"largest unsigned integer", uint64(math.MaxUint64), "18446744073709551615"},
		{"whole floating-point number", 1.0, "a number with a decimal point"},
		{"map", map[string]any{"token": "secret"}, "a map"},
		{"empty map", map[string]any{}, "a map"},
		{"map with other keys", map[any]any{1: 2}, "a map"},
		{"list", []any{true}, "a list"},
		{"date", time.Now(), "a date"},
		{"other type", struct{}{}, "a struct {}"},
		{"map from a provider", xconfmap.ExpandedValue{Value: map[string]any{}}, "a map"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			on, err := parseSwitch(tt.value)
			assert.EqualError(t, err, tt.want+remedy)
			assert.False(t, on)
		})
	}
}

func FuzzParseSwitch(f *testing.F) {
	for _, word := range []string{"", "true", " FALSE ", "1", "0", "yes", "No", "on", "off", "maybe", "a\nb", "\xff", strings.Repeat("x", 99)} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		on, err := parseSwitch(word)
		again, _ := parseSwitch(" " + word + "\t")
		assert.Equal(t, on, again, "space around a word matters")
		if err == nil {
			return
		}

		assert.False(t, on)
		assert.NotContains(t, err.Error(), "\n")
		assert.True(t, utf8.ValidString(err.Error()))
		if utf8.RuneCountInString(word) > maxShownValue {
			assert.NotContains(t, err.Error(), string([]rune(word)[:maxShownValue]))
		}
	})
}
