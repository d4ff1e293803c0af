// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package replay sends dead letters again. They bypass the queue, but not the limit on requests in
// flight. So the outcome of each is known when Replay returns, and a dead letter leaves the store
// only after it is delivered.
package replay

import (
	"bytes"
	"context"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/attempt"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
)

// A replay makes up to maxAttempts attempts, with waits of at most maxWait between them. Dead letters
// that are still pending then stay in the store.
const (
	maxAttempts = 3
	maxWait     = 5 * time.Second
)

// Replayer replays the dead letters of one exporter. Its fields are set once; its method is safe for
// concurrent use.
type Replayer struct {
	// IsPaused reports whether the exporter is paused.
	IsPaused func() bool
	// Enable lets the backend send again after it was disabled; it may be nil.
	Enable func()
	// Complete sets VendorID and Key of an event from its payload; it may be nil.
	Complete func(*batch.Event)
	// Encode encodes the record that a dead letter holds as OTLP.
	Encode func(otlp []byte) ([]batch.Event, error)
	// Bound makes a context end when the exporter may not send any more.
	Bound func(context.Context) (context.Context, context.CancelFunc)
	// Sleep waits. It returns false if the exporter stops or is paused, or ctx ends, before that.
	Sleep func(ctx context.Context, wait time.Duration) bool
	// Attempt makes one attempt to deliver events. The last one of a replay bisects what fails.
	Attempt func(ctx context.Context, events []batch.Event, last bool) *attempt.Result
	// Wait is the least wait between two attempts.
	Wait time.Duration
	// Count counts the outcomes of the dead letters.
	Count func([]deadletter.Letter, []deadletter.Replayed)
}

// Paused implements deadletter.Replayer.
func (r *Replayer) Paused() bool { return r.IsPaused() }

// Replay implements deadletter.Replayer.
func (r *Replayer) Replay(ctx context.Context, letters []deadletter.Letter) []deadletter.Replayed {
	if r.IsPaused() {
		kept := make([]deadletter.Replayed, len(letters))
		r.Count(letters, kept)
		return kept
	}
	if r.Enable != nil {
		r.Enable()
	}
	replays := make([]letterReplay, len(letters))
	events, replayOf := r.eventsOf(letters, replays)
	ctx, cancel := r.Bound(ctx)
	defer cancel()
	for n := 1; len(events) > 0; n++ {
		result := r.Attempt(ctx, events, n == maxAttempts)
		events, replayOf = settle(result, replayOf)
		if len(events) == 0 || len(result.Paused) > 0 || n == maxAttempts || !r.Sleep(ctx, min(max(result.Wait, r.Wait), maxWait)) {
			break
		}
	}
	for i := range events {
		replayOf[i].left = append(replayOf[i].left, events[i])
	}
	results := make([]deadletter.Replayed, len(letters))
	for i := range replays {
		results[i] = replays[i].result()
	}
	r.Count(letters, results)
	return results
}

// letterReplay is the replay of one dead letter.
type letterReplay struct {
	letter *deadletter.Letter
	// encoding is why its records cannot be encoded; nil if they can.
	encoding error
	// events is the number of its events, of which some were refused, and left are not delivered yet.
	events  int
	refused []attempt.RefusedEvent
	left    []batch.Event
}

// eventsOf returns the events of the dead letters, their payloads or their records encoded again, and
// the dead letter that each belongs to.
func (r *Replayer) eventsOf(letters []deadletter.Letter, replays []letterReplay) (events []batch.Event, replayOf []*letterReplay) {
	for i := range letters {
		replay := &replays[i]
		replay.letter = &letters[i]
		var found []batch.Event
		if len(letters[i].Payload) > 0 {
			found = []batch.Event{r.eventOf(&letters[i])}
		} else {
			found, replay.encoding = r.Encode(letters[i].OTLP)
		}
		for range found {
			replayOf = append(replayOf, replay)
		}
		replay.events = len(found)
		events = append(events, found...)
	}
	return events, replayOf
}

func (r *Replayer) eventOf(letter *deadletter.Letter) batch.Event {
	event := batch.Event{
		Meta: batch.Meta{
			ID: letter.ID, Name: letter.Name, Category: letter.Category, Destination: letter.Destination,
		},
		Payload: letter.Payload,
	}
	if !letter.Time.IsZero() {
		event.Time = pcommon.NewTimestampFromTime(letter.Time)
	}
	if r.Complete != nil {
		r.Complete(&event)
	}
	return event
}

// settle notes the refused events of an attempt, and returns the events of the next one, each with the
// replay it belongs to. Events that the backend discards are kept: somebody wants them delivered.
func settle(result *attempt.Result, replayOf []*letterReplay) ([]batch.Event, []*letterReplay) {
	for i := range result.Refused {
		refused := &result.Refused[i]
		replay := replayOf[refused.Index]
		if refused.Discard {
			replay.left = append(replay.left, refused.Event)
		} else {
			replay.refused = append(replay.refused, *refused)
		}
	}
	next := make([]*letterReplay, len(result.Pending))
	for i := range result.Pending {
		next[i] = replayOf[result.Pending[i].Index]
	}
	return result.Pending, next
}

// result returns what becomes of the dead letter. A dead letter whose records are all skipped now is
// settled.
func (r *letterReplay) result() deadletter.Replayed {
	switch {
	case r.encoding != nil:
		again := r.again(attempt.Cause{Reason: deadletter.ReasonEncoding, Message: r.encoding.Error()})
		return deadletter.Replayed{Outcome: deadletter.OutcomeRefused, Letters: []deadletter.Letter{again}}
	case len(r.refused) == 0 && len(r.left) == 0:
		return deadletter.Replayed{Outcome: deadletter.OutcomeDelivered}
	case len(r.refused) == 0 && len(r.left) == r.events:
		return deadletter.Replayed{Outcome: deadletter.OutcomeKept}
	case r.events == 1:
		return deadletter.Replayed{Outcome: deadletter.OutcomeRefused, Letters: []deadletter.Letter{r.again(r.refused[0].Cause)}}
	}
	// Of several events some are delivered or refused: each of the others gets a dead letter of its own.
	outcome := deadletter.OutcomeKept
	var letters []deadletter.Letter
	for i := range r.refused {
		outcome = deadletter.OutcomeRefused
		letters = append(letters, withEvent(r.again(r.refused[i].Cause), &r.refused[i].Event))
	}
	for i := range r.left {
		letters = append(letters, withEvent(*r.letter, &r.left[i]))
	}
	return deadletter.Replayed{Outcome: outcome, Letters: letters}
}

// again returns the dead letter after one more attempt.
func (r *letterReplay) again(cause attempt.Cause) deadletter.Letter {
	letter := *r.letter
	letter.Reason, letter.Status, letter.Message = cause.Reason, cause.Status, cause.Message
	letter.Attempts++
	letter.FailedAt = time.Now()
	return letter
}

// withEvent returns the dead letter of one event instead of records.
func withEvent(letter deadletter.Letter, event *batch.Event) deadletter.Letter {
	letter.OTLP, letter.Payload = nil, bytes.Clone(event.Payload)
	letter.ID, letter.Name, letter.Category, letter.Destination = event.ID, event.Name, event.Category, event.Destination
	if event.Time != 0 {
		letter.Time = event.Time.AsTime()
	}
	return letter
}
