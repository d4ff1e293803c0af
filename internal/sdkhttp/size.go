// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sdkhttp

import (
	"encoding"
	"fmt"
	"math"

	"github.com/dustin/go-humanize"
)

// Size is a number of bytes. A configuration writes it as a number, or as text with a unit, such as
// 64MiB.
type Size int64

var _ encoding.TextUnmarshaler = (*Size)(nil)

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(text []byte) error {
	bytes, err := humanize.ParseBytes(string(text))
	if err != nil || bytes > math.MaxInt64 {
		return fmt.Errorf("%q is not a size; write a number of bytes, or a size with a unit, such as 64MiB", text)
	}
	*s = Size(bytes)
	return nil
}
