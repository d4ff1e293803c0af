// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package e2e

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// TestChaos runs four durable exporters, three of them with backends that change between all kinds of
// failures, while the collector is killed twice, stopped, reloaded, and runs out of disk space. No
// event is lost, and only the kills repeat events. CHAOS_SEED repeats a run.
func TestChaos(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("CHAOS_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("CHAOS_SEED=%d", seed)
	c := newChaos(t, rand.New(rand.NewPCG(seed, seed)))

	const phase = 3 * time.Second
	c.start()
	c.run(phase)
	c.kill()
	c.run(phase)
	c.p.stop()
	c.start()
	c.run(phase / 2)
	c.fillDisk(time.Second)
	c.run(phase / 2)
	c.kill()
	idle := c.footprint()
	c.run(phase)
	c.reload()
	c.run(phase)
	c.calm()
	c.drain()
	c.check(idle)
}

// chaosBackend is a backend of TestChaos, which notes when it accepts an event.
type chaosBackend struct {
	*backend

	mu       sync.Mutex
	accepted map[string][]time.Time // by event id
}

func newChaosBackend(t *testing.T) *chaosBackend {
	b := &chaosBackend{accepted: map[string][]time.Time{}}
	b.backend = newBackend(t, b.noting(accepting))
	return b
}

func (b *chaosBackend) noting(behave behavior) behavior {
	return func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
		if !behave(w, r, events, body) {
			return false
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if r.Context().Err() != nil {
			return false // the collector has given up, on a busy machine
		}
		for _, e := range events {
			b.accepted[e.id()] = append(b.accepted[e.id()], time.Now())
		}
		return true
	}
}

// refusingSome responds 400 to requests that hold one of every fifty events.
func refusingSome(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
	bad := func(e event) bool {
		h := fnv.New32()
		_, _ = h.Write([]byte(e.id()))
		return h.Sum32()%50 == 0
	}
	if slices.ContainsFunc(events, bad) {
		w.WriteHeader(http.StatusBadRequest)
		return false
	}
	return accepting(w, r, events, body)
}

func rateLimiting(w http.ResponseWriter, _ *http.Request, _ []event, _ []byte) bool {
	w.Header().Set("Retry-After", "0.3")
	w.WriteHeader(http.StatusTooManyRequests)
	return false
}

// chaos is the state of TestChaos.
type chaos struct {
	t        *testing.T
	random   *rand.Rand
	folders  *dataFolders
	healthy  *chaosBackend
	changing []*chaosBackend
	p        *instrumentedCollector
	profiles string // the address of pprof
	begun    time.Time
	kills    []time.Time
	// keptAtKill has the dead letters of each exporter at each kill. Their events may still have been in
	// the queue too, so that they are sent once more.
	keptAtKill map[string][]map[string]bool

	sent atomic.Int64 // number of the next event
	mu   sync.Mutex
	ids  map[string]bool // of events whose request got a 2xx
	all  map[string]bool // of all events that were sent
}

func newChaos(t *testing.T, random *rand.Rand) *chaos {
	c := &chaos{
		t: t, random: random, begun: time.Now(), folders: &dataFolders{deadLetters: t.TempDir(), storage: smallDisk(t)},
		healthy: newChaosBackend(t), ids: map[string]bool{}, all: map[string]bool{}, keptAtKill: map[string][]map[string]bool{},
	}
	for range 3 {
		c.changing = append(c.changing, newChaosBackend(t))
	}
	return c
}

// smallDisk returns a folder on a file system of its own.
func smallDisk(t *testing.T) string {
	t.Helper()
	directory := t.TempDir()
	require.NoError(t, syscall.Mount("tmpfs", directory, "tmpfs", 0, "size=64m"), "mounting a tmpfs needs root")
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(directory, syscall.MNT_DETACH)) })
	return directory
}

func (c *chaos) backends() map[string]*chaosBackend {
	all := map[string]*chaosBackend{"webhook/healthy": c.healthy}
	for i, b := range c.changing {
		all[fmt.Sprint("webhook/changing", i)] = b
	}
	return all
}

