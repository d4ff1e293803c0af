// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-fanout/otelcol-fanout/extension/deadletterextension/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

var (
	audit = component.MustNewIDWithName("webhook", "audit")
	other = component.MustNewID("posthog")
	noon  = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
)

// testStore is a store with a clock that the test controls.
type testStore struct {
	*store
	tel  *componenttest.Telemetry
	logs *observer.ObservedLogs

	mu   sync.Mutex
	time time.Time
}

func (s *testStore) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.time = s.time.Add(d)
}

func (s *testStore) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.time
}

func openTestStore(t testing.TB, directory string, configure ...func(*Config)) *testStore {
	t.Helper()
	s, err := tryTestStore(t, directory, configure...)
	require.NoError(t, err)
	return s
}

func tryTestStore(t testing.TB, directory string, configure ...func(*Config)) (*testStore, error) {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Directory = directory
	for _, c := range configure {
		c(cfg)
	}
	require.NoError(t, cfg.Validate())
	s := &testStore{tel: componenttest.NewTelemetry(), time: noon}
	telemetry, err := metadata.NewTelemetryBuilder(s.tel.NewTelemetrySettings())
	require.NoError(t, err)
	core, logs := observer.New(zap.DebugLevel)
	s.logs = logs
	if s.store, err = openStore(cfg, zap.New(core), telemetry, s.clock); err != nil {
		return nil, err
	}
	t.Cleanup(func() { assert.NoError(t, s.close()) })
	return s, nil
}

func small(cfg *Config) { cfg.MaxSize = minMaxSize }

func letterOf(id string, reason deadletter.Reason) deadletter.Letter {
	return deadletter.Letter{
		Signal: "logs", ID: id, Name: "order_placed", Time: noon, Reason: reason, Status: 400,
		Message: "no such field", Attempts: 1, FailedAt: noon, Payload: []byte(`{"id":"` + id + `"}`),
	}
}

func lettersOf(ids ...string) []deadletter.Letter {
	letters := make([]deadletter.Letter, len(ids))
	for i, id := range ids {
		letters[i] = letterOf(id, deadletter.ReasonRefused)
	}
	return letters
}

// bulky returns a dead letter of about size bytes.
func (s *testStore) bulky(id string, size int) deadletter.Letter {
	l := letterOf(id, deadletter.ReasonRefused)
	l.FailedAt = s.clock()
	l.Payload = []byte(`{"x":"` + strings.Repeat("x", size) + `"}`)
	return l
}

// ids returns the ids of an exporter's dead letters, oldest first.
func (s *testStore) ids(t testing.TB, exporter component.ID) []string {
	t.Helper()
	f, _, ok := s.known(exporter.String())
	if !ok {
		return nil
	}
	var ids []string
	require.NoError(t, s.find(t.Context(), f, &filter{}, func(_ letterKey, l *deadletter.Letter) bool {
		ids = append([]string{l.ID}, ids...)
		return true
	}))
	return ids
}

// keys returns the keys of an exporter's dead letters, oldest first.
func (s *testStore) keys(t testing.TB, exporter component.ID) []deadletter.Key {
	t.Helper()
	var keys []deadletter.Key
	require.NoError(t, s.find(t.Context(), s.folder(exporter.String()), &filter{}, func(key letterKey, _ *deadletter.Letter) bool {
		keys = append([]deadletter.Key{deadletter.Key(key.String())}, keys...)
		return true
	}))
	return keys
}

func (s *testStore) events(exporter component.ID) int {
	_, sum, _ := s.known(exporter.String())
	return sum.count.events
}

// filesOf returns the files in an exporter's folder.
func (s *testStore) filesOf(t testing.TB, exporter component.ID) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(s.directory, folderName(exporter.String()), "*"))
	require.NoError(t, err)
	return paths
}

// check compares the store's bookkeeping with the disk.
func (s *testStore) check(t testing.TB) {
	t.Helper()
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	var total, onDisk int64
	for _, f := range s.folders {
		for _, seg := range f.segments {
			total += seg.count.bytes
			file, err := os.Open(seg.path)
			require.NoError(t, err)
			count, _, err := scan(file, nil)
			file.Close()
			require.NoError(t, err)
			assert.Equal(t, count.bytes, seg.count.bytes)
			assert.Equal(t, count.events, seg.count.events)
			assert.Equal(t, count.reasons, seg.count.reasons)
		}
	}
	require.NoError(t, filepath.WalkDir(s.directory, func(_ string, entry os.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		if err == nil && !entry.IsDir() {
			onDisk += info.Size()
		}
		return err
	}))
	assert.Equal(t, total, s.total)
	assert.Equal(t, onDisk, s.total)
}

