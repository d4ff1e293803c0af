// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"context"
	"os"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// count returns how many dead letters of a file the filter selects. It also returns the number of lines
// that are not dead letters, unless it selects some.
func (s *store) count(ctx context.Context, seg *segment, which *filter) (selected, unreadable int, err error) {
	if n := s.counted(seg, which); n > 0 {
		return n, 0, nil
	}
	in, err := os.Open(seg.path)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = in.Close() }()
	unreadable, err = which.scan(ctx, in, func(line) { selected++ })
	return selected, unreadable, err
}

// counted returns the number as of the file's counts, or 0 if they do not tell.
func (s *store) counted(seg *segment, which *filter) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case which.all():
		return seg.count.events
	case which.Filter == deadletter.Filter{Reason: which.Reason, Limit: which.Limit} && seg.count.reasons[otherReason] == 0:
		return seg.count.reasons[which.Reason]
	}
	return 0
}
