// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

const (
	// A chunk is what a replayer gets at a time.
	chunkLetters = 100
	chunkBytes   = 4 << 20
	// After so many letters have left a file it is written anew, so that a crash repeats no more than these.
	checkpointLetters = 5000

	stoppedBusy      = "the backend does not take events now; replay again when it does"
	stoppedLeft      = "the client has gone"
	stoppedExporter  = "the exporter is stopping"
	stoppedExtension = "the collector is stopping"
)

// registration is one exporter's replayer for one signal.
type registration struct{ deadletter.Replayer }

// running is a replay under way.
type running struct {
	cancel context.CancelCauseFunc
	done   chan struct{}
}

// stop ends the replay and waits for that.
func (r *running) stop(why string) {
	if r == nil {
		return
	}
	r.cancel(errors.New(why))
	<-r.done
}

// register makes a replayer known until unregister is called.
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
		underWay := f.underWay
		s.mu.Unlock()
		underWay.stop(stoppedExporter)
	})
}

// stopReplays ends all of them, and lets none begin.
func (s *store) stopReplays() {
	s.mu.Lock()
	s.stopping = true
	replays := make([]*running, 0, len(s.folders))
	for _, f := range s.folders {
		replays = append(replays, f.underWay)
	}
	s.mu.Unlock()
	for _, replay := range replays {
		replay.stop(stoppedExtension)
	}
}

// selection is what of an exporter's letters is to be replayed.
type selection struct {
	reason deadletter.Reason // all where it is empty
	limit  int               // 0 for all
}

// result is what became of a replay.
type result struct {
	Replayed   int    `json:"replayed"`
	Delivered  int    `json:"delivered"`
	Refused    int    `json:"refused"`
	Kept       int    `json:"kept"`
	Unreadable int    `json:"unreadable"`
	Stopped    string `json:"stopped,omitempty"`
}

// replay feeds an exporter's letters back to it, oldest first. Those that come in meanwhile are left for the next
// time. It ends after the chunk under way when the client goes, and at once when the exporter or the extension stops.
func (f *folder) replay(client context.Context, which selection) (result, error) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(client))
	defer cancel(nil)
	r := &replay{store: f.store, which: which, ctx: ctx, client: client}
	if err := r.begin(f, cancel); err != nil {
		return result{}, err
	}
	defer f.endReplay()
	segments, err := f.sealAll()
	if err != nil {
		return result{}, err
	}
	for _, seg := range segments {
		if r.halted() {
			break
		}
		if err := r.segment(seg); err != nil {
			return r.result, fmt.Errorf("replaying: %w; letters that were delivered may be delivered again", err)
		}
	}
	return r.result, nil
}

func (r *replay) begin(f *folder, cancel context.CancelCauseFunc) error {
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	switch {
	case len(f.replayers) == 0:
		return &problem{http.StatusServiceUnavailable, f.exporter + " is not running; replay its dead letters when it is in a pipeline again"}
	case f.underWay != nil:
		return replayUnderWay(f.exporter)
	case r.store.stopping:
		return &problem{http.StatusServiceUnavailable, stoppedExtension}
	}
	f.underWay = &running{cancel: cancel, done: make(chan struct{})}
	r.exporter, r.replayers = f.exporter, maps.Clone(f.replayers)
	return nil
}

func (f *folder) endReplay() {
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	close(f.underWay.done)
	f.underWay = nil
}

// sealAll ends the file that is appended to, and returns all of them, oldest first.
func (f *folder) sealAll() ([]*segment, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.seal()
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	for _, seg := range f.segments {
		seg.sealed = true
	}
	return slices.Clone(f.segments), err
}

// replay is the state of one.
type replay struct {
	store     *store
	exporter  string
	which     selection
	replayers map[string]*registration
	ctx       context.Context
	client    context.Context
	result    result
}

// halted reports that the replay must send no more, and says why.
func (r *replay) halted() bool {
	switch {
	case r.result.Stopped != "":
	case r.ctx.Err() != nil:
		r.result.Stopped = context.Cause(r.ctx).Error()
	case r.client.Err() != nil:
		r.result.Stopped = stoppedLeft
	}
	return r.result.Stopped != "" || r.room() == 0
}

