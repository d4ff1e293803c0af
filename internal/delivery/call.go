// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/callresult"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/attempt"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/outcome"
)

// call is a call of ConsumeLogs or ConsumeTraces whose caller waits. It collects what becomes of the
// events in all parts of the call, until the end of the call decides on the refused ones. It serves
// one goroutine at a time.
type call struct {
	recorder *outcome.Recorder
	result   *callresult.Call
	end      func()

	events  int                 // accepted
	refused []refusedPart       // events that the backend refused
	letters []deadletter.Letter // events that could not be encoded
	causes  []attempt.Cause     // of all of these
	failed  error               // retryable; nil if nothing failed for now
}

// refusedPart holds refused events, and the number of attempts to deliver them.
type refusedPart struct {
	events   []attempt.RefusedEvent
	attempts int
}

// newCall returns the call of a context, and the context to go on with.
func newCall(ctx context.Context, recorder *outcome.Recorder) (context.Context, *call) {
	ctx, result, end := callresult.Open(ctx)
	return ctx, &call{recorder: recorder, result: result, end: end}
}

// settle takes the result of an attempt, but for its pending events.
func (c *call) settle(result *attempt.Result, attempts int) {
	if result.Delivered > 0 {
		c.result.Delivered()
	}
	if len(result.Refused) > 0 {
		c.refused = append(c.refused, refusedPart{result.Refused, attempts})
		for i := range result.Refused {
			c.causes = append(c.causes, result.Refused[i].Cause)
		}
	}
}

// notEncoded takes an event that could not be encoded.
func (c *call) notEncoded(letter deadletter.Letter) {
	c.events++
	c.letters = append(c.letters, letter)
	c.causes = append(c.causes, attempt.Cause{Reason: letter.Reason, Message: letter.Message})
}

// fail returns to the caller the events that failed temporarily, or that were not sent because others
// had failed.
func (c *call) fail(events []batch.Event, cause attempt.Cause, err error) {
	if c.failed == nil {
		c.failed = err
		c.result.Retryable()
	}
	c.recorder.Returned(events, cause)
}

// finish ends the call, and returns the error for the caller.
func (c *call) finish() error {
	if len(c.causes) > 0 {
		c.result.Refused(c.settleRefused)
	}
	c.end()
	switch {
	case c.failed != nil:
		return outcome.RetryLaterError(c.failed, c.causes, c.events)
	case len(c.causes) > 0:
		return outcome.RefusedError(c.causes, c.events, c.result)
	default:
		return nil
	}
}

// settleRefused keeps the refused events as dead letters, or returns them to the caller.
func (c *call) settleRefused(keep bool) {
	if !keep {
		c.recorder.RefusalsReturned(c.allRefused())
		return
	}
	for _, part := range c.refused {
		c.recorder.Refused(part.events, part.attempts)
	}
	c.recorder.DeadLetter(c.letters)
}

// allRefused returns the refused events, and those that could not be encoded.
func (c *call) allRefused() []attempt.RefusedEvent {
	all := make([]attempt.RefusedEvent, 0, len(c.causes))
	for _, part := range c.refused {
		all = append(all, part.events...)
	}
	for i := range c.letters {
		letter := &c.letters[i]
		event := batch.Event{Meta: batch.Meta{ID: letter.ID, Name: letter.Name}}
		if !letter.Time.IsZero() {
			event.Time = pcommon.NewTimestampFromTime(letter.Time)
		}
		all = append(all, attempt.RefusedEvent{Event: event, Cause: attempt.Cause{Reason: letter.Reason, Message: letter.Message}})
	}
	return all
}
