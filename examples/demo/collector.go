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

// startCollector starts the program, and has it stop when ctx ends. The context that it returns ends with the
// program.
func startCollector(ctx context.Context, binary, config string, env []string, log *collectorLog) (context.Context, *collector, error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, binary, "--config", config) //nolint:gosec // the program is the user's choice
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience // then it is killed
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, nil, fmt.Errorf("starting the collector: %w", err)
	}

	running, end := context.WithCancelCause(ctx)
	c := &collector{cmd: cmd, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		_ = cmd.Wait() // the state tells more
		end(fmt.Errorf("the collector ended: %s", cmd.ProcessState))
	}()
	return running, c, nil
}

// stop asks the program to stop, and waits until it has.
func (c *collector) stop() error {
	c.cancel()
	<-c.ended
	if !c.cmd.ProcessState.Success() {
		return fmt.Errorf("the collector did not stop as it should: %s", c.cmd.ProcessState)
	}
	return nil
}

// keptLines is how much of the collector's log the demo shows when something went wrong.
const keptLines = 15

// collectorLog reads what the collector logs, for where it listens and for its last lines.
type collectorLog struct {
	ready chan struct{} // closed when the collector takes events

	mu        sync.Mutex
	partial   []byte // a line whose end has not come yet
	lines     []string
	addresses addresses
	isReady   bool
}

// addresses are the host:port of the receivers.
type addresses struct{ otlp, event string }

func newCollectorLog() *collectorLog { return &collectorLog{ready: make(chan struct{})} }

// Write takes the log in pieces of any size.
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
		return // not a line of the log: the collector's last words
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

// awaitReady waits until the collector takes events, and returns where.
func (l *collectorLog) awaitReady(ctx context.Context) (addresses, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("the collector is not ready after %s", patience))
	defer cancel()
	select {
	case <-l.ready:
	case <-ctx.Done():
		return addresses{}, context.Cause(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.addresses.otlp == "" || l.addresses.event == "" {
		return addresses{}, errors.New("the collector did not log where it listens; the demo needs the receivers otlp (http) and event, and the log as JSON")
	}
	return l.addresses, nil
}

// tail is the end of the log; empty where there is none.
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
