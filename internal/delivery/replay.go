// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/attempt"
)

// A backend that fails during a replay gets this many attempts, with waits of at most replayWait
// between them. After that the letters stay where they are.
const (
	replayAttempts = 3
	replayWait     = 5 * time.Second
)

// replayer sends dead letters again. They go past the queue, through the same slots as everything
// else: what became of each is then known when Replay returns, and a letter never leaves the store
// before it is delivered.
type replayer struct {
	deliverer *deliverer
	encoders  *encoders
	options   *Options
}

// Replay implements deadletter.Replayer.
func (r *replayer) Replay(ctx context.Context, letters []deadletter.Letter) []deadletter.Replayed {
	if r.options.Enable != nil {
		r.options.Enable()
	}
	d := r.deliverer
	pass := replay{letters: letters, results: make([]deadletter.Replayed, len(letters)), left: make([]int, len(letters))}
	events := r.eventsOf(&pass)
	ctx, cancel := d.lifetime.bound(ctx)
	defer cancel()
	for n := 1; len(events) > 0; n++ {
		result := d.runner.Run(ctx, events)
		d.status.Report(result)
		events = pass.settle(result)
		if len(events) == 0 || n == replayAttempts || !sleep(ctx, min(max(result.Wait, d.retry.backoff.InitialInterval), replayWait)) {
			break
		}
	}
	d.recorder.Replayed(pass.results)
	return pass.results
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

// replay is one call of Replay.
type replay struct {
	letters []deadletter.Letter
	results []deadletter.Replayed
	// letterOf is the letter of each event of the next attempt, and left how many events of each
	// letter are yet to be delivered.
	letterOf []int
	left     []int
}

// eventsOf are the letters as events: their payloads, or what their records are encoded to anew.
func (r *replayer) eventsOf(pass *replay) []Event {
	var events []Event
	for i := range pass.letters {
		letter := &pass.letters[i]
		var found []Event
		if len(letter.Payload) > 0 {
			found = []Event{r.eventOf(letter)}
		} else {
			found, pass.results[i] = r.encode(*letter)
		}
		for range found {
			pass.letterOf = append(pass.letterOf, i)
		}
		pass.left[i] = len(found)
		events = append(events, found...)
	}
	return events
}

func (r *replayer) eventOf(letter *deadletter.Letter) Event {
	event := Event{
		Meta: Meta{
			ID: letter.ID, Name: letter.Name, Category: letter.Category, Destination: letter.Destination,
		},
		Payload: letter.Payload,
	}
	if !letter.Time.IsZero() {
		event.Time = pcommon.NewTimestampFromTime(letter.Time)
	}
	if r.options.CompleteMeta != nil {
		r.options.CompleteMeta(&event)
	}
	return event
}

// encode encodes the record of a letter. One that still cannot be encoded is refused again, and one
// that is now skipped has come to its end.
func (r *replayer) encode(letter deadletter.Letter) ([]Event, deadletter.Replayed) {
	ws := r.encoders.get()
	defer r.encoders.put(ws)
	err := ws.encodeLetter(&letter)
	if err == nil {
		return ws.writer.Take().Events(), deadletter.Replayed{}
	}
	if _, ok := errors.AsType[Skip](err); ok {
		return nil, deadletter.Replayed{Outcome: deadletter.OutcomeDelivered}
	}
	letter.Attempts++
	letter.FailedAt = time.Now()
	letter.Reason, letter.Message = deadletter.ReasonEncoding, err.Error()
	return nil, deadletter.Replayed{Outcome: deadletter.OutcomeRefused, Letter: letter}
}

func (ws *workspace) encodeLetter(letter *deadletter.Letter) error {
	if ws.traces != nil {
		td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(letter.OTLP)
		if err != nil {
			return err
		}
		ws.traces.Prepare(td)
		for source, span := range spans(td) {
			if err := ws.traces.EncodeSpan(ws.writer, source, span); err != nil {
				return err
			}
		}
		return nil
	}
	ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(letter.OTLP)
	if err != nil {
		return err
	}
	ws.logs.Prepare(ld)
	for event := range appevent.Logs(ld) {
		if err := ws.logs.Encode(ws.writer, event); err != nil {
			return err
		}
	}
	return nil
}

// settle notes what became of the events of an attempt, and returns those for the next one.
func (p *replay) settle(result *attempt.Result) []Event {
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
