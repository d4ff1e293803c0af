// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// reports counts what was dropped of a project's data and not yet told to Sentry (Sentry's SDK documentation, "Client
// Reports"). Its methods are safe for concurrent use.
type reports struct {
	mu     sync.Mutex
	counts map[discard]int64
}

// discard is why data of a category was dropped.
type discard struct{ reason, category string }

func (r *reports) add(counts map[discard]int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil {
		r.counts = map[discard]int64{}
	}
	for d, n := range counts {
		r.counts[d] += n
	}
}

// take returns what there is to tell, and forgets it. Whoever could not tell it adds it again.
func (r *reports) take() map[discard]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := r.counts
	r.counts = nil
	return counts
}

// discardReason is Sentry's word for why a letter that nobody keeps was dropped; empty where Sentry knows, since it was Sentry's
// own rate limit that dropped it.
func discardReason(letter *deadletter.Letter) string {
	switch letter.Reason {
	case deadletter.ReasonQueueFull:
		return "queue_overflow"
	case deadletter.ReasonExhausted, deadletter.ReasonShutdown:
		return "network_error"
	case deadletter.ReasonEncoding:
		return "internal_sdk_error"
	case deadletter.ReasonRateLimited:
		if letter.Status != 0 {
			return ""
		}
		return "ratelimit_backoff"
	default:
		return "send_error"
	}
}

// countDiscards adds what one letter comes to: a log counts as an item and by its bytes, a span that would have been part of a
// transaction as a span.
func countDiscards(counts map[discard]int64, letter *deadletter.Letter) {
	reason := discardReason(letter)
	if reason == "" {
		return
	}
	switch letter.Category {
	case categoryLog:
		counts[discard{reason, categoryLog}]++
		counts[discard{reason, categoryLogBytes}] += int64(len(letter.Payload))
	case categoryTransaction:
		counts[discard{reason, categorySpan}]++
	case "":
		// It never had bytes of Sentry's, and nobody knows what it would have been.
	default:
		counts[discard{reason, letter.Category}]++
	}
}

// appendReport appends a client report as an item of an envelope, with its header and the line feed before it.
func appendReport(dst []byte, counts map[discard]int64, now time.Time) []byte {
	payload := appendReportPayload(nil, counts, now)
	dst = append(dst, "\n{\"type\":\"client_report\",\"length\":"...)
	dst = strconv.AppendInt(dst, int64(len(payload)), 10)
	dst = append(dst, "}\n"...)
	return append(dst, payload...)
}

func appendReportPayload(dst []byte, counts map[discard]int64, now time.Time) []byte {
	dst = append(dst, `{"timestamp":`...)
	dst = jsonappend.Time(dst, pcommon.NewTimestampFromTime(now))
	dst = append(dst, `,"discarded_events":[`...)
	byName := func(a, b discard) int {
		return cmp.Or(cmp.Compare(a.reason, b.reason), cmp.Compare(a.category, b.category))
	}
	for i, d := range slices.SortedFunc(maps.Keys(counts), byName) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"reason":"`...)
		dst = append(dst, d.reason...)
		dst = append(dst, `","category":"`...)
		dst = append(dst, d.category...)
		dst = append(dst, `","quantity":`...)
		dst = strconv.AppendInt(dst, counts[d], 10)
		dst = append(dst, '}')
	}
	return append(dst, "]}"...)
}
