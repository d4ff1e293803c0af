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

// pairing finds exceptions that are reported twice: with
// OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN=logs/dup, an SDK records each one as a span event and as a log
// record. The logs and the traces of an exporter share one pairing. It keeps only the latest
// exceptions, and is safe for concurrent use.
type pairing struct {
	mu      sync.Mutex
	reports map[xxh3.Uint128]*reported
	// order has the keys by age: a ring buffer whose oldest is at next.
	order []xxh3.Uint128
	next  int
}

// reported has the times of the reports of one exception, by signal, and for each pair of reports the
// signal that came first.
type reported struct {
	times [2][]pcommon.Timestamp
	first []signal
}

const (
	maxPaired   = 4096 // exceptions
	maxRepeated = 16   // reports of one exception by one signal
)

type signal int

const (
	fromLogs signal = iota
	fromTraces
)

// identify returns the id of the Issue that an event becomes. duplicate means that the other signal
// has already reported the exception.
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

// pairKey returns a digest of the fields that are the same in both reports of an exception: all except
// the time. It returns false for an exception without a span.
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

// report returns the number of this report of an exception, from 0, and whether the other signal has
// already made it: the nth report by one signal pairs with the nth by the other. A report that a
// client resends has the same time, and so the same number.
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
