// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOffsetsOfTimeZones(t *testing.T) {
	for text, want := range map[string]any{
		"19800": 19800, "-12600": -12600, "20700.0": 20700, "0": 0, "-1800": -1800,
		"+05:30": 19800, "+0530": 19800, "-0330": -12600, "-1200": -43200, "+1400": 50400, "+05": 18000, "Z": 0,
		"330": nil, "+5": nil, "530": nil, "90000": nil, "+16:00": nil, "NaN": nil, "inf": nil, "": nil, "UTC": nil,
	} {
		if offset, ok := offsetOf(text, true); ok {
			assert.Equal(t, want, offset, text)
		} else {
			assert.Nil(t, want, text)
		}
	}
	_, ok := offsetOf("19800", false)
	assert.False(t, ok, "names of time zones are no numbers")
}
