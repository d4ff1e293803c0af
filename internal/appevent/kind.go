// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package appevent

// Kind says what an event means to an analytics backend. The names are those of the track/identify
// family of APIs.
type Kind uint8

const (
	// KindTrack is something that happened. It is the default.
	KindTrack Kind = iota
	// KindIdentify sets traits on the actor.
	KindIdentify
	// KindPage is a page view.
	KindPage
	// KindScreen is a view of a screen in an app.
	KindScreen
	// KindGroup adds the actor to a group and sets traits on the group.
	KindGroup
	// KindAlias says that the previous id and the actor's id are the same person.
	KindAlias
)

var kindNames = [...]string{"track", "identify", "page", "screen", "group", "alias"}

// String returns the kind as it is written in [AttrKind]; an invalid kind is "track".
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return kindNames[KindTrack]
	}
	return kindNames[k]
}

// ParseKind is the inverse of [Kind.String]. It reports whether s is a kind.
func ParseKind(s string) (Kind, bool) {
	for k, name := range kindNames {
		if s == name {
			return Kind(k), true
		}
	}
	return KindTrack, false
}

// Kinds returns the names of all kinds, in order. Do not change the slice.
func Kinds() []string { return kindNames[:] }
