// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

const (
	segmentSuffix   = ".jsonl"
	temporarySuffix = ".tmp"
	// A file covers at most this fraction of max_age, so that its dead letters expire in time.
	filesPerMaxAge = 8
)

// segment is one file of dead letters.
type segment struct {
	folder *folder
	path   string
	number uint64

	// The rest is guarded by the store's mu. Changing the segment that the folder appends to needs
	// the folder's lock as well.

	count tally
	// modified is the file's modification time, used as its age if no dead letter has a time.
	modified time.Time
	// sealed: nothing more is appended. busy: it is being replayed or rewritten. gone: it is removed, or about
	// to be. warned: unreadable lines in it have been logged.
	sealed, busy, gone, warned bool
}

// age returns when the newest dead letter failed.
func (seg *segment) age() time.Time {
	if seg.count.newest.IsZero() {
		return seg.modified
	}
	return seg.count.newest
}

// folder holds the dead letters of one exporter.
type folder struct {
	store *store
	path  string
	// unnamed means that the exporter's id was too long for the folder's name.
	unnamed bool

	// mu guards the file being appended to.
	mu      sync.Mutex
	file    *os.File
	current *segment
	last    uint64
	syncing sync.WaitGroup

	// The rest is guarded by the store's mu.
	exporter  string
	segments  []*segment
	replayers map[string]*registration
	active    *activity
	// progress is that of the last replay; nil without one.
	progress *deadletter.Progress
}

// list finds the files left by an earlier run. Nothing else uses the folder yet.
func (f *folder) list() error {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name, temporary := strings.CutSuffix(entry.Name(), temporarySuffix)
		number, ours := segmentNumber(name)
		path := filepath.Join(f.path, entry.Name())
		switch {
		case !entry.Type().IsRegular() || !ours:
		case temporary:
			// Left by an interrupted replay. The file that it would have replaced is still there.
			if err := os.Remove(path); err != nil {
				return err
			}
		default:
			f.segments = append(f.segments, &segment{folder: f, path: path, number: number})
		}
	}
	slices.SortFunc(f.segments, func(a, b *segment) int { return cmp.Compare(a.number, b.number) })
	for i, seg := range f.segments {
		seg.sealed = i < len(f.segments)-1
		f.last = seg.number
	}
	return nil
}

// load counts the dead letters in a file.
func (seg *segment) load() error {
	f := seg.folder
	sound, err := seg.read(func(_ line, letter head) {
		// The folder's name does not contain a long id.
		if f.unnamed && filepath.Base(f.path) == folderName(letter.exporter) {
			f.store.mu.Lock()
			f.exporter = letter.exporter
			f.store.mu.Unlock()
		}
	})
	seg.sealed = seg.sealed || !sound
	return err
}

var segmentName = regexp.MustCompile(`^[0-9]{8,18}\.jsonl$`)

func segmentNumber(name string) (uint64, bool) {
	if !segmentName.MatchString(name) {
		return 0, false
	}
	number, err := strconv.ParseUint(strings.TrimSuffix(name, segmentSuffix), 10, 63)
	return number, err == nil
}

// read counts the file's dead letters, and logs lines that are not dead letters.
func (seg *segment) read(visit func(line, head)) (sound bool, err error) {
	file, err := os.Open(seg.path)
	if err != nil {
		return false, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return false, err
	}
	seg.modified = info.ModTime()
	seg.count, sound, err = scan(file, visit)
	if err == nil && seg.count.unreadable > 0 && !seg.warned {
		seg.warned = true
		seg.folder.store.logger.Warn("Skipped lines that are not dead letters; they stay in the file until you correct or remove them",
			zap.String("file", seg.path), zap.Int("lines", seg.count.unreadable))
	}
	return sound, err
}

// summary must be called with the store's mu held.
func (f *folder) summary() summary {
	sum := summary{exporter: f.exporter, registered: len(f.replayers) > 0}
	for _, seg := range f.segments {
		sum.count.merge(&seg.count)
	}
	return sum
}

// append writes all lines in a single write: a killed process has written all of them or none, and
// a system crash truncates at most the last one.
func (f *folder) append(text []byte, count *tally) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.store.reserve(count.bytes, f); err != nil {
		return err
	}
	if err := f.write(text, count); err != nil {
		f.store.release(count.bytes)
		return fmt.Errorf("writing dead letters: %w", err)
	}
	return nil
}

func (f *folder) write(text []byte, count *tally) error {
	if err := f.ensureOpen(count.bytes); err != nil {
		return err
	}
	if _, err := f.file.Write(text); err != nil {
		return errors.Join(err, f.undo())
	}
	f.store.mu.Lock()
	f.current.count.merge(count)
	f.store.mu.Unlock()
	return nil
}

// undo truncates the file after a partial write, for example on a full disk. If that fails, the
// file is sealed, so that nothing is appended after the partial line.
func (f *folder) undo() error {
	if f.file.Truncate(f.current.count.bytes) == nil {
		return nil
	}
	return f.seal()
}

