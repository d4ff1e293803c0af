// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// collector is the running program.
type collector struct {
	cmd    *exec.Cmd
	cancel context.CancelFunc
	ended  chan struct{} // closed when the program has ended
}

// startCollector starts the collector, which stops when ctx ends. The returned context ends when
// the collector does.
func startCollector(ctx context.Context, binary, config string, env []string, log *collectorLog) (context.Context, *collector, error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, binary, "--config", config) //nolint:gosec // the program is the user's choice
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stepTimeout // after this it is killed
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, nil, fmt.Errorf("starting the collector: %w", err)
	}

	running, end := context.WithCancelCause(ctx)
	c := &collector{cmd: cmd, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		_ = cmd.Wait() // ProcessState says more than the error
		end(fmt.Errorf("the collector ended: %s", cmd.ProcessState))
	}()
	return running, c, nil
}

// stop stops the collector, and waits until it has ended.
func (c *collector) stop() error {
	c.cancel()
	<-c.ended
	if !c.cmd.ProcessState.Success() {
		return fmt.Errorf("the collector did not stop cleanly: %s", c.cmd.ProcessState)
	}
	return nil
}

// keptLines is how many lines of the collector's log the demo shows after a failure.
const keptLines = 15

// collectorLog parses the collector's log for the addresses it listens on, and keeps the last
// lines.
type collectorLog struct {
	ready chan struct{} // closed when the collector accepts events

	mu        sync.Mutex
	partial   []byte // an incomplete line
	lines     []string
	addresses addresses
	isReady   bool
}

// addresses are the receivers' host:port.
type addresses struct{ otlp, event string }

func newCollectorLog() *collectorLog { return &collectorLog{ready: make(chan struct{})} }

// Write accepts the log in pieces of any size.
func (l *collectorLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, p...)
	for {
		line, rest, found := bytes.Cut(l.partial, []byte("\n"))
		if !found {
			return len(p), nil
		}
		l.add(line)
		l.partial = rest
	}
}

func (l *collectorLog) add(line []byte) {
	l.lines = append(l.lines, string(line))
	l.lines = l.lines[max(0, len(l.lines)-keptLines):]

	var entry struct {
		Message  string `json:"msg"`
		Endpoint string `json:"endpoint"`
	}
	if json.Unmarshal(line, &entry) != nil {
		return // not a log line but an error at exit
	}
	switch {
	case entry.Message == "Starting HTTP server":
		l.addresses.otlp = entry.Endpoint
	case entry.Message == "Listening for events":
		l.addresses.event = entry.Endpoint
	case strings.HasPrefix(entry.Message, "Everything is ready") && !l.isReady:
		l.isReady = true
		close(l.ready)
	}
}

// awaitReady waits until the collector accepts events, and returns its addresses.
func (l *collectorLog) awaitReady(ctx context.Context) (addresses, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, stepTimeout, fmt.Errorf("the collector is not ready after %s", stepTimeout))
	defer cancel()
	select {
	case <-l.ready:
	case <-ctx.Done():
		return addresses{}, context.Cause(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.addresses.otlp == "" || l.addresses.event == "" {
		return addresses{}, errors.New("the collector did not log its addresses; the demo needs the receivers otlp (http) and event, and JSON logs")
	}
	return l.addresses, nil
}

// tail returns the end of the log.
func (l *collectorLog) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.lines
	if len(l.partial) > 0 {
		lines = append(slices.Clip(lines), string(l.partial))
	}
	if len(lines) == 0 {
		return ""
	}
	return "The end of the collector's log:\n  " + strings.Join(lines, "\n  ") + "\n"
}
