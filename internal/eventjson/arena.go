// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import "strings"

// arena keeps short strings side by side in blocks, so that few of them cost an allocation. A string keeps its block alive,
// so blocks are small.
type arena struct {
	block strings.Builder
	left  int // of the body, at the most, to be kept
}

const (
	blockSize = 4 << 10
	// longString is the length from which on a string has memory of its own.
	longString = 512
)

// begin starts a body of so many bytes. What was kept before shares no block with what will be.
func (a *arena) begin(size int) {
	a.block.Reset()
	a.left = size
}

// keep returns the string of these bytes.
func (a *arena) keep(raw []byte) string {
	if len(raw) >= longString {
		return string(raw)
	}
	if len(raw) == 0 {
		return ""
	}
	if a.block.Cap()-a.block.Len() < len(raw) {
		a.left -= a.block.Len()
		a.block.Reset()
		a.block.Grow(max(len(raw), min(a.left, blockSize)))
	}
	begin := a.block.Len()
	a.block.Write(raw)
	return a.block.String()[begin:]
}