// ensureOpen opens a file with room for size more bytes.
func (f *folder) ensureOpen(size int64) error {
	if f.current != nil && f.needsRotation(size) {
		f.rotate()
	}
	if f.current == nil {
		return f.open()
	}
	return nil
}

// needsRotation reports whether the file is full, is old, or was changed by another program.
func (f *folder) needsRotation(size int64) bool {
	count := &f.current.count
	if count.bytes > 0 && count.bytes+size > f.store.segmentSize {
		return true
	}
	if s := f.store; s.maxAge > 0 && !count.oldest.IsZero() && s.now().Sub(count.oldest) > s.maxAge/filesPerMaxAge {
		return true
	}
	info, err := os.Stat(f.current.path)
	return err != nil || info.Size() != count.bytes
}

// open resumes the newest file if it is intact, and creates a new one otherwise.
func (f *folder) open() error {
	if seg := f.resumable(); seg != nil {
		file, err := os.OpenFile(seg.path, os.O_WRONLY|os.O_APPEND, fileMode)
		if err == nil {
			f.setCurrent(seg, file)
			return nil
		}
	}
	return f.create()
}

func (f *folder) resumable() *segment {
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	if len(f.segments) == 0 {
		return nil
	}
	seg := f.segments[len(f.segments)-1]
	if seg.sealed || seg.count.bytes >= f.store.segmentSize {
		seg.sealed = true
		return nil
	}
	return seg
}

func (f *folder) create() error {
	if err := os.MkdirAll(f.path, directoryMode); err != nil {
		return err
	}
	for {
		f.last++
		path := filepath.Join(f.path, fmt.Sprintf("%08d%s", f.last, segmentSuffix))
		file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, fileMode)
		if errors.Is(err, os.ErrExist) {
			continue // another program created it; it is read at the next start
		}
		if err != nil {
			return err
		}
		f.setCurrent(&segment{folder: f, path: path, number: f.last, modified: f.store.now()}, file)
		return nil
	}
}

func (f *folder) setCurrent(seg *segment, file *os.File) {
	f.file, f.current = file, seg
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	if !slices.Contains(f.segments, seg) {
		f.segments = append(f.segments, seg)
	}
}

// rotate stops appending to the file and syncs it in the background. It waits for the previous
// sync, so that an exporter does not get far ahead of its disk.
func (f *folder) rotate() {
	seg, file := f.release()
	f.syncing.Wait()
	f.syncing.Go(func() {
		// A failed sync can lose dead letters if the machine crashes, but not if the process does.
		if err := f.sync(seg, file); err != nil {
			f.store.logger.Warn("A file of dead letters may not be synced to disk", zap.Error(err))
		}
	})
}

// seal syncs the current file and stops appending to it. It must be called with mu held.
func (f *folder) seal() error {
	f.syncing.Wait()
	if f.current == nil {
		return nil
	}
	return f.sync(f.release())
}

// take seals the files that may contain selected dead letters, and returns them, oldest first.
func (f *folder) take(which *filter) ([]*segment, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.current != nil && which.opens(f.current.number) {
		if err := f.seal(); err != nil {
			return nil, err
		}
	}
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	var segments []*segment
	for _, seg := range f.segments {
		if which.opens(seg.number) {
			seg.sealed = true
			segments = append(segments, seg)
		}
	}
	return segments, nil
}

func (f *folder) release() (*segment, *os.File) {
	seg, file := f.current, f.file
	f.current, f.file = nil, nil
	f.store.settle(seg, false)
	return seg, file
}

func (f *folder) sync(seg *segment, file *os.File) error {
	err := errors.Join(file.Sync(), file.Close())
	syncDirectory(f.path)
	syncDirectory(f.store.directory)
	if err != nil {
		return fmt.Errorf("writing %s: %w", seg.path, err)
	}
	return nil
}

// settle updates the counts of a complete file. It reads the file again if it was rewritten, or if
// its size shows that another program has changed it.
func (s *store) settle(seg *segment, rewritten bool) {
	fresh := segment{folder: seg.folder, path: seg.path, modified: seg.modified, count: seg.count, warned: seg.warned}
	info, err := os.Stat(seg.path)
	if err == nil && (rewritten || info.Size() != seg.count.bytes) {
		_, err = fresh.read(nil)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.logger.Error("Cannot read a file of dead letters; it is ignored until the next start", zap.Error(err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	seg.sealed = true
	if err != nil {
		s.forget(seg)
		return
	}
	s.total += fresh.count.bytes - seg.count.bytes
	seg.count, seg.modified, seg.warned = fresh.count, fresh.modified, fresh.warned
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

// forget stops tracking a file. It must be called with the store's mu held.
func (s *store) forget(seg *segment) {
	if seg.gone {
		return
	}
	seg.gone = true
	s.total -= seg.count.bytes
	seg.folder.segments = slices.DeleteFunc(seg.folder.segments, func(other *segment) bool { return other == seg })
}

// syncDirectory syncs the names of new files to disk, if the system supports it.
func syncDirectory(path string) {
	directory, err := os.Open(path)
	if err != nil {
		return
	}
	_ = directory.Sync()
	_ = directory.Close()
}
