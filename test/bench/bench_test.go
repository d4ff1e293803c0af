// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package bench compares the built binary's exporters with the collector's: OTLP comes in, and two
// backends get gzipped JSON, through two webhook exporters or two core otlp_http exporters.
package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

const (
	// records is the number of records per request, each with ten attributes and about 420 bytes.
	records     = 100
	requests    = 1000
	waitTimeout = time.Minute
)

// BenchmarkEndToEnd reports the collector's median CPU time per record. Configurations take turns,
// and ratios compare runs of the same turn, since a machine's speed varies. Use at least -benchtime
// 5x. The targets are end-to-end 0.5 and marginal 0.3.
func BenchmarkEndToEnd(b *testing.B) {
	binary := findBinary(b)
	contestants := []contestant{
		{"nop", configOf("  nop/a: {}\n  nop/b: {}\n")}, // the cost of receiving
		{"webhooks", configOf(webhook("a") + webhook("b"))},
		{"otlp_http", configOf(otlpHTTP("a") + otlpHTTP("b"))},
	}
	request := protobufRequest(b)
	measured := measurements{}
	for b.Loop() {
		turn := map[string]float64{}
		for _, c := range contestants {
			turn[c.name] = run(b, binary, c.config, request)
			measured.add(c.name+"-cpu-ns/record", turn[c.name])
		}
		measured.add("end-to-end", turn["webhooks"]/turn["otlp_http"])
		measured.add("marginal", (turn["webhooks"]-turn["nop"])/(turn["otlp_http"]-turn["nop"]))
	}
	measured.report(b)
}

// contestant is a configuration, with URL in place of the backend's address.
type contestant struct{ name, config string }

// measurements are values by unit, one for each turn.
type measurements map[string][]float64

func (m measurements) add(unit string, value float64) { m[unit] = append(m[unit], value) }

// report reports the medians.
func (m measurements) report(b *testing.B) {
	b.Helper()
	b.ReportMetric(0, "ns/op") // the time of a turn is meaningless
	for unit, values := range m {
		slices.Sort(values)
		b.ReportMetric(values[len(values)/2], unit)
	}
}

func webhook(name string) string {
	return fmt.Sprintf("  webhook/%s: {endpoint: URL, batching: array, compression: gzip, shutdown_timeout: 1m}\n", name)
}

func otlpHTTP(name string) string {
	return fmt.Sprintf("  otlp_http/%s: {endpoint: URL, encoding: json, compression: gzip}\n", name)
}

var exporterName = regexp.MustCompile(`(?m)^  ([\w/]+):`)

// configOf returns a configuration with one pipeline, from OTLP to the exporters.
func configOf(exporters string) string {
	var names []string
	for _, match := range exporterName.FindAllStringSubmatch(exporters, -1) {
		names = append(names, match[1])
	}
	return `
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}}
exporters:
` + exporters + `
service:
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [otlp], exporters: [` + strings.Join(names, ", ") + `]}}
`
}

// run makes a collector receive and deliver all requests, and returns its CPU time in nanoseconds
// per record.
func run(b *testing.B, binary, config string, request otlpRequest) float64 {
	b.Helper()
	var got atomic.Int64
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got.Add(1)
	}))
	defer backend.Close()
	c := start(b, binary, strings.ReplaceAll(config, "URL", backend.URL))
	sendAll(b, "http://"+c.address(b)+"/v1/logs", request)
	used := c.stop(b)
	if strings.Contains(config, "URL") {
		require.Positive(b, got.Load())
	}
	return float64(used.Nanoseconds()) / (requests * records)
}

func start(b *testing.B, binary, config string) *collector {
	b.Helper()
	path := filepath.Join(b.TempDir(), "config.yaml")
	require.NoError(b, os.WriteFile(path, []byte(config), 0o600))
	ctx, cancel := context.WithTimeout(context.Background(), 2*waitTimeout)
	b.Cleanup(cancel)
	c := &collector{cmd: exec.CommandContext(ctx, binary, "--config", path)}
	c.cmd.Stderr = &c.log
	require.NoError(b, c.cmd.Start())
	return c
}

// collector is a running binary.
type collector struct {
	cmd *exec.Cmd
	log buffer
}

// buffer is a log that can be read while it is written.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *buffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *buffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

var endpoint = regexp.MustCompile(`Starting HTTP server.*"endpoint": "([^"]+)"`)

// address waits until the collector is ready, and returns its address.
func (c *collector) address(b *testing.B) string {
	b.Helper()
	require.Eventually(b, func() bool { return strings.Contains(c.log.String(), "Everything is ready") }, waitTimeout, time.Millisecond)
	match := endpoint.FindStringSubmatch(c.log.String())
	require.NotNil(b, match)
	return match[1]
}

// stop makes the collector deliver its queue and exit.
func (c *collector) stop(b *testing.B) time.Duration {
	b.Helper()
	require.NoError(b, c.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(b, c.cmd.Wait(), c.log.String())
	return c.cmd.ProcessState.UserTime() + c.cmd.ProcessState.SystemTime()
}

// sendAll sends the requests one by one over one connection, and repeats those that are refused.
func sendAll(b *testing.B, url string, request otlpRequest) {
	b.Helper()
	client := &http.Client{Timeout: waitTimeout}
	defer client.CloseIdleConnections()
	for sent := 0; sent < requests; {
		response, err := client.Post(url, request.contentType, bytes.NewReader(request.body))
		require.NoError(b, err)
		_, _ = io.Copy(io.Discard, response.Body)
		require.NoError(b, response.Body.Close())
		if response.StatusCode == http.StatusServiceUnavailable {
			time.Sleep(time.Millisecond)
			continue
		}
		require.Equal(b, http.StatusOK, response.StatusCode)
		sent++
	}
}

// otlpRequest is a request with records.
type otlpRequest struct {
	contentType string
	body        []byte
}

func protobufRequest(b *testing.B) otlpRequest {
	b.Helper()
	body, err := plogotlp.NewExportRequestFromLogs(newLogs()).MarshalProto()
	require.NoError(b, err)
	return otlpRequest{"application/x-protobuf", body}
}

func jsonRequest(b *testing.B) otlpRequest {
	b.Helper()
	body, err := plogotlp.NewExportRequestFromLogs(newLogs()).MarshalJSON()
	require.NoError(b, err)
	return otlpRequest{"application/json", body}
}

func newLogs() plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "shop")
	sl := rl.ScopeLogs().AppendEmpty()
	for i := range records {
		record := sl.LogRecords().AppendEmpty()
		record.SetEventName("order_placed")
		record.SetTimestamp(1700000000123456789)
		record.Attributes().PutStr("log.record.uid", fmt.Sprintf("0198c0de-0000-7000-8000-%012d", i))
		record.Attributes().PutStr("user.id", fmt.Sprint("user-", i))
		for n := range 8 {
			record.Attributes().PutStr(fmt.Sprint("attribute.", n), fmt.Sprint("a value of some length ", i*n))
		}
	}
	return ld
}

// findBinary returns the binary in OTELCOL_FANOUT, or bin/otelcol-fanout.
func findBinary(b *testing.B) string {
	b.Helper()
	path := os.Getenv("OTELCOL_FANOUT")
	if path == "" {
		path = filepath.Join("..", "..", "bin", "otelcol-fanout")
	}
	absolute, err := filepath.Abs(path)
	require.NoError(b, err)
	_, err = os.Stat(absolute)
	require.NoError(b, err, "build the binary with: make build")
	return absolute
}
