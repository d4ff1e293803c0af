// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package queuefile

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/goleak"
)

// childVariable makes the test binary use the files whose paths it reads, each in the way of a queue.
const childVariable = "QUEUEFILE_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		useFiles()
		return
	}
	goleak.VerifyTestMain(m)
}

// useFiles uses files until stdin ends. If a file is damaged, the process ends with a panic or a fault.
func useFiles() {
	debug.SetTraceback("none")
	for paths := bufio.NewScanner(os.Stdin); paths.Scan(); {
		if err := use(paths.Text()); err != nil {
			fmt.Println("error:", strings.ReplaceAll(err.Error(), "\n", " "))
			continue
		}
		fmt.Println("used")
	}
}

// queueID is the exporter whose queue the files are.
func queueID() component.ID { return component.MustNewIDWithName("webhook", "b") }

// openStorage opens the file of queueID in a directory with the real file_storage.
func openStorage(directory string, change func(*filestorage.Config)) (storage.Client, error) {
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = directory
	if change != nil {
		change(cfg)
	}
	extension, err := factory.Create(context.Background(), extensiontest.NewNopSettings(factory.Type()), cfg)
	if err != nil {
		return nil, err
	}
	if err := extension.Start(context.Background(), componenttest.NewNopHost()); err != nil {
		return nil, err
	}
	return extension.(storage.Extension).GetClient(context.Background(), component.KindExporter, queueID(), "logs")
}

// use opens, reads, changes and reopens a file with file_storage.
func use(path string) error {
	for round := range 2 {
		client, err := openStorage(filepath.Dir(path), nil)
		if err != nil {
			return err
		}
		ctx, sum := context.Background(), 0
		var ops []*storage.Operation
		err = client.(storage.Walker).Walk(ctx, func(key string, value []byte) ([]*storage.Operation, error) {
			for _, b := range value {
				sum += int(b)
			}
			if len(ops)%2 == round%2 {
				ops = append(ops, storage.DeleteOperation(key))
			} else {
				ops = append(ops, storage.SetOperation(key, make([]byte, 300)))
			}
			return nil, nil
		})
		if err != nil {
			return err
		}
		for i := range 60 {
			ops = append(ops, storage.SetOperation(strconv.Itoa(i*7), make([]byte, i*97)))
		}
		for chunk := range slices.Chunk(ops, 300) {
			if err := client.Batch(ctx, chunk...); err != nil {
				return err
			}
		}
		if err := client.Close(ctx); err != nil {
			return err
		}
	}
	return nil
}

// user is a child process that uses files.
type user struct {
	t      testing.TB
	folder string
	cmd    *exec.Cmd
	paths  io.WriteCloser
	lines  *bufio.Scanner
}

func newUser(t testing.TB) *user {
	u := &user{t: t, folder: t.TempDir()}
	t.Cleanup(u.stop)
	return u
}

func (u *user) stop() {
	if u.cmd != nil {
		_ = u.paths.Close()
		_ = u.cmd.Wait()
		u.cmd = nil
	}
}

// use uses a copy of a file's content. It returns "used", "error: ...", or an empty string if the
// process ended.
func (u *user) use(content []byte) string {
	path := queuePath(u.folder)
	require.NoError(u.t, os.WriteFile(path, content, 0o600))
	defer func() { _ = os.Remove(path) }()
	if u.cmd == nil {
		u.cmd = exec.Command(os.Args[0])
		u.cmd.Env = append(os.Environ(), childVariable+"=1")
		var err error
		u.paths, err = u.cmd.StdinPipe()
		require.NoError(u.t, err)
		output, err := u.cmd.StdoutPipe()
		require.NoError(u.t, err)
		require.NoError(u.t, u.cmd.Start())
		u.lines = bufio.NewScanner(output)
	}
	_, err := io.WriteString(u.paths, path+"\n")
	require.NoError(u.t, err)
	if !u.lines.Scan() {
		u.stop()
		return ""
	}
	return u.lines.Text()
}

func queuePath(directory string) string { return Queue{queueID(), "logs"}.Path(directory) }

