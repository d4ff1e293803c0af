// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// nameCache caches the names of attributes, of which there are few, and how to send their values. It
// outlives events and serves one goroutine.
type nameCache struct {
	privacy privacy
	json    *jsonappend.Writer
	known   map[string]*name
	first   *name  // the empty name; its next is the first name of the last object
	last    *name  // the name of the last lookup
	objects uint64 // how many objects were started
	scratch []byte
}

// name is a cached name of an attribute.
type name struct {
	text string
	// begin is a comma and the beginning of the member.
	begin string
	treat treatment
	trace traceField
	// special is true if its values need more than appendTyped.
	special bool
	// shared is true if a source has a shared attribute of this name.
	shared bool
	// object is the number of the last object with this name. An object has each name only once.
	object uint64
	// next is the name that followed this one last time, or this one itself.
	next *name
}

// Names for data that has no attribute in OpenTelemetry.
const (
	attrSubject      = "event.subject"
	attrKind         = "event.type"
	attrBody         = "body"
	attrTrimmed      = "otelcol.trimmed"
	attrPreviousID   = "user.previous_id"
	prefixGroup      = "group."
	prefixGroupTrait = "group.traits."
	prefixTrait      = "user.traits."
	prefixTraitOnce  = "user.traits_once."
)

// maxNames bounds the cache, because some applications generate names.
const maxNames = 4096

func newNameCache(p privacy) *nameCache {
	ns := &nameCache{privacy: p, known: map[string]*name{}}
	ns.json = &jsonappend.Writer{Mask: ns.masks}
	ns.forget()
	return ns
}

// of looks up a name. Most objects have the same names in the same order as the previous object, so
// the map is rarely needed.
func (ns *nameCache) of(text string) *name {
	next := ns.last.next
	if next.text != text {
		next = ns.find(text)
	}
	ns.last = next
	return next
}

func (ns *nameCache) find(text string) *name {
	n, ok := ns.known[text]
	if !ok {
		n = ns.newName(strings.Clone(text))
	}
	ns.last.next = n
	return n
}

func (ns *nameCache) newName(text string) *name {
	begin := append(jsonappend.String([]byte{','}, text), `:{"value":`...)
	n := &name{text: text, begin: string(begin), treat: ns.privacy.of(text), trace: traceFieldOf(text)}
	n.special = n.treat != treatPlain || n.trace != notInTraceHeader
	n.next = n
	ns.known[text] = n
	return n
}

// masks reports whether to mask a member of a map in an array, by the member's own name.
func (ns *nameCache) masks(member string) bool {
	treat := ns.of(member).treat
	return treat == treatSecret || treat == treatPersonal
}

// forgetIfLarge clears the cache if it is too large, and reports whether it did. Call it only between
// objects.
func (ns *nameCache) forgetIfLarge() bool {
	if len(ns.known) <= maxNames {
		return false
	}
	ns.forget()
	return true
}

func (ns *nameCache) forget() {
	clear(ns.known)
	ns.first = ns.newName("")
	ns.last = ns.first
}
