// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/extension/deadletterextension/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/throttle"
)

const (
	fileMode      = 0o600
	directoryMode = 0o700
	lockName      = ".lock"

	// A full directory has about this many files, so an eviction removes only a small part.
	filesPerDirectory = 64
	minSegmentSize    = 64 << 10
	maxSegmentSize    = 16 << 20

	// A buffer larger than this is not reused, so that one large Put does not hold memory for good.
	maxPooledBuffer = 1 << 20
)

var errClosed = errors.New("the dead_letter extension is not running")

// store keeps dead letters, in one folder per exporter. mu guards its bookkeeping and is never held
// during disk I/O; a folder's own lock guards its current file, so exporters do not wait for each
// other. Lock a folder before mu; while holding mu, use only TryLock on folders.
type store struct {
	directory   string
	maxSize     int64
	segmentSize int64
	checkpoint  int
	maxAge      time.Duration
	now         func() time.Time
	logger      *zap.Logger
	telemetry   *metadata.TelemetryBuilder
	lock        *os.File
	buffers     sync.Pool
	evicted     *throttle.Log[evictions]
	// searches has a place for each file being searched.
	searches chan struct{}
	// background waits for replays that nobody waits for.
	background sync.WaitGroup

	mu sync.Mutex
	// stopping: no replay or removal starts. closed: no dead letter is accepted.
	stopping, closed bool
	total            int64
	folders          map[string]*folder
}

// openStore locks the directory and counts its dead letters.
func openStore(cfg *Config, logger *zap.Logger, telemetry *metadata.TelemetryBuilder, now func() time.Time) (*store, error) {
	s := &store{
		directory:   cfg.Directory,
		maxSize:     cfg.MaxSize,
		segmentSize: min(max(cfg.MaxSize/filesPerDirectory, minSegmentSize), maxSegmentSize),
		checkpoint:  checkpointLetters,
		maxAge:      cfg.MaxAge,
		now:         now,
		logger:      logger,
		telemetry:   telemetry,
		buffers:     sync.Pool{New: func() any { return new([]byte) }},
		searches:    make(chan struct{}, maxSearches),
		folders:     map[string]*folder{},
	}
	s.evicted = throttle.NewLog(s.logEvictions)
	if err := s.prepareDirectory(cfg.CreateDirectory); err != nil {
		return nil, err
	}
	var err error
	if s.lock, err = lockDirectory(s.directory); err != nil {
		return nil, err
	}
	if err := s.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("directory: reading %s: %w", s.directory, err), s.lock.Close())
	}
	s.expire()
	if err := s.reserve(0, nil); err != nil {
		return nil, errors.Join(err, s.lock.Close())
	}
	return s, nil
}

func (s *store) prepareDirectory(create bool) error {
	if create {
		if err := os.MkdirAll(s.directory, directoryMode); err != nil {
			return fmt.Errorf("directory: creating %s: %w; use a folder that the collector may write to", s.directory, err)
		}
	}
	switch info, err := os.Stat(s.directory); {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("directory: %s does not exist; create it, or set create_directory: true", s.directory)
	case err != nil:
		return fmt.Errorf("directory: %w", err)
	case !info.IsDir():
		return fmt.Errorf("directory: %s is a file; use a folder", s.directory)
	}
	return nil
}

func (s *store) load() error {
	entries, err := os.ReadDir(s.directory)
	if err != nil {
		return err
	}
	var segments []*segment
	for _, entry := range entries {
		id, ours := exporterID(entry.Name())
		if !entry.IsDir() || !ours {
			continue
		}
		f := s.newFolder(id, entry.Name())
		if f.unnamed = id == ""; f.unnamed {
			f.exporter = entry.Name()
		}
		if err := f.list(); err != nil {
			return err
		}
		segments = append(segments, f.segments...)
	}
	if err := loadAll(segments); err != nil {
		return err
	}
	for _, seg := range segments {
		s.total += seg.count.bytes
	}
	return nil
}

// loadAll loads the files on all processors, since a full directory takes seconds to read.
func loadAll(segments []*segment) error {
	var workers sync.WaitGroup
	errs := make([]error, len(segments))
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), len(segments)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(segments)); i = next.Add(1) - 1 {
				errs[i] = segments[i].load()
			}
		})
	}
	workers.Wait()
	return errors.Join(errs...)
}

// close syncs all files to disk, and accepts no more dead letters.
func (s *store) close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	folders := s.sortedFolders()
	s.mu.Unlock()

	var errs []error
	for _, f := range folders {
		f.mu.Lock()
		errs = append(errs, f.seal())
		f.mu.Unlock()
	}
	s.evicted.Close()
	return errors.Join(append(errs, s.lock.Close())...)
}

// put writes dead letters. They are on file when it returns nil.
func (s *store) put(id component.ID, letters []deadletter.Letter) error {
	if len(letters) == 0 {
		return nil
	}
	buffer := s.buffers.Get().(*[]byte)
	defer s.putBuffer(buffer)
	exporter := id.String()
	text, count, err := appendLines((*buffer)[:0], exporter, letters, s.now())
	*buffer = text
	if err != nil {
		return err
	}
	return s.folder(exporter).append(text, &count)
}

func (s *store) putBuffer(buffer *[]byte) {
	if cap(*buffer) <= maxPooledBuffer {
		s.buffers.Put(buffer)
	}
}

// folder returns the folder of an exporter, and adds it if it is new.
func (s *store) folder(exporter string) *folder {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := folderName(exporter)
	f, ok := s.folders[name]
	if !ok {
		f = s.newFolder(exporter, name)
	}
	f.exporter = exporter
	return f
}

func (s *store) newFolder(exporter, name string) *folder {
	f := &folder{
		store:     s,
		path:      filepath.Join(s.directory, name),
		exporter:  exporter,
		replayers: map[string]*registration{},
	}
	s.folders[name] = f
	return f
}

// sortedFolders must be called with mu held.
func (s *store) sortedFolders() []*folder {
	folders := make([]*folder, 0, len(s.folders))
	for _, f := range s.folders {
		folders = append(folders, f)
	}
	slices.SortFunc(folders, func(a, b *folder) int { return cmp.Compare(a.exporter, b.exporter) })
	return folders
}

// summary summarizes one exporter's dead letters.
type summary struct {
	exporter   string
	registered bool
	count      tally
}

// summaries returns those of the running exporters and of those with dead letters.
func (s *store) summaries() []summary {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]summary, 0, len(s.folders))
	for _, f := range s.sortedFolders() {
		all = append(all, f.summary())
	}
	return all
}

// replays returns the progress of the last replay of each exporter that had one.
func (s *store) replays() []deadletter.Progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []deadletter.Progress
	for _, f := range s.sortedFolders() {
		if f.progress != nil {
			all = append(all, *f.progress)
		}
	}
	return all
}

// existing returns the folder of an exporter that was running or had dead letters at some time.
func (s *store) existing(exporter string) (*folder, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.folders[folderName(exporter)]
	return f, ok
}

// known returns the folder of an exporter that is running or has dead letters.
func (s *store) known(exporter string) (*folder, summary, bool) {
	f, ok := s.existing(exporter)
	if !ok {
		return nil, summary{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := f.summary()
	return f, sum, sum.registered || sum.count.bytes > 0
}
