// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package appevent

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/bits"
	"strings"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// AppendID appends the event's id: the producer's, else a UUIDv8 (RFC 9562, section 5.8) derived
// from resource, scope, time, trace and span id, name, attributes and body. Equal content has equal
// ids, in any attribute order; a producer whose records may be equal must set log.record.uid.
func (e *Event) AppendID(dst []byte) []byte {
	if e.UID != "" {
		return append(dst, e.UID...)
	}
	if e.derivedID != "" {
		return append(dst, e.derivedID...)
	}
	return appendUUID(dst, e.digest())
}

// ID returns the id that [Event.AppendID] appends.
func (e *Event) ID() string {
	if e.UID != "" {
		return e.UID
	}
	if e.derivedID == "" {
		var buf [36]byte
		e.derivedID = string(e.AppendID(buf[:0]))
	}
	return e.derivedID
}

// Digest is a hash of content. Equal content has equal digests; collisions are negligible unless a
// sender constructs them.
type Digest = xxh3.Uint128

// Hasher computes digests. The zero value is ready for use; one Hasher serves one goroutine.
type Hasher struct{ hasher hasher }

// Source returns the digest of a resource and a scope. The order of attributes does not matter.
func (h *Hasher) Source(resource pcommon.Resource, scope pcommon.InstrumentationScope) Digest {
	return h.hasher.source(&Source{Resource: resource, Scope: scope})
}

func (e *Event) digest() Digest {
	h := &e.hasher
	h.buf = h.buf[:0]
	if !e.Source.digested {
		e.Source.digest, e.Source.digested = h.source(e.Source), true
	}
	attributes := h.attributes(e.attributes, e.Name)

	buf := h.buf[:0]
	buf = appendDigest(buf, e.Source.digest)
	buf = binary.BigEndian.AppendUint64(buf, uint64(e.Time))
	buf = append(buf, e.TraceID[:]...)
	buf = append(buf, e.SpanID[:]...)
	buf = appendString(buf, e.Name)
	buf = appendDigest(buf, attributes)
	h.buf = buf
	h.value(e.Body)
	return xxh3.Hash128(h.buf)
}

// hasher writes content in a canonical form: each value is a type byte followed by a fixed number
// of bytes, or by a length and that many bytes. Maps are unordered in OTLP, so a map is the sum of
// the digests of its entries.
type hasher struct{ buf []byte }

func (h *hasher) source(s *Source) xxh3.Uint128 {
	h.buf = h.buf[:0]
	resource := h.attributes(s.Resource.Attributes(), "")
	scope := h.attributes(s.Scope.Attributes(), "")
	h.buf = appendDigest(h.buf[:0], resource)
	h.buf = appendString(h.buf, s.Scope.Name())
	h.buf = appendString(h.buf, s.Scope.Version())
	h.buf = appendDigest(h.buf, scope)
	return xxh3.Hash128(h.buf)
}

// attributes skips an attribute that only repeats the event's name, so that the id is the same
// whether or not a processor promoted it.
func (h *hasher) attributes(m pcommon.Map, name string) xxh3.Uint128 {
	var sum xxh3.Uint128
	for k, v := range m.All() {
		if (k == AttrEventName || k == AttrPlainEventName) && v.Type() == pcommon.ValueTypeStr && v.Str() == name {
			continue
		}
		start := len(h.buf)
		h.buf = appendString(h.buf, k)
		h.value(v)
		sum = add(sum, xxh3.Hash128(h.buf[start:]))
		h.buf = h.buf[:start]
	}
	return sum
}

