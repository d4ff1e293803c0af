// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package appevent

import "iter"

// Malformed is a set of attributes with the fanout prefix whose values have the wrong type. Their
// fields are empty, and they are no properties either, so their values are lost.
type Malformed uint16

const (
	malformedKind Malformed = 1 << iota
	malformedSubject
	malformedPreviousID
	malformedGroups
	malformedTraits
	malformedTraitsOnce
	malformedDestinations
	malformedFingerprint
	malformedHandled
)

// malformedAttributes names the attribute of each bit, in order, and what its value must be.
var malformedAttributes = [...]struct{ name, wanted string }{
	{AttrKind, "text"}, {AttrSubject, "text"}, {AttrPreviousID, "text"},
	{AttrGroups, "a map"}, {AttrTraits, "a map"}, {AttrTraitsOnce, "a map"}, {AttrDestinations, "a map"},
	{AttrFingerprint, "a list of texts, or a text"}, {AttrHandled, "true or false"},
}

// All yields the name of each attribute in the set, and what its value must be, such as "a map".
func (m Malformed) All() iter.Seq2[string, string] {
	return func(yield func(name, wanted string) bool) {
		for i, attribute := range malformedAttributes {
			if m&(1<<i) != 0 && !yield(attribute.name, attribute.wanted) {
				return
			}
		}
	}
}
