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

	// Refuse is asked about each letter, unless it is nil. If it returns an error, the store keeps
	// no letter of that call. It must not change while an exporter runs.
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
		letter.Payload = bytes.Clone(letter.Payload) // which is the queue's memory
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

// All are the letters so far, oldest first.
func (l *Letters) All() []deadletter.Letter {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

// Reasons are the names of the letters' events with the reason after a colon, such as
// order_placed:refused, sorted. Without letters it is empty, not nil.
func (l *Letters) Reasons() []string {
	letters := l.All()
	reasons := make([]string, len(letters))
	for i := range letters {
		reasons[i] = letters[i].Name + ":" + string(letters[i].Reason)
	}
	slices.Sort(reasons)
	return reasons
}

// Replay sends letters again, all of the store's where none are given, and tells what became of
// each. They are of one signal, whose exporter is running. The store keeps them as they are.
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
