// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"slices"
	"time"
)

// responseTimes remembers how long the last requests took.
type responseTimes struct {
	last  [100]time.Duration
	count int
}

func (r *responseTimes) add(took time.Duration) {
	r.last[r.count%len(r.last)] = took
	r.count++
}

func (r *responseTimes) summary() ResponseTime {
	sorted := slices.Clone(r.last[:min(r.count, len(r.last))])
	n := len(sorted)
	if n == 0 {
		return ResponseTime{}
	}
	slices.Sort(sorted)
	var sum time.Duration
	for _, took := range sorted {
		sum += took
	}
	// The nearest rank: the smallest time that is not exceeded by 50 and 95 % of the requests.
	return ResponseTime{Requests: n, Mean: sum / time.Duration(n), P50: sorted[(n*50+99)/100-1], P95: sorted[(n*95+99)/100-1]}
}
