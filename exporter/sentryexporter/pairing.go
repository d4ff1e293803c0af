// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"encoding/binary"
	"slices"
	"strings"
	"sync"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// pairing finds the exceptions that are reported twice: with OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN=logs/dup an SDK records each of
// them as a span event and as a log record. The two have the same trace, span, type, message and stack, but not the same time, since
// each is stamped on its own. So the nth report of an exception by one signal is taken to be the nth of the other, and the later of
// the two is left out. What a client sends again is known by its time: it has the same id and the same fate again.
//
// The logs and the traces of an exporter share one pairing. It remembers the last exceptions only; its methods are safe for
// concurrent use.
type pairing struct {
	mu      sync.Mutex
	reports map[xxh3.Uint128]*reported
	// order is the keys by age: a ring whose oldest is at next.
	order []xxh3.Uint128
	next  int
}

// reported are the times of the reports of one exception, by the signal, and which signal was the first to report each.
type reported struct {
	times [2][]pcommon.Timestamp
	first []signal
}

const (
	maxPaired   = 4096 // exceptions
	maxRepeated = 16   // reports of one
)

type signal int

const (
	fromLogs signal = iota
	fromTraces
)

// pairKey is what the two reports of an exception have in common. It is false for one that belongs to no span.
func pairKey(e *appevent.Event, destination string) (xxh3.Uint128, bool) {
	if e.TraceID.IsEmpty() || e.SpanID.IsEmpty() || !e.IsException() {
		return xxh3.Uint128{}, false
	}
	h := xxh3.New()
	_, _ = h.Write(e.TraceID[:])
	_, _ = h.Write(e.SpanID[:])
	for _, s := range []string{e.Exception.Type, e.Exception.Message, strings.TrimSpace(e.Exception.Stacktrace), destination} {
		var size [8]byte
		binary.LittleEndian.PutUint64(size[:], uint64(len(s)))
		_, _ = h.Write(size[:])
		_, _ = h.WriteString(s)
	}
	return h.Sum128(), true
}

// report takes note of a report, and tells which of this exception it is, from 0 on, and whether the other signal has reported
// it before.
func (p *pairing) report(key xxh3.Uint128, from signal, at pcommon.Timestamp) (n int, duplicate bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.remember(key)
	own := &r.times[from]
	n = slices.Index(*own, at)
	if n < 0 {
		n = len(*own)
		if n == maxRepeated {
			return n, false
		}
		*own = append(*own, at)
	}
	if n == len(r.first) {
		r.first = append(r.first, from)
	}
	return n, r.first[n] != from
}

func (p *pairing) remember(key xxh3.Uint128) *reported {
	if r, ok := p.reports[key]; ok {
		return r
	}
	if p.reports == nil {
		p.reports = map[xxh3.Uint128]*reported{}
	}
	if len(p.order) < maxPaired {
		p.order = append(p.order, key)
	} else {
		delete(p.reports, p.order[p.next])
		p.order[p.next] = key
		p.next = (p.next + 1) % maxPaired
	}
	r := &reported{}
	p.reports[key] = r
	return r
}

// eventID is the id of an Issue's event: the same for both reports of an exception, and for every retry.
type eventID [16]byte

// idOf is the event's own id where its producer gave it one. What this collector has stamped (UUIDs of version 8) is made of the
// record, and so differs between the two reports of an exception.
func idOf(e *appevent.Event, key xxh3.Uint128, paired bool, n int) eventID {
	id, ok := parseUUID(e.ID())
	switch {
	case paired && (e.UID == "" || ok && id[6]>>4 == 8):
		key.Lo += uint64(n) //nolint:gosec // not negative
		return uuidOf(key)
	case ok:
		return id
	default:
		return uuidOf(xxh3.HashString128(e.ID()))
	}
}

// uuidOf is a digest as a UUID of version 8 (RFC 9562, section 5.8).
func uuidOf(d xxh3.Uint128) (id eventID) {
	binary.BigEndian.PutUint64(id[:8], d.Hi)
	binary.BigEndian.PutUint64(id[8:], d.Lo)
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// parseUUID reads 32 hexadecimal digits, with or without dashes. A UUID of zeros is none to Sentry.
func parseUUID(s string) (id eventID, ok bool) {
	switch len(s) {
	case 32:
	case 36:
		if s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
			return id, false
		}
	default:
		return id, false
	}
	bad := byte(0)
	at := 0
	for i := range id {
		if len(s) == 36 && (i == 4 || i == 6 || i == 8 || i == 10) {
			at++
		}
		high, low := hexDigit(s[at]), hexDigit(s[at+1])
		bad |= high | low
		id[i] = high<<4 | low&0xf
		at += 2
	}
	return id, bad <= 0xf && id != eventID{}
}

// hexDigit is the value of a hexadecimal digit, and more than 15 for anything else.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 0xff
}
