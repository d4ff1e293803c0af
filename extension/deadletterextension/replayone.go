// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"context"
	"errors"
	"fmt"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// oneLetter is the replay of a single dead letter. Its line stays as it is until the dead letter is
// delivered.
type oneLetter struct {
	// letter is sent in place of the stored one; its payload may be edited.
	letter *deadletter.Letter
	result deadletter.Replayed
}

// replayOne replays one dead letter, with another payload or record unless that is nil.
func (f *folder) replayOne(client context.Context, key deadletter.Key, payload []byte) (deadletter.Replayed, error) {
	letter, err := f.store.get(client, f, key)
	if err != nil {
		return deadletter.Replayed{}, err
	}
	if payload != nil {
		if err := edit(letter, payload); err != nil {
			return deadletter.Replayed{}, err
		}
	}
	r, err := f.newReplay(client, deadletter.Filter{Key: key}, &oneLetter{letter: letter})
	if err != nil {
		return deadletter.Replayed{}, err
	}
	if r.replayers[letter.Signal] == nil {
		r.cancel(fmt.Errorf("%s has no pipeline for %s: %w", r.exporter, letter.Signal, deadletter.ErrNotRunning))
	}
	if err := r.run(); err != nil || r.progress.Replayed > 0 {
		return r.one.result, err
	}
	return deadletter.Replayed{}, r.notSent(key)
}

// notSent returns why a single dead letter was not sent.
func (r *replay) notSent(key deadletter.Key) error {
	for _, ctx := range []context.Context{r.ctx, r.asked} {
		if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) { // the cause of release
			return cause
		}
	}
	if r.progress.Stopped != "" {
		return errors.New(r.progress.Stopped)
	}
	return unknownLetter(key)
}
