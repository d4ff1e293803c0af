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

	"github.com/otelcol-fanout/otelcol-fanout/internal/throttle"
)

const (
	evictedForSize = "size"
	evictedForAge  = "age"
)

// reserve reserves size bytes of max_size, evicting the oldest files if necessary. The caller holds
// the lock of own, the folder it writes to.
func (s *store) reserve(size int64, own *folder) error {
	if size > s.maxSize {
		return fmt.Errorf("writing %d bytes of dead letters exceeds max_size (%d); raise max_size", size, s.maxSize)
	}
	for {
		victim, err := s.tryReserve(size, own)
		if victim == nil {
			return err
		}
		s.evict(victim, evictedForSize)
	}
}

// tryReserve returns the file to evict first, if there is not enough room.
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
		return nil, errors.New("max_size is reached, and all files of dead letters are in use; raise max_size")
	}
	return victim, nil
}

// release returns reserved bytes that were not used.
func (s *store) release(size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total -= size
}

// expire removes the files whose newest dead letter is older than max_age.
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

// claim is a file that its owner is about to remove. The store no longer tracks it.
type claim struct {
	*segment
	exporter string
	// locked means that claimOldest locked the folder, and guarded that it or its caller did.
	locked, guarded bool
}

// claimOldest stops tracking the oldest file that may be evicted, and returns it. A nonzero before
// limits it to older files. It skips files that are being replayed or that another exporter is
// writing. It must be called with the store's mu held.
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

// evict removes a claimed file.
func (s *store) evict(victim *claim, reason string) {
	if victim.guarded {
		victim.folder.closeIfCurrent(victim.segment)
	}
	if victim.locked {
		defer victim.folder.mu.Unlock()
	}
	if err := s.remove(victim.segment); err != nil {
		s.logger.Error("Cannot remove an old file of dead letters; remove it by hand, and check the permissions of the collector", zap.Error(err))
		return
	}
	s.telemetry.FanoutDeadLettersEvicted.Add(context.Background(), int64(victim.count.events),
		metric.WithAttributes(attribute.String("exporter", victim.exporter), attribute.String("reason", reason)))
	s.evicted.Add(victim.count.events, func(pending *evictions) { pending.add(reason, victim.count.events) })
}

// remove removes a file that is no longer tracked. If that fails, the file still counts towards
// max_size, and is found again at the next start.
func (s *store) remove(seg *segment) error {
	err := os.Remove(seg.path)
	if err == nil || errors.Is(err, os.ErrNotExist) {
		return nil
	}
	s.release(-seg.count.bytes)
	return err
}

// closeIfCurrent closes the file if it is being appended to. The folder must be locked.
func (f *folder) closeIfCurrent(seg *segment) {
	if f.current == seg {
		_ = f.file.Close()
		f.current, f.file = nil, nil
	}
}

// evictions counts the events removed since the last log line.
type evictions struct{ overMaxSize, overMaxAge int }

func (e *evictions) add(reason string, events int) {
	switch reason {
	case evictedForSize:
		e.overMaxSize += events
	case evictedForAge:
		e.overMaxAge += events
	}
}

func (s *store) logEvictions(evicted throttle.Summary, e evictions) {
	s.logger.Warn("Removed the oldest dead letters; raise max_size or max_age to keep more, or replay them sooner",
		append([]zap.Field{zap.Int("events_over_max_size", e.overMaxSize), zap.Int("events_over_max_age", e.overMaxAge)}, evicted.Fields("events")...)...)
}
