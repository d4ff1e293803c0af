// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

var (
	errStopping = errors.New("the collector is stopping")
	// errStopRequested ends a replay whose operator stops it.
	errStopRequested = errors.New("stopped on request")
)

func busy(exporter string) error { return fmt.Errorf("%s: %w", exporter, deadletter.ErrBusy) }

// activity is a replay or removal of an exporter's dead letters. Each exporter has at most one.
type activity struct {
	// cancel ends it at once, and ask after what is being sent; ask is nil for a removal.
	cancel, ask context.CancelCauseFunc
	done        chan struct{}
}

// stop stops the activity and waits until it has ended.
func (a *activity) stop(why error) {
	if a == nil {
		return
	}
	a.cancel(why)
	<-a.done
}

// begin makes it the folder's activity.
func (f *folder) begin(a *activity) error {
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	return f.beginLocked(a)
}

// beginLocked must be called with the store's mu held.
func (f *folder) beginLocked(a *activity) error {
	switch {
	case f.active != nil:
		return busy(f.exporter)
	case f.store.stopping:
		return errStopping
	}
	f.active = a
	return nil
}

// end ends the folder's activity. A replay leaves its progress.
func (f *folder) end(progress *deadletter.Progress) {
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	if progress != nil {
		f.progress = progress
	}
	close(f.active.done)
	f.active = nil
}

// registration is one exporter's replayer for one signal.
type registration struct{ deadletter.Replayer }

// register adds a replayer until unregister is called.
func (s *store) register(exporter, signal string, replayer deadletter.Replayer) (unregister func()) {
	f := s.folder(exporter)
	own := &registration{replayer}
	s.mu.Lock()
	defer s.mu.Unlock()
	f.replayers[signal] = own
	return sync.OnceFunc(func() {
		s.mu.Lock()
		if f.replayers[signal] == own {
			delete(f.replayers, signal)
		}
		active := f.active
		s.mu.Unlock()
		if active != nil && active.ask != nil {
			active.stop(errExporterStopping)
		}
	})
}

// isPaused reports whether the exporter of one of the signals is paused. It must be called with the
// store's mu held.
func (f *folder) isPaused() bool {
	for _, replayer := range f.replayers {
		if replayer.Paused() {
			return true
		}
	}
	return false
}

// stopActivities stops all replays and removals, and prevents new ones.
func (s *store) stopActivities() {
	s.mu.Lock()
	s.stopping = true
	activities := make([]*activity, 0, len(s.folders))
	for _, f := range s.folders {
		activities = append(activities, f.active)
	}
	s.mu.Unlock()
	for _, active := range activities {
		active.stop(errStopping)
	}
	s.background.Wait()
}