func TestDeadLettersSurviveRestart(t *testing.T) {
	directory := t.TempDir()
	s := openTestStore(t, directory)
	require.NoError(t, s.put(audit, lettersOf("e1", "e2")))
	require.NoError(t, s.put(other, lettersOf("e3")))
	require.NoError(t, s.put(audit, lettersOf("e4")))
	require.NoError(t, s.put(audit, nil))
	s.check(t)
	require.NoError(t, s.close())
	require.ErrorIs(t, s.put(audit, lettersOf("e5")), errClosed)

	again := openTestStore(t, directory)
	assert.Equal(t, []string{"e1", "e2", "e4"}, again.ids(t, audit))
	assert.Equal(t, []string{"e3"}, again.ids(t, other))
	assert.Equal(t, s.total, again.total)
	require.NoError(t, again.put(audit, lettersOf("e5")))
	assert.Len(t, again.filesOf(t, audit), 1, "an intact file is resumed")
	assert.Equal(t, []string{"e1", "e2", "e4", "e5"}, again.ids(t, audit))
	again.check(t)
}

func TestFilesArePrivate(t *testing.T) {
	s := openTestStore(t, filepath.Join(t.TempDir(), "a", "b"))
	require.NoError(t, s.put(audit, lettersOf("e1")))
	path := filepath.Join(s.directory, "webhook%2Faudit", "00000001.jsonl")
	for path, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700, s.directory: 0o700} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, want, info.Mode().Perm(), path)
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	letter, err := deadletter.ParseLine(text)
	require.NoError(t, err)
	want := letterOf("e1", deadletter.ReasonRefused)
	want.Exporter = "webhook/audit"
	assert.Equal(t, want, letter)
}

func TestKilledProcessLosesNothing(t *testing.T) {
	directory, copied := t.TempDir(), t.TempDir()
	s := openTestStore(t, directory)
	for i := range 50 {
		require.NoError(t, s.put(audit, lettersOf(fmt.Sprint("e", i))))
	}
	// After kill -9 the files contain what they contain now.
	require.NoError(t, os.CopyFS(copied, os.DirFS(directory)))
	again := openTestStore(t, copied)
	assert.Equal(t, s.ids(t, audit), again.ids(t, audit))
	assert.Len(t, again.ids(t, audit), 50)
}

func TestTruncatedLineIsSkippedAndNotAppendedTo(t *testing.T) {
	for name, tear := range map[string]func(string) string{
		"in the middle":          func(text string) string { return text[:len(text)-40] },
		"just before the end":    func(text string) string { return text[:len(text)-2] },
		"padded with zeros":      func(text string) string { return text[:len(text)-40] + strings.Repeat("\x00", 40) },
		"an incomplete new line": func(text string) string { return text + `{"exporter":` },
		"with a line feed":       func(text string) string { return text[:len(text)-40] + "\n" },
	} {
		t.Run(name, func(t *testing.T) {
			directory := t.TempDir()
			s := openTestStore(t, directory)
			require.NoError(t, s.put(audit, lettersOf("e1", "e2", "e3")))
			require.NoError(t, s.close())
			path := s.filesOf(t, audit)[0]
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			torn := tear(string(text))
			require.NoError(t, os.WriteFile(path, []byte(torn), 0o600))

			again := openTestStore(t, directory)
			want := []string{"e1", "e2"}
			if name == "an incomplete new line" {
				want = append(want, "e3")
			}
			assert.Equal(t, want, again.ids(t, audit))
			require.NoError(t, again.put(audit, lettersOf("e4")))
			assert.Equal(t, append(want, "e4"), again.ids(t, audit))
			warnings := again.logs.FilterLevelExact(zap.WarnLevel).All()
			require.Len(t, warnings, 1)
			assert.Equal(t, "00000001.jsonl", filepath.Base(warnings[0].ContextMap()["file"].(string)))
			left, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, torn, string(left), "the file is unchanged")
			again.check(t)
		})
	}
}