func (c *chaos) start() {
	const settings = "batching: array, timeout: 3s, sending_queue: {storage: file_storage, batch: {flush_timeout: 20ms}}, " +
		"retry_on_failure: {initial_interval: 50ms, max_interval: 200ms, max_elapsed_time: 0}"
	var webhooks []webhook
	for name, b := range c.backends() {
		webhooks = append(webhooks, webhook{strings.TrimPrefix(name, "webhook/"), b.URL, settings})
	}
	slices.SortFunc(webhooks, func(a, b webhook) int { return strings.Compare(a.name, b.name) })
	withProfiles := func(configuration string) string {
		c.profiles = fmt.Sprintf("127.0.0.1:%d", freePort(c.t))
		configuration = replace(c.t, configuration, "extensions:\n", fmt.Sprintf("extensions:\n  pprof: {endpoint: %q}\n", c.profiles))
		return replace(c.t, configuration, "extensions: [", "extensions: [pprof, ")
	}
	c.p = startInstrumentedWith(c.t, c.folders, withProfiles, webhooks)
}

func (c *chaos) kill() {
	c.p.kill()
	for name := range c.backends() {
		c.keptAtKill[name] = append(c.keptAtKill[name], c.deadLetters(name))
	}
	// A backend may note a request only after the process that sent it is gone.
	c.kills = append(c.kills, time.Now())
	c.start()
}

func (c *chaos) reload() {
	starts := strings.Count(c.p.stderr.String(), ready)
	require.NoError(c.t, c.p.cmd.Process.Signal(syscall.SIGHUP))
	c.p.waitFor("the reload", func() bool { return strings.Count(c.p.stderr.String(), ready) > starts })
}

// run sends events while the backends change.
func (c *chaos) run(duration time.Duration) {
	c.t.Logf("%s: running for %s", time.Since(c.begun), duration)
	deadline := time.Now().Add(duration)
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			app := newSDK(c.p)
			for time.Now().Before(deadline) {
				c.send(app)
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	failures := []behavior{
		accepting, accepting, hanging, refusing(http.StatusServiceUnavailable, "busy"), refusing(http.StatusInternalServerError, "broken"),
		rateLimiting, resetting, refusingSome,
	}
	for time.Now().Before(deadline) {
		for _, b := range c.changing {
			b.setBehavior(b.noting(failures[c.random.IntN(len(failures))]))
		}
		time.Sleep(100*time.Millisecond + time.Duration(c.random.IntN(300))*time.Millisecond)
	}
	all.Wait()
}

// send sends one call. During a reload its connection may be refused.
func (c *chaos) send(app *sdk) {
	const together = 10
	first := int(c.sent.Add(together)) - together
	logs := records(first, together)
	status, _, err := app.post(logs)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range idsOf(logs) {
		c.all[id] = true
		if err == nil && status/100 == 2 {
			c.ids[id] = true
		}
	}
}

func idsOf(logs plog.Logs) (ids []string) {
	for _, record := range logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		id, _ := record.Attributes().Get("log.record.uid")
		ids = append(ids, id.Str())
	}
	return ids
}

// fillDisk leaves no space on the disk of the queues for a while, and goes on sending.
func (c *chaos) fillDisk(duration time.Duration) {
	path := filepath.Join(c.folders.storage, "filler")
	file, err := os.Create(path)
	require.NoError(c.t, err)
	for block := make([]byte, 64<<10); err == nil; {
		_, err = file.Write(block)
	}
	assert.ErrorIs(c.t, err, syscall.ENOSPC)
	c.run(duration)
	require.NoError(c.t, file.Close())
	require.NoError(c.t, os.Remove(path))
}

// calm makes all backends well.
func (c *chaos) calm() {
	for _, b := range c.changing {
		b.setBehavior(b.noting(accepting))
	}
}

