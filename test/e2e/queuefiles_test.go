// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fillQueues runs a collector to webhooks that fail, kills it, and so leaves their queues full.
func fillQueues(t *testing.T, s *dataFolders, events int, names ...string) {
	t.Helper()
	failing := newBackend(t, refusing(http.StatusServiceUnavailable, "busy"))
	var webhooks []webhook
	for _, name := range names {
		webhooks = append(webhooks, webhook{name, failing.URL, durable})
	}
	p := startInstrumented(t, s, webhooks...)
	app := newSDK(p)
	const together = 10
	inParallel(events/together, func(i int) bool { return assert.NoError(t, app.export(records(i*together, together))) })
	p.waitFor("a request", func() bool { return failing.requested() > 0 })
	p.kill()
}

func (s *dataFolders) queue(name string) string {
	return filepath.Join(s.storage, "exporter_webhook_"+name+"_logs")
}

// zero writes zeros over a part of a file.
func zero(t *testing.T, path string, at, n int64) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	defer file.Close()
	_, err = file.WriteAt(make([]byte, n), at)
	require.NoError(t, err)
}

// damages make a queue's file unusable.
func damages() map[string]func(t *testing.T, path string) {
	return map[string]func(t *testing.T, path string){
		"cut short": func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 9000)) },
		"a hole of zeros": func(t *testing.T, path string) {
			info, err := os.Stat(path)
			require.NoError(t, err)
			zero(t, path, 2*4096, info.Size()-2*4096)
		},
		"no database": func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("no database ", 5000)), 0o600))
		},
	}
}

func TestDamagedQueueEndsTheStartWithOneLine(t *testing.T) {
	t.Parallel()
	for name, damage := range damages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newDataFolders(t)
			fillQueues(t, s, 50, "a", "b")
			damage(t, s.queue("b"))
			b := newBackend(t, accepting)
			config := writeConfig(t, s.configuration(t, freePort(t), []webhook{{"a", b.URL, durable}, {"b", b.URL, durable}}))
			got := run(t, nil, "--config", config)
			assert.Equal(t, 1, got.code)
			assert.NotContains(t, got.stderr, "panic")
			assert.NotContains(t, got.stderr, "goroutine")
			var errors []string
			for line := range strings.Lines(got.stderr) {
				if strings.HasPrefix(line, "Error: ") {
					errors = append(errors, line)
				}
			}
			require.Len(t, errors, 1)
			assert.Contains(t, errors[0], `failed to start "webhook/b" exporter: `)
			assert.Contains(t, errors[0], "the queue file "+s.queue("b")+" is damaged (")
			assert.Contains(t, errors[0], "set on_queue_damage: set_aside")
			assert.True(t, strings.HasSuffix(got.stderr, errors[0]), "it is the last line")
			assert.FileExists(t, s.queue("b"))
		})
	}
}

func TestDamagedQueueIsSetAside(t *testing.T) {
	t.Parallel()
	for name, damage := range damages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const events, later = 50, 20
			s := newDataFolders(t)
			fillQueues(t, s, events, "a", "b")
			damage(t, s.queue("b"))
			damaged, err := os.ReadFile(s.queue("b"))
			require.NoError(t, err)
			a, b := newBackend(t, accepting), newBackend(t, accepting)
			p := startInstrumented(t, s, webhook{"a", a.URL, durable}, webhook{"b", b.URL, "on_queue_damage: set_aside, " + durable})
			require.NoError(t, newSDK(p).export(records(events, later)))
			p.waitFor("the other queue's events", func() bool { return len(a.missing(events+later)) == 0 })
			p.waitFor("the new queue's events", func() bool { different, _ := b.tally(); return different == later })
			p.waitFor("the count", func() bool { return p.eventCounts("webhook/b").reasons["dropped/torn"] == 1 })
			assert.Zero(t, p.eventCounts("webhook/a").outcomes["dropped"])

			var logged []string
			for line := range strings.Lines(p.stderr.String()) {
				if strings.Contains(line, "is damaged") {
					logged = append(logged, line)
				}
			}
			require.Len(t, logged, 1)
			assert.Contains(t, logged[0], "\terror\t")
			assert.Contains(t, logged[0], `"exporter": "webhook/b"`)
			assert.Contains(t, logged[0], fmt.Sprintf(`"file": %q`, s.queue("b")))
			match := regexp.MustCompile(`"new_name": "([^"]+)"`).FindStringSubmatch(logged[0])
			require.Len(t, match, 2)
			assert.Regexp(t, `^`+regexp.QuoteMeta(s.queue("b"))+`\.damaged-\d{8}T\d{6}Z$`, match[1])
			kept, err := os.ReadFile(match[1])
			require.NoError(t, err)
			assert.Equal(t, damaged, kept)
		})
	}
}

