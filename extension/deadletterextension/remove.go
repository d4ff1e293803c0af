// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// removeSelected removes the selected dead letters of an exporter, and returns how many there were. It ends
// after the current file if the extension stops.
func (s *store) removeSelected(f *folder, which *filter) (events int, err error) {
	if which.Filter == (deadletter.Filter{}) {
		return s.removeAll(f)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	if err := f.begin(&activity{cancel: cancel, done: make(chan struct{})}); err != nil {
		return 0, err
	}
	defer f.end(nil)
	segments, err := f.take(which)
	if err != nil {
		return 0, err
	}
	for _, seg := range segments {
		if which.left(events) == 0 {
			break
		}
		if ctx.Err() != nil {
			return events, context.Cause(ctx)
		}
		n, err := s.removeFromFile(ctx, seg, which, which.left(events))
		if events += n; err != nil {
			return events, fmt.Errorf("removing dead letters: %w", err)
		}
	}
	return events, nil
}

// removeFromFile removes the oldest selected dead letters of one file, up to a limit.
func (s *store) removeFromFile(ctx context.Context, seg *segment, which *filter, limit int) (int, error) {
	if !s.markBusy(seg) {
		return 0, nil
	}
	defer s.clearBusy(seg)
	n, _, err := s.count(ctx, seg, which)
	if err == nil && n > 0 {
		n, err = s.rewriteWithout(seg, which, limit)
	}
	if errors.Is(err, os.ErrNotExist) {
		s.settle(seg, false) // another program removed it
		return 0, nil
	}
	return n, err
}

// rewriteWithout replaces a file with one without its oldest selected dead letters.
func (s *store) rewriteWithout(seg *segment, which *filter, limit int) (removed int, err error) {
	w, err := rewriteFile(seg.path, 0)
	if err != nil {
		return 0, err
	}
	defer w.abandon()
	lines, heads := newLineReader(w.in, 0), newHeadReader()
	for removed < limit {
		l, err := lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, err
		}
		h, err := heads.read(l.text)
		it := item{line: l, removed: err == nil && which.selects(&l, &h)}
		if it.removed {
			removed++
		}
		if err := w.write([]item{it}); err != nil {
			return 0, err
		}
	}
	if err := w.finish(lines.offset); err != nil {
		return 0, err
	}
	s.settle(seg, true)
	return removed, nil
}

// removeAll removes all files of an exporter, and returns how many dead letters they had.
func (s *store) removeAll(f *folder) (events int, err error) {
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
		return nil, busy(f.exporter)
	}
	segments := slices.Clone(f.segments)
	for _, seg := range segments {
		s.forget(seg)
	}
	return segments, nil
}
