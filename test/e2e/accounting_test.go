// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// dataFolders are the folders of a collector, which outlive it.
type dataFolders struct{ deadLetters, storage string }

func newDataFolders(t *testing.T) *dataFolders {
	t.Helper()
	return &dataFolders{deadLetters: t.TempDir(), storage: t.TempDir()}
}

// instrumentedCollector is a collector with dead letters and metrics, which account for every event.
type instrumentedCollector struct {
	*collector

	folders *dataFolders
	client  *http.Client
	metrics string // the URL
}

// startInstrumented starts a collector with one pipeline to the given webhooks and the extensions
// dead_letter and file_storage.
func startInstrumented(t *testing.T, s *dataFolders, webhooks ...webhook) *instrumentedCollector {
	t.Helper()
	return startInstrumentedWith(t, s, func(configuration string) string { return configuration }, webhooks)
}

// startInstrumentedWith is startInstrumented with a modified configuration and more arguments.
func startInstrumentedWith(t *testing.T, s *dataFolders, change func(string) string, webhooks []webhook, args ...string) *instrumentedCollector {
	t.Helper()
	return startOnFreePort(t, s, func(port int) *collector {
		configuration := change(s.configuration(t, port, webhooks))
		return launch(t, append([]string{"--config", writeConfig(t, configuration)}, args...)...)
	})
}

// startOnFreePort launches a collector that serves its metrics on a free port. It tries again if
// another process takes the port first.
func startOnFreePort(t *testing.T, s *dataFolders, launch func(metricsPort int) *collector) *instrumentedCollector {
	t.Helper()
	for again := true; ; again = false {
		port := freePort(t)
		c := launch(port)
		if c.comesUp() {
			return &instrumentedCollector{
				collector: c, folders: s, client: newClient(t).http,
				metrics: fmt.Sprintf("http://127.0.0.1:%d/metrics", port),
			}
		}
		c.stopped.Do(func() {}) // it has ended
		if !again || !strings.Contains(c.stderr.String(), "address already in use") {
			require.FailNow(t, "the collector does not start", "%v", c.exitErr)
		}
	}
}

// stop closes idle connections first: the collector's servers wait five seconds for a connection
// without a request.
func (p *instrumentedCollector) stop() {
	p.t.Helper()
	p.client.CloseIdleConnections()
	p.collector.stop()
}

// comesUp waits until the collector is ready or has ended.
func (c *collector) comesUp() bool {
	c.t.Helper()
	deadline := time.After(waitTimeout)
	for !strings.Contains(c.stderr.String(), ready) {
		select {
		case <-c.exited:
			return false
		case <-deadline:
			require.FailNow(c.t, "the collector does not come up")
		case <-time.After(5 * time.Millisecond):
		}
	}
	return true
}

// freePort returns a port that is free now. Another process may take it.
func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}

func (s *dataFolders) configuration(t *testing.T, metricsPort int, webhooks []webhook) string {
	t.Helper()
	var keeping []webhook
	for _, w := range webhooks {
		w.settings = "dead_letter: dead_letter, " + w.settings
		keeping = append(keeping, w)
	}
	c := replace(t, configure("", keeping...), "metrics: {level: none}", "metrics: {readers: "+metricsReaders(metricsPort)+"}")
	c = replace(t, c, "service:\n", "service:\n  extensions: [dead_letter, file_storage]\n")
	return fmt.Sprintf(`extensions:
  dead_letter: {endpoint: "127.0.0.1:0", directory: %q}
  file_storage: {directory: %q}
`, s.deadLetters, s.storage) + c
}

// metricsReaders returns the metrics readers of a configuration, in YAML's flow style.
func metricsReaders(port int) string {
	return fmt.Sprintf("[{pull: {exporter: {prometheus: {host: 127.0.0.1, port: %d}}}}]", port)
}

// eventCounts are the counts in an exporter's metrics.
type eventCounts struct {
	accepted int
	outcomes map[string]int // by outcome
	reasons  map[string]int // by outcome and reason, with a slash between
}

// withOutcome returns how many events have an outcome.
func (a *eventCounts) withOutcome() int {
	return a.outcomes["delivered"] + a.outcomes["skipped"] + a.outcomes["dead_lettered"] + a.outcomes["dropped"] + a.outcomes["returned"]
}

var (
	acceptedSample = regexp.MustCompile(`^otelcol_fanout_accepted_events_total\{exporter="([^"]*)"\} (\d+)$`)
	eventsSample   = regexp.MustCompile(`^otelcol_fanout_events_total\{exporter="([^"]*)",outcome="([^"]*)",reason="([^"]*)"\} (\d+)$`)
)

// eventCounts reads an exporter's metrics.
func (p *instrumentedCollector) eventCounts(exporter string) eventCounts {
	a := eventCounts{outcomes: map[string]int{}, reasons: map[string]int{}}
	_, text, err := p.get(p.metrics)
	if err != nil {
		return a // it is stopping, or not ready yet
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if m := acceptedSample.FindStringSubmatch(line); len(m) > 1 && m[1] == exporter {
			a.accepted = number(m[2])
		}
		if m := eventsSample.FindStringSubmatch(line); len(m) > 1 && m[1] == exporter {
			a.outcomes[m[2]] += number(m[4])
			a.reasons[m[2]+"/"+m[3]] += number(m[4])
		}
	}
	return a
}

