// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// waitTimeout limits waits that take milliseconds on an idle machine.
const waitTimeout = 2 * time.Minute

// ready is the log message of a started collector.
const ready = "Everything is ready"

// collector is a running binary.
type collector struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout output
	stderr output

	exited  chan struct{}
	exitErr error
	stopped sync.Once
}

// start runs the binary with a configuration until the test ends, and returns when it is ready. It
// must exit with code 0.
func start(t *testing.T, configuration string) *collector {
	t.Helper()
	return startWith(t, "--config", writeConfig(t, configuration))
}

func startWith(t *testing.T, args ...string) *collector {
	t.Helper()
	c := launch(t, args...)
	c.waitForLog(ready)
	return c
}

// launch is startWith without waiting.
func launch(t *testing.T, args ...string) *collector {
	t.Helper()
	return launchIn(t, nil, args...)
}

// launchIn is launch with environment variables.
func launchIn(t *testing.T, environment []string, args ...string) *collector {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 6*waitTimeout)
	t.Cleanup(cancel)
	c := &collector{t: t, cmd: command(ctx, t, environment, args...), exited: make(chan struct{})}
	c.cmd.Stdout, c.cmd.Stderr = &c.stdout, &c.stderr
	require.NoError(t, c.cmd.Start())
	go func() {
		c.exitErr = c.cmd.Wait()
		close(c.exited)
	}()
	t.Cleanup(func() {
		c.stop()
		if t.Failed() {
			t.Logf("the collector's stdout:\n%s", c.stdout.tail())
			t.Logf("the collector's stderr:\n%s", c.stderr.tail())
		}
	})
	return c
}

// kill ends the collector like a crash.
func (c *collector) kill() {
	c.t.Helper()
	c.stopped.Do(func() {
		if err := c.cmd.Process.Kill(); err != nil {
			c.t.Errorf("killing the collector: %v", err)
		}
		<-c.exited
	})
}

// stop sends SIGTERM and waits until the collector has ended. A second call does nothing.
func (c *collector) stop() {
	c.t.Helper()
	c.stopped.Do(func() {
		c.terminate()
		select {
		case <-c.exited:
		case <-time.After(2 * waitTimeout):
			c.t.Errorf("the collector still runs %s after SIGTERM", 2*waitTimeout)
			_ = c.cmd.Process.Kill()
			<-c.exited
		}
		if c.exitErr != nil {
			c.t.Errorf("the collector ended with: %v", c.exitErr)
		}
	})
}

func (c *collector) terminate() {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		c.t.Errorf("sending SIGTERM: %v", err)
	}
}

// waitForLog waits until stderr contains the text.
func (c *collector) waitForLog(text string) {
	c.t.Helper()
	c.waitFor(fmt.Sprintf("%q in the log", text), func() bool { return strings.Contains(c.stderr.String(), text) })
}

// waitFor waits for a condition while the collector runs.
func (c *collector) waitFor(what string, happened func() bool) {
	c.t.Helper()
	deadline := time.Now().Add(waitTimeout)
	for !happened() {
		select {
		case <-c.exited:
			require.FailNow(c.t, "the collector has ended", "while waiting for %s: %v", what, c.exitErr)
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			require.FailNow(c.t, "waited in vain", "for %s", what)
		}
	}
}

// The addresses that the kernel picked, as logged.
func (c *collector) otlpGRPC() string { return c.address("Starting GRPC server") }
func (c *collector) otlpHTTP() string { return c.address("Starting HTTP server") }
func (c *collector) eventURL() string {
	return "http://" + c.address("Listening for events") + "/v1/events"
}
func (c *collector) deadLettersURL() string {
	return "http://" + c.address("Listening for dead letter requests") + "/v1/dead_letters"
}

var endpointField = regexp.MustCompile(`"endpoint": ?"([^"]+)"`)

func (c *collector) address(message string) string {
	c.t.Helper()
	address := ""
	for line := range strings.Lines(c.stderr.String()) {
		if match := endpointField.FindStringSubmatch(line); match != nil && strings.Contains(line, message) {
			address = match[1] // the last one: a reload may pick another port
		}
	}
	require.NotEmpty(c.t, address, "the address after %q in the log", message)
	return address
}

// ended is the result of a binary that exits by itself.
type ended struct {
	code           int
	stdout, stderr string
}

// run runs the binary, which must exit by itself, with only the given environment variables.
func run(t *testing.T, environment []string, args ...string) ended {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitTimeout)
	defer cancel()
	cmd := command(ctx, t, environment, args...)
	var stdout, stderr output
	stderr.onReady = cancel
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		require.FailNow(t, "it does not end by itself", "%v\n%s", args, stderr.tail())
	}
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		require.NoError(t, err)
	}
	return ended{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
}

func command(ctx context.Context, t *testing.T, environment []string, args ...string) *exec.Cmd {
	t.Helper()
	require.NoError(t, noteInputs())
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir}, environment...)
	return cmd
}

// webhook returns a webhook exporter's configuration; settings are more keys, in YAML's flow style.
type webhook struct{ name, url, settings string }

// configure returns a configuration with all receivers and one pipeline to the given webhooks.
// eventSettings are more keys of the event receiver.
func configure(eventSettings string, webhooks ...webhook) string {
	var exporters, names []string
	for _, w := range webhooks {
		exporters = append(exporters, fmt.Sprintf("  webhook/%s: {endpoint: %q, %s}", w.name, w.url, w.settings))
		names = append(names, "webhook/"+w.name)
	}
	return fmt.Sprintf(`receivers:
  otlp:
    protocols:
      grpc: {endpoint: "127.0.0.1:0"}
      http: {endpoint: "127.0.0.1:0"}
  event: {endpoint: "127.0.0.1:0", %s}
exporters:
%s
service:
  telemetry:
    metrics: {level: none}
  pipelines:
    logs: {receivers: [otlp, event], exporters: [%s]}
`, eventSettings, strings.Join(exporters, "\n"), strings.Join(names, ", "))
}

func writeConfig(t *testing.T, configuration string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(configuration), 0o600))
	return path
}

// output is the output of a process so far.
type output struct {
	// onReady is called when the output shows that a collector has started.
	onReady func()

	mu     sync.Mutex
	buffer bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.onReady != nil && bytes.Contains(p, []byte(ready)) {
		o.onReady()
	}
	return o.buffer.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}

// tail returns the end of the output for test logs.
func (o *output) tail() string {
	const most = 16 << 10
	text := o.String()
	if len(text) > most {
		text = "...\n" + text[len(text)-most:]
	}
	return text
}
