// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// maxSearches is how many files are searched at a time, so that searches leave the delivery of events
// a processor.
const maxSearches = 2

// find calls visit with the selected dead letters of an exporter, newest first, until visit returns
// false or ctx ends. It holds only one in memory at a time.
func (s *store) find(ctx context.Context, f *folder, which *filter, visit func(letterKey, *deadletter.Letter) bool) error {
	visited, more := 0, true
	seen := func(key letterKey, letter *deadletter.Letter) bool {
		visited++
		more = visit(key, letter) && which.left(visited) > 0
		return more
	}
	for _, seg := range slices.Backward(s.files(f, which)) {
		err := s.findInFile(ctx, seg, which, which.left(visited), seen)
		if errors.Is(err, os.ErrNotExist) {
			continue // removed in the meantime
		}
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// get returns one dead letter.
func (s *store) get(ctx context.Context, f *folder, key deadletter.Key) (*deadletter.Letter, error) {
	which := newFilter(deadletter.Filter{Key: key})
	var found *deadletter.Letter
	err := s.find(ctx, f, &which, func(_ letterKey, letter *deadletter.Letter) bool {
		found = letter
		return false
	})
	if err == nil && found == nil {
		err = unknownLetter(key)
	}
	return found, err
}

// files returns the files that may contain selected dead letters, oldest first. The counts rule a file
// out unless its size shows that another program has changed it.
func (s *store) files(f *folder, which *filter) []*segment {
	sizes := map[*segment]int64{}
	s.mu.Lock()
	segments := slices.Clone(f.segments)
	for _, seg := range segments {
		if !which.passes(&seg.count) {
			sizes[seg] = seg.count.bytes
		}
	}
	s.mu.Unlock()
	return slices.DeleteFunc(segments, func(seg *segment) bool {
		if !which.opens(seg.number) {
			return true
		}
		size, ruledOut := sizes[seg]
		if !ruledOut {
			return false
		}
		info, err := os.Stat(seg.path)
		return err == nil && info.Size() == size
	})
}

// findInFile visits the newest selected dead letters of one file, up to a limit. Lines may be appended
// meanwhile; an incomplete one is skipped.
func (s *store) findInFile(ctx context.Context, seg *segment, which *filter, limit int, visit func(letterKey, *deadletter.Letter) bool) error {
	in, err := os.Open(seg.path)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	found, err := s.search(ctx, in, which, limit)
	if err != nil {
		return err
	}
	for at := range found.backward {
		text := make([]byte, at.size)
		if _, err := in.ReadAt(text, at.offset); err != nil {
			return err
		}
		letter, err := deadletter.ParseLine(text)
		if err != nil {
			return err
		}
		if !visit(keyOf(seg.number, bytes.TrimSpace(text)), &letter) {
			return nil
		}
	}
	return nil
}

// search returns where the newest selected dead letters of a file are.
func (s *store) search(ctx context.Context, in *os.File, which *filter, limit int) (*ring, error) {
	select {
	case s.searches <- struct{}{}:
		defer func() { <-s.searches }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	found := &ring{limit: limit}
	_, err := which.scan(ctx, in, func(l line) { found.add(span{l.offset, l.size}) })
	return found, err
}

// span is the position of a dead letter in its file.
type span struct{ offset, size int64 }

// ring keeps the most recently added spans, up to a limit.
type ring struct {
	limit int
	spans []span
	next  int
}

func (r *ring) add(s span) {
	if len(r.spans) < r.limit {
		r.spans = append(r.spans, s)
		return
	}
	r.spans[r.next] = s
	r.next = (r.next + 1) % len(r.spans)
}

func (r *ring) backward(yield func(span) bool) {
	for i := range r.spans {
		if !yield(r.spans[(r.next+2*len(r.spans)-1-i)%len(r.spans)]) {
			return
		}
	}
}
