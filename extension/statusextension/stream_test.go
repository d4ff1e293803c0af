// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// listener reads a stream.
type listener struct {
	t        *testing.T
	response *http.Response
	lines    *bufio.Scanner
}

type message struct{ id, event, data string }

func (w *world) serve() *httptest.Server {
	w.t.Helper()
	server := httptest.NewServer(w.handler)
	w.t.Cleanup(server.Close)
	w.t.Cleanup(w.stop) // before the server, which waits for streams
	return server
}

func listen(t *testing.T, server *httptest.Server, query string) *listener {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v1/stream"+query, nil)
	require.NoError(t, err)
	response, err := server.Client().Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	return &listener{t, response, bufio.NewScanner(response.Body)}
}

// next returns the next event of a stream that is not about the backends, or any event if all is true.
func (l *listener) next(all bool) message {
	l.t.Helper()
	var m message
	for l.lines.Scan() {
		field, value, _ := strings.Cut(l.lines.Text(), ": ")
		switch field {
		case "id":
			m.id = value
		case "event":
			m.event = value
		case "data":
			m.data = value
		case "":
			if m.event != "" && (all || m.event != "backends") {
				return m
			}
			m = message{}
		}
	}
	return m
}

func TestStreamSendsHelloBackendsAndEvents(t *testing.T) {
	w := newWorld(t)
	e := w.add("webhook")
	stream := listen(t, w.serve(), "")
	assert.Equal(t, "text/event-stream", stream.response.Header.Get("Content-Type"))
	assert.Equal(t, "no-store", stream.response.Header.Get("Cache-Control"))

	hello := stream.next(true)
	assert.Equal(t, "1", hello.id)
	assert.Equal(t, "hello", hello.event)
	checkAgainstSchema(t, "hello", hello.data)
	states := stream.next(true)
	assert.Equal(t, message{"2", "backends", states.data}, states)
	checkAgainstSchema(t, "backends", states.data)

	e.enter("e1", "e2")
	var ids []string
	for len(ids) < 2 {
		changed := stream.next(false)
		require.Equal(t, "events", changed.event)
		checkAgainstSchema(t, "changes", changed.data)
		for _, id := range []string{"e1", "e2"} {
			if strings.Contains(changed.data, `"id":"`+id+`"`) {
				ids = append(ids, id)
			}
		}
	}
}

// TestStreamHasWhatChangesAfterHello reports an event while hello is being written.
func TestStreamHasWhatChangesAfterHello(t *testing.T) {
	w := newWorld(t)
	e := w.add("webhook")
	enter := sync.OnceFunc(func() { e.enter("e1") })
	w.api.now = func() time.Time {
		enter()
		return w.clock
	}
	stream := listen(t, w.serve(), "")
	require.Equal(t, "hello", stream.next(false).event)
	assert.Contains(t, stream.next(false).data, `"id":"e1"`)
}

func TestStreamIsFiltered(t *testing.T) {
	w := newWorld(t)
	e := w.add("webhook")
	w.add("webhook/audit")
	stream := listen(t, w.serve(), "?outcome=dead_lettered&backend=webhook")
	require.Equal(t, "hello", stream.next(false).event)
	e.settle(e.enter("good"), statusfeed.Delivered, "", 200, "")
	e.settle(e.enter("bad"), statusfeed.DeadLettered, "refused", 400, "no")
	changed := stream.next(false)
	assert.Contains(t, changed.data, `"id":"bad"`)
	assert.NotContains(t, changed.data, `"id":"good"`)
}

func TestSlowReaderLosesEventsAndIsToldHowMany(t *testing.T) {
	w := newWorld(t)
	w.api.pace.events = 200 * time.Millisecond
	e := w.add("webhook")
	stream := listen(t, w.serve(), "?limit=10")
	require.Equal(t, "hello", stream.next(false).event)
	ids := make([]string, 500)
	for i := range ids {
		ids[i] = fmt.Sprintf("e%d", i)
	}
	e.enter(ids...)
	for {
		if m := stream.next(false); m.event == "lost" {
			checkAgainstSchema(t, "lost", m.data)
			assert.Equal(t, `{"events":490}`, m.data)
			return
		}
	}
}

func TestUnchangedBackendsAreSentOnce(t *testing.T) {
	w := newWorld(t)
	w.add("webhook")
	w.api.pace.heartbeat = 20 * time.Millisecond
	stream := listen(t, w.serve(), "")
	sent, beats := 0, 0
	for beats < 3 && stream.lines.Scan() {
		switch stream.lines.Text() {
		case "event: backends":
			sent++
		case ":":
			beats++
		}
	}
	assert.Equal(t, 1, sent)
}

func TestReadersOfStreamsAreLimited(t *testing.T) {
	w := newWorld(t)
	server := w.serve()
	streams := make([]*listener, 0, maxHeld)
	for range maxHeld {
		s := listen(t, server, "")
		require.Equal(t, "hello", s.next(false).event)
		streams = append(streams, s)
	}
	w.ask("GET", "/v1/stream").fails(503, "16 readers of streams are connected, which is the most; close one")
	require.NoError(t, streams[0].response.Body.Close())
	require.Eventually(t, func() bool { return len(w.api.readers) < maxHeld }, time.Minute, time.Millisecond, "the place becomes free")
	assert.Equal(t, "hello", listen(t, server, "").next(false).event)
}

// TestStuckReaderIsDisconnected: a client that does not read would hold its place forever.
func TestStuckReaderIsDisconnected(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.RecentEvents = 1000 })
	w.api.pace.write = 50 * time.Millisecond
	e := w.add("webhook")
	server := w.serve()
	connection, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer connection.Close()
	_, err = connection.Write([]byte("GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(w.api.readers) == 1 }, time.Minute, time.Millisecond)
	ids := make([]string, 1000)
	for i := range ids {
		ids[i] = strings.Repeat("x", 120) + fmt.Sprint(i)
	}
	require.Eventually(t, func() bool {
		e.settle(e.enter(ids...), statusfeed.DeadLettered, "refused", 400, strings.Repeat("m", 200))
		return len(w.api.readers) == 0
	}, time.Minute, 5*time.Millisecond)
}

func TestStreamsEndWhenTheExtensionStops(t *testing.T) {
	w := newWorld(t)
	server := w.serve()
	var ended sync.WaitGroup
	for range 3 {
		s := listen(t, server, "")
		require.Equal(t, "hello", s.next(false).event)
		ended.Go(func() {
			for s.lines.Scan() {
				continue
			}
		})
	}
	w.stop()
	ended.Wait()
}
