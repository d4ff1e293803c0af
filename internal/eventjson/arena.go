// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import "strings"

// arena stores short strings in shared blocks, to save allocations. A string keeps its whole block
// alive, so blocks are small.
type arena struct {
	block strings.Builder
	left  int // upper bound of the bytes still to be stored
}

const (
	blockSize = 4 << 10
	// longString is the length from which a string is allocated on its own.
	longString = 512
)

// begin starts a body of size bytes. Strings of different bodies never share a block.
func (a *arena) begin(size int) {
	a.block.Reset()
	a.left = size
}

// keep returns raw as a string.
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