func TestLastLineWithoutLineFeedIsRead(t *testing.T) {
	directory := t.TempDir()
	s := openTestStore(t, directory)
	require.NoError(t, s.put(audit, lettersOf("e1", "e2")))
	require.NoError(t, s.close())
	path := s.filesOf(t, audit)[0]
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, info.Size()-1))

	again := openTestStore(t, directory)
	require.NoError(t, again.put(audit, lettersOf("e3")))
	assert.Equal(t, []string{"e1", "e2", "e3"}, again.ids(t, audit))
	assert.Empty(t, again.logs.FilterLevelExact(zap.WarnLevel).All())
}

func TestTemporaryFilesAreRemovedAndForeignFilesKept(t *testing.T) {
	directory := t.TempDir()
	s := openTestStore(t, directory)
	require.NoError(t, s.put(audit, lettersOf("e1")))
	require.NoError(t, s.close())
	folder := filepath.Join(directory, "webhook%2Faudit")
	for _, name := range []string{"00000001.jsonl.tmp", "notes.txt", "1.jsonl", "00000007.jsonl.bak"} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte("x"), 0o600))
	}
	require.NoError(t, os.Mkdir(filepath.Join(directory, "Backup"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(directory, "Backup", "00000001.jsonl"), []byte(goodLine), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(folder, "00000009.jsonl"), 0o700))
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(folder, "00000008.jsonl")))

	again := openTestStore(t, directory)
	assert.Equal(t, []string{"e1"}, again.ids(t, audit))
	require.Len(t, again.summaries(), 1)
	names := make([]string, 0, 6)
	for _, path := range again.filesOf(t, audit) {
		names = append(names, filepath.Base(path))
	}
	assert.Equal(t, []string{"00000001.jsonl", "00000007.jsonl.bak", "00000008.jsonl", "00000009.jsonl", "1.jsonl", "notes.txt"}, names)
}

func TestFullFileIsFollowedByAnother(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	for i := range 10 {
		require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky(fmt.Sprint(i), 20_000)}))
	}
	paths := s.filesOf(t, audit)
	require.Len(t, paths, 4)
	for _, path := range paths {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.LessOrEqual(t, info.Size(), s.segmentSize)
	}
	assert.Equal(t, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, s.ids(t, audit))
	s.check(t)
}

func TestExternallyChangedFileIsNotAppendedTo(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, path string){
		"removed":   func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) },
		"shortened": func(t *testing.T, path string) { require.NoError(t, os.WriteFile(path, []byte(goodLine+"\n"), 0o600)) },
		"replaced": func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path+"x", []byte(goodLine+"\n"), 0o600))
			require.NoError(t, os.Rename(path+"x", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := openTestStore(t, t.TempDir())
			require.NoError(t, s.put(audit, lettersOf("e1", "e2")))
			change(t, s.filesOf(t, audit)[0])
			require.NoError(t, s.put(audit, lettersOf("e3")))
			ids := s.ids(t, audit)
			assert.Equal(t, "e3", ids[len(ids)-1])
			assert.Equal(t, len(ids), s.events(audit))
			s.check(t)
		})
	}
}

func TestForeignFileIsNotOverwritten(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	folder := filepath.Join(s.directory, "webhook%2Faudit")
	require.NoError(t, os.MkdirAll(folder, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "00000001.jsonl"), []byte("mine"), 0o600))
	require.NoError(t, s.put(audit, lettersOf("e1")))
	text, err := os.ReadFile(filepath.Join(folder, "00000001.jsonl"))
	require.NoError(t, err)
	assert.Equal(t, "mine", string(text))
	assert.Equal(t, []string{"e1"}, s.ids(t, audit))
}

func TestUnreadableDeadLettersAreRefused(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	empty := letterOf("e1", deadletter.ReasonRefused)
	empty.Payload = nil
	require.ErrorContains(t, s.put(audit, []deadletter.Letter{empty}), "neither a payload nor a record")
	require.ErrorContains(t, s.put(audit, []deadletter.Letter{s.bulky("e1", maxLineSize)}), "longer than 32 MiB")
	assert.Empty(t, s.filesOf(t, audit))
	s.check(t)
}