// room is how many letters may still be sent.
func (r *replay) room() int {
	if r.which.limit == 0 {
		return chunkLetters
	}
	return min(r.which.limit-r.result.Replayed, chunkLetters)
}

// segment replays one file, which is not evicted meanwhile.
func (r *replay) segment(seg *segment) error {
	if !r.store.occupy(seg) {
		return nil
	}
	defer r.store.vacate(seg)
	for from := int64(0); ; {
		next, more, err := r.pass(seg, from)
		if errors.Is(err, os.ErrNotExist) {
			r.store.settle(seg, false) // somebody has removed it
			return nil
		}
		if err != nil || !more || r.halted() {
			return err
		}
		from = next
	}
}

// occupy keeps a file from being evicted, unless it is too late.
func (s *store) occupy(seg *segment) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg.busy = !seg.gone
	return seg.busy
}

func (s *store) vacate(seg *segment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg.busy = false
}

// pass goes through a file from an offset, sends its letters, and writes the file anew with what stays. It ends early
// after a number of changes, and returns where the rest begins in the new file.
func (r *replay) pass(seg *segment, from int64) (next int64, more bool, err error) {
	w, err := rewriteFile(seg.path, from)
	if err != nil {
		return 0, false, err
	}
	defer w.abandon()
	lines := newLineReader(w.in, from)
	for more = true; more && w.changes < r.store.checkpoint && !r.halted(); {
		var batch []item
		if batch, more, err = r.gather(lines); err != nil {
			return 0, false, err
		}
		if err := w.write(r.send(batch)); err != nil {
			return 0, false, err
		}
	}
	next = w.size
	err = w.finish(lines.offset)
	r.store.settle(seg, w.changes > 0)
	return next, more, err
}

// item is one line on its way from the old file to the new one.
type item struct {
	line
	// letter is sent; it is nil if the line just stays.
	letter *deadletter.Letter
	// gone says that the line does not stay, and changed that it is another one.
	gone, changed bool
}

// gather reads the lines of one chunk.
func (r *replay) gather(lines *lineReader) (batch []item, more bool, err error) {
	room, size := r.room(), 0
	for room > 0 && size < chunkBytes {
		l, err := lines.next()
		if errors.Is(err, io.EOF) {
			return batch, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		it := item{line: l}
		it.text = slices.Clone(l.text)
		size += len(it.text)
		letter, err := deadletter.ParseLine(it.text)
		switch {
		case err != nil:
			r.result.Unreadable++
		case r.which.reason == "" || r.which.reason == letter.Reason:
			it.letter = &letter
			room--
		}
		batch = append(batch, it)
	}
	return batch, true, nil
}

// send hands the letters of a chunk to the replayers of their signals.
func (r *replay) send(batch []item) []item {
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
		if r.ctx.Err() == nil && r.result.Stopped == "" {
			r.sendTo(r.replayers[signal], bySignal[signal])
		}
	}
	return batch
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
		r.result.Stopped = context.Cause(r.ctx).Error()
	case kept == len(items) && replayer != nil:
		r.result.Stopped = stoppedBusy
	}
}

// settle takes note of what became of a letter.
func (r *replay) settle(it *item, outcome *deadletter.Replayed) deadletter.Outcome {
	r.result.Replayed++
	switch outcome.Outcome {
	case deadletter.OutcomeDelivered:
		r.result.Delivered++
		it.gone = true
	case deadletter.OutcomeRefused:
		r.result.Refused++
		r.replace(it, &outcome.Letter)
	default:
		r.result.Kept++
		return deadletter.OutcomeKept
	}
	return outcome.Outcome
}

// replace puts the new letter in the old one's place. One that could not be read again does not take it.
func (r *replay) replace(it *item, letter *deadletter.Letter) {
	letter.Exporter = r.exporter
	if letter.Signal == "" {
		letter.Signal = it.letter.Signal
	}
	if letter.FailedAt.IsZero() {
		letter.FailedAt = r.store.now()
	}
	if text, err := appendLine(nil, letter); err == nil {
		it.text, it.changed = text[:len(text)-1], true
	}
}
