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

// pairing finds the exceptions that are reported twice: with OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN=
// logs/dup an SDK records each as a span event and as a log record. The logs and the traces of an
// exporter share one. It remembers the last exceptions only, and is safe for concurrent use.
type pairing struct {
	mu      sync.Mutex
	reports map[xxh3.Uint128]*reported
	// order is the keys by age: a ring whose oldest is at next.
	order []xxh3.Uint128
	next  int
}

// reported are the times of the reports of one exception, by the signal, and which signal was the
// first to report each.
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

// identify returns the id of an event that is to become an Issue, and whether the other signal has
// reported the same exception before.
func (p *pairing) identify(e *appevent.Event, destination string, from signal) (id eventID, duplicate bool) {
	key, paired := pairKey(e, destination)
	n := 0
	if paired {
		if n, duplicate = p.report(key, from, e.Time); duplicate {
			return id, true
		}
	}
	return idOf(e, key, paired, n), false
}

// pairKey is what the two reports of an exception have in common: all but the time, since each is
// stamped on its own. It is false for an exception that belongs to no span.
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

// report returns which report of this exception it is, from 0 on, and whether the other signal has
// made it before: the nth report by one signal is taken for the nth by the other. A report that a
// client sends again has the same time, and so the same number.
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
