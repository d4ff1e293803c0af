// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package jsonappend

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Clock appends timestamps as [Time] does, but caches the last second, since many events share one.
// The zero value is ready for use; one Clock serves one goroutine.
type Clock struct {
	second pcommon.Timestamp // the cached one
	text   []byte            // the cached second, as Second appends it
}

// Time appends t as [Time] does.
func (c *Clock) Time(dst []byte, t pcommon.Timestamp) []byte {
	t = min(t, math.MaxInt64)
	return append(appendFraction(c.Second(dst, t), t%1e9), 'Z', '"')
}

// Second appends the opening quote and t down to the second. The caller appends a fraction, if any,
// "Z" and the closing quote.
func (c *Clock) Second(dst []byte, t pcommon.Timestamp) []byte {
	t = min(t, math.MaxInt64)
	if second := t / 1e9; len(c.text) == 0 || c.second != second {
		c.second, c.text = second, appendSecond(c.text[:0], t)
	}
	return append(dst, c.text...)
}
