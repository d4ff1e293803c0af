// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/extension/statusextension/internal/backends"
)

// helloJSON is the first event of a stream.
type helloJSON struct {
	Version   string `json:"version"`
	StartedAt moment `json:"started_at"`
	Now       moment `json:"now"`
}

// changesJSON are the events that changed.
type changesJSON struct {
	Events []eventJSON `json:"events"`
}

// lostJSON is the number of changed events that a reader was too slow for.
type lostJSON struct {
	Events int `json:"events"`
}

// stream sends changes as server-sent events until the client disconnects or the extension stops.
func (a *api) stream(w http.ResponseWriter, r *http.Request, _ arguments) error {
	which, err := a.eventFilter(r, maxLimit)
	if err != nil {
		return err
	}
	release, ok := a.readers.take()
	if !ok {
		return apiErrorf(http.StatusServiceUnavailable, "%d readers of streams are connected, which is the most; close one", maxHeld)
	}
	defer release()
	w.Header().Set("Content-Type", "text/event-stream")
	if r.Method == http.MethodHead {
		return nil
	}
	out := &streamWriter{api: a, w: w, control: hold(w)}
	// Before hello: what changes after a client has read it is in the stream.
	changes := a.registry.Subscribe(which)
	out.send("hello", helloJSON{a.version, moment{a.started}, moment{a.now()}})
	out.follow(r, changes)
	return nil
}

// streamWriter writes a stream to a client. After a failed write it writes no more.
type streamWriter struct {
	api     *api
	w       http.ResponseWriter
	control *http.ResponseController
	number  int
	sent    time.Time
	// backends is the last text that was sent about them.
	backends []byte
	failed   error
}

// follow sends changes until the request or the extension ends, or a write fails.
func (s *streamWriter) follow(r *http.Request, changes *backends.Subscription) {
	pace := &s.api.pace
	events, states := time.NewTicker(pace.events), time.NewTicker(pace.backends)
	defer events.Stop()
	defer states.Stop()
	s.sendBackends(r)
	for s.failed == nil {
		select {
		case <-r.Context().Done():
			return
		case <-s.api.closing.Done():
			return
		case <-states.C:
			s.sendBackends(r)
		case <-events.C:
			s.sendEvents(changes)
		}
	}
}

func (s *streamWriter) sendEvents(changes *backends.Subscription) {
	events, lost := changes.Read()
	if len(events) > 0 {
		s.send("events", changesJSON{s.api.describeEvents(events)})
	}
	if lost > 0 {
		s.send("lost", lostJSON{lost})
	}
	if time.Since(s.sent) >= s.api.pace.heartbeat {
		s.write([]byte(":\n\n"))
	}
}

// sendBackends sends the backends if they changed.
func (s *streamWriter) sendBackends(r *http.Request) {
	text, err := s.api.snapshots.get(func() ([]byte, error) { return json.Marshal(s.api.overview(r)) }, s.api.pace.backends)
	if err != nil {
		s.failed = err
		return
	}
	if !bytes.Equal(text, s.backends) {
		s.backends = text
		s.sendText("backends", text)
	}
}

func (s *streamWriter) send(event string, data any) {
	text, err := json.Marshal(data)
	if err != nil {
		s.failed = err
		return
	}
	s.sendText(event, text)
}

func (s *streamWriter) sendText(event string, text []byte) {
	s.number++
	s.write(fmt.Appendf(nil, "id: %d\nevent: %s\ndata: %s\n\n", s.number, event, text))
}

// write gives up on a client that does not read, which would keep its connection and memory.
func (s *streamWriter) write(text []byte) {
	if s.failed != nil {
		return
	}
	s.sent = time.Now()
	_ = s.control.SetWriteDeadline(s.sent.Add(s.api.pace.write))
	if _, s.failed = s.w.Write(text); s.failed == nil {
		s.failed = s.control.Flush()
	}
}

// snapshots keeps the last text of the backends for half the interval of a stream, so that streams share
// it.
type snapshots struct {
	lock sync.Mutex
	at   time.Time
	text []byte
}

func (s *snapshots) get(create func() ([]byte, error), interval time.Duration) ([]byte, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.text != nil && time.Since(s.at) < interval/2 {
		return s.text, nil
	}
	text, err := create()
	if err != nil {
		return nil, err
	}
	s.text, s.at = text, time.Now()
	return text, nil
}
