// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRingIsLikeASlowModel enters and changes entries at random.
func TestRingIsLikeASlowModel(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		r := newRing(1 + random.IntN(70))
		var entered, changed []uint64 // numbers, the last one at the end
		for step := range int64(300) {
			if len(entered) == 0 || random.IntN(2) == 0 {
				number := r.enter(step).number
				entered, changed = append(entered, number), append(changed, number)
			} else {
				number := entered[random.IntN(len(entered))]
				r.touch(r.get(number), step)
				changed = append(slices.DeleteFunc(changed, func(n uint64) bool { return n == number }), number)
			}
			if len(entered) > r.size {
				require.Nil(t, r.get(entered[0]))
				changed = slices.DeleteFunc(changed, func(n uint64) bool { return n == entered[0] })
				entered = entered[1:]
			}
			var got []uint64
			last := r.changes + 1
			for e := range r.byChange {
				got = append(got, e.number)
				require.Less(t, e.change, last)
				last = e.change
			}
			slices.Reverse(got)
			require.Equal(t, changed, got, "seed %d", seed)
			require.Equal(t, entered[0], r.first())
			require.LessOrEqual(t, cap(r.entries), r.size)
			for _, number := range entered {
				require.Equal(t, number, r.get(number).number)
			}
			require.Nil(t, r.get(0))
			require.Nil(t, r.get(r.next))
		}
	}
}
