// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

// nameSet is a Bloom filter for the names of a few attributes. mayHave may also report names that
// are not in the set: for example, all names that begin with $ share one bit.
type nameSet uint64

const (
	dollarBit nameSet = 1
	allNames          = ^nameSet(0)
)

// mayHave reports false only if the name is not in the set.
func (s nameSet) mayHave(name string) bool { return s&nameBit(name) != 0 }

// nameBit returns the set of one name.
func nameBit(name string) nameSet {
	if name == "" || name[0] == '$' {
		return dollarBit
	}
	return 1 << ((uint(len(name))*31 + uint(name[0])*5 + uint(name[len(name)-1])*3) % 64)
}
