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
		{"a boolean is taken as it is", true, true},
		{"false is taken as it is", false, false},
		{"null is false", nil, false},
		{"the empty string is false", "", false},
		{"only space is false", " \t", false},
		{"the word true is true", "true", true},
		{"the word false is false", "false", false},
		{"the digit 1 as text is true", "1", true},
		{"the digit 0 as text is false", "0", false},
		{"the integer 1 is true", 1, true},
		{"the integer 0 is false", 0, false},
		{"an integer of another width is taken", int64(1), true},
		{"an unsigned integer is taken", uint64(0), false},
		{"yes is true", "yes", true},
		{"no is false", "no", false},
		{"on is true", "on", true},
		{"off is false", "off", false},
		{"case does not matter", "YeS", true},
		{"space around a word does not matter", " Off\n", false},
		{"a value from a provider is looked into", xconfmap.ExpandedValue{Value: true, Original: "true"}, true},
		{"a value from an unset variable is false", xconfmap.ExpandedValue{Value: nil, Original: ""}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			on, err := parseSwitch(tt.value)
			assert.NoError(t, err)
			assert.Equal(t, tt.want, on)
		})
	}
}

func TestATextThatIsThereSwitchesOn(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config map[string]any
		want   bool
	}{
		{"a path", map[string]any{"enabled_if_set": "/var/lib/fanout"}, true},
		{"a word that another switch takes for false", map[string]any{"enabled_if_set": "off"}, true},
		{"a variable that is a number", map[string]any{"enabled_if_set": xconfmap.ExpandedValue{Value: 0, Original: "0"}}, true},
		{"a variable that is not set", map[string]any{"enabled_if_set": xconfmap.ExpandedValue{Value: nil, Original: ""}}, false},
		{"nothing but space", map[string]any{"enabled_if_set": " "}, false},
		{"the empty string", map[string]any{"enabled_if_set": ""}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			key, on, err := readSwitch(tt.config)
			assert.NoError(t, err)
			assert.Equal(t, "enabled_if_set", key)
			assert.Equal(t, tt.want, on)
		})
	}
}

func TestParseSwitchRefuses(t *testing.T) {
	const remedy = " is not a switch; write true or false (also taken: 1/0, yes/no, on/off; empty is false)"
	for _, tt := range []struct {
		name  string
		value any
		want  string
	}{
		{"another word is quoted", "maybe", `"maybe"`},
		{"a line break in a word is escaped", "a\nb", `"a\nb"`},
		{"a word of 32 characters is shown whole", strings.Repeat("é", 32), `"` + strings.Repeat("é", 32) + `"`},
		{"a longer word is cut to 32 characters", strings.Repeat("é", 33), `"` + strings.Repeat("é", 31) + `…"`},
		{"a look-alike of yes is not yes", "yeſ", `"yeſ"`},
		{"another integer is shown", 2, "2"},
		{"a negative integer is shown", -1, "-1"},
		{"the largest unsigned integer is shown", uint64(math.MaxUint64), "18446744073709551615"},
		{"a fraction is named even when it is whole", 1.0, "a number with a decimal point"},
		{"a map is named", map[string]any{"token": "secret"}, "a map"},
		{"an empty map is named", map[string]any{}, "a map"},
		{"a map of another type is named", map[any]any{1: 2}, "a map"},
		{"a list is named", []any{true}, "a list"},
		{"a date is named", time.Now(), "a date"},
		{"anything else is named by its type", struct{}{}, "a struct {}"},
		{"a map from a provider is named", xconfmap.ExpandedValue{Value: map[string]any{}}, "a map"},
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
