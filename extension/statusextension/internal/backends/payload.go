// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"bytes"
	"container/list"
	"slices"
	"sync"
)

// maxPayload is how many bytes of a payload are shown. A few more are kept: a secret that continues
// there is recognized.
const (
	maxPayload    = 16 << 10
	payloadMargin = 1 << 10
)

// maxPayloads is how many bytes the payloads of a backend may have together.
const maxPayloads = 64 << 20

// payload is the beginning of an encoded event.
type payload struct {
	entry     uint64
	kept      *list.Element // of keptPayloads.oldestFirst
	size      int
	bytes     []byte
	truncated bool

	// shown is the text without secrets. It replaces the bytes when it is asked for the first time: to look
	// for secrets takes long.
	redacting sync.Once
	shown     string
}

// keeps reports whether the payload of an event is remembered. failed is true if it was not
// delivered, or not yet.
func (p Payloads) keeps(failed bool) bool { return p == PayloadsAll || p == PayloadsFailures && failed }

// newPayload copies a payload; it returns nil if that is empty.
func newPayload(encoded []byte) *payload {
	if len(encoded) == 0 {
		return nil
	}
	size := min(len(encoded), maxPayload+payloadMargin)
	return &payload{size: size, bytes: bytes.Clone(encoded[:size]), truncated: len(encoded) > maxPayload}
}

// keptPayloads are the payloads of the entries of a ring.
type keptPayloads struct {
	bytes       int       // of all of them
	oldestFirst list.List // each is a *payload
}

// keepPayload keeps the payload of an entry that has none. If all payloads together are too large, it
// drops the oldest ones.
func (r *ring) keepPayload(e *entry, encoded []byte) {
	p := newPayload(encoded)
	if p == nil {
		return
	}
	k := &r.payloads
	p.entry, p.kept = e.number, k.oldestFirst.PushBack(p)
	k.bytes += p.size
	e.payload = p
	for k.bytes > maxPayloads {
		oldest := k.oldestFirst.Front().Value.(*payload)
		k.drop(r.get(oldest.entry))
	}
}

// drop drops the payload of an entry, if it has one.
func (k *keptPayloads) drop(e *entry) {
	if e.payload != nil {
		k.bytes -= e.payload.size
		k.oldestFirst.Remove(e.payload.kept)
		e.payload = nil
	}
}

// show returns the payload without secrets.
func (p *payload) show() (text string, truncated bool) {
	p.redacting.Do(func() {
		clean := redact(string(p.bytes))
		p.shown, p.truncated = cut(clean, maxPayload), p.truncated || len(clean) > maxPayload
		p.bytes = nil
	})
	return p.shown, p.truncated
}

// showPayloads sets the payloads of events, which were only referred to while their backend was
// locked. It begins with the last event. Those that would exceed maxBytes together are left out.
func showPayloads(events []Event, maxBytes int) {
	for i := range slices.Backward(events) {
		e := &events[i]
		if e.stored == nil {
			continue
		}
		if maxBytes -= e.stored.size; maxBytes < 0 {
			e.PayloadTruncated = true
		} else {
			e.Payload, e.PayloadTruncated = e.stored.show()
		}
		e.stored = nil
	}
}
