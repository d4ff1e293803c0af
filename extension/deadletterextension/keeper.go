// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"context"
	"fmt"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

var _ deadletter.Keeper = (*deadLetters)(nil)

// Summaries implements deadletter.Keeper.
func (d *deadLetters) Summaries() []deadletter.Summary {
	s := d.store.Load()
	if s == nil {
		return nil
	}
	var all []deadletter.Summary
	for _, sum := range s.summaries() {
		if !sum.registered && sum.count.bytes == 0 {
			continue
		}
		all = append(all, deadletter.Summary{
			Exporter: sum.exporter, Running: sum.registered,
			Events: sum.count.events, Bytes: sum.count.bytes, Unreadable: sum.count.unreadable,
			Oldest: sum.count.oldest, Newest: sum.count.newest, Reasons: sum.count.reasons,
		})
	}
	return all
}

// MaxSize implements deadletter.Keeper.
func (d *deadLetters) MaxSize() int64 { return d.cfg.MaxSize }

// RequiresAuth implements deadletter.Keeper.
func (d *deadLetters) RequiresAuth() bool { return d.cfg.ServerConfig.Auth.HasValue() }

// Find implements deadletter.Keeper.
func (d *deadLetters) Find(ctx context.Context, exporter string, which deadletter.Filter, visit func(deadletter.Key, *deadletter.Letter) bool) error {
	f, err := d.known(exporter)
	if err != nil {
		return err
	}
	selected := newFilter(which)
	return f.store.find(ctx, f, &selected, func(key letterKey, letter *deadletter.Letter) bool {
		return visit(deadletter.Key(key.String()), letter)
	})
}

// Get implements deadletter.Keeper.
func (d *deadLetters) Get(exporter string, key deadletter.Key) (deadletter.Letter, error) {
	f, err := d.known(exporter)
	if err != nil {
		return deadletter.Letter{}, err
	}
	letter, err := f.store.get(context.Background(), f, key)
	if err != nil {
		return deadletter.Letter{}, err
	}
	return *letter, nil
}

// ReplayOne implements deadletter.Keeper.
func (d *deadLetters) ReplayOne(ctx context.Context, exporter string, key deadletter.Key, payload []byte) (deadletter.Replayed, error) {
	f, err := d.known(exporter)
	if err != nil {
		return deadletter.Replayed{}, err
	}
	return f.replayOne(ctx, key, payload)
}

// StartReplay implements deadletter.Keeper.
func (d *deadLetters) StartReplay(exporter string, which deadletter.Filter) (deadletter.Progress, error) {
	f, err := d.known(exporter)
	if err != nil {
		return deadletter.Progress{}, err
	}
	return f.startReplay(which)
}

// StopReplay implements deadletter.Keeper.
func (d *deadLetters) StopReplay(exporter string) (deadletter.Progress, error) {
	s := d.store.Load()
	if s == nil {
		return deadletter.Progress{}, errClosed
	}
	f, ok := s.existing(exporter)
	if !ok {
		return deadletter.Progress{}, unknownExporter(exporter)
	}
	return f.stopReplay(), nil
}

// Replays implements deadletter.Keeper.
func (d *deadLetters) Replays() []deadletter.Progress {
	s := d.store.Load()
	if s == nil {
		return nil
	}
	return s.replays()
}

// Delete implements deadletter.Keeper.
func (d *deadLetters) Delete(exporter string, which deadletter.Filter) (int, error) {
	f, err := d.known(exporter)
	if err != nil {
		return 0, err
	}
	selected := newFilter(which)
	return f.store.removeSelected(f, &selected)
}

func (d *deadLetters) known(exporter string) (*folder, error) {
	s := d.store.Load()
	if s == nil {
		return nil, errClosed
	}
	f, _, ok := s.known(exporter)
	if !ok {
		return nil, unknownExporter(exporter)
	}
	return f, nil
}

func unknownExporter(exporter string) error {
	return fmt.Errorf("exporter %q: %w", exporter, deadletter.ErrUnknownExporter)
}
