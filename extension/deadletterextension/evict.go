// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
)

const (
	evictedForSize = "size"
	evictedForAge  = "age"
)

// reserve takes so many bytes of max_size, and removes the oldest files to that end. The caller, who wants to write
// to own, holds its lock.
func (s *store) reserve(size int64, own *folder) error {
	if size > s.maxSize {
		return fmt.Errorf("%d bytes of dead letters at a time are more than max_size (%d); raise it", size, s.maxSize)
	}
	for {
		victim, err := s.tryReserve(size, own)
		if victim == nil {
			return err
		}
		s.evict(victim, evictedForSize)
	}
}

// tryReserve names the file that has to go first, if one has to.
func (s *store) tryReserve(size int64, own *folder) (*claim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	if s.total+size <= s.maxSize {
		s.total += size
		return nil, nil
	}
	victim := s.claimOldest(own, time.Time{})
	if victim == nil {
		return nil, errors.New("max_size is reached, and all dead letters are in use at the moment; raise it")
	}
	return victim, nil
}

// release gives back what was reserved and not used.
func (s *store) release(size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total -= size
}

// expire removes the files whose newest letter is past max_age.
func (s *store) expire() {
	if s.maxAge <= 0 {
		return
	}
	before := s.now().Add(-s.maxAge)
	for {
		s.mu.Lock()
		victim := s.claimOldest(nil, before)
		s.mu.Unlock()
		if victim == nil {
			return
		}
		s.evict(victim, evictedForAge)
	}
}

// claim is a file that is to be removed, and that nobody else knows any more.
type claim struct {
	*segment
	exporter string
	// locked says that the folder's lock was taken along, and guarded that it is held by us or by our caller.
	locked, guarded bool
}

// claimOldest takes the oldest file that may go out of the books, if it is from before the time given: not one that is
// being replayed, and not one that another exporter is writing to at this moment. It needs the store's mu.
func (s *store) claimOldest(own *folder, before time.Time) *claim {
	var candidates []*segment
	for _, f := range s.folders {
		for _, seg := range f.segments {
			if !seg.busy && (before.IsZero() || seg.age().Before(before)) {
				candidates = append(candidates, seg)
			}
		}
	}
	slices.SortFunc(candidates, func(a, b *segment) int { return a.age().Compare(b.age()) })
	for _, seg := range candidates {
		guarded := seg.folder == own
		locked := !seg.sealed && !guarded
		if locked && !seg.folder.mu.TryLock() {
			continue
		}
		s.forget(seg)
		return &claim{segment: seg, exporter: seg.folder.exporter, locked: locked, guarded: guarded || locked}
	}
	return nil
}

// evict removes a file that is claimed.
func (s *store) evict(victim *claim, reason string) {
	if victim.guarded {
		victim.folder.drop(victim.segment)
	}
	if victim.locked {
		defer victim.folder.mu.Unlock()
	}
	if err := s.remove(victim.segment); err != nil {
		s.logger.Error("An old file of dead letters cannot be removed; remove it by hand, and see that the collector may do so", zap.Error(err))
		return
	}
	s.telemetry.FanoutDeadLettersEvicted.Add(context.Background(), int64(victim.count.events),
		metric.WithAttributes(attribute.String("exporter", victim.exporter), attribute.String("reason", reason)))
	s.evicted.Add(func(pending *evictions) { pending.add(reason, victim.count.events) })
}

// remove removes a file that is out of the books. What cannot be removed still takes room, and is found again at the
// next start.
func (s *store) remove(seg *segment) error {
	err := os.Remove(seg.path)
	if err == nil || errors.Is(err, os.ErrNotExist) {
		return nil
	}
	s.release(-seg.count.bytes)
	return err
}

// drop closes the file if it is the one that is appended to. It needs the folder's lock.
func (f *folder) drop(seg *segment) {
	if f.current == seg {
		_ = f.file.Close()
		f.current, f.file = nil, nil
	}
}

// evictions counts the events that were removed since the last line in the log.
type evictions struct{ overMaxSize, overMaxAge int }

func (e *evictions) add(reason string, events int) {
	switch reason {
	case evictedForSize:
		e.overMaxSize += events
	case evictedForAge:
		e.overMaxAge += events
	}
}

func (s *store) logEvictions(e evictions) {
	s.logger.Warn("The oldest dead letters were removed; raise max_size or max_age to keep more, or replay them sooner",
		zap.Int("events_over_max_size", e.overMaxSize), zap.Int("events_over_max_age", e.overMaxAge))
}
