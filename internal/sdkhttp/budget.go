// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sdkhttp

import (
	"errors"
	"io"
	"sync/atomic"
)

// The errors of a [Hold].
var (
	// ErrFull is returned if other requests hold the rest of the budget. The request can be sent
	// again later.
	ErrFull = errors.New("the request bodies in flight fill the budget")
	// ErrTooLarge is returned if the request has more bytes than it may hold.
	ErrTooLarge = errors.New("the request has more bytes than it may hold")
)

// Budget bounds the bytes that a server's requests hold at the same time. Its methods are safe for
// concurrent use.
type Budget struct {
	limit int64
	used  atomic.Int64
	// whole is the budget that this one is a share of, or nil.
	whole *Budget
}

// NewBudget returns a budget of limit bytes.
func NewBudget(limit int64) *Budget { return &Budget{limit: limit} }

// Share returns a budget for some of the requests. What they hold counts in both, so that they
// leave the rest of b to others.
func (b *Budget) Share(limit int64) *Budget { return &Budget{limit: min(limit, b.limit), whole: b} }

// Limit returns the size of the budget in bytes.
func (b *Budget) Limit() int64 { return b.limit }

// Used returns the number of bytes held.
func (b *Budget) Used() int64 { return b.used.Load() }

func (b *Budget) take(n int64) bool {
	if b.whole != nil && !b.whole.take(n) {
		return false
	}
	if b.used.Add(n) <= b.limit {
		return true
	}
	b.give(n)
	return false
}

func (b *Budget) give(n int64) {
	b.used.Add(-n)
	if b.whole != nil {
		b.whole.give(n)
	}
}

// Hold is the part of a budget that one request holds. It is for one goroutine.
type Hold struct {
	budget *Budget
	limit  int64
	bytes  int64
	err    error
}

// Hold returns an empty hold of at most limit bytes. It must be released.
func (b *Budget) Hold(limit int64) *Hold { return &Hold{budget: b, limit: min(limit, b.limit)} }

// Limit returns how many bytes the request may hold.
func (h *Hold) Limit() int64 { return h.limit }

// Err returns ErrFull or ErrTooLarge if the request was refused, else nil.
func (h *Hold) Err() error { return h.err }

// Refuse makes further reads fail with ErrTooLarge. Call it if the request is known to be larger
// than it may be, to refuse it without reading.
func (h *Hold) Refuse() { h.err = ErrTooLarge }

// Count returns a reader that adds the bytes read from body to the hold as they arrive. It fails
// when the hold or the budget has no room for them.
func (h *Hold) Count(body io.ReadCloser) io.ReadCloser {
	return &countedBody{ReadCloser: body, hold: h}
}

// Promote moves what is held from a share to the whole budget, and lifts the limit of the hold. Call
// it when the client has shown who it is.
func (h *Hold) Promote() {
	whole := h.budget.whole
	if whole == nil {
		return
	}
	h.budget.used.Add(-h.bytes)
	h.budget, h.limit = whole, whole.limit
}

// Release returns what is held to the budget. A second call does nothing.
func (h *Hold) Release() {
	h.budget.give(h.bytes)
	h.bytes = 0
}

func (h *Hold) add(n int64) error {
	switch {
	case h.bytes+n > h.limit:
		h.err = ErrTooLarge
	case !h.budget.take(n):
		h.err = ErrFull
	default:
		h.bytes += n
	}
	return h.err
}

type countedBody struct {
	io.ReadCloser
	hold *Hold
}

// Read implements io.Reader.
func (c *countedBody) Read(p []byte) (int, error) {
	if c.hold.err != nil {
		return 0, c.hold.err
	}
	n, err := c.ReadCloser.Read(p)
	if refused := c.hold.add(int64(n)); refused != nil {
		return 0, refused
	}
	return n, err
}