func TestQueueOfARunningCollectorIsInUse(t *testing.T) {
	t.Parallel()
	s, b := newDataFolders(t), newBackend(t, accepting)
	w := webhook{"b", b.URL, durable}
	p := startInstrumented(t, s, w)
	other := &dataFolders{deadLetters: t.TempDir(), storage: s.storage}
	got := run(t, nil, "--config", writeConfig(t, other.configuration(t, freePort(t), []webhook{w})))
	assert.Equal(t, 1, got.code)
	last := got.stderr[strings.LastIndex(strings.TrimSpace(got.stderr), "\n")+1:]
	assert.Contains(t, last, `failed to start "webhook/b" exporter: `)
	assert.Contains(t, last, "the queue file "+s.queue("b")+" is in use by another collector")
	assert.NotContains(t, got.stderr, "damaged")

	list := run(t, nil, "queues", "list", "--directory", s.storage)
	assert.Regexp(t, `(?m)^webhook/b +logs +- +- +in use +exporter_webhook_b_logs$`, list.stdout)
	refused := run(t, nil, "queues", "drop", "webhook/b", "--directory", s.storage)
	assert.Equal(t, 1, refused.code)
	assert.Equal(t, "Error: the queue file "+s.queue("b")+" is in use by another collector\n", refused.stderr)
	p.stop()
}

func TestQueueOfARenamedExporterIsReportedMovedAndDelivered(t *testing.T) {
	t.Parallel()
	const events = 120
	s := newDataFolders(t)
	fillQueues(t, s, events, "old", "gone")
	b := newBackend(t, accepting)
	w := webhook{"new", b.URL, durable}
	config := writeConfig(t, s.configuration(t, freePort(t), []webhook{w}))

	p := startInstrumented(t, s, w)
	p.waitFor("two warnings", func() bool {
		return strings.Count(p.stderr.String(), "A queue belongs to no exporter of the configuration") == 2
	})
	for line := range strings.Lines(p.stderr.String()) {
		if strings.Contains(line, "belongs to no exporter") && strings.Contains(line, "webhook/old") {
			assert.Contains(t, line, "\twarn\t")
			assert.Contains(t, line, fmt.Sprintf(`"file": %q, "exporter": "webhook/old", "signal": "logs", "events": %d`, s.queue("old"), events))
		}
	}
	p.waitFor("the gauge", func() bool {
		return p.counted("otelcol_fanout_orphaned_queue_events", `file="exporter_webhook_old_logs"`) == events
	})
	p.stop()

	list := run(t, nil, "queues", "list", "--config", config)
	assert.Empty(t, list.stderr)
	assert.Regexp(t, fmt.Sprintf(`(?m)^webhook/old +logs +%d +\d+ +ok +exporter_webhook_old_logs$`, events), list.stdout)
	assert.Regexp(t, `(?m)^webhook/new +logs +0 +0 +ok +exporter_webhook_new_logs$`, list.stdout)

	refused := run(t, nil, "queues", "move", "webhook/old", "posthog", "--config", config)
	assert.Equal(t, 1, refused.code)
	assert.Contains(t, refused.stderr, "Error: webhook/old and posthog are exporters of two types")
	refused = run(t, nil, "queues", "move", "webhook/old", "webhook/gone", "--config", config)
	assert.Equal(t, 1, refused.code)
	assert.Contains(t, refused.stderr, fmt.Sprintf("already holds %d events", events))
	moved := run(t, nil, "queues", "move", "webhook/old", "webhook/new", "--config", config)
	assert.Equal(t, ended{stdout: fmt.Sprintf("moved logs of webhook/old to webhook/new: %d events\n", events)}, moved)
	dropped := run(t, nil, "queues", "drop", "webhook/gone", "--directory", s.storage)
	assert.Equal(t, ended{stdout: fmt.Sprintf("dropped logs of webhook/gone: %d events\n", events)}, dropped)
	assert.NoFileExists(t, s.queue("old"))
	assert.NoFileExists(t, s.queue("gone"))

	p = startInstrumented(t, s, w)
	p.waitFor("the moved events", func() bool { return len(b.missing(events)) == 0 })
	assert.NotContains(t, p.stderr.String(), "belongs to no exporter")
	p.stop()
}

// TestQueueAfterKillIsSound kills a collector under load, and checks each file as the next start does.
func TestQueueAfterKillIsSound(t *testing.T) {
	t.Parallel()
	s := newDataFolders(t)
	const rounds, together = 12, 20
	slow := newBackend(t, func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
		if numberOf(events[0])%2 == 0 {
			return refusing(http.StatusServiceUnavailable, "busy")(w, r, events, body)
		}
		return accepting(w, r, events, body)
	})
	for round := range rounds {
		p := startInstrumented(t, s, webhook{"b", slow.URL, durable})
		app, stop, stopped := newSDK(p), make(chan struct{}), make(chan struct{})
		var sent atomic.Int64
		go func() {
			defer close(stopped)
			for {
				select {
				case <-stop:
					return
				default:
					n := int(sent.Add(1))
					_ = app.export(records((round*10_000+n)*together, together))
				}
			}
		}()
		p.waitFor("load", func() bool { return sent.Load() > int64(20+7*round) })
		p.kill()
		close(stop)
		t.Cleanup(func() { <-stopped }) // the client still retries
		list := run(t, nil, "queues", "list", "--directory", s.storage)
		require.Regexp(t, `(?m)^webhook/b +logs +\d+ +\d+ +ok +exporter_webhook_b_logs$`, list.stdout)
	}
}