// drain waits until the queues are empty, and replays the dead letters.
func (c *chaos) drain() {
	c.p.waitFor("the queues to drain", func() bool {
		time.Sleep(50 * time.Millisecond)
		for name := range c.backends() {
			if kept := c.deadLetters(name); len(c.missing(name, kept)) > 0 {
				return false
			}
		}
		return true
	})
	for name := range c.backends() {
		if len(c.deadLetters(name)) == 0 {
			continue
		}
		status, got := c.p.replay(name, nil)
		assert.Equal(c.t, http.StatusOK, status)
		assert.Zero(c.t, got.Kept+got.Refused, "%s: %+v", name, got)
	}
}

// deadLetters returns the ids of an exporter's dead letters.
func (c *chaos) deadLetters(name string) map[string]bool {
	ids := map[string]bool{}
	for _, l := range c.folders.onDisk(c.t)[name] {
		ids[l.ID] = true
	}
	return ids
}

// missing returns accepted events that neither arrived nor are kept.
func (c *chaos) missing(name string, kept map[string]bool) (ids []string) {
	b := c.backends()[name]
	b.mu.Lock()
	defer b.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range c.ids {
		if b.accepted[id] == nil && !kept[id] {
			ids = append(ids, id)
		}
	}
	return ids
}

func (c *chaos) check(idle footprint) {
	for name, b := range c.backends() {
		assert.Empty(c.t, c.missing(name, nil), "events that %s lost", name)
		assert.Empty(c.t, c.deadLetters(name))
		repeated, unexplained := 0, 0
		b.mu.Lock()
		for id, times := range b.accepted {
			assert.True(c.t, c.all[id], "%s got an event that nobody sent: %s", name, id)
			for i := 1; i < len(times); i++ {
				repeated++
				killed := slices.ContainsFunc(c.kills, func(kill time.Time) bool { return times[i-1].Before(kill) && kill.Before(times[i]) })
				kept := slices.ContainsFunc(c.keptAtKill[name], func(ids map[string]bool) bool { return ids[id] })
				if !killed && !kept {
					unexplained++
					if unexplained%100 == 1 {
						c.t.Logf("%s accepted %s after %s, and again after %s", name, id, times[i-1].Sub(c.begun), times[i].Sub(c.begun))
					}
				}
			}
		}
		c.t.Logf("%s: %d of %d events accepted, %d repeated", name, len(b.accepted), len(c.all), repeated)
		b.mu.Unlock()
		assert.Zero(c.t, unexplained, "%s got events again without a kill in between", name)
	}
	var now footprint
	for range 100 {
		if now = c.footprint(); now.goroutines <= idle.goroutines+10 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if !assert.LessOrEqual(c.t, now.goroutines, idle.goroutines+10) {
		_, profile, _ := c.p.get("http://" + c.profiles + "/debug/pprof/goroutine?debug=1")
		c.t.Log(profile)
	}
	c.t.Logf("%d goroutines and %d MiB at the start of the last process, %d and %d at its end", idle.goroutines, idle.mebibytes, now.goroutines, now.mebibytes)
	assert.Less(c.t, now.mebibytes, idle.mebibytes+200)
	c.p.stop()
}

// footprint is the size of a process; idle connections to backends do not count.
type footprint struct{ goroutines, mebibytes int }

var (
	goroutineGroup = regexp.MustCompile(`(?m)^(\d+) @ `)
	residentMemory = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)
)

func (c *chaos) footprint() footprint {
	c.t.Helper()
	c.p.client.CloseIdleConnections()
	_, text, err := c.p.get("http://" + c.profiles + "/debug/pprof/goroutine?debug=1")
	require.NoError(c.t, err)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.p.cmd.Process.Pid))
	require.NoError(c.t, err)
	goroutines := 0
	for group := range strings.SplitSeq(text, "\n\n") { // each stack with its number; idle connections are meant to stay
		if match := goroutineGroup.FindStringSubmatch(group); match != nil && !strings.Contains(group, "net/http.(*persistConn)") {
			goroutines += number(match[1])
		}
	}
	return footprint{goroutines, number(residentMemory.FindStringSubmatch(string(status))[1]) >> 10}
}
