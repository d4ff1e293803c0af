// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The log lines that end a reload.
const (
	reloaded    = "Running with the new configuration"
	notReloaded = "The configuration was not reloaded; the running one stays in use"
	notStarted  = "The new configuration does not start; running the previous one again"
)

// reloadable is a collector whose configuration a test changes.
type reloadable struct {
	*collector
	port   int // of the event receiver
	file   string
	client *client
}

// startReloadable starts a collector with an event receiver on a port that stays the same.
func startReloadable(t *testing.T, configuration func(port int) string) *reloadable {
	t.Helper()
	port := freePort(t)
	file := writeConfig(t, configuration(port))
	return &reloadable{collector: startWith(t, "--config", file), port: port, file: file, client: newClient(t)}
}

func (r *reloadable) url() string { return fmt.Sprintf("http://127.0.0.1:%d/v1/events", r.port) }

// reload changes the configuration, sends SIGHUP, and waits for the given line to be logged again.
// It returns the line.
func (r *reloadable) reload(configuration, line string) string {
	r.t.Helper()
	before := r.lines(line)
	r.signalReload(configuration)
	r.waitFor(fmt.Sprintf("%q in the log", line), func() bool { return len(r.lines(line)) > len(before) })
	logged := r.lines(line)
	require.Len(r.t, logged, len(before)+1)
	return logged[len(before)]
}

func (r *reloadable) signalReload(configuration string) {
	r.t.Helper()
	r.client.http.CloseIdleConnections() // the collector waits five seconds for a connection without a request
	require.NoError(r.t, os.WriteFile(r.file, []byte(configuration), 0o600))
	require.NoError(r.t, r.cmd.Process.Signal(syscall.SIGHUP))
}

