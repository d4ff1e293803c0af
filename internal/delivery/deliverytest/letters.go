// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deliverytest

import (
	"bytes"
	"context"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// Letters is a dead letter store in memory. The zero value is ready to use.
type Letters struct {
	component.StartFunc
	component.ShutdownFunc

	// Refuse is called for each dead letter, unless it is nil. If it returns an error, the store
	// keeps no dead letter of that call. It must not change while an exporter runs.
	Refuse func(*deadletter.Letter) error

	mu        sync.Mutex
	all       []deadletter.Letter
	replayers map[string]deadletter.Replayer // by signal
}

var _ deadletter.Store = (*Letters)(nil)

// Put implements deadletter.Store.
func (l *Letters) Put(_ component.ID, letters []deadletter.Letter) error {
	for i := range letters {
		if l.Refuse == nil {
			break
		}
		if err := l.Refuse(&letters[i]); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range letters {
		letter := letters[i]
		letter.Payload = bytes.Clone(letter.Payload) // the queue reuses its memory
		l.all = append(l.all, letter)
	}
	return nil
}

// Register implements deadletter.Store.
func (l *Letters) Register(_ component.ID, signal string, replayer deadletter.Replayer) (unregister func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.replayers == nil {
		l.replayers = map[string]deadletter.Replayer{}
	}
	l.replayers[signal] = replayer
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.replayers, signal)
	}
}

// All returns the dead letters so far, oldest first.
func (l *Letters) All() []deadletter.Letter {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

// Reasons returns the event name and the reason of each dead letter, such as order_placed:refused,
// sorted. Without dead letters it is empty, not nil.
func (l *Letters) Reasons() []string {
	letters := l.All()
	reasons := make([]string, len(letters))
	for i := range letters {
		reasons[i] = letters[i].Name + ":" + string(letters[i].Reason)
	}
	slices.Sort(reasons)
	return reasons
}

// Replay replays dead letters, by default all in the store, and returns their outcomes. They must be of
// one signal, whose exporter is running. The store does not change.
func (l *Letters) Replay(ctx context.Context, letters ...deadletter.Letter) []deadletter.Replayed {
	if len(letters) == 0 {
		letters = l.All()
	}
	if len(letters) == 0 {
		return nil
	}
	l.mu.Lock()
	replayer := l.replayers[letters[0].Signal]
	l.mu.Unlock()
	return replayer.Replay(ctx, letters)
}
