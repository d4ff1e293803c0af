// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package attempt

import (
	"fmt"
	"sync"
	"time"
)

// holds remembers, for the life of an exporter, until when backends asked to wait, by URL. A wait
// holds back every request to the URL, not only the events of the request that was answered. Its
// methods are safe for concurrent use; the zero value holds nothing back.
type holds struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// extend holds a URL back until a time, unless it is held back for longer already.
func (h *holds) extend(url string, until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.until == nil {
		h.until = map[string]time.Time{}
	}
	if until.After(h.until[url]) {
		h.until[url] = until
	}
}

// find returns until when a URL is held back, and whether it still is.
func (h *holds) find(url string, now time.Time) (time.Time, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	until, ok := h.until[url]
	if ok && !until.After(now) {
		delete(h.until, url)
		ok = false
	}
	return until, ok
}

// HeldError is the problem of an attempt that sends nothing, because the backend asked to wait.
type HeldError struct{ Until time.Time }

func (e *HeldError) Error() string {
	return fmt.Sprintf("the backend asked to wait until %s", e.Until.UTC().Format(time.RFC3339))
}
