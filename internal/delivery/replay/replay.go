// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package replay sends dead letters again. They bypass the queue, but not the limit on requests in
// flight. So the outcome of each is known when Replay returns, and a dead letter leaves the store
// only after it is delivered.
package replay

import (
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
	// Enable lets the backend send again after it was disabled; it may be nil.
	Enable func()
	// Complete sets VendorID and Key of an event from its payload; it may be nil.
	Complete func(*batch.Event)
	// Encode encodes the record that a dead letter holds as OTLP.
	Encode func(otlp []byte) ([]batch.Event, error)
	// Bound makes a context end when the exporter may not send any more.
	Bound func(context.Context) (context.Context, context.CancelFunc)
	// Sleep waits. It returns false if the exporter stops, or ctx ends, before that.
	Sleep func(ctx context.Context, wait time.Duration) bool
	// Attempt makes one attempt to deliver events. The last one of a replay bisects what fails.
	Attempt func(ctx context.Context, events []batch.Event, last bool) *attempt.Result
	// Wait is the least wait between two attempts.
	Wait time.Duration
	// Count counts the outcomes of the dead letters.
	Count func([]deadletter.Replayed)
}

// Replay implements deadletter.Replayer.
func (r *Replayer) Replay(ctx context.Context, letters []deadletter.Letter) []deadletter.Replayed {
	if r.Enable != nil {
		r.Enable()
	}
	p := pass{letters: letters, results: make([]deadletter.Replayed, len(letters)), left: make([]int, len(letters))}
	events := r.eventsOf(&p)
	ctx, cancel := r.Bound(ctx)
	defer cancel()
	for n := 1; len(events) > 0; n++ {
		result := r.Attempt(ctx, events, n == maxAttempts)
		events = p.settle(result)
		if len(events) == 0 || n == maxAttempts || !r.Sleep(ctx, min(max(result.Wait, r.Wait), maxWait)) {
			break
		}
	}
	r.Count(p.results)
	return p.results
}

// pass is one call of Replay.
type pass struct {
	letters []deadletter.Letter
	results []deadletter.Replayed
	// letterOf maps each event of the next attempt to its dead letter. left counts, per dead letter,
	// the events that are not delivered yet.
	letterOf []int
	left     []int
}

// eventsOf returns the events of the dead letters: their payloads, or their records encoded again.
func (r *Replayer) eventsOf(p *pass) []batch.Event {
	var events []batch.Event
	for i := range p.letters {
		letter := &p.letters[i]
		var found []batch.Event
		if len(letter.Payload) > 0 {
			found = []batch.Event{r.eventOf(letter)}
		} else {
			found, p.results[i] = r.encode(*letter)
		}
		for range found {
			p.letterOf = append(p.letterOf, i)
		}
		p.left[i] = len(found)
		events = append(events, found...)
	}
	return events
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

// encode encodes the records of a dead letter. If one still cannot be encoded, the dead letter is
// refused again; if all are skipped now, it is settled.
func (r *Replayer) encode(letter deadletter.Letter) ([]batch.Event, deadletter.Replayed) {
	events, err := r.Encode(letter.OTLP)
	switch {
	case err == nil && len(events) == 0:
		return nil, deadletter.Replayed{Outcome: deadletter.OutcomeDelivered}
	case err == nil:
		return events, deadletter.Replayed{}
	}
	letter.Attempts++
	letter.FailedAt = time.Now()
	letter.Reason, letter.Message = deadletter.ReasonEncoding, err.Error()
	return nil, deadletter.Replayed{Outcome: deadletter.OutcomeRefused, Letter: letter}
}

// settle notes the outcomes of an attempt, and returns the events of the next one.
func (p *pass) settle(result *attempt.Result) []batch.Event {
	letterOf := p.letterOf
	delivered := make([]bool, len(letterOf))
	for i := range delivered {
		delivered[i] = true
	}
	for i := range result.Refused {
		refused := &result.Refused[i]
		delivered[refused.Index] = false
		at := letterOf[refused.Index]
		letter := p.letters[at]
		letter.Reason, letter.Status, letter.Message = refused.Reason, refused.Status, refused.Message
		letter.Attempts++
		letter.FailedAt = time.Now()
		p.results[at] = deadletter.Replayed{Outcome: deadletter.OutcomeRefused, Letter: letter}
	}
	p.letterOf = make([]int, len(result.Pending))
	for i := range result.Pending {
		delivered[result.Pending[i].Index] = false
		p.letterOf[i] = letterOf[result.Pending[i].Index]
	}
	for i, at := range letterOf {
		if !delivered[i] {
			continue
		}
		if p.left[at]--; p.left[at] == 0 && p.results[at].Outcome == deadletter.OutcomeKept {
			p.results[at].Outcome = deadletter.OutcomeDelivered
		}
	}
	return result.Pending
}
