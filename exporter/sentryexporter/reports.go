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

// reports counts the dropped data of a project that no client report contains yet (Sentry's SDK
// documentation, "Client Reports"). Its methods are safe for concurrent use.
type reports struct {
	mu     sync.Mutex
	counts map[discard]int64
}

// discard is the reason for dropping data, and its category.
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

// take returns the counts and resets them. A caller that cannot deliver them must add them again.
func (r *reports) take() map[discard]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := r.counts
	r.counts = nil
	return counts
}

// discardReason returns Sentry's word for the reason of a loss. It is empty if Sentry responded with a
// 429, since it has then counted the event.
func discardReason(lost *deadletter.Letter) string {
	switch lost.Reason {
	case deadletter.ReasonQueueFull:
		return "queue_overflow"
	case deadletter.ReasonExhausted, deadletter.ReasonShutdown:
		return "network_error"
	case deadletter.ReasonEncoding:
		return "internal_sdk_error"
	case deadletter.ReasonRateLimited:
		if lost.Status != 0 {
			return ""
		}
		return "ratelimit_backoff"
	default:
		return "send_error"
	}
}

// countDiscards counts one lost event. A log counts by number and by bytes; a span that would have
// become part of a transaction counts as a span.
func countDiscards(counts map[discard]int64, lost *deadletter.Letter) {
	reason := discardReason(lost)
	if reason == "" {
		return
	}
	switch lost.Category {
	case categoryLog:
		counts[discard{reason, categoryLog}]++
		counts[discard{reason, categoryLogBytes}] += int64(len(lost.Payload))
	case categoryTransaction:
		counts[discard{reason, categorySpan}]++
	case "":
		// It was never encoded, so its category is unknown.
	default:
		counts[discard{reason, lost.Category}]++
	}
}

// appendReport appends a line feed and a client report as an item of an envelope.
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
