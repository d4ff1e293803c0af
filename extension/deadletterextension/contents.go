// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"errors"
	"os"
	"slices"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// newest calls visit with the newest dead letters of an exporter, newest first, until it has
// visited limit of them or visit returns false. It holds only one in memory at a time.
func (s *store) newest(f *folder, limit int, visit func(*deadletter.Letter) bool) error {
	for _, path := range slices.Backward(s.files(f)) {
		n, err := newestInFile(path, limit, visit)
		if errors.Is(err, os.ErrNotExist) {
			continue // removed in the meantime
		}
		if limit -= n; err != nil || limit <= 0 {
			return err
		}
	}
	return nil
}

func (s *store) files(f *folder) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	paths := make([]string, len(f.segments))
	for i, seg := range f.segments {
		paths[i] = seg.path
	}
	return paths
}

// newestInFile reads one file. Lines may be appended meanwhile; an incomplete one is skipped.
func newestInFile(path string, limit int, visit func(*deadletter.Letter) bool) (visited int, err error) {
	in, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = in.Close() }()
	last := ring{spans: make([]span, 0, limit)}
	if _, _, err := scan(in, func(l line, _ head) { last.add(span{l.offset, l.size}) }); err != nil {
		return 0, err
	}
	for at := range last.backward {
		text := make([]byte, at.size)
		if _, err := in.ReadAt(text, at.offset); err != nil {
			return visited, err
		}
		letter, err := deadletter.ParseLine(text)
		if err != nil {
			return visited, err
		}
		visited++
		if !visit(&letter) {
			return limit, nil
		}
	}
	return visited, nil
}

// span is the position of a dead letter in its file.
type span struct{ offset, size int64 }

// ring keeps the most recently added spans.
type ring struct {
	spans []span
	next  int
}

func (r *ring) add(s span) {
	if len(r.spans) < cap(r.spans) {
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

// clear removes all dead letters of an exporter, and returns how many there were.
func (s *store) clear(f *folder) (events int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	segments, err := s.forgetAll(f)
	if err != nil {
		return 0, err
	}
	if f.current != nil {
		f.closeIfCurrent(f.current)
	}
	var errs []error
	for _, seg := range segments {
		events += seg.count.events
		errs = append(errs, s.remove(seg))
	}
	return events, errors.Join(errs...)
}

func (s *store) forgetAll(f *folder) ([]*segment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.active != nil {
		return nil, replayUnderWay(f.exporter)
	}
	segments := slices.Clone(f.segments)
	for _, seg := range segments {
		s.forget(seg)
	}
	return segments, nil
}
