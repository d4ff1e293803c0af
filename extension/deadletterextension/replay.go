// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"

	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

const (
	// A file is rewritten after this many changes, so that a crash repeats no more than these.
	checkpointLetters = 5000

	stoppedBusy   = "the backend does not accept events now; replay again later"
	stoppedClient = "the client disconnected"
)

var errExporterStopping = errors.New("the exporter is stopping")

// replay is a replay of an exporter's dead letters, oldest first. New ones wait for the next replay.
type replay struct {
	store     *store
	folder    *folder
	exporter  string
	which     filter
	replayers map[string]*registration
	// one replays a single dead letter; nil otherwise.
	one *oneLetter

	// ctx ends at once if the exporter or the extension stops. asked ends the replay after the current
	// chunk, if the client disconnects or an operator stops it.
	ctx, asked  context.Context
	cancel, ask context.CancelCauseFunc

	progress deadletter.Progress
	heads    *headReader
	stuck    int // consecutive chunks in which nothing was delivered or refused
}

// newReplay begins a replay, of a single dead letter unless one is nil. The caller must run it.
func (f *folder) newReplay(client context.Context, which deadletter.Filter, one *oneLetter) (*replay, error) {
	r := &replay{store: f.store, folder: f, which: newFilter(which), one: one, heads: newHeadReader()}
	r.ctx, r.cancel = context.WithCancelCause(context.WithoutCancel(client))
	r.asked, r.ask = context.WithCancelCause(client)
	if err := r.begin(); err != nil {
		r.release()
		return nil, err
	}
	r.progress = deadletter.Progress{Exporter: r.exporter, Filter: which, Begun: r.store.now()}
	r.publish()
	return r, nil
}

func (r *replay) begin() error {
	f := r.folder
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	if len(f.replayers) == 0 {
		return fmt.Errorf("%s: %w", f.exporter, deadletter.ErrNotRunning)
	}
	if f.isPaused() {
		return fmt.Errorf("%s: %w", f.exporter, deadletter.ErrPaused)
	}
	r.exporter, r.replayers = f.exporter, maps.Clone(f.replayers)
	return f.beginLocked(&activity{
		cancel: func(why error) { r.cancel(why); r.ask(why) },
		ask:    r.ask,
		done:   make(chan struct{}),
	})
}

func (r *replay) release() {
	r.cancel(nil)
	r.ask(nil)
}

// run replays the dead letters, and returns when the replay has ended.
func (r *replay) run() error {
	defer r.release()
	err := r.segments()
	switch {
	case err != nil:
		err = fmt.Errorf("replaying: %w; delivered dead letters may be delivered again", err)
		r.progress.Stopped = err.Error()
	case r.progress.Stopped == "" && r.stuck > 0:
		r.progress.Stopped = stoppedBusy
	case r.progress.Stopped == "":
		r.progress.Total = r.progress.Replayed // files may have been evicted or edited meanwhile
	}
	r.store.logger.Info("Replayed dead letters", zap.String("exporter", r.exporter), zap.Int("delivered", r.progress.Delivered),
		zap.Int("refused", r.progress.Refused), zap.Int("kept", r.progress.Kept), zap.String("stopped", r.progress.Stopped))
	r.progress.Ended = r.store.now()
	if r.one != nil {
		r.folder.end(nil)
	} else {
		ended := r.progress
		r.folder.end(&ended)
	}
	return err
}

// publish shows the progress to others. Replays of one dead letter have none.
func (r *replay) publish() {
	if r.one != nil {
		return
	}
	progress := r.progress
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	r.folder.progress = &progress
}

func (r *replay) segments() error {
	segments, err := r.folder.take(&r.which)
	if err != nil {
		return err
	}
	segments, err = r.countTotal(segments)
	if r.halted() {
		return nil
	}
	if err != nil {
		return err
	}
	r.publish()
	for _, seg := range segments {
		if r.halted() {
			break
		}
		if err := r.segment(seg); err != nil {
			return err
		}
	}
	return nil
}

// countTotal counts the dead letters to replay, and returns the files without those that have none.
func (r *replay) countTotal(segments []*segment) ([]*segment, error) {
	chosen := segments[:0:0]
	for i, seg := range segments {
		if r.which.left(r.progress.Total) == 0 {
			return append(chosen, segments[i:]...), nil
		}
		n, unreadable, err := r.store.count(r.asked, seg, &r.which)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		if n == 0 && err == nil {
			r.progress.Unreadable += unreadable
			continue
		}
		r.progress.Total += min(n, r.which.left(r.progress.Total))
		chosen = append(chosen, seg)
	}
	return chosen, nil
}

// halted reports whether the replay must stop, and records why.
func (r *replay) halted() bool {
	switch {
	case r.progress.Stopped != "":
	case r.ctx.Err() != nil:
		r.progress.Stopped = context.Cause(r.ctx).Error()
	case errors.Is(context.Cause(r.asked), errStopRequested):
		r.progress.Stopped = errStopRequested.Error()
	case r.asked.Err() != nil:
		r.progress.Stopped = stoppedClient
	}
	return r.progress.Stopped != "" || r.remaining() == 0
}

// remaining returns how many dead letters the next chunk may hold.
func (r *replay) remaining() int { return min(r.which.left(r.progress.Replayed), maxChunkLetters) }

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
		r.send(batch)
		r.publish()
		if err := w.write(batch); err != nil {
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
		it := r.itemOf(l)
		size += len(it.text)
		if it.letter != nil {
			room--
		}
		batch = append(batch, it)
	}
	return batch, true, nil
}

// replay replays the selected dead letters, and returns when the replay has ended.
func (f *folder) replay(client context.Context, which deadletter.Filter) (deadletter.Progress, error) {
	r, err := f.newReplay(client, which, nil)
	if err != nil {
		return deadletter.Progress{}, err
	}
	err = r.run()
	return r.progress, err
}

// startReplay replays the selected dead letters in the background.
func (f *folder) startReplay(which deadletter.Filter) (deadletter.Progress, error) {
	r, err := f.newReplay(context.Background(), which, nil)
	if err != nil {
		return deadletter.Progress{}, err
	}
	begun := r.progress
	f.store.background.Go(func() {
		if err := r.run(); err != nil {
			f.store.logger.Error("A replay of dead letters has failed", zap.String("exporter", r.exporter), zap.Error(err))
		}
	})
	return begun, nil
}

// stopReplay ends the running replay after what is being sent, and returns its progress.
func (f *folder) stopReplay() deadletter.Progress {
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	if f.active != nil && f.active.ask != nil {
		f.active.ask(errStopRequested)
	}
	if f.progress == nil {
		return deadletter.Progress{Exporter: f.exporter}
	}
	return *f.progress
}
