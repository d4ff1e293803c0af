// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// event is an event as it arrives; its numbers are json.Number, which keeps their text.
type event map[string]any

func (e event) id() string   { return text(e["id"]) }
func (e event) name() string { return text(e["name"]) }

func text(value any) string {
	s, _ := value.(string)
	return s
}

// Formats of request bodies.
const (
	singleEvents   = "an event"
	arraysOfEvents = "an array of events"
)

// inbox is a strict webhook: it fails the test on a malformed request, an event without an id, or
// an event that it has already accepted. It accepts everything else unless respondNext says
// otherwise.
type inbox struct {
	URL string

	t    *testing.T
	form string

	mu        sync.Mutex
	responses []response // to the next requests
	attempts  []attempt
	events    []event // accepted events
	taken     map[string]bool
}

// response is a response to send.
type response struct {
	status     int
	retryAfter string
	location   string
	hold       <-chan struct{} // respond when it is closed
}

// attempt is a received request.
type attempt struct {
	at     time.Time
	ids    []string
	status int
}

func newInbox(t *testing.T, form string) *inbox {
	t.Helper()
	in := &inbox{t: t, form: form, taken: map[string]bool{}}
	server := httptest.NewServer(in)
	t.Cleanup(server.Close)
	in.URL = server.URL + "/hook?key=secret"
	return in
}

// respondNext sets the responses to the next requests; later ones get 200.
func (in *inbox) respondNext(responses ...response) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.responses = responses
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	events, err := in.read(r)
	if err != nil {
		in.t.Errorf("the webhook was sent a bad request: %v", err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	a := in.nextResponse()
	if a.hold != nil {
		select {
		case <-a.hold:
		case <-r.Context().Done():
			return
		}
	}
	in.settle(events, a.status)
	if a.retryAfter != "" {
		w.Header().Set("Retry-After", a.retryAfter)
	}
	if a.location != "" {
		w.Header().Set("Location", a.location)
	}
	w.WriteHeader(a.status)
}

func (in *inbox) nextResponse() response {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.responses) == 0 {
		return response{status: http.StatusOK}
	}
	a := in.responses[0]
	in.responses = in.responses[1:]
	return a
}

func (in *inbox) settle(events []event, status int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	a := attempt{at: time.Now(), status: status}
	for _, e := range events {
		a.ids = append(a.ids, e.id())
		if status != http.StatusOK {
			continue
		}
		if in.taken[e.id()] {
			in.t.Errorf("the webhook was sent event %s again after it had taken it", e.id())
		}
		in.taken[e.id()] = true
		in.events = append(in.events, e)
	}
	in.attempts = append(in.attempts, a)
}

// read checks a request and returns its events.
func (in *inbox) read(r *http.Request) ([]event, error) {
	if r.Method != http.MethodPost {
		return nil, fmt.Errorf("the method is %s", r.Method)
	}
	if contentType := r.Header.Get("Content-Type"); contentType != "application/json" {
		return nil, fmt.Errorf("the content type is %q", contentType)
	}
	if agent := r.Header.Get("User-Agent"); !strings.HasPrefix(agent, "otelcol-fanout/") {
		return nil, fmt.Errorf("the user agent is %q", agent)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	// Stricter than encoding/json: no duplicate names, no invalid UTF-8.
	if !jsontext.Value(body).IsValid() {
		return nil, fmt.Errorf("the body is not JSON: %.1000s", body)
	}
	return in.decode(body)
}

func (in *inbox) decode(body []byte) ([]event, error) {
	var events []event
	var err error
	if in.form == singleEvents {
		events = make([]event, 1)
		err = unmarshal(body, &events[0])
	} else {
		err = unmarshal(body, &events)
	}
	if err != nil {
		return nil, fmt.Errorf("the body is not %s: %w: %.1000s", in.form, err, body)
	}
	if len(events) == 0 {
		return nil, errors.New("the body holds no event")
	}
	for _, e := range events {
		_, hasMessage := e["message"]
		if e.id() == "" || (e.name() == "" && !hasMessage) {
			return nil, fmt.Errorf("an event has no id, or neither name nor message: %v", e)
		}
	}
	return events, nil
}

// unmarshal keeps the text of numbers.
func unmarshal(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	return decoder.Decode(into)
}

// received returns a copy of the accepted events.
func (in *inbox) received() []event {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.events)
}

func (in *inbox) count() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.events)
}

func (in *inbox) attempted() []attempt {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.attempts)
}

// has reports whether the webhook has accepted the event.
func (in *inbox) has(id string) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.taken[id]
}

// wait waits until the webhook has accepted that many events.
func (in *inbox) wait(c *collector, count int) []event {
	c.t.Helper()
	c.waitFor(fmt.Sprintf("%d events at the webhook", count), func() bool { return in.count() >= count })
	return in.received()
}
