// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"encoding/binary"
	"errors"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Writer packs encoded events one behind the other in one piece of memory without pointers, which is what the queue
// holds. An event is its time (8 bytes), the length of its payload (4), of its id (2), its name (2), its category (1)
// and its destination (2), all little endian, and then these in the same order.
type Writer struct {
	buf   []byte
	count int
	// where the event that is being written begins, and its payload
	start, payload int
	skips          []Skip
	// memories is where what is taken is copied to; it may be nil.
	memories *memories
}

const (
	headSize     = 8 + 4 + 2 + 2 + 1 + 2
	maxText      = 1<<16 - 1
	maxCategory  = 1<<8 - 1
	payloadPlace = 8
)

// Begin starts an event. Append its payload to what it returns, and give that to [Writer.End].
func (w *Writer) Begin(m Meta) []byte {
	m.ID, m.Name, m.Destination = cut(m.ID, maxText), cut(m.Name, maxText), cut(m.Destination, maxText)
	m.Category = cut(m.Category, maxCategory)
	w.start = len(w.buf)
	buf := binary.LittleEndian.AppendUint64(w.buf, uint64(m.Time))
	buf = append(buf, 0, 0, 0, 0)                                           // the payload's length, which End knows
	buf = binary.LittleEndian.AppendUint16(buf, uint16(len(m.ID)))          //nolint:gosec // cut above
	buf = binary.LittleEndian.AppendUint16(buf, uint16(len(m.Name)))        //nolint:gosec // cut above
	buf = append(buf, byte(len(m.Category)))                                //nolint:gosec // cut above
	buf = binary.LittleEndian.AppendUint16(buf, uint16(len(m.Destination))) //nolint:gosec // cut above
	buf = append(buf, m.ID...)
	buf = append(buf, m.Name...)
	buf = append(buf, m.Category...)
	buf = append(buf, m.Destination...)
	w.payload = len(buf)
	return buf
}

// End finishes the event that Begin has started.
func (w *Writer) End(buf []byte) {
	binary.LittleEndian.PutUint32(buf[w.start+payloadPlace:], uint32(len(buf)-w.payload)) //nolint:gosec // far below 4 GiB
	w.buf = buf
	w.count++
}

// Skip notes that a part of what is being encoded is not for the backend, where the rest of it is.
func (w *Writer) Skip(reason Skip) { w.skips = append(w.skips, reason) }

// Events are views of what was written. They are for tests; delivery reads what it has taken.
func (w *Writer) Events() []Event { return newBatch(w.take()).events() }

// Reset forgets what was written.
func (w *Writer) Reset() { w.buf, w.count, w.skips = w.buf[:0], 0, w.skips[:0] }

// rollback takes back what was written after mark.
func (w *Writer) rollback(mark, count int) { w.buf, w.count = w.buf[:mark], count }

func cut(s string, limit int) string {
	if len(s) > limit {
		return s[:limit]
	}
	return s
}

var errTorn = errors.New("the events in the queue are torn")

// unpack yields the packed events. Their strings and payloads are views of buf.
func unpack(buf []byte) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for len(buf) > 0 {
			size, err := packedSize(buf)
			if err != nil {
				yield(Event{}, err)
				return
			}
			if !yield(unpackOne(buf[:size:size]), nil) {
				return
			}
			buf = buf[size:]
		}
	}
}

// packedSize is the size of the first event in buf.
func packedSize(buf []byte) (int, error) {
	if len(buf) < headSize {
		return 0, errTorn
	}
	size := headSize + int(binary.LittleEndian.Uint32(buf[8:])) + int(binary.LittleEndian.Uint16(buf[12:])) +
		int(binary.LittleEndian.Uint16(buf[14:])) + int(buf[16]) + int(binary.LittleEndian.Uint16(buf[17:]))
	if size > len(buf) {
		return 0, errTorn
	}
	return size, nil
}

func unpackOne(buf []byte) Event {
	id, name := int(binary.LittleEndian.Uint16(buf[12:])), int(binary.LittleEndian.Uint16(buf[14:]))
	category, destination := int(buf[16]), int(binary.LittleEndian.Uint16(buf[17:]))
	rest := buf[headSize:]
	take := func(n int) string {
		s := view(rest[:n])
		rest = rest[n:]
		return s
	}
	return Event{
		Meta: Meta{
			Time: pcommon.Timestamp(binary.LittleEndian.Uint64(buf)),
			ID:   take(id), Name: take(name), Category: take(category), Destination: take(destination),
		},
		Payload: rest,
	}
}

// view is b as a string, without a copy. Packed events are never written again.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) } //nolint:gosec // see above

// part is packed events.
type part struct {
	buf   []byte
	count int
	// memory is what buf is in; nil where that is not to be used again.
	memory *memory
}

// split cuts off as many events as fit into the limits, but at least one. Both parts are in the memory that p holds.
func (p part) split(maxEvents, maxBytes int) (head, tail part) {
	if p.count <= maxEvents && len(p.buf) <= maxBytes {
		return p, part{}
	}
	at, n := 0, 0
	for n < p.count && n < maxEvents {
		size, err := packedSize(p.buf[at:])
		if err != nil {
			break
		}
		if n > 0 && at+size > maxBytes {
			break
		}
		at += size
		n++
	}
	return part{p.buf[:at:at], n, p.memory}, part{p.buf[at:], p.count - n, p.memory}
}

// take is what the writer has packed, in memory of not much more than its size.
func (w *Writer) take() part {
	m := w.memories.get()
	if n := len(w.buf); cap(m.buf) < n || cap(m.buf) > 2*n {
		m.buf = slices.Clone(w.buf)
	} else {
		m.buf = append(m.buf[:0], w.buf...)
	}
	p := part{buf: m.buf, count: w.count, memory: m}
	w.buf, w.count = w.buf[:0], 0
	return p
}

// memory is what parts are in. It is used again when each of them is released; where one never is, the garbage collector has it.
type memory struct {
	buf  []byte
	held atomic.Int32 // by how many parts
	home *memories
}

func (m *memory) hold() {
	if m != nil {
		m.held.Add(1)
	}
}

func (m *memory) release() {
	if m != nil && m.held.Add(-1) == 0 && m.home != nil {
		m.home.pool.Put(m)
	}
}

// memories are the memory that an exporter's parts are in. Those of nil are used once.
type memories struct{ pool sync.Pool }

// get returns memory that one part holds.
func (ms *memories) get() *memory {
	var m *memory
	if ms != nil {
		m, _ = ms.pool.Get().(*memory)
	}
	if m == nil {
		m = &memory{home: ms}
	}
	m.held.Store(1)
	return m
}
