// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// feed takes the reports of one exporter of one signal.
type feed struct {
	backend *backend
	signal  uint8 // an index of backend.signals
	now     func() time.Time

	// calls is locked for reading while a function of the exporter runs.
	calls    sync.RWMutex
	exporter *statusfeed.Exporter // nil after Close
}

var _ statusfeed.Feed = (*feed)(nil)

// call calls a function of the exporter, unless that has stopped.
func (f *feed) call(function func(e *statusfeed.Exporter)) {
	f.calls.RLock()
	defer f.calls.RUnlock()
	if f.exporter != nil {
		function(f.exporter)
	}
}

// Close implements [statusfeed.Feed]. It waits for the exporter's functions that run.
func (f *feed) Close() {
	f.backend.remove(f)
	f.calls.Lock()
	defer f.calls.Unlock()
	f.exporter = nil
}

// Accepted implements [statusfeed.Feed].
func (f *feed) Accepted(events int) {
	b, now := f.backend, f.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts.accepted += int64(events)
	b.series.at(now).accepted += int64(events)
}

// Enter implements [statusfeed.Feed].
func (f *feed) Enter(events *batch.Batch) (first uint64) {
	b, now := f.backend, f.now().UnixNano()
	if b.ring.size == 0 {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.payloads.keeps(false) && b.ring.mayEnterLater(events) {
		return b.ring.enterLater(events, f.signal, now)
	}
	first = b.ring.next
	for record := range events.Records() {
		if b.ring.texts.count == packed {
			b.ring.texts.enter(b.ring.enter, f.signal, now)
		}
		m := batch.ReadMeta(record)
		b.ring.texts.add(m.ID, m.Name, int64(m.Time)) //nolint:gosec // until the year 2262
	}
	b.ring.texts.enter(b.ring.enter, f.signal, now)
	return first
}

// Attempted implements [statusfeed.Feed]. Events without an entry are left out.
func (f *feed) Attempted(exchanges []statusfeed.Exchange, pending *statusfeed.Pending) {
	b, now := f.backend, f.now().UnixNano()
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range exchanges {
		b.exchanged(&exchanges[i], f.signal, now)
	}
	if pending == nil {
		return
	}
	b.ring.makeEntriesFor(pending.Events)
	next, givesUp := nanos(pending.Next), nanos(pending.GivesUp)
	for i := range pending.Events {
		if e := b.ring.get(pending.Events[i].Entry); e != nil && e.outcome == 0 {
			e.pending(next, givesUp)
			b.ring.touch(e, now)
		}
	}
}

func (b *backend) exchanged(x *statusfeed.Exchange, signal uint8, now int64) {
	attempt := newTry(x)
	if x.Message != nil {
		b.exchangedEach(x, attempt, signal, now)
		return
	}
	for i := 0; i < len(x.Events); {
		if c := b.ring.coveredChunk(x.Events[i:]); c != nil {
			c.all.attempted(attempt)
			b.ring.touchChunk(c, now)
			i += c.count
			continue
		}
		if e := b.ring.get(x.Events[i].Entry); e != nil && e.outcome == 0 {
			b.attempted(e, attempt, x.Events[i].Payload, now)
		}
		i++
	}
}

func (b *backend) exchangedEach(x *statusfeed.Exchange, attempt try, signal uint8, now int64) {
	var shared messages
	b.ring.makeEntriesFor(x.Events)
	for i := range x.Events {
		event, message := &x.Events[i], x.Message(i)
		e := b.ring.get(event.Entry)
		if e == nil && message != "" {
			e = b.enterFailed(event, signal, now)
		}
		if e == nil || e.outcome != 0 {
			continue
		}
		attempt.message = shared.keep(message, e.message)
		b.attempted(e, attempt, event.Payload, now)
	}
}

func (b *backend) attempted(e *entry, attempt try, payload []byte, now int64) {
	e.attempted(attempt)
	if e.payload == nil && b.payloads.keeps(attempt.message != "") {
		b.ring.keepPayload(e, payload)
	}
	b.ring.touch(e, now)
}

// Delivered implements [statusfeed.Feed]. The last events of a report get new entries if they have none,
// or no longer.
func (f *feed) Delivered(deliveries []statusfeed.Delivery) {
	b, at, n := f.backend, f.now(), 0
	for i := range deliveries {
		n += len(deliveries[i].Events)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count(statusfeed.Delivered, "", n, at)
	if b.ring.size == 0 {
		return
	}
	for i := range deliveries {
		b.delivered(&deliveries[i], n, f.signal, at.UnixNano())
		n -= len(deliveries[i].Events)
	}
}

// maxReentered is how many delivered events of a report get new entries. Under load the entries of most
// events are replaced before these are delivered; to enter each of them anew would cost as much again.
const maxReentered = 16

// delivered notes a delivery; left is the number of events of the report that are left.
func (b *backend) delivered(d *statusfeed.Delivery, left int, signal uint8, now int64) {
	code := codeOf(statusfeed.Delivered)
	for i := 0; i < len(d.Events); {
		if c := b.ring.coveredChunk(d.Events[i:]); c != nil {
			c.all.settled(code, "", d.Status, "")
			b.ring.touchChunk(c, now)
			i += c.count
			continue
		}
		event := &d.Events[i]
		e := b.ring.get(event.Entry)
		switch {
		case e != nil && e.outcome == 0:
			b.settledEntry(e, code, "", &statusfeed.Event{Status: d.Status, Payload: event.Payload}, now)
		case left-i > maxReentered:
			b.ring.losses.unseen++
		default:
			settled := statusfeed.Event{ID: event.ID, Name: event.Name, Status: d.Status, Payload: event.Payload}
			if event.Time != 0 {
				settled.Time = event.Time.AsTime()
			}
			b.settledEntry(b.reenter(&settled, signal, now), code, "", &settled, now)
		}
		i++
	}
}

// Settled implements [statusfeed.Feed]. An event gets a new entry if it has none, or
// its entry was replaced.
func (f *feed) Settled(outcome statusfeed.Outcome, reason string, n int, event func(i int) statusfeed.Event) {
	b, at := f.backend, f.now()
	now := at.UnixNano()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count(outcome, reason, n, at)
	switch {
	case b.ring.size == 0:
	case outcome == statusfeed.Skipped:
		b.skipped(reason, n, event, f.signal, now)
	default:
		b.settled(outcome, reason, n, event, f.signal, now)
	}
}

// count counts events with their outcome.
func (b *backend) count(outcome statusfeed.Outcome, reason string, n int, at time.Time) {
	b.counts.settle(outcome, reason, int64(n))
	b.series.at(at).settle(outcome, int64(n))
	if b.counts.settled >= b.counts.accepted {
		b.emptied.ring()
	}
}

func (b *backend) settled(outcome statusfeed.Outcome, reason string, n int, event func(i int) statusfeed.Event, signal uint8, now int64) {
	var shared messages
	code := codeOf(outcome)
	for i := range n {
		settled := event(i)
		e := b.ring.get(settled.Entry)
		if e == nil || e.outcome != 0 {
			e = b.reenter(&settled, signal, now)
		}
		settled.Message = shared.keep(settled.Message, e.message)
		b.settledEntry(e, code, reason, &settled, now)
	}
}

// settledEntry sets the outcome of an entry, and keeps or drops its payload.
func (b *backend) settledEntry(e *entry, code outcomeCode, reason string, settled *statusfeed.Event, now int64) {
	e.settled(code, reason, settled.Status, settled.Message)
	switch {
	case !b.payloads.keeps(isFailure(outcomes[code])):
		b.ring.payloads.drop(e)
	case e.payload == nil:
		b.ring.keepPayload(e, settled.Payload)
	}
	b.ring.touch(e, now)
}

// skipped enters the last of the skipped events, which were skipped as soon as they were received. Of
// the others it does not even ask for the ids.
func (b *backend) skipped(reason string, n int, event func(i int) statusfeed.Event, signal uint8, now int64) {
	code, entered := codeOf(statusfeed.Skipped), min(n, int(b.ring.skipped.size))
	b.ring.losses.unseen += uint64(n - entered) //nolint:gosec // not negative
	for i := n - entered; i < n; i++ {
		skipped := event(i)
		b.ring.texts.add(skipped.ID, skipped.Name, nanos(skipped.Time))
		if b.ring.texts.count < packed && i < n-1 {
			continue
		}
		b.ring.texts.enter(func(now int64) *entry {
			e := b.ring.enterSkipped(now)
			e.settled(code, reason, 0, "")
			return e
		}, signal, now)
	}
}

// Replayed implements [statusfeed.Feed].
func (f *feed) Replayed(letters []statusfeed.ReplayedLetter) {
	b, now := f.backend, f.now().UnixNano()
	results := make(map[string][]replayed, len(letters)) // by id; several dead letters may have the same
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, letter := range letters {
		result := replayRefused
		if letter.Delivered {
			result = replayDelivered
		}
		b.counts.replay(result)
		id := cut(letter.ID, maxID)
		results[id] = append(results[id], result)
	}
	b.replayed(results, now)
}

// replayed notes the results of dead letters in their entries. It looks at each entry once: a ring is
// large, and replays are long.
func (b *backend) replayed(results map[string][]replayed, now int64) {
	var changed []*entry // touched later, since that changes the order of the entries
	for e := range b.ring.byChange {
		if len(results) == 0 {
			break
		}
		left := results[e.id]
		if len(left) == 0 || outcomes[e.outcome] != statusfeed.DeadLettered || e.replayed == replayDelivered {
			continue
		}
		// Replays begin with the oldest dead letter, so the last result is of the newest entry.
		last := len(left) - 1
		e.replayed = left[last]
		changed = append(changed, e)
		if results[e.id] = left[:last]; last == 0 {
			delete(results, e.id)
		}
	}
	for _, e := range slices.Backward(changed) {
		b.ring.touch(e, now)
	}
}

// Requested implements [statusfeed.Feed].
func (f *feed) Requested(status int, took time.Duration, _ int) {
	b, now := f.backend, f.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lastActivity = now
	if status != 0 {
		b.times.add(took)
	}
}

// Works implements [statusfeed.Feed].
func (f *feed) Works() {
	b, now := f.backend, f.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lastDelivery = now
	b.signals[f.signal].report(OK, now)
}

// Fails implements [statusfeed.Feed].
func (f *feed) Fails(p *statusfeed.Problem) {
	b, now := f.backend, f.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.signals[f.signal].fails(p, now)
	b.lastError = &Error{
		Time: now, Status: p.Status,
		Message: strings.Clone(cut(p.Message, maxErrorTexts)), Remedy: strings.Clone(cut(p.Remedy, maxErrorTexts)),
	}
}
