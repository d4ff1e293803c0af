// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package batch

// Writer packs encoded events. The zero value is ready for use; it serves one goroutine at a time.
type Writer struct {
	records, payloads []byte
	count             int
	skips             []Skip
	pool              *Pool // nil if memory is not reused

	// complete is the end of the records of finished events; payload is the start of the payload of
	// the current one.
	complete, payload int
}

// keptMemory is the size in bytes up to which a writer reuses its memory for the next batch.
const keptMemory = 1 << 20

// NewWriter returns a writer whose batches take their memory from the pool.
func NewWriter(pool *Pool) *Writer { return &Writer{pool: pool} }

// Begin starts an event. Append the payload to the bytes that it returns, and pass the result to
// [Writer.End].
func (w *Writer) Begin(m Meta) []byte {
	w.records = appendMeta(w.records[:w.complete], &m)
	w.payload = len(w.payloads)
	return w.payloads
}

// SetVendorID sets [Meta.VendorID] of the event that Begin started, without allocating a string.
func (w *Writer) SetVendorID(id []byte) { w.records = appendField(w.records, tagVendorID, id) }

// SetKey sets [Meta.Key] of the event that Begin started, without allocating a string.
func (w *Writer) SetKey(key []byte) { w.records = appendField(w.records, tagKey, key) }

// End finishes the event that Begin started.
func (w *Writer) End(payloads []byte) {
	setSizes(w.records[w.complete:], len(payloads)-w.payload)
	w.complete, w.payloads = len(w.records), payloads
	w.count++
}

// Skip notes that a part of the current record is not for the backend, although the rest is.
func (w *Writer) Skip(reason Skip) { w.skips = append(w.skips, reason) }

// Size is the number of bytes written since the last Take.
func (w *Writer) Size() int { return w.complete + len(w.payloads) }

// TakeSkips returns and clears what [Writer.Skip] noted. The slice is valid until the next Skip.
func (w *Writer) TakeSkips() []Skip {
	skips := w.skips
	w.skips = w.skips[:0]
	return skips
}

// Take returns the written events as a batch with memory of its own, and resets the writer.
func (w *Writer) Take() *Batch {
	b := &Batch{}
	if w.count > 0 {
		b.add(w.pool.pack(w.records[:w.complete], w.payloads, w.count))
	}
	w.complete, w.payloads, w.count = 0, w.payloads[:0], 0
	return b
}

// Reset discards what was written, and memory that has grown large.
func (w *Writer) Reset() {
	w.complete, w.payloads, w.count, w.skips = 0, w.payloads[:0], 0, w.skips[:0]
	if cap(w.payloads) > keptMemory {
		w.payloads = nil
	}
	if cap(w.records) > keptMemory {
		w.records = nil
	}
}

// Mark is a position to which [Writer.Rollback] returns.
type Mark struct{ records, payloads, count, skips int }

// Mark returns the current position.
func (w *Writer) Mark() Mark { return Mark{w.complete, len(w.payloads), w.count, len(w.skips)} }

// Rollback takes back the events written since the mark and, unless keepSkips, the skips: a record
// that becomes a dead letter is counted as that alone.
func (w *Writer) Rollback(m Mark, keepSkips bool) {
	w.complete, w.payloads, w.count = m.records, w.payloads[:m.payloads], m.count
	if !keepSkips {
		w.skips = w.skips[:m.skips]
	}
}
