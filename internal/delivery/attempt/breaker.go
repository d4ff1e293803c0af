// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package attempt

import (
	"math/bits"
	"net/http"
	"sync"
)

const (
	// manyFailures is after how many failed requests in a row an attempt stops sending to a URL.
	manyFailures = 5
	// fewFailures is the same for failures without a response, or with one that concerns the backend
	// rather than the request.
	fewFailures = 3
)

// breaker stops an attempt from sending to a URL when the backend asks for a wait, or after several
// failures in a row: further requests would probably fail too. A single failure says little about
// the next request. Its methods are safe for concurrent use; the zero value is closed.
type breaker struct {
	// bisecting is true in an attempt that bisects requests that fail.
	bisecting bool

	mu       sync.Mutex
	stopped  bool           // open for all URLs
	failures map[string]int // in a row, by URL
	open     map[string]bool
}

// record notes the result of a request to a URL.
func (b *breaker) record(url string, e *requestResult, events int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case e.held:
		return
	case e.notSent: // the attempt is over
		b.stopped = true
		return
	case !e.failed:
		delete(b.failures, url)
		return
	case b.failures == nil:
		b.failures, b.open = map[string]int{}, map[string]bool{}
	}
	b.failures[url]++
	if b.failures[url] >= b.limit(e, events) {
		b.open[url] = true
	}
}

// limit returns after how many failures in a row such a result opens the breaker. Bisecting fails
// once per halving before it can succeed, but is pointless if the failure cannot be an event's fault.
func (b *breaker) limit(e *requestResult, events int) int {
	switch {
	case e.wait > 0:
		return 1
	case b.bisecting && e.mayBeEventsFault():
		return max(manyFailures, bits.Len(uint(events))+2)
	case e.status == 0, e.status == http.StatusTooManyRequests, e.status == http.StatusServiceUnavailable:
		return fewFailures
	default:
		return manyFailures
	}
}

// isOpen reports whether no more requests are sent to a URL.
func (b *breaker) isOpen(url string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stopped || b.open[url]
}
