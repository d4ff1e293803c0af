// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package memoryguardextension

import "sync/atomic"

// budget bounds the bytes of all requests in flight. Its methods are safe for concurrent use.
type budget struct {
	max  int64
	used atomic.Int64
}

// reserve takes n bytes, all or nothing.
func (b *budget) reserve(n int64) bool {
	for {
		used := b.used.Load()
		if used+n > b.max {
			return false
		}
		if b.used.CompareAndSwap(used, used+n) {
			return true
		}
	}
}

func (b *budget) release(n int64) { b.used.Add(-n) }

func (b *budget) full() bool { return b.used.Load() >= b.max }
