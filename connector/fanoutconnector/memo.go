// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

// memo remembers the routes of names. Names repeat, and a look here takes half the time of a walk along the tree. Its size is
// fixed, whatever names come, and it copies them, so that it keeps no batch alive.
type memo [256]remembered

// remembered is a name and its route. The zero value is no name's.
type remembered struct {
	route  int32
	length int32
	name   [longestRemembered]byte
}

const (
	shortestRemembered = 8
	longestRemembered  = 56
)

// find is the table's find.
func (m *memo) find(t *table, name string) int {
	if len(name) < shortestRemembered || len(name) > longestRemembered {
		return t.find(name)
	}
	at := slotOf(name)
	first, second := &m[at], &m[at^1]
	switch {
	case first.is(name):
		return int(first.route)
	case second.is(name):
		return int(second.route)
	}
	*second = *first                                // so that two names of one slot do not take turns
	first.route = int32(t.find(name))               //nolint:gosec // there are fewer routes
	first.length = int32(copy(first.name[:], name)) //nolint:gosec // it is short
	return int(first.route)
}

func (r *remembered) is(name string) bool { return string(r.name[:r.length]) == name }

// slotOf mixes what names differ in: their length, first, middle and last characters.
func slotOf(name string) uint64 {
	n := len(name)
	mixed := word(name) ^ word(name[n/2-4:])<<3 ^ word(name[n-8:])<<7 ^ uint64(n)
	return mixed * 0x9e3779b97f4a7c15 >> (64 - 8) // Fibonacci hashing
}

// word is the first eight bytes of the text. It compiles to one load.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
