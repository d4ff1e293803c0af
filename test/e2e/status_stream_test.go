// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// statusStream reads GET /v1/stream.
type statusStream struct {
	response *http.Response
	lines    *bufio.Reader
}

// streamEvent is a server-sent event.
type streamEvent struct{ id, event, data string }

// openStream connects to a stream until ctx ends. If it is slow, its buffer is small.
func (p *instrumentedCollector) openStream(ctx context.Context, query string, slow bool) *statusStream {
	p.t.Helper()
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		connection, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err == nil && slow {
			err = connection.(*net.TCPConn).SetReadBuffer(256 << 10)
		}
		return connection, err
	}
	transport := &http.Transport{DialContext: dial}
	p.t.Cleanup(transport.CloseIdleConnections)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.statusURL()+"/v1/stream"+query, http.NoBody)
	require.NoError(p.t, err)
	response, err := (&http.Client{Transport: transport}).Do(request)
	require.NoError(p.t, err)
	p.t.Cleanup(func() { _ = response.Body.Close() })
	require.Equal(p.t, http.StatusOK, response.StatusCode)
	return &statusStream{response, bufio.NewReader(response.Body)}
}

// next returns the next event. Comments are left out.
func (s *statusStream) next() (streamEvent, error) {
	var e streamEvent
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return e, err
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "id":
			e.id = value
		case "event":
			e.event = value
		case "data":
			e.data = value
		case "":
			if e.event != "" {
				return e, nil
			}
		}
	}
}

// seen notes the events that a reader of a stream has read.
type seen struct {
	mu     sync.Mutex
	events map[string]string // the last outcome or progress, by id
	lost   int
	kinds  map[string]int
}

// follow reads a stream until it ends.
func (s *seen) follow(stream *statusStream) {
	for {
		e, err := stream.next()
		if err != nil {
			return
		}
		s.note(e)
	}
}

func (s *seen) note(e streamEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kinds[e.event]++
	var changed []statusEvent
	switch e.event {
	case "lost":
		var lost struct{ Events int }
		_ = json.Unmarshal([]byte(e.data), &lost)
		s.lost += lost.Events
	case "events":
		var changes struct{ Events []statusEvent }
		_ = json.Unmarshal([]byte(e.data), &changes)
		changed = changes.Events
	}
	for i := range changed {
		s.events[changed[i].ID] = changed[i].Outcome + changed[i].Progress
	}
}

// with returns how many events were last seen with an outcome, and how many were lost.
func (s *seen) with(outcome string) (events, lost int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, last := range s.events {
		if last == outcome {
			events++
		}
	}
	return events, s.lost
}

func newSeen() *seen { return &seen{events: map[string]string{}, kinds: map[string]int{}} }

func TestSlowStreamReaderIsToldWhatItLost(t *testing.T) {
	t.Parallel()
	const together = 10 // half of what is remembered, so that a prompt reader sees everything
	b := newBackend(t, accepting)
	p := startInstrumentedWith(t, newDataFolders(t), withStatus(t, fmt.Sprintf("payloads: all, recent_events: %d", 2*together)),
		[]webhook{{"b", b.URL, "batching: array"}})
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	defer readers.Wait()
	defer cancel()

	prompt, sent := newSeen(), 0
	stream := p.openStream(ctx, "?backend=webhook/b", false)
	hello, err := stream.next()
	require.NoError(t, err)
	assert.Equal(t, "hello", hello.event)
	readers.Go(func() { prompt.follow(stream) })
	send := func() {
		logs := records(sent, together)
		for i := range together {
			edit(logs, i, func(r plog.LogRecord) { r.Attributes().PutStr("large", strings.Repeat("<", 16<<10)) })
		}
		newSDK(p).mustExport(t, logs)
		sent += together
		p.waitFor("the prompt reader", func() bool {
			events, _ := prompt.with("delivered")
			return events == sent
		})
	}

	// A reader that does not read for ten seconds is disconnected, so a slow machine may need several.
	deadline := time.Now().Add(waitTimeout)
	for lost := 0; lost == 0 && time.Now().Before(deadline); {
		slow, before := newSeen(), sent
		stream := p.openStream(ctx, "?backend=webhook/b", true)
		for range 10 { // the buffers hold less than half of them
			send()
		}
		events := 0
		for err := error(nil); err == nil && lost == 0 && events < sent-before; {
			var e streamEvent
			if e, err = stream.next(); err == nil {
				slow.note(e)
				events, lost = slow.with("delivered")
			}
		}
		t.Logf("a slow reader saw %d of %d events, and lost %d", events, sent-before, lost)
		if lost > 0 {
			assert.LessOrEqual(t, sent-before-events, lost, "events that it did not see")
		}
		require.NoError(t, stream.response.Body.Close())
	}

	assert.Empty(t, b.missing(sent), "delivery does not wait for readers")
	_, lost := prompt.with("")
	assert.Zero(t, lost, "of the prompt reader")
	assert.Positive(t, prompt.kinds["backends"])
	assert.Equal(t, map[string]int{"delivered/": sent}, p.settled("webhook/b", sent).reasons)
}
