// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// numberedBatch is a batch in memory of the pool, whose events tell which batch they are of.
func numberedBatch(pool *Pool, number, events int) *Batch {
	w := NewWriter(pool)
	for range events {
		w.End(fmt.Appendf(w.Begin(Meta{}), "batch %06d", number))
	}
	return w.Take()
}

func TestMemoryIsReusedAfterRelease(t *testing.T) {
	var pool Pool
	r := rand.New(rand.NewPCG(1, 2))
	held := map[*Batch]string{}
	for number := range 3000 {
		want := fmt.Sprintf("batch %06d", number)
		for _, piece := range numberedBatch(&pool, number, 10).Split(1+r.IntN(10), math.MaxInt) {
			held[piece] = want
		}
		for b, want := range held { // in no order
			for _, event := range b.Events() {
				require.Equal(t, want, string(event.Payload))
			}
			if r.IntN(3) == 0 {
				delete(held, b)
				b.Release()
				b.Release() // to no effect
			}
		}
	}
}

func TestMemoryOfMergedBatchesIsReusedAfterRelease(t *testing.T) {
	var pool Pool
	const size = 7
	rest, next := numberedBatch(&pool, 0, size), 0
	for number := 1; number < 1000; number++ {
		rest.Append(numberedBatch(&pool, number, size))
		pieces := rest.Split(5, math.MaxInt)
		for _, piece := range pieces[:len(pieces)-1] {
			for _, event := range piece.Events() {
				require.Equal(t, fmt.Sprintf("batch %06d", next/size), string(event.Payload))
				next++
			}
			piece.Release()
		}
		rest = pieces[len(pieces)-1]
	}
}

func TestStringsOutliveTheMemory(t *testing.T) {
	var pool Pool
	w := NewWriter(&pool)
	w.End(append(w.Begin(Meta{ID: "first", Name: "name"}), "payload"...))
	b := w.Take()
	event := b.Events()[0]
	b.Release()
	for range 10 {
		w.End(append(w.Begin(Meta{ID: "other", Name: "more"}), "payload"...))
		w.Take().Release()
	}
	assert.Equal(t, Meta{ID: "first", Name: "name"}, event.Meta)
}

func TestMemoryIsAboutAsLargeAsItsEvents(t *testing.T) {
	var pool Pool
	numberedBatch(&pool, 1, 10_000).Release()
	small := numberedBatch(&pool, 2, 1)
	assert.LessOrEqual(t, cap(small.parts[0].memory.buf), 2*small.Size())
}
