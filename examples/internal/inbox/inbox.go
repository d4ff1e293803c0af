// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package inbox receives events as JSON from a webhook exporter and prints them, one per line.
package inbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// maxBody is the maximum size of a request body.
const maxBody = 32 << 20

// Inbox receives events: each request is one event or an array of them.
type Inbox struct {
	name string
	out  io.Writer
	now  func() time.Time

	mu     sync.Mutex
	fail   Failures // still to come
	counts Counts
	ids    map[string]struct{}
	// changed is closed when events arrive, and then replaced.
	changed chan struct{}
}

// Counts are the numbers of events and requests received so far.
type Counts struct {
	// Events is the number of events received, and IDs the number of distinct ids among them: two
	// events with the same id are the same event.
	Events, IDs int
	// Requests is the number of accepted requests, and Refused of those that got an error.
	Requests, Refused int
}

// Failures are the first requests to an inbox, which it refuses on purpose.
type Failures struct {
	// Requests is how many requests it refuses.
	Requests int
	// Status is the status of the responses; the default is 503, like a webhook that is down for a
	// moment. With 400 the events are refused for good.
	Status int
}

// New returns an inbox that prints to out, with one Write per request.
func New(name string, out io.Writer, fail Failures) *Inbox {
	return &Inbox{
		name:    name,
		out:     out,
		now:     time.Now,
		fail:    fail,
		ids:     make(map[string]struct{}),
		changed: make(chan struct{}),
	}
}

// ServeHTTP accepts all events of a request or none.
func (b *Inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodOptions {
		consent(w.Header(), r.Header)
		return
	}
	events, err := b.read(w, r)
	if err != nil {
		b.refuse(w, err)
		return
	}
	b.add(events)
}

// consent accepts any handshake of a CloudEvents webhook ("Abuse protection", section 4), with the
// rate it asks for.
func consent(to, asked http.Header) {
	to.Set("Allow", http.MethodPost)
	for _, what := range []string{"Origin", "Rate"} {
		if value := asked.Get("WebHook-Request-" + what); value != "" {
			to.Set("WebHook-Allowed-"+what, value)
		}
	}
}

func (b *Inbox) read(w http.ResponseWriter, r *http.Request) ([]event, error) {
	if r.Method != http.MethodPost {
		return nil, &refusal{http.StatusMethodNotAllowed, errors.New("use POST")}
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" {
		return nil, &refusal{http.StatusUnsupportedMediaType, fmt.Errorf("unsupported content encoding %q; send without compression", encoding)}
	}
	if left, failing := b.failing(); failing {
		return nil, &refusal{cmp.Or(b.fail.Status, http.StatusServiceUnavailable), fmt.Errorf("on purpose, %d more to come", left)}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("reading the body: %w", err)
	}
	return decode(body)
}

// failing reports whether to fail this request, and how many more will fail.
func (b *Inbox) failing() (int, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail.Requests == 0 {
		return 0, false
	}
	b.fail.Requests--
	return b.fail.Requests, true
}

// refusal is an error with a response status. The status of any other error is 400.
type refusal struct {
	status int
	err    error
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

func (b *Inbox) refuse(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	if r, ok := errors.AsType[*refusal](err); ok {
		status = r.status
	}
	b.mu.Lock()
	b.counts.Refused++
	_, _ = b.out.Write(b.appendLine(nil, fmt.Sprintf("responded %d: %s", status, err)))
	b.mu.Unlock()
	http.Error(w, err.Error(), status)
}

func (b *Inbox) add(events []event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var lines []byte
	for _, e := range events {
		lines = b.appendLine(lines, e.String())
		if e.ID != "" {
			b.ids[e.ID] = struct{}{}
		}
	}
	_, _ = b.out.Write(lines) // a failed print does not matter
	b.counts.Events += len(events)
	b.counts.Requests++
	close(b.changed)
	b.changed = make(chan struct{})
}

func (b *Inbox) appendLine(dst []byte, text string) []byte {
	return fmt.Appendf(dst, "%s  %-9s  %s\n", b.now().Format("15:04:05.000"), b.name, printable(text))
}

// Name returns the name that the inbox prints.
func (b *Inbox) Name() string { return b.name }

// Counts returns what has arrived so far.
func (b *Inbox) Counts() Counts {
	counts, _ := b.snapshot()
	return counts
}

// IDs returns the distinct ids of the events so far, sorted.
func (b *Inbox) IDs() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(maps.Keys(b.ids))
}

// Wait waits until events with that many distinct ids have arrived. Its error says how many have,
// and why ctx ended.
func (b *Inbox) Wait(ctx context.Context, ids int) error {
	for {
		counts, changed := b.snapshot()
		if counts.IDs >= ids {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%s has %d of %d events: %w", b.name, counts.IDs, ids, context.Cause(ctx))
		}
	}
}

func (b *Inbox) snapshot() (Counts, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	counts := b.counts
	counts.IDs = len(b.ids)
	return counts, b.changed
}
