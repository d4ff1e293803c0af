// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package appevent

// bitset is a set of small numbers: indexes of attributes in a record.
type bitset struct {
	low  uint64
	high []uint64
}

// reset returns an empty set that reuses the memory.
func (b *bitset) reset() bitset {
	clear(b.high)
	return bitset{high: b.high}
}

func (b *bitset) set(i int) {
	if i < 64 {
		b.low |= 1 << i
		return
	}
	word := i/64 - 1
	for len(b.high) <= word {
		b.high = append(b.high, 0)
	}
	b.high[word] |= 1 << (i % 64)
}

func (b *bitset) clear(i int) {
	if i < 64 {
		b.low &^= 1 << i
		return
	}
	if word := i/64 - 1; word < len(b.high) {
		b.high[word] &^= 1 << (i % 64)
	}
}

func (b *bitset) has(i int) bool {
	if i < 64 {
		return b.low&(1<<i) != 0
	}
	word := i/64 - 1
	return word < len(b.high) && b.high[word]&(1<<(i%64)) != 0
}
