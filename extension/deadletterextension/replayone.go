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
	r, err := f.newReplay(client, deadletter.Filter{Key: key})
	if err != nil {
		return deadletter.Replayed{}, err
	}
	r.one = &oneLetter{letter: letter}
	if r.replayers[letter.Signal] == nil {
		r.progress.Stopped = fmt.Sprintf("%s has no pipeline for %s", r.exporter, letter.Signal)
	}
	switch err := r.run(); {
	case err != nil:
		return r.one.result, err
	case r.progress.Replayed > 0:
		return r.one.result, nil
	case r.progress.Stopped != "":
		return deadletter.Replayed{}, errors.New(r.progress.Stopped)
	}
	return deadletter.Replayed{}, unknownLetter(key)
}
