// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"bytes"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
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
	bytes     []byte
	truncated bool
}

// keeps reports whether the payload of an event is remembered. failed is true if it was not
// delivered, or not yet.
func (p Payloads) keeps(failed bool) bool { return p == PayloadsAll || p == PayloadsFailures && failed }

func isFailure(outcome statusfeed.Outcome) bool {
	return outcome != statusfeed.Delivered && outcome != statusfeed.Skipped
}

// newPayload copies a payload; it returns nil if that is empty.
func newPayload(encoded []byte) *payload {
	if len(encoded) == 0 {
		return nil
	}
	return &payload{bytes.Clone(encoded[:min(len(encoded), maxPayload+payloadMargin)]), len(encoded) > maxPayload}
}

// keptPayloads are the sizes of the payloads of a backend, in the order in which they were kept. Those
// that were dropped since count until it is their turn.
type keptPayloads struct {
	bytes int
	queue []keptPayload
}

type keptPayload struct {
	entry uint64
	bytes int
}

// keepPayload keeps the payload of an entry. If all payloads together are too large, it drops the first
// ones.
func (b *backend) keepPayload(e *entry, encoded []byte) {
	if e.payload = newPayload(encoded); e.payload == nil {
		return
	}
	k := &b.kept
	k.bytes += len(e.payload.bytes)
	k.queue = append(k.queue, keptPayload{e.number, len(e.payload.bytes)})
	for k.bytes > maxPayloads || k.queue[0].entry < b.ring.first() {
		first := k.queue[0]
		k.queue, k.bytes = k.queue[1:], k.bytes-first.bytes
		if old := b.ring.get(first.entry); old != nil {
			old.payload = nil
		}
	}
}

// show returns the payload without secrets.
func (p *payload) show() (text string, truncated bool) {
	text = redact(string(p.bytes))
	if len(text) > maxPayload {
		return cut(text, maxPayload), true
	}
	return text, p.truncated
}

// showPayloads sets the payloads of events, which were only referred to while their backend was
// locked.
func showPayloads(events []Event) {
	for i := range events {
		if e := &events[i]; e.stored != nil {
			e.Payload, e.PayloadTruncated = e.stored.show()
			e.stored = nil
		}
	}
}
