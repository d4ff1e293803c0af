// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package inbox is the other end of a webhook: it receives events as JSON and prints them, one line an event.
package inbox

import (
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

// maxBody is how much of a request is read.
const maxBody = 32 << 20

// Inbox receives events: each request is one event or an array of them.
type Inbox struct {
	name string
	out  io.Writer
	now  func() time.Time

	mu     sync.Mutex
	fail   int // how many requests are still to be answered 503
	counts Counts
	ids    map[string]struct{}
	// changed is closed when events arrive, and then replaced.
	changed chan struct{}
}

// Counts is what an inbox has received so far.
type Counts struct {
	// Events is how many events arrived, and IDs how many of them are different: who sends the same id twice
	// means the same event.
	Events, IDs int
	// Requests is how many requests brought them, and Refused how many were answered with an error.
	Requests, Refused int
}

// New returns an inbox that prints to out, with one Write a request. It answers 503 to the first fail requests,
// as a webhook that is down for a moment does.
func New(name string, out io.Writer, fail int) *Inbox {
	return &Inbox{
		name:    name,
		out:     out,
		now:     time.Now,
		fail:    fail,
		ids:     make(map[string]struct{}),
		changed: make(chan struct{}),
	}
}

// ServeHTTP takes the events of a request, all of them or none.
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

// consent answers the question of CloudEvents webhooks ("Abuse protection", section 4): whoever asks may send, and as often as asked.
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
		return nil, &refusal{http.StatusMethodNotAllowed, errors.New("events come by POST")}
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" {
		return nil, &refusal{http.StatusUnsupportedMediaType, fmt.Errorf("content encoding %q is not taken; send without compression", encoding)}
	}
	if left, failing := b.failing(); failing {
		return nil, &refusal{http.StatusServiceUnavailable, fmt.Errorf("on purpose, %d more to come", left)}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("reading the body: %w", err)
	}
	return decode(body)
}

// failing tells whether a request is one of those to answer 503, and how many are left.
func (b *Inbox) failing() (int, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail == 0 {
		return 0, false
	}
	b.fail--
	return b.fail, true
}

// refusal is an error with the status to answer it with; for any other error that is 400.
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
	_, _ = b.out.Write(b.appendLine(nil, fmt.Sprintf("answered %d: %s", status, err)))
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
	_, _ = b.out.Write(lines) // what cannot be printed still counts
	b.counts.Events += len(events)
	b.counts.Requests++
	close(b.changed)
	b.changed = make(chan struct{})
}

func (b *Inbox) appendLine(dst []byte, text string) []byte {
	return fmt.Appendf(dst, "%s  %-9s  %s\n", b.now().Format("15:04:05.000"), b.name, printable(text))
}

// Name is the name the inbox prints.
func (b *Inbox) Name() string { return b.name }

// Counts is what has arrived so far.
func (b *Inbox) Counts() Counts {
	counts, _ := b.snapshot()
	return counts
}

// IDs are the different ids of the events so far, in order.
func (b *Inbox) IDs() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(maps.Keys(b.ids))
}

// Wait waits until events of as many different ids have arrived. Its error tells how many have, and the cause
// that ended ctx.
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