func TestFailedWriteIsUndone(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e1")))
	f := s.folder(audit.String())
	// A file that can no longer be written, as after a disk failure.
	require.NoError(t, f.file.Close())
	require.Error(t, s.put(audit, lettersOf("e2")))
	assert.Equal(t, []string{"e1"}, s.ids(t, audit))
	s.check(t)
	require.NoError(t, s.put(audit, lettersOf("e3")), "the next put creates a new file")
	assert.Equal(t, []string{"e1", "e3"}, s.ids(t, audit))
	s.check(t)
}

func TestPartialWriteOnFullDiskIsUndone(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e1")))
	f := s.folder(audit.String())
	f.mu.Lock()
	_, err := f.file.WriteString(goodLine[:40])
	require.NoError(t, err)
	require.NoError(t, f.undo())
	f.mu.Unlock()
	s.check(t)
	require.NoError(t, s.put(audit, lettersOf("e2")))
	assert.Equal(t, []string{"e1", "e2"}, s.ids(t, audit))
	assert.Len(t, s.filesOf(t, audit), 1, "the file is resumed")
	s.check(t)
}

func TestFolderErrorIsReturnedAndReservesNothing(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, os.WriteFile(filepath.Join(s.directory, "posthog"), nil, 0o600))
	require.ErrorContains(t, s.put(other, lettersOf("e1")), "writing dead letters: ")
	assert.Zero(t, s.total)
	require.NoError(t, s.put(audit, lettersOf("e1")), "another exporter is not affected")
}

func TestDirectoryBelongsToOneStore(t *testing.T) {
	directory := t.TempDir()
	s := openTestStore(t, directory)
	_, err := tryTestStore(t, directory)
	require.ErrorContains(t, err, "is in use by another dead_letter extension or collector; give each its own directory")
	require.NoError(t, s.close())
	openTestStore(t, directory)
}

func TestUnusableDirectoriesAreRefused(t *testing.T) {
	directory := t.TempDir()
	file := filepath.Join(directory, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := tryTestStore(t, filepath.Join(directory, "absent"), func(cfg *Config) { cfg.CreateDirectory = false })
	require.ErrorContains(t, err, "absent does not exist; create it, or set create_directory: true")
	_, err = tryTestStore(t, file, func(cfg *Config) { cfg.CreateDirectory = false })
	require.ErrorContains(t, err, "is a file; use a folder")
	_, err = tryTestStore(t, filepath.Join(file, "below"))
	require.ErrorContains(t, err, "use a folder that the collector may write to")
}

func TestLongIDIsReadFromDeadLetters(t *testing.T) {
	directory := t.TempDir()
	long := component.MustNewIDWithName("webhook", strings.Repeat("é", 300))
	s := openTestStore(t, directory)
	require.NoError(t, s.put(long, lettersOf("e1")))
	require.NoError(t, s.close())
	again := openTestStore(t, directory)
	assert.Equal(t, []string{"e1"}, again.ids(t, long))
	assert.Equal(t, long.String(), again.summaries()[0].exporter)
}

func TestConcurrentPuts(t *testing.T) {
	const puts, each = 30, 3
	s := openTestStore(t, t.TempDir(), func(cfg *Config) { cfg.MaxSize = 64 << 20 })
	exporters := []component.ID{audit, other, component.MustNewID("sentry")}
	var group sync.WaitGroup
	for _, exporter := range exporters {
		for worker := range each {
			group.Go(func() {
				for i := range puts {
					assert.NoError(t, s.put(exporter, []deadletter.Letter{
						s.bulky(fmt.Sprintf("%d-%d-a", worker, i), 3000), s.bulky(fmt.Sprintf("%d-%d-b", worker, i), 3000),
					}))
				}
			})
		}
	}
	group.Go(func() {
		for range 8 {
			s.summaries()
			s.ids(t, audit)
		}
	})
	group.Wait()
	for _, exporter := range exporters {
		seen := map[string]bool{}
		for _, id := range s.ids(t, exporter) {
			seen[id] = true
		}
		assert.Len(t, seen, 2*puts*each)
		assert.Equal(t, 2*puts*each, s.events(exporter))
	}
	s.check(t)
}

func TestExportersDoNotWaitForEachOther(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e1")))
	slow := s.folder(audit.String())
	slow.mu.Lock() // it is writing
	defer slow.mu.Unlock()
	done := make(chan error)
	go func() { done <- s.put(other, lettersOf("e2")) }()
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-time.After(time.Minute):
		t.Fatal("it waits")
	}
	assert.Len(t, s.summaries(), 2)
}
