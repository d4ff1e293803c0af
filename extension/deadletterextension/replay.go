// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"cmp"
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
	// A replayer gets one chunk at a time.
	maxChunkLetters = 100
	maxChunkBytes   = 4 << 20
	// A replay skips dead letters that the backend does not accept now. After this many consecutive
	// chunks of only such letters it stops: the backend is probably down.
	maxStuckChunks = 2
	// A file is rewritten after this many changes, so that a crash repeats no more than these.
	checkpointLetters = 5000

	stoppedBusy      = "the backend does not accept events now; replay again later"
	stoppedClient    = "the client disconnected"
	stoppedExporter  = "the exporter is stopping"
	stoppedExtension = "the collector is stopping"
)

// registration is one exporter's replayer for one signal.
type registration struct{ deadletter.Replayer }

// activeReplay is a replay in progress.
type activeReplay struct {
	cancel context.CancelCauseFunc
	done   chan struct{}
}

// stop stops the replay and waits until it has ended.
func (r *activeReplay) stop(why string) {
	if r == nil {
		return
	}
	r.cancel(errors.New(why))
	<-r.done
}

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
		active.stop(stoppedExporter)
	})
}

// stopReplays stops all replays and prevents new ones.
func (s *store) stopReplays() {
	s.mu.Lock()
	s.stopping = true
	replays := make([]*activeReplay, 0, len(s.folders))
	for _, f := range s.folders {
		replays = append(replays, f.active)
	}
	s.mu.Unlock()
	for _, replay := range replays {
		replay.stop(stoppedExtension)
	}
}

// selection says which of an exporter's dead letters to replay.
type selection struct {
	reason deadletter.Reason // empty for all
	limit  int               // 0 for all
}

// result is the result of a replay.
type result struct {
	Replayed   int    `json:"replayed"`
	Delivered  int    `json:"delivered"`
	Refused    int    `json:"refused"`
	Kept       int    `json:"kept"`
	Unreadable int    `json:"unreadable"`
	Stopped    string `json:"stopped,omitempty"`
}

// replay sends an exporter's dead letters back to it, oldest first. New ones wait for the next
// replay. It stops after the current chunk if the client disconnects, and at once if the exporter
// or the extension stops.
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
			return r.result, fmt.Errorf("replaying: %w; delivered dead letters may be delivered again", err)
		}
	}
	if r.result.Stopped == "" && r.stuck > 0 {
		r.result.Stopped = stoppedBusy
	}
	return r.result, nil
}

func (r *replay) begin(f *folder, cancel context.CancelCauseFunc) error {
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	switch {
	case len(f.replayers) == 0:
		return &apiError{http.StatusServiceUnavailable, f.exporter + " is not running; add it to a pipeline, then replay its dead letters"}
	case f.active != nil:
		return replayUnderWay(f.exporter)
	case f.isPaused():
		return &apiError{http.StatusConflict, fmt.Sprintf("%s: %v", f.exporter, deadletter.ErrPaused)}
	case r.store.stopping:
		return &apiError{http.StatusServiceUnavailable, stoppedExtension}
	}
	f.active = &activeReplay{cancel: cancel, done: make(chan struct{})}
	r.exporter, r.replayers = f.exporter, maps.Clone(f.replayers)
	return nil
}

// isPaused reports whether the exporter of one of the signals is paused.
func (f *folder) isPaused() bool {
	for _, replayer := range f.replayers {
		if replayer.Paused() {
			return true
		}
	}
	return false
}

func (f *folder) endReplay() {
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	close(f.active.done)
	f.active = nil
}

// sealAll seals the current file and returns all files, oldest first.
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

// replay is the state of one replay.
type replay struct {
	store     *store
	exporter  string
	which     selection
	replayers map[string]*registration
	ctx       context.Context
	client    context.Context
	result    result
	stuck     int // consecutive chunks in which nothing was delivered or refused
}

// halted reports whether the replay must stop, and records why.
func (r *replay) halted() bool {
	switch {
	case r.result.Stopped != "":
	case r.ctx.Err() != nil:
		r.result.Stopped = context.Cause(r.ctx).Error()
	case r.client.Err() != nil:
		r.result.Stopped = stoppedClient
	}
	return r.result.Stopped != "" || r.remaining() == 0
}

// remaining returns how many dead letters the next chunk may hold.
func (r *replay) remaining() int {
	if r.which.limit == 0 {
		return maxChunkLetters
	}
	return min(r.which.limit-r.result.Replayed, maxChunkLetters)
}

// segment replays one file, which cannot be evicted meanwhile.
func (r *replay) segment(seg *segment) error {
	if !r.store.markBusy(seg) {
		return nil
	}
	defer r.store.clearBusy(seg)
	for from := int64(0); ; {
		next, more, err := r.pass(seg, from)
		if errors.Is(err, os.ErrNotExist) {
			r.store.settle(seg, false) // another program removed it
			return nil
		}
		if err != nil || !more || r.halted() {
			return err
		}
		from = next
	}
}

// markBusy protects a file from eviction, unless it is already gone.
func (s *store) markBusy(seg *segment) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg.busy = !seg.gone
	return seg.busy
}

func (s *store) clearBusy(seg *segment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seg.busy = false
}

// pass sends the dead letters of a file from an offset on, and rewrites the file without the
// delivered ones. It stops early after a number of changes, and returns where the rest starts in
// the new file.
func (r *replay) pass(seg *segment, from int64) (next int64, more bool, err error) {
	w, err := rewriteFile(seg.path, from)
	if err != nil {
		return 0, false, err
	}
	defer w.abandon()
	lines := newLineReader(w.in, from)
	for more = true; more && w.changes < r.store.checkpoint && !r.halted(); {
		var batch []item
		if batch, more, err = r.readChunk(lines); err != nil {
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

// item is a line of the old file, to be written to the new one.
type item struct {
	line
	// letter is the dead letter to send; nil if the line only stays in the file.
	letter *deadletter.Letter
	// removed means that the line is left out of the new file, and changed that its text differs.
	removed, changed bool
}

// readChunk reads the lines of one chunk.
func (r *replay) readChunk(lines *lineReader) (batch []item, more bool, err error) {
	room, size := r.remaining(), 0
	for room > 0 && size < maxChunkBytes {
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

// send passes the dead letters of a chunk to the replayers of their signals.
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
	case kept < len(items):
		r.stuck = 0
	case replayer != nil:
		if r.stuck++; r.stuck == maxStuckChunks {
			r.result.Stopped = stoppedBusy
		}
	}
}

// settle records the outcome of a dead letter.
func (r *replay) settle(it *item, outcome *deadletter.Replayed) deadletter.Outcome {
	r.result.Replayed++
	switch outcome.Outcome {
	case deadletter.OutcomeDelivered:
		r.result.Delivered++
		it.removed = true
	case deadletter.OutcomeRefused:
		r.result.Refused++
	default:
		r.result.Kept++
	}
	r.replace(it, outcome.Letters)
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