// check checks a file with the given content.
func check(t testing.TB, content []byte) error {
	t.Helper()
	f := &File{path: "queue", content: file(content), size: int64(len(content))}
	err := f.Check()
	if err == nil {
		_, err = f.Contents(context.Background(), "logs")
	}
	if err != nil {
		var damaged *DamagedError
		require.ErrorAs(t, err, &damaged)
	}
	return err
}

// sample returns the content of a file that file_storage wrote. steps say how much happened to it.
func sample(t testing.TB, steps, largest int, change func(*filestorage.Config)) []byte {
	t.Helper()
	directory := t.TempDir()
	client, err := openStorage(directory, change)
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(1, uint64(steps)))
	for i := range steps {
		ops := []*storage.Operation{storage.SetOperation(strconv.Itoa(i), randomBytes(random, random.IntN(largest)))}
		if i > 20 && i%3 > 0 {
			ops = append(ops, storage.DeleteOperation(strconv.Itoa(random.IntN(i))))
		}
		require.NoError(t, client.Batch(t.Context(), ops...))
	}
	require.NoError(t, client.Close(t.Context()))
	content, err := os.ReadFile(queuePath(directory))
	require.NoError(t, err)
	return content
}

func randomBytes(random *rand.Rand, n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(random.IntN(256))
	}
	return data
}

// synced returns a file whose list of free pages is stored, as by bbolt's default, in a deep tree.
func synced(t testing.TB, keys int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	db, err := bbolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte(defaultBucket))
		return err
	}))
	for i := range keys / 50 {
		require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
			for j := range 50 {
				if err := tx.Bucket([]byte(defaultBucket)).Put(fmt.Appendf(nil, "%d%s", i*50+j, strings.Repeat("k", 200)), make([]byte, j*50)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket([]byte(defaultBucket)).Cursor()
		for range keys / 3 {
			if key, _ := cursor.First(); key == nil {
				return nil
			}
			if err := cursor.Delete(); err != nil {
				return err
			}
		}
		return nil
	}))
	require.NoError(t, db.Close())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return content
}

// samples are sound files of every shape.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	fresh := filepath.Join(t.TempDir(), "db")
	db, err := bbolt.Open(fresh, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	content, err := os.ReadFile(fresh)
	require.NoError(t, err)
	return map[string][]byte{
		"an empty file":               nil,
		"a new database":              content,
		"an empty queue":              sample(t, 0, 1, nil),
		"a bucket within its element": sample(t, 3, 40, nil),
		"one page":                    sample(t, 20, 100, nil),
		"a tree":                      sample(t, 600, 400, nil),
		"large values":                sample(t, 120, 40_000, nil),
		"compacted":                   sample(t, 300, 2_000, func(cfg *filestorage.Config) { cfg.Compaction.OnStart, cfg.Compaction.Directory = true, cfg.Directory }),
		"synced to disk":              sample(t, 50, 300, func(cfg *filestorage.Config) { cfg.FSync = true }),
		"a stored list of free pages": synced(t, 300),
		"a deep tree":                 synced(t, 3_000),
	}
}

func TestSoundFilesAreAccepted(t *testing.T) {
	u := newUser(t)
	for name, content := range samples(t) {
		require.NoError(t, check(t, content), name)
		require.Equal(t, "used", u.use(content), name)
	}
}

// TestSoundFilesStayAcceptedWhileTheyChange checks a copy of a file after each transaction, also one
// that is cut off between its writes, as by kill -9.
func TestSoundFilesStayAcceptedWhileTheyChange(t *testing.T) {
	directory := t.TempDir()
	client, err := openStorage(directory, nil)
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(7, 7))
	var before []byte
	for i := range 400 {
		var ops []*storage.Operation
		for range 1 + random.IntN(8) {
			if key := strconv.Itoa(random.IntN(300)); random.IntN(5) < 3 {
				ops = append(ops, storage.SetOperation(key, randomBytes(random, random.IntN(6_000))))
			} else {
				ops = append(ops, storage.DeleteOperation(key))
			}
		}
		require.NoError(t, client.Batch(t.Context(), ops...))
		after, err := os.ReadFile(queuePath(directory))
		require.NoError(t, err)
		require.NoError(t, check(t, after), "after transaction %d", i)
		if before != nil {
			require.NoError(t, check(t, withoutLastWrites(random, before, after)), "during transaction %d", i)
		}
		before = after
	}
	require.NoError(t, client.Close(t.Context()))
}

