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
)

const (
	segmentSuffix   = ".jsonl"
	temporarySuffix = ".tmp"
	// A file that is appended to holds letters of at most this part of max_age, so that letters go in time.
	ageParts = 8
)

// segment is one file of letters.
type segment struct {
	folder *folder
	path   string
	number uint64

	// The rest is guarded by the store's mu; what the folder appends to is changed under the folder's lock as well.

	count tally
	// modified stands in for the age of a file in which no letter tells it.
	modified time.Time
	// sealed: nothing is appended any more. busy: it is being replayed. gone: it is removed, or about to be.
	// warned: it was said that not all of it are letters.
	sealed, busy, gone, warned bool
}

// age is when the newest letter failed.
func (seg *segment) age() time.Time {
	if seg.count.newest.IsZero() {
		return seg.modified
	}
	return seg.count.newest
}

// folder is where the letters of one exporter are.
type folder struct {
	store *store
	path  string
	// unnamed says that the id was too long for the folder's name.
	unnamed bool

	// mu guards the file that is appended to.
	mu      sync.Mutex
	file    *os.File
	current *segment
	last    uint64
	syncing sync.WaitGroup

	// The rest is guarded by the store's mu.
	exporter  string
	segments  []*segment
	replayers map[string]*registration
	underWay  *running
}

// list notes the files that an earlier run has left. Nothing else knows the folder yet.
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
			// A replay was cut short. The file that it was to replace is still there.
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

// load counts what is in a file.
func (seg *segment) load() error {
	f := seg.folder
	sound, err := seg.read(func(_ line, letter head) {
		// A long id is not told by the folder's name.
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

// read counts the letters that the file holds now, and warns of what is none.
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
		seg.folder.store.logger.Warn("Skipped lines that are no dead letters; they stay in the file, to be mended or removed",
			zap.String("file", seg.path), zap.Int("lines", seg.count.unreadable))
	}
	return sound, err
}

// summary needs the store's mu.
func (f *folder) summary() summary {
	sum := summary{exporter: f.exporter, registered: len(f.replayers) > 0}
	for _, seg := range f.segments {
		sum.count.merge(&seg.count)
	}
	return sum
}

// append writes lines with one write, so that a process that is killed has written all of them or, where the system
// dies with it, has torn the last one at most.
func (f *folder) append(text []byte, count *tally) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.store.reserve(count.bytes, f); err != nil {
		return err
	}
	if err := f.write(text, count); err != nil {
		f.store.release(count.bytes)
		return fmt.Errorf("keeping dead letters: %w", err)
	}
	return nil
}

func (f *folder) write(text []byte, count *tally) error {
	if err := f.ready(count.bytes); err != nil {
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

// undo takes back a write that was cut short, as when the disk is full. What cannot be taken back is left behind in a
// file that nothing is appended to.
func (f *folder) undo() error {
	if f.file.Truncate(f.current.count.bytes) == nil {
		return nil
	}
	return f.seal()
}

// ready makes sure of a file that can take so many bytes more.
func (f *folder) ready(size int64) error {
	if f.current != nil && f.isOver(size) {
		f.rotate()
	}
	if f.current == nil {
		return f.open()
	}
	return nil
}

// isOver reports that the file is full or old, or was changed by somebody else.
func (f *folder) isOver(size int64) bool {
	count := &f.current.count
	if count.bytes > 0 && count.bytes+size > f.store.segmentSize {
		return true
	}
	if s := f.store; s.maxAge > 0 && !count.oldest.IsZero() && s.now().Sub(count.oldest) > s.maxAge/ageParts {
		return true
	}
	info, err := os.Stat(f.current.path)
	return err != nil || info.Size() != count.bytes
}

// open goes on with the newest file if that is sound, and begins one otherwise.
func (f *folder) open() error {
	if seg := f.resumable(); seg != nil {
		file, err := os.OpenFile(seg.path, os.O_WRONLY|os.O_APPEND, fileMode)
		if err == nil {
			f.use(seg, file)
			return nil
		}
	}
	return f.begin()
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

func (f *folder) begin() error {
	if err := os.MkdirAll(f.path, directoryMode); err != nil {
		return err
	}
	for {
		f.last++
		path := filepath.Join(f.path, fmt.Sprintf("%08d%s", f.last, segmentSuffix))
		file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, fileMode)
		if errors.Is(err, os.ErrExist) {
			continue // somebody has put it there; it is read at the next start
		}
		if err != nil {
			return err
		}
		f.use(&segment{folder: f, path: path, number: f.last, modified: f.store.now()}, file)
		return nil
	}
}

func (f *folder) use(seg *segment, file *os.File) {
	f.file, f.current = file, seg
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	if !slices.Contains(f.segments, seg) {
		f.segments = append(f.segments, seg)
	}
}

// rotate appends no more to the file, and puts it on the disk meanwhile. It waits for the one before, so that no
// exporter gets far ahead of its disk.
func (f *folder) rotate() {
	seg, file := f.release()
	f.syncing.Wait()
	f.syncing.Go(func() {
		// It may cost letters when the machine dies, but not when the process does.
		if err := f.sync(seg, file); err != nil {
			f.store.logger.Warn("A file of dead letters may not be on the disk yet", zap.Error(err))
		}
	})
}

// seal puts all files on the disk, and appends no more to them. It needs mu.
func (f *folder) seal() error {
	f.syncing.Wait()
	if f.current == nil {
		return nil
	}
	return f.sync(f.release())
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

// settle looks at a file that is complete, and counts it again if it was rewritten, or is not as long as it should be
// because somebody has changed it.
func (s *store) settle(seg *segment, rewritten bool) {
	fresh := segment{folder: seg.folder, path: seg.path, modified: seg.modified, count: seg.count, warned: seg.warned}
	info, err := os.Stat(seg.path)
	if err == nil && (rewritten || info.Size() != seg.count.bytes) {
		_, err = fresh.read(nil)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.logger.Error("A file of dead letters cannot be read; it is left alone until the next start", zap.Error(err))
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

// forget takes a file out of the books. It needs the store's mu.
func (s *store) forget(seg *segment) {
	if seg.gone {
		return
	}
	seg.gone = true
	s.total -= seg.count.bytes
	seg.folder.segments = slices.DeleteFunc(seg.folder.segments, func(other *segment) bool { return other == seg })
}

// syncDirectory puts the names of new files on the disk, where the system can do that.
func syncDirectory(path string) {
	directory, err := os.Open(path)
	if err != nil {
		return
	}
	_ = directory.Sync()
	_ = directory.Close()
}
