// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package jsonappend

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Clock appends the times of events. Many of them happen in the same second, so that is made once. The zero value is ready for use;
// one Clock serves one goroutine.
type Clock struct {
	second pcommon.Timestamp // the last one
	text   []byte            // as a string, but for its end
}

// Time is the package's [Time].
func (c *Clock) Time(dst []byte, t pcommon.Timestamp) []byte {
	t = min(t, math.MaxInt64)
	return append(appendFraction(c.Second(dst, t), t%1e9), 'Z', '"')
}

// Second appends the time up to the digits of its second. What may follow is a fraction and the end of the string.
func (c *Clock) Second(dst []byte, t pcommon.Timestamp) []byte {
	t = min(t, math.MaxInt64)
	if second := t / 1e9; len(c.text) == 0 || c.second != second {
		c.second, c.text = second, appendSecond(c.text[:0], t)
	}
	return append(dst, c.text...)
}