func (h *hasher) value(v pcommon.Value) {
	h.buf = append(h.buf, byte(v.Type())) //nolint:gosec // there are eight types
	switch v.Type() {
	case pcommon.ValueTypeStr:
		h.buf = appendString(h.buf, v.Str())
	case pcommon.ValueTypeInt:
		h.buf = binary.BigEndian.AppendUint64(h.buf, uint64(v.Int())) //nolint:gosec // bits, not a number
	case pcommon.ValueTypeDouble:
		h.buf = binary.BigEndian.AppendUint64(h.buf, math.Float64bits(v.Double()))
	case pcommon.ValueTypeBool:
		if v.Bool() {
			h.buf = append(h.buf, 1)
		} else {
			h.buf = append(h.buf, 0)
		}
	case pcommon.ValueTypeBytes:
		b := v.Bytes()
		h.buf = binary.BigEndian.AppendUint64(h.buf, uint64(b.Len())) //nolint:gosec // a length
		for _, c := range b.All() {
			h.buf = append(h.buf, c)
		}
	case pcommon.ValueTypeSlice:
		s := v.Slice()
		h.buf = binary.BigEndian.AppendUint64(h.buf, uint64(s.Len())) //nolint:gosec // a length
		for _, item := range s.All() {
			h.value(item)
		}
	case pcommon.ValueTypeMap:
		sum := h.attributes(v.Map(), "")
		h.buf = appendDigest(h.buf, sum)
	case pcommon.ValueTypeEmpty:
	}
}

func add(a, b xxh3.Uint128) xxh3.Uint128 {
	lo, carry := bits.Add64(a.Lo, b.Lo, 0)
	hi, _ := bits.Add64(a.Hi, b.Hi, carry)
	return xxh3.Uint128{Hi: hi, Lo: lo}
}

func appendString(dst []byte, s string) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(len(s)))
	return append(dst, s...)
}

func appendDigest(dst []byte, d xxh3.Uint128) []byte {
	dst = binary.BigEndian.AppendUint64(dst, d.Hi)
	return binary.BigEndian.AppendUint64(dst, d.Lo)
}

// appendUUID appends the digest as a UUID with version 8 and the variant of RFC 9562.
func appendUUID(dst []byte, d xxh3.Uint128) []byte {
	var u [16]byte
	binary.BigEndian.PutUint64(u[:8], d.Hi)
	binary.BigEndian.PutUint64(u[8:], d.Lo)
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80

	dst = hex.AppendEncode(dst, u[0:4])
	dst = append(dst, '-')
	dst = hex.AppendEncode(dst, u[4:6])
	dst = append(dst, '-')
	dst = hex.AppendEncode(dst, u[6:8])
	dst = append(dst, '-')
	dst = hex.AppendEncode(dst, u[8:10])
	dst = append(dst, '-')
	return hex.AppendEncode(dst, u[10:16])
}

// StampIDs sets log.record.uid on every record that lacks it, so that the id stays the same when a
// processor changes the record on its way to one backend. It changes ld.
func StampIDs(ld plog.Logs) {
	e := &Event{}
	ids := &idAllocator{}
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			e.Source = nil
			for i, record := range sl.LogRecords().All() {
				attributes := record.Attributes()
				if _, ok := attributes.Get(AttrID); ok {
					continue
				}
				if e.Source == nil {
					e.Source = NewSource(rl.Resource(), sl.Scope())
				}
				e.readRecord(record)
				attributes.EnsureCapacity(attributes.Len() + 1) // appending would double the capacity
				attributes.PutStr(AttrID, ids.next(e, sl.LogRecords().Len()-i))
			}
		}
	}
}

// idAllocator allocates ids, many per block. A block stays alive as long as one of its ids does.
type idAllocator struct{ block strings.Builder }

const (
	idLen       = 36
	idsPerBlock = 64
)

// next returns the event's id as a string. more is the number of ids still needed, this one
// included.
func (t *idAllocator) next(e *Event, more int) string {
	if t.block.Cap()-t.block.Len() < idLen {
		t.block = strings.Builder{}
		t.block.Grow(idLen * min(more, idsPerBlock))
	}
	var buf [idLen]byte
	start := t.block.Len()
	t.block.Write(e.AppendID(buf[:0]))
	return t.block.String()[start:]
}
