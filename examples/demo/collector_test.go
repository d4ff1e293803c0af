// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const readyLog = `{"level":"info","msg":"Starting HTTP server","otelcol.component.id":"otlp","endpoint":"127.0.0.1:4318"}
{"level":"info","msg":"Listening for events","otelcol.component.id":"event","endpoint":"127.0.0.1:4319","path":"/v1/events"}
{"level":"info","msg":"Everything is ready. Begin running and processing data."}
`

// This variable makes the test binary act as the collector.
const fakeCollectorVariable = "FAKE_COLLECTOR"

func fakeCollector(behavior string) int {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	if behavior == "refuses its configuration" {
		fmt.Fprintln(os.Stderr, "Error: invalid configuration")
		return 3
	}
	fmt.Fprint(os.Stderr, readyLog)
	<-stop
	if behavior == "stops badly" {
		return 4
	}
	return 0
}

func start(t *testing.T, behavior string) (context.Context, *collector, *collectorLog) {
	t.Helper()
	log := newCollectorLog()
	running, c, err := startCollector(t.Context(), os.Args[0], "config.yaml", []string{fakeCollectorVariable + "=" + behavior}, log)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.stop() })
	return running, c, log
}

func TestCollectorStartsAndStops(t *testing.T) {
	running, c, log := start(t, "works")
	at, err := log.awaitReady(running)
	require.NoError(t, err)
	assert.Equal(t, addresses{otlp: "127.0.0.1:4318", event: "127.0.0.1:4319"}, at)
	require.NoError(t, running.Err())

	require.NoError(t, c.stop())
	require.Error(t, running.Err())
}

func TestFailedStartIsNotAwaited(t *testing.T) {
	running, _, log := start(t, "refuses its configuration")
	_, err := log.awaitReady(running)
	require.EqualError(t, err, "the collector ended: exit status 3")
	assert.Equal(t, "The end of the collector's log:\n  Error: invalid configuration\n", log.tail())
}

func TestUncleanStopIsAnError(t *testing.T) {
	running, c, log := start(t, "stops badly")
	_, err := log.awaitReady(running)
	require.NoError(t, err)
	require.EqualError(t, c.stop(), "the collector did not stop cleanly: exit status 4")
}

func TestCollectorEndsWithContext(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	log := newCollectorLog()
	running, c, err := startCollector(ctx, os.Args[0], "", []string{fakeCollectorVariable + "=works"}, log)
	require.NoError(t, err)
	_, err = log.awaitReady(running)
	require.NoError(t, err)

	interrupt()
	<-c.ended
	assert.NoError(t, c.stop())
}

func TestLogIsReadInPiecesOfAnySize(t *testing.T) {
	for size := 1; size < len(readyLog); size += 7 {
		log := newCollectorLog()
		for rest := readyLog; rest != ""; {
			n := min(size, len(rest))
			_, err := log.Write([]byte(rest[:n]))
			require.NoError(t, err)
			rest = rest[n:]
		}
		at, err := log.awaitReady(t.Context())
		require.NoError(t, err)
		assert.Equal(t, addresses{otlp: "127.0.0.1:4318", event: "127.0.0.1:4319"}, at)
	}
}

func TestLogWithoutAddressesIsAnError(t *testing.T) {
	log := newCollectorLog()
	_, _ = fmt.Fprintln(log, `{"msg":"Everything is ready. Begin running and processing data."}`)
	_, err := log.awaitReady(t.Context())
	require.ErrorContains(t, err, "did not log its addresses")
}

func TestTailReturnsLastLines(t *testing.T) {
	log := newCollectorLog()
	assert.Empty(t, log.tail())
	for i := range 100 {
		_, _ = fmt.Fprintf(log, "line %d\n", i)
	}
	_, _ = fmt.Fprint(log, "cut off")
	tail := log.tail()
	assert.Equal(t, keptLines+2, strings.Count(tail, "\n"))
	assert.True(t, strings.HasSuffix(tail, "\n  line 99\n  cut off\n"), tail)
}
