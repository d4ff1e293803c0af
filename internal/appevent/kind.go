// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package appevent

// Kind says what an event does at an analytics backend. The words are those of the track/identify family of
// APIs that such backends share.
type Kind uint8

const (
	// KindTrack is something that happened. It is the kind of every event that names no other.
	KindTrack Kind = iota
	// KindIdentify sets traits on the actor.
	KindIdentify
	// KindPage is a page that was viewed.
	KindPage
	// KindScreen is a screen of an app that was viewed.
	KindScreen
	// KindGroup puts the actor in a group, and sets traits on the group.
	KindGroup
	// KindAlias says that the previous id and the actor's id are the same person.
	KindAlias
)

var kindNames = [...]string{"track", "identify", "page", "screen", "group", "alias"}

// String is the kind as it is written in [AttrKind].
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return kindNames[KindTrack]
	}
	return kindNames[k]
}

// ParseKind is the inverse of [Kind.String]; it reports whether s is a kind.
func ParseKind(s string) (Kind, bool) {
	for k, name := range kindNames {
		if s == name {
			return Kind(k), true
		}
	}
	return KindTrack, false
}

// Kinds lists the kinds in their order.
func Kinds() []string { return kindNames[:] }
