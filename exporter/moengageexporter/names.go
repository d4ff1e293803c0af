// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// limitedNames holds the names that were sent so far, up to a limit. Its methods are safe for
// concurrent use.
type limitedNames struct {
	max int

	mu    sync.Mutex
	names atomic.Pointer[map[string]struct{}] // replaced, never changed
}

// admit adds the name if there is room, and reports whether the set now contains it.
func (s *limitedNames) admit(name string) bool {
	if s.has(name) {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var names map[string]struct{}
	if known := s.names.Load(); known != nil {
		names = *known
	}
	if _, ok := names[name]; ok {
		return true
	}
	if len(names) >= s.max {
		return false
	}
	more := make(map[string]struct{}, len(names)+1)
	maps.Copy(more, names)
	more[strings.Clone(name)] = struct{}{}
	s.names.Store(&more)
	return true
}

func (s *limitedNames) has(name string) bool {
	names := s.names.Load()
	if names == nil {
		return false
	}
	_, ok := (*names)[name]
	return ok
}

// attributeName is the name of an attribute.
type attributeName struct {
	given string
	// valid is the name as MoEngage accepts it, and corrections has a bit for each correction that
	// made it so.
	valid       jsonappend.Name
	corrections uint32
	// deviceHint is true if addHint reads the attribute.
	deviceHint bool
}

func newAttributeName(name string) attributeName {
	valid, corrections := validName(name)
	if name == attrUnsubscribe {
		valid, corrections = name, 0
	}
	return attributeName{given: name, valid: jsonappend.NewName(valid), corrections: corrections, deviceHint: isDeviceHint(name)}
}

// knownNames caches names of attributes, since most events have the same few. Names whose slots
// collide evict each other.
type knownNames [256]attributeName

// of returns the name of an attribute, valid until the next call.
func (k *knownNames) of(name string) *attributeName {
	if len(name) == 0 {
		return &attributeName{}
	}
	known := &k[slotOf(name)]
	if known.given == name {
		return known
	}
	if len(name) > maxName {
		long := newAttributeName(name)
		return &long
	}
	*known = newAttributeName(strings.Clone(name))
	return known
}

func slotOf(name string) uint8 {
	return uint8(len(name)*31 + int(name[0])*7 + int(name[len(name)-1])) //nolint:gosec // the lowest bits
}

// validEventName returns the name of an event as MoEngage accepts it.
func (enc *encoder) validEventName(name string) string {
	if len(name) <= maxName && strings.IndexByte(name, '.') < 0 && !strings.HasPrefix(name, reservedPrefix) {
		return name
	}
	valid, corrections := validName(name)
	enc.noted.addBits(corrections)
	return valid
}

// validName returns a name as MoEngage accepts it, and a bit for each correction.
func validName(name string) (valid string, corrections uint32) {
	name = appevent.ValidText(name)
	if strings.Contains(name, ".") { // MoEngage would insert a space after each
		corrections |= 1 << correctedPeriod
		name = strings.ReplaceAll(name, ".", "_")
	}
	if strings.HasPrefix(name, reservedPrefix) {
		corrections |= 1 << correctedReserved
		name = "_" + name
	}
	if utf8.RuneCountInString(name) > maxName {
		corrections |= 1 << correctedName
		name = firstCharacters(name, maxName)
	}
	return name, corrections
}
