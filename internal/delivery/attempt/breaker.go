// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package attempt

import (
	"net/http"
	"sync"
)

const (
	// manyFailures in a row, of requests to one URL, end the sending to it.
	manyFailures = 5
	// fewFailures are enough where there is no response, or one that is about the backend rather
	// than the request.
	fewFailures = 3
)

// breaker ends the sending of an attempt to a URL where further requests would fare no better: when
// the backend asks to be left alone, and when nothing but failures comes. One failure alone says
// little about the next request. Its methods are safe for concurrent use; the zero value lets all
// pass.
type breaker struct {
	mu       sync.Mutex
	stopped  bool           // for all URLs
	failures map[string]int // in a row, by URL
	open     map[string]bool
}

// record notes how a request to a URL ended.
func (b *breaker) record(url string, e *ending) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case e.pending: // the attempt is at its end
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

// isOpen reports whether requests to a URL are held back.
func (b *breaker) isOpen(url string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stopped || b.open[url]
}