// counted sums a metric's samples that have all of the labels, such as pipeline="logs/audit".
func (p *instrumentedCollector) counted(metric string, labels ...string) int {
	p.t.Helper()
	_, text, err := p.get(p.metrics)
	require.NoError(p.t, err)
	sum := 0
	for line := range strings.Lines(text) {
		sample, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "} ")
		lacks := func(label string) bool { return !strings.Contains(sample, label) }
		if strings.HasPrefix(sample, metric+"{") && !slices.ContainsFunc(labels, lacks) {
			sum += number(value)
		}
	}
	return sum
}

func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// settled waits until exactly the given number of accepted events have an outcome.
func (p *instrumentedCollector) settled(exporter string, accepted int) eventCounts {
	p.t.Helper()
	var a eventCounts
	p.waitFor(fmt.Sprintf("%s to settle %d events", exporter, accepted), func() bool {
		if a = p.eventCounts(exporter); a.accepted == accepted && a.withOutcome() >= accepted {
			return true
		}
		time.Sleep(20 * time.Millisecond)
		return false
	})
	require.Equal(p.t, a.accepted, a.withOutcome(), "accepted = delivered + skipped + dead_lettered + dropped + returned of %s: %v", exporter, a.reasons)
	return a
}

func (p *instrumentedCollector) get(url string) (status int, text string, err error) {
	response, err := p.client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response.StatusCode, string(content), err
}

// deadLetterSummary is the extension's summary of an exporter's dead letters.
type deadLetterSummary struct {
	Exporter string
	Events   int
	Reasons  []struct {
		Reason string
		Events int
	}
}

// deadLetterSummaries returns the extension's summaries, by exporter.
func (p *instrumentedCollector) deadLetterSummaries() map[string]deadLetterSummary {
	p.t.Helper()
	status, text, err := p.get(p.deadLettersURL())
	require.NoError(p.t, err)
	require.Equal(p.t, http.StatusOK, status, text)
	var list struct{ Exporters []deadLetterSummary }
	require.NoError(p.t, json.Unmarshal([]byte(text), &list))
	all := map[string]deadLetterSummary{}
	for _, summary := range list.Exporters {
		all[summary.Exporter] = summary
	}
	return all
}

// deadLetter is an undeliverable event, as the extension returns it.
type deadLetter struct {
	Exporter string
	ID       string
	Reason   string
	Status   int
	Message  string
	Attempts int
	Payload  json.RawMessage
}

// newest returns an exporter's newest dead letters from the extension.
func (p *instrumentedCollector) newest(exporter string, limit int) []deadLetter {
	p.t.Helper()
	status, text, err := p.get(fmt.Sprintf("%s/%s?limit=%d", p.deadLettersURL(), url.PathEscape(exporter), limit))
	require.NoError(p.t, err)
	require.Equal(p.t, http.StatusOK, status, text)
	var list struct {
		DeadLetters []deadLetter `json:"dead_letters"`
	}
	require.NoError(p.t, json.Unmarshal([]byte(text), &list))
	return list.DeadLetters
}

// replayed is the response to a replay.
type replayed struct {
	Replayed, Delivered, Refused, Kept, Unreadable int
	Stopped                                        string
}

// replay replays an exporter's dead letters. header may be nil.
func (p *instrumentedCollector) replay(exporter string, header http.Header) (status int, got replayed) {
	p.t.Helper()
	return p.replayOnly(exporter, "", header)
}

// replayOnly replays the dead letters that a query such as ?reason=exhausted selects.
func (p *instrumentedCollector) replayOnly(exporter, query string, header http.Header) (status int, got replayed) {
	p.t.Helper()
	status = p.callExtension(http.MethodPost, url.PathEscape(exporter)+"/replay"+query, header, &got)
	return status, got
}

// remove deletes an exporter's dead letters, and returns their number. header may be nil.
func (p *instrumentedCollector) remove(exporter string, header http.Header) (status, deleted int) {
	p.t.Helper()
	var got struct{ Deleted int }
	status = p.callExtension(http.MethodDelete, url.PathEscape(exporter), header, &got)
	return status, got.Deleted
}

// callExtension sends a request to the extension, and reads the response into result.
func (p *instrumentedCollector) callExtension(method, path string, header http.Header, result any) (status int) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), method, p.deadLettersURL()+"/"+path, http.NoBody)
	require.NoError(p.t, err)
	if header != nil {
		request.Header = header
	}
	response, err := p.client.Do(request)
	require.NoError(p.t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(p.t, err)
	require.NoError(p.t, json.Unmarshal(content, result), "%s", content)
	return response.StatusCode
}

// onDisk returns the dead letters in the folder, by exporter, and checks that each line is JSON.
func (s *dataFolders) onDisk(t *testing.T) map[string][]deadLetter {
	t.Helper()
	deadLetters := map[string][]deadLetter{}
	for line := range strings.Lines(s.text(t)) {
		var l deadLetter
		require.NoError(t, json.Unmarshal([]byte(line), &l), line)
		deadLetters[l.Exporter] = append(deadLetters[l.Exporter], l)
	}
	return deadLetters
}

// text returns the contents of all dead letter files.
func (s *dataFolders) text(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	require.NoError(t, filepath.WalkDir(s.deadLetters, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".jsonl" {
			return err
		}
		content, err := os.ReadFile(path)
		text.Write(content)
		return err
	}))
	return text.String()
}
