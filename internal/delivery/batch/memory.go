// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"sync"
	"sync/atomic"
)

// Pool reuses the memory of the payloads of one exporter. The zero value is ready for use; a nil Pool
// reuses nothing.
type Pool struct{ pool sync.Pool }

// memory holds payloads. It returns to its pool when all of them are released; if one never is, the
// garbage collector frees it.
type memory struct {
	buf  []byte
	held atomic.Int32 // number of parts that hold it
	home *Pool
}

// pack copies events into a part. The memory for the payloads is at most twice their size.
func (pool *Pool) pack(records, payloads []byte, count int) part {
	m := pool.get()
	if n := len(payloads); cap(m.buf) < n || cap(m.buf) > 2*n {
		m.buf = make([]byte, 0, n)
	}
	m.buf = append(m.buf[:0], payloads...)
	return part{records: string(records), payloads: m.buf, count: count, memory: m}
}

func (pool *Pool) get() *memory {
	var m *memory
	if pool != nil {
		m, _ = pool.pool.Get().(*memory)
	}
	if m == nil {
		m = &memory{home: pool}
	}
	m.held.Store(1)
	return m
}

func (m *memory) hold() {
	if m != nil {
		m.held.Add(1)
	}
}

func (m *memory) release() {
	if m != nil && m.held.Add(-1) == 0 && m.home != nil {
		m.home.pool.Put(m)
	}
}