// withoutLastWrites returns a file in which only some pages of a transaction are written, and its meta
// page, which comes last, is not.
func withoutLastWrites(random *rand.Rand, before, after []byte) []byte {
	const page = 4096
	mixed := slices.Clone(after)
	copy(mixed, before[:2*page])
	cut := random.IntN(len(after)/page) * page
	if cut < len(before) {
		copy(mixed[max(cut, 2*page):], before[max(cut, 2*page):])
	}
	return mixed
}

// assertSafe checks that a file is called damaged, or that file_storage can use it.
func assertSafe(t testing.TB, u *user, content []byte, what string, args ...any) (damaged bool) {
	t.Helper()
	if check(t, content) != nil {
		return true
	}
	if u.use(content) == "" {
		t.Errorf("a file that is called sound ends the process: "+what, args...)
	}
	return false
}

// pageKinds returns the kind of each page that begins in a file of 4 KiB pages.
func pageKinds(content []byte) map[int]string {
	names := map[uint16]string{branchPage: "branch", leafPage: "leaf", freelistPage: "freelist", 4: "meta"}
	kinds := map[int]string{}
	for at := 0; at+4096 <= len(content); at += 4096 {
		if id := order.Uint64(content[at:]); id == uint64(at/4096) {
			kinds[at/4096] = names[order.Uint16(content[at+8:])]
		}
	}
	return kinds
}

func TestCutFilesAreDamaged(t *testing.T) {
	u := newUser(t)
	for name, content := range samples(t) {
		last, err := readMeta(file(content), int64(len(content)))
		if err != nil {
			continue // the empty file
		}
		used := int(last.pages) * 4096
		for _, at := range cuts(used) {
			damaged := assertSafe(t, u, content[:at], "%s, cut at %d", name, at)
			assert.True(t, damaged, "%s, cut at %d of %d", name, at, used)
		}
		assert.NoError(t, check(t, content[:used]), "%s: only room is cut off", name)
	}
}

// cuts returns places to cut a file at: around each page's beginning, and within pages.
func cuts(size int) (places []int) {
	step := max(1, size/4096/60)
	for page := 0; page*4096 < size; page += step {
		for _, at := range []int{page*4096 - 1, page * 4096, page*4096 + 1, page*4096 + 16, page*4096 + 2000} {
			if at > 0 && at < size {
				places = append(places, at)
			}
		}
	}
	return places
}

type file []byte

func (f file) ReadAt(data []byte, at int64) (int, error) {
	if at >= int64(len(f)) {
		return 0, io.EOF
	}
	n := copy(data, f[at:])
	if n < len(data) {
		return n, io.EOF
	}
	return n, nil
}

func TestHolesOfZerosAreDamaged(t *testing.T) {
	u := newUser(t)
	holes := map[string]int{}
	for name, content := range samples(t) {
		reachable := usedPages(content)
		left := 60
		for page, kind := range pageKinds(content) {
			if kind == "meta" || !reachable[page] || left == 0 && kind == "leaf" {
				continue
			}
			left = max(left-1, 0)
			holed := slices.Clone(content)
			clear(holed[page*4096 : page*4096+4096])
			holes[kind]++
			if !assertSafe(t, u, holed, "%s: a hole in page %d (%s)", name, page, kind) {
				assert.Fail(t, "it is called sound", "%s: a hole in page %d (%s)", name, page, kind)
			}
		}
		if len(content) > 0 {
			holed := slices.Clone(content)
			clear(holed[:2*4096])
			assert.Error(t, check(t, holed), "%s: both meta pages", name)
			for _, page := range []int{0, 1} {
				holed := slices.Clone(content)
				clear(holed[page*4096 : page*4096+4096])
				assertSafe(t, u, holed, "%s: meta page %d", name, page)
			}
		}
	}
	t.Logf("holes: %v", holes)
	for _, kind := range []string{"branch", "leaf", "freelist"} {
		assert.NotZero(t, holes[kind], kind)
	}
}

