// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"cmp"
	"context"
	"slices"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

const (
	// A replayer gets one chunk at a time.
	maxChunkLetters = 100
	maxChunkBytes   = 4 << 20
	// A replay skips dead letters that the backend does not accept now. After this many consecutive
	// chunks of only such letters it stops: the backend is probably down.
	maxStuckChunks = 2
)

// itemOf returns the line, with its dead letter if the replay sends it.
func (r *replay) itemOf(l line) item {
	it := item{line: l}
	it.text = slices.Clone(l.text)
	if !r.which.all() {
		h, err := r.heads.read(it.text)
		if err != nil {
			r.progress.Unreadable++
			return it
		}
		if !r.which.selects(&it.line, &h) {
			return it
		}
	}
	letter, err := deadletter.ParseLine(it.text)
	if err != nil {
		r.progress.Unreadable++
		return it
	}
	it.letter = &letter
	if r.one != nil {
		it.letter = r.one.letter
	}
	return it
}

// send passes the dead letters of a chunk to the replayers of their signals.
func (r *replay) send(batch []item) {
	var signals []string
	bySignal := map[string][]*item{}
	for i := range batch {
		if letter := batch[i].letter; letter != nil {
			if !slices.Contains(signals, letter.Signal) {
				signals = append(signals, letter.Signal)
			}
			bySignal[letter.Signal] = append(bySignal[letter.Signal], &batch[i])
		}
	}
	for _, signal := range signals {
		if r.ctx.Err() == nil && r.progress.Stopped == "" {
			r.sendTo(r.replayers[signal], bySignal[signal])
		}
	}
}

func (r *replay) sendTo(replayer *registration, items []*item) {
	var outcomes []deadletter.Replayed
	if replayer != nil {
		letters := make([]deadletter.Letter, len(items))
		for i, it := range items {
			letters[i] = *it.letter
		}
		outcomes = replayer.Replay(r.ctx, letters)
	}
	kept := 0
	for i, it := range items {
		outcome := deadletter.Replayed{Outcome: deadletter.OutcomeKept}
		if i < len(outcomes) {
			outcome = outcomes[i]
		}
		if r.settle(it, &outcome) == deadletter.OutcomeKept {
			kept++
		}
	}
	switch {
	case kept > 0 && r.ctx.Err() != nil:
		r.progress.Stopped = context.Cause(r.ctx).Error()
	case kept < len(items):
		r.stuck = 0
	case replayer != nil:
		if r.stuck++; r.stuck == maxStuckChunks {
			r.progress.Stopped = stoppedBusy
		}
	}
}

// settle records the outcome of a dead letter.
func (r *replay) settle(it *item, outcome *deadletter.Replayed) deadletter.Outcome {
	r.progress.Replayed++
	switch outcome.Outcome {
	case deadletter.OutcomeDelivered:
		r.progress.Delivered++
		it.removed = true
	case deadletter.OutcomeRefused:
		r.progress.Refused++
	default:
		r.progress.Kept++
	}
	if r.one != nil {
		r.one.result = *outcome
	} else {
		r.replace(it, outcome.Letters)
	}
	return outcome.Outcome
}

// replace puts the new dead letters, if any, in the place of the old one, unless one of them could
// not be read back.
func (r *replay) replace(it *item, letters []deadletter.Letter) {
	var text []byte
	for i := range letters {
		letter := &letters[i]
		letter.Exporter = r.exporter
		letter.Signal = cmp.Or(letter.Signal, it.letter.Signal)
		if letter.FailedAt.IsZero() {
			letter.FailedAt = r.store.now()
		}
		var err error
		if text, err = appendLine(text, letter); err != nil {
			return
		}
	}
	if len(text) > 0 {
		it.text, it.changed = text[:len(text)-1], true // without the last line feed
	}
}
