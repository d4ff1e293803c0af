// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// A backend that fails during a replay gets this many attempts, with waits of at most replayWait between them. After
// that the letters stay where they are.
const (
	replayAttempts = 3
	replayWait     = 5 * time.Second
)

// Replay implements deadletter.Replayer. Letters go past the queue, through the same slots as everything else: what
// became of each is then known when it returns, and a letter never leaves the store before it is delivered.
func (d *deliverer) Replay(ctx context.Context, letters []deadletter.Letter) []deadletter.Replayed {
	d.revive()
	r := replay{letters: letters, results: make([]deadletter.Replayed, len(letters)), byPayload: map[*byte]int{}}
	events := r.events(d)
	ctx, cancel := d.stopping.bound(ctx)
	defer cancel()
	for n := 1; len(events) > 0; n++ {
		a := d.attemptOnly(ctx, events)
		r.settle(a)
		events = a.owed()
		if len(events) == 0 || n == replayAttempts || !sleep(ctx, min(max(a.wait, d.cfg.RetryConfig.InitialInterval), replayWait)) {
			break
		}
	}
	d.ledger.replays(r.results)
	return r.results
}

func sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// replay is one call of Replay. An event is known by where its payload lies in memory.
type replay struct {
	letters   []deadletter.Letter
	results   []deadletter.Replayed
	byPayload map[*byte]int
	// left is how many events of each letter are yet to be delivered.
	left []int
}

// events are the letters as events: their payloads, or what their records are encoded to anew.
func (r *replay) events(d *deliverer) []Event {
	var events []Event
	r.left = make([]int, len(r.letters))
	for i := range r.letters {
		letter := &r.letters[i]
		found := []Event{eventOf(letter)}
		if len(letter.Payload) == 0 {
			var ok bool
			if found, ok = r.encode(d, i); !ok {
				continue
			}
		}
		for _, event := range found {
			if len(event.Payload) == 0 {
				continue
			}
			r.byPayload[placeOf(event.Payload)] = i
			r.left[i]++
			events = append(events, event)
		}
	}
	return events
}

func eventOf(letter *deadletter.Letter) Event {
	event := Event{
		Meta:    Meta{ID: letter.ID, Name: letter.Name, Category: letter.Category, Destination: letter.Destination},
		Payload: letter.Payload,
	}
	if !letter.Time.IsZero() {
		event.Time = pcommon.NewTimestampFromTime(letter.Time)
	}
	return event
}

// encode encodes a letter's record. One that still cannot be encoded is refused again, and one that is now skipped has
// come to its end.
func (r *replay) encode(d *deliverer, i int) ([]Event, bool) {
	letter := r.letters[i]
	letter.Attempts++
	letter.FailedAt = time.Now()
	ws := d.encoders.Get().(*workspace)
	defer d.release(ws)
	err := ws.encodeLetter(&letter)
	if err == nil {
		return newBatch(ws.writer.take()).events(), true
	}
	if _, ok := errors.AsType[Skip](err); ok {
		r.results[i] = deadletter.Replayed{Outcome: deadletter.OutcomeDelivered}
		return nil, false
	}
	letter.Reason, letter.Message = deadletter.ReasonEncoding, err.Error()
	r.results[i] = deadletter.Replayed{Outcome: deadletter.OutcomeRefused, Letter: letter}
	return nil, false
}

func (r *replay) settle(a *attempt) {
	for i := range a.refused {
		at := r.byPayload[placeOf(a.refused[i].Payload)]
		letter := r.letters[at]
		letter.Reason, letter.Status, letter.Message = a.refused[i].reason, a.refused[i].status, a.refused[i].message
		letter.Attempts++
		letter.FailedAt = time.Now()
		r.results[at] = deadletter.Replayed{Outcome: deadletter.OutcomeRefused, Letter: letter}
	}
	for _, event := range a.deliveredEvents {
		at := r.byPayload[placeOf(event.Payload)]
		if r.left[at]--; r.left[at] == 0 && r.results[at].Outcome == deadletter.OutcomeKept {
			r.results[at].Outcome = deadletter.OutcomeDelivered
		}
	}
}
