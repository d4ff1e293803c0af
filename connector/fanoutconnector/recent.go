// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"encoding/hex"
	"hash/maphash"
	"sync/atomic"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

const (
	// recentSlots is how many events a recentRoutes remembers at most.
	recentSlots = 1 << 14

	// maxHashedID is how many bytes of an ID are hashed. The status extension keeps at least as many of a
	// longer ID, so it finds its route.
	maxHashedID = 120
)

// recentRoutes remembers which routes recent events took. The hash of an event's ID selects a slot,
// and the event replaces the one before it there.
type recentRoutes struct {
	// seed is random, so that a client cannot choose IDs that all select one slot.
	seed maphash.Seed
	// slots hold the bits of the hash that do not select the slot, and the index of the route plus
	// one; 0 if there was no event.
	slots [recentSlots]atomic.Uint64
}

func newRecentRoutes() *recentRoutes { return &recentRoutes{seed: maphash.MakeSeed()} }

// addRecord remembers the route of a log record by its log.record.uid.
func (r *recentRoutes) addRecord(uid pcommon.Value, route int) { r.add(r.hash(uidOf(uid)), route) }

// addSpan remembers the route of a span by its ID in hexadecimal, which is its ID in exporters.
func (r *recentRoutes) addSpan(id pcommon.SpanID, route int) {
	if id.IsEmpty() {
		return
	}
	var text [2 * len(id)]byte
	hex.Encode(text[:], id[:])
	r.add(maphash.Bytes(r.seed, text[:]), route)
}

// add leaves out routes whose index does not fit into a slot.
func (r *recentRoutes) add(hash uint64, route int) {
	if word := uint64(route) + 1; word < recentSlots { //nolint:gosec // an index is not negative
		r.slots[hash%recentSlots].Store(hash/recentSlots*recentSlots | word)
	}
}

// find returns the index of the route that an event took, unless later events replaced it.
func (r *recentRoutes) find(id string) (route int, known bool) {
	if id == "" {
		return 0, false
	}
	hash := r.hash(id)
	word := r.slots[hash%recentSlots].Load()
	if word%recentSlots == 0 || word/recentSlots != hash/recentSlots {
		return 0, false
	}
	return int(word%recentSlots) - 1, true
}

func (r *recentRoutes) hash(id string) uint64 {
	return maphash.String(r.seed, id[:min(len(id), maxHashedID)])
}

// rememberStamped remembers the routes of the records of a batch that got IDs after they were routed.
func rememberStamped(ld plog.Logs, t *table, recent *recentRoutes) {
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				attributes := readAttributes(record.Attributes())
				route := t.routeOf(nameOf(record, attributes.kind), attributes.kind)
				recent.addRecord(attributes.id, route)
			}
		}
	}
}

// uidOf returns the value of log.record.uid as exporters read it.
func uidOf(id pcommon.Value) string {
	if id.Type() == pcommon.ValueTypeStr {
		return id.Str()
	}
	return id.AsString()
}