// usedPages returns the pages that the last transaction uses. Free pages keep what they held.
func usedPages(content []byte) map[int]bool {
	m, err := readMeta(file(content), int64(len(content)))
	if err != nil {
		return nil
	}
	tree := &tree{file: file(content), pageSize: m.pageSize, pages: m.pages, seen: make([]uint64, (m.pages+63)/64)}
	_, _ = tree.page(m.root, bounds{}, 0, true)
	if m.freelist != noFreelist {
		_ = tree.mark(m.freelist, 1)
	}
	used := map[int]bool{}
	for i := range int(m.pages) {
		used[i] = tree.seen[i/64]&(1<<(i%64)) != 0
	}
	return used
}

// TestFlippedBytesDoNotEndTheProcess flips bytes where pages have their structure: heads, elements
// and keys.
func TestFlippedBytesDoNotEndTheProcess(t *testing.T) {
	u, random := newUser(t), rand.New(rand.NewPCG(3, 3))
	flips, damaged := 0, 0
	for name, content := range samples(t) {
		reachable := usedPages(content)
		for page := range reachable {
			if !reachable[page] || len(reachable) > 20 && random.IntN(len(reachable)) > 20 {
				continue
			}
			for range 6 {
				flipped := slices.Clone(content)
				at := page*4096 + random.IntN(200)
				flipped[at] ^= byte(1 << random.IntN(8))
				flips++
				if assertSafe(t, u, flipped, "%s: page %d, byte %d", name, page, at%4096) {
					damaged++
				}
			}
		}
		for range 20 {
			if len(content) == 0 {
				break
			}
			assertSafe(t, u, randomMeta(random, content), "%s: a meta page", name)
		}
	}
	t.Logf("%d of %d flipped bytes are damage; file_storage could use the other files", damaged, flips)
}

// randomMeta changes a meta page, and corrects its checksum.
func randomMeta(random *rand.Rand, content []byte) []byte {
	changed := slices.Clone(content)
	page := changed[random.IntN(2)*4096:]
	field := []int{8, 16, 24, 32, 40, 48}[random.IntN(6)]
	order.PutUint64(page[pageHead+field:], uint64(random.IntN(40)))
	correctChecksum(page)
	return changed
}

func correctChecksum(page []byte) {
	sum := fnv.New64a()
	_, _ = sum.Write(page[pageHead : pageHead+metaChecksum])
	order.PutUint64(page[pageHead+metaChecksum:], sum.Sum64())
}

// FuzzCheckAcceptsOnlyWhatCanBeOpened changes words of sound files. Small samples keep it fast.
func FuzzCheckAcceptsOnlyWhatCanBeOpened(f *testing.F) {
	small := [][]byte{sample(f, 3, 40, nil), sample(f, 20, 100, nil), sample(f, 60, 3_000, nil), synced(f, 300)}
	for i := range small {
		f.Add(uint8(i), []byte{0, 16, 0, 0, 1, 2, 3, 4}, false)
		f.Add(uint8(i), []byte{8, 0, 0, 0, 0xff, 0, 0, 0}, true)
		f.Add(uint8(i), []byte{10, 48, 0, 0, 1, 0, 0, 0, 12, 48, 0, 0, 9, 0, 0, 0}, true)
	}
	f.Add(uint8('('), []byte("00000000\f0\x00\xae0000"), true) // a bucket within its element that has an id
	u := newUser(f)
	f.Fuzz(func(t *testing.T, which uint8, changes []byte, correct bool) {
		content := slices.Clone(small[int(which)%len(small)])
		for ; len(changes) >= 8; changes = changes[8:] {
			at := int(binary.LittleEndian.Uint32(changes)) % (len(content) - 4)
			copy(content[at:], changes[4:8])
		}
		if correct {
			correctChecksum(content)
			correctChecksum(content[4096:])
		}
		u.t = t
		assertSafe(t, u, content, "a changed file")
	})
}

// FuzzCheckNeverPanics gives any bytes to the check.
func FuzzCheckNeverPanics(f *testing.F) {
	for _, content := range samples(f) {
		if len(content) < 1<<20 {
			f.Add(content)
		}
	}
	f.Fuzz(func(_ *testing.T, content []byte) {
		_ = walk(file(content), int64(len(content)), func(_ []byte, v value) error {
			_, err := v.read()
			return err
		})
	})
}