func (r *reloadable) lines(text string) []string {
	var found []string
	for line := range strings.Lines(r.stderr.String()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// accept posts events with the numbers from first on.
func (r *reloadable) accept(first, count int) {
	r.t.Helper()
	r.client.mustAccept(r.t, r.url(), linesType, lines(first, count), count)
}

// reloadConfig returns a configuration; more holds sections with their first key, in flow style.
func reloadConfig(port int, extensions string, webhooks ...webhook) string {
	c := configure("", webhooks...)
	c = strings.Replace(c, `event: {endpoint: "127.0.0.1:0", }`, fmt.Sprintf(`event: {endpoint: "127.0.0.1:%d"}`, port), 1)
	if extensions == "" {
		return c
	}
	name, _, _ := strings.Cut(extensions, ":")
	return "extensions: {" + extensions + "}\n" + strings.Replace(c, "service:\n", "service:\n  extensions: ["+name+"]\n", 1)
}

func TestBadConfigurationLeavesCollectorRunning(t *testing.T) {
	t.Parallel()
	in := newInbox(t, singleEvents)
	hook := webhook{"a", in.URL, ""}
	r := startReloadable(t, func(port int) string { return reloadConfig(port, "", hook) })
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	good := reloadConfig(r.port, "", hook)

	events := 0
	for _, tt := range []struct {
		name, configuration, line string
		words                     []string
	}{
		{"a misspelled key", reloadConfig(r.port, "", webhook{"a", in.URL, "batchin: single"}), notReloaded, []string{"exporters::webhook/a", "unknown key", "did you mean"}},
		{"an extension that does not exist", strings.Replace(good, "service:\n", "service:\n  extensions: [nope]\n", 1), notReloaded, []string{`references extension`, `nope`}},
		{"an unknown type of extension", reloadConfig(r.port, "nope: {}", hook), notReloaded, []string{"extensions::nope", "no component of type"}},
		{"an invalid regex", strings.Replace(strings.Replace(good, "service:\n", "processors: {redaction: {blocked_values: ['(']}}\nservice:\n", 1), "exporters: [webhook", "processors: [redaction], exporters: [webhook", 1),
			notReloaded, []string{"redaction", "error parsing regexp"}},
		{"an invalid template", reloadConfig(r.port, "", webhook{"a", in.URL, `format: template, template: {a: "{{nope}}"}`}), notReloaded, []string{"exporters::webhook/a", "template"}},
		{"a switch that is neither on nor off", reloadConfig(r.port, "", webhook{"a", in.URL, "enabled: ture"}), notReloaded, []string{"exporters::webhook/a::enabled", "write true or false"}},
		{"no YAML", "receivers: [", notReloaded, []string{"it is not YAML"}},
		{"a port that is taken", strings.Replace(good, fmt.Sprintf("127.0.0.1:%d", r.port), taken.Addr().String(), 1), notStarted, []string{`event`, "address already in use"}},
	} {
		starts := len(r.lines(ready))
		line := r.reload(tt.configuration, tt.line)
		t.Logf("%s: %s", tt.name, line)
		for _, word := range tt.words {
			assert.Contains(t, line, word, tt.name)
		}
		if tt.line == notStarted {
			r.waitFor("the previous configuration", func() bool { return len(r.lines(ready)) == starts+1 })
		} else {
			assert.Len(t, r.lines(ready), starts, "%s: it has not restarted", tt.name)
		}
		r.accept(events, 10)
		events += 10
		r.waitFor("the events", func() bool { return in.count() == events })
	}
	r.reload(good, reloaded)
	r.accept(events, 10)
	r.stop()
	assert.Equal(t, events+10, in.count())
}

func TestReloadLosesNothing(t *testing.T) {
	t.Parallel()
	const queued = 500
	for _, tt := range []struct {
		name     string
		settings func(folder string) (extensions, exporter string)
	}{
		{"queue in memory", func(string) (string, string) { return "", "batching: array" }},
		{"queue on disk", func(folder string) (string, string) {
			return fmt.Sprintf("file_storage: {directory: %q}", folder), "batching: array, sending_queue: {storage: file_storage}"
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			extensions, settings := tt.settings(t.TempDir())
			release := make(chan struct{})
			first, second := newBackend(t, held(release)), newBackend(t, accepting)
			before := []webhook{{"first", first.URL, settings}}
			r := startReloadable(t, func(port int) string { return reloadConfig(port, extensions, before...) })
			for i := range queued / 10 {
				r.accept(10*i, 10)
			}
			r.signalReload(reloadConfig(r.port, extensions, append(before, webhook{"second", second.URL, settings})...))
			r.waitForLog("Starting shutdown")
			close(release)
			r.waitForLog(reloaded)
			r.accept(queued, 10)
			r.waitFor("the events", func() bool {
				delivered, _ := first.tally()
				added, _ := second.tally()
				return delivered == queued+10 && added == 10
			})
			r.stop()
			assert.Empty(t, first.missing(queued+10))
			_, again := first.tally()
			assert.Zero(t, again, "events that arrived twice")
		})
	}
}

// outage measures how long a port is shut, until stop is called.
type outage struct {
	mu       sync.Mutex
	shut     time.Duration
	attempts int
	done     chan struct{}
	wg       sync.WaitGroup
}

func watchPort(port int) *outage {
	o := &outage{done: make(chan struct{})}
	o.wg.Go(func() {
		last := time.Now()
		for {
			select {
			case <-o.done:
				return
			case <-time.After(time.Millisecond):
			}
			connection, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
			now := time.Now()
			o.mu.Lock()
			if err != nil {
				o.shut += now.Sub(last)
				o.attempts++
			} else {
				_ = connection.Close()
			}
			o.mu.Unlock()
			last = now
		}
	})
	return o
}

func (o *outage) stop() (shut time.Duration) {
	close(o.done)
	o.wg.Wait()
	return o.shut
}

func TestReloadShutsPortsBriefly(t *testing.T) {
	t.Parallel()
	const shutdownTimeout = 2 * time.Second
	for _, tt := range []struct {
		name   string
		behave behavior
		events int
		bound  time.Duration
	}{
		{"idle exporters", accepting, 0, 20 * time.Second},
		{"an exporter that hangs", hanging, 10, shutdownTimeout + 20*time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, other := newBackend(t, tt.behave), newBackend(t, accepting)
			settings := "batching: array, shutdown_timeout: " + shutdownTimeout.String()
			r := startReloadable(t, func(port int) string {
				return reloadConfig(port, "", webhook{"a", b.URL, settings}, webhook{"b", other.URL, settings})
			})
			if tt.events > 0 {
				r.accept(0, tt.events)
				r.waitFor("the first request", func() bool { return b.requested() > 0 })
			}
			o := watchPort(r.port)
			time.Sleep(20 * time.Millisecond)
			line := r.reload(reloadConfig(r.port, "", webhook{"a", b.URL, settings}, webhook{"b", other.URL, settings}), reloaded)
			shut := o.stop()
			t.Logf("the port was shut for %s; %s", shut.Round(time.Millisecond), line)
			assert.Less(t, shut, tt.bound)
		})
	}
}

func TestReloadDuringReloadIsApplied(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	slow, last := newBackend(t, held(release)), newInbox(t, singleEvents)
	r := startReloadable(t, func(port int) string {
		return reloadConfig(port, "", webhook{"slow", slow.URL, "shutdown_timeout: 1m"})
	})
	r.accept(0, 1)
	r.waitFor("the first request", func() bool { return slow.requested() > 0 })
	r.signalReload(reloadConfig(r.port, "", webhook{"other", slow.URL, ""}))
	r.waitForLog("Starting shutdown")
	r.signalReload(reloadConfig(r.port, "", webhook{"last", last.URL, ""}))
	r.signalReload(reloadConfig(r.port, "", webhook{"last", last.URL, ""}))
	close(release)
	r.waitFor("two reloads", func() bool { return len(r.lines(reloaded)) >= 2 })
	r.waitFor("the last configuration", func() bool {
		reply, err := r.client.post(r.url(), linesType, lines(last.count()+1000, 1))
		return err == nil && reply.status == http.StatusAccepted
	})
	r.stop()
	assert.Positive(t, last.count())
}

func TestStopDuringReloadEndsCleanly(t *testing.T) {
	t.Parallel()
	b := newBackend(t, hanging)
	configuration := func(port int) string {
		return reloadConfig(port, "", webhook{"a", b.URL, "shutdown_timeout: 1s"})
	}
	r := startReloadable(t, configuration)
	r.accept(0, 1)
	r.waitFor("the first request", func() bool { return b.requested() > 0 })
	r.signalReload(configuration(r.port))
	r.waitForLog("Starting shutdown")
	r.stop()
	assert.Len(t, r.lines(ready), 1, "it has not started again")
}
