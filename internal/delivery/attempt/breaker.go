// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package attempt

import (
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
	mu       sync.Mutex
	stopped  bool           // open for all URLs
	failures map[string]int // in a row, by URL
	open     map[string]bool
}

// record notes the result of a request to a URL.
func (b *breaker) record(url string, e *requestResult) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
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
	limit := manyFailures
	switch {
	case e.wait > 0:
		limit = 1
	case e.status == 0, e.status == http.StatusTooManyRequests, e.status == http.StatusServiceUnavailable:
		limit = fewFailures
	}
	if b.failures[url] >= limit {
		b.open[url] = true
	}
}

// isOpen reports whether no more requests are sent to a URL.
func (b *breaker) isOpen(url string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stopped || b.open[url]
}
