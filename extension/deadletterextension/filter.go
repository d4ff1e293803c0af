// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"bytes"
	"context"
	"io"
	"math"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// filter selects dead letters by their heads and keys, without parsing their payloads.
type filter struct {
	deadletter.Filter
	// name is the part of the name, in lower case.
	name []byte
	// key is nil if the filter has none. A malformed key selects nothing.
	key       *letterKey
	malformed bool
}

func newFilter(which deadletter.Filter) filter {
	f := filter{Filter: which, name: []byte(strings.ToLower(which.Name))}
	if which.Key != "" {
		key, ok := parseKey(which.Key)
		f.key, f.malformed = &key, !ok
		f.Limit = 1 // identical dead letters have the same key
	}
	return f
}

// all reports whether the filter selects every dead letter, up to the limit.
func (f *filter) all() bool {
	which := f.Filter
	which.Limit = 0
	return which == deadletter.Filter{}
}

// left returns how many more dead letters the filter selects after n.
func (f *filter) left(n int) int {
	if f.Limit == 0 {
		return math.MaxInt
	}
	return f.Limit - n
}

// opens reports whether selected dead letters may be in the file with this number.
func (f *filter) opens(file uint64) bool { return f.key == nil || !f.malformed && f.key.file == file }

// passes reports whether selected dead letters may be among those of a tally.
func (f *filter) passes(count *tally) bool {
	if f.Reason != "" && count.reasons[f.Reason] == 0 && count.reasons[otherReason] == 0 {
		return false
	}
	return f.Before.IsZero() || !count.oldest.IsZero() && count.oldest.Before(f.Before)
}

// selects reports whether the filter selects a dead letter. One without a time is not before any.
func (f *filter) selects(l *line, h *head) bool {
	return (f.Reason == "" || h.reason == f.Reason) &&
		(f.Status == 0 || h.status == f.Status) &&
		(f.Before.IsZero() || !h.failedAt.IsZero() && h.failedAt.Before(f.Before)) &&
		(f.ID == "" || string(h.id) == f.ID) &&
		(len(f.name) == 0 || bytes.Contains(bytes.ToLower(h.name), f.name)) &&
		(f.key == nil || !f.malformed && digestOf(l.text) == f.key.digest)
}

// scan reads a file until ctx ends, and calls visit with each selected dead letter. It returns the
// number of the file's lines that are not dead letters.
func (f *filter) scan(ctx context.Context, in io.Reader, visit func(line)) (unreadable int, err error) {
	count, _, err := scan(&cancelableReader{ctx, in}, func(l line, h head) {
		if f.selects(&l, &h) {
			visit(l)
		}
	})
	return count.unreadable, err
}

// cancelableReader fails when ctx ends.
type cancelableReader struct {
	ctx context.Context
	in  io.Reader
}

func (r *cancelableReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.in.Read(p)
}
