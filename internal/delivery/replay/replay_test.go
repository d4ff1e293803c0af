// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package replay

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/attempt"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
)

// newReplayer makes attempts by a function. A record is encoded to an event for each of its bytes.
func newReplayer(attempts func(n int, events []batch.Event) *attempt.Result) *Replayer {
	n := 0
	return &Replayer{
		Encode: func(otlp []byte) ([]batch.Event, error) {
			switch string(otlp) {
			case "skip":
				return nil, nil
			case "bad":
				return nil, errors.New("it has no bytes")
			}
			events := make([]batch.Event, len(otlp))
			for i := range events {
				events[i].Payload = otlp[i : i+1]
			}
			return events, nil
		},
		IsPaused: func() bool { return false },
		Bound:    context.WithCancel,
		Sleep:    func(context.Context, time.Duration) bool { return true },
		Attempt: func(_ context.Context, events []batch.Event, _ bool) *attempt.Result {
			for i := range events {
				events[i].Index = i
			}
			n++
			return attempts(n, events)
		},
		Count: func([]deadletter.Letter, []deadletter.Replayed) {},
	}
}

// outcome divides events by their payloads.
func outcome(events []batch.Event, refuse, retry string) *attempt.Result {
	r := &attempt.Result{}
	for _, e := range events {
		switch string(e.Payload) {
		case refuse:
			r.Refused = append(r.Refused, attempt.RefusedEvent{Event: e, Cause: attempt.Cause{Reason: deadletter.ReasonRefused, Status: 400, Message: "no"}})
		case retry:
			r.Pending = append(r.Pending, e)
		default:
			r.Delivered++
		}
	}
	return r
}

func outcomesOf(results []deadletter.Replayed) (all []deadletter.Outcome) {
	for _, r := range results {
		all = append(all, r.Outcome)
	}
	return all
}

func TestEachDeadLetterHasAnOutcome(t *testing.T) {
	attempts := 0
	r := newReplayer(func(n int, events []batch.Event) *attempt.Result {
		attempts = n
		if n == 1 {
			return outcome(events, "x", "c")
		}
		return outcome(events, "", "")
	})
	letters := []deadletter.Letter{
		{Payload: []byte("a")}, {Payload: []byte("x"), Attempts: 4}, {Payload: []byte("c")}, {OTLP: []byte("de")}, {OTLP: []byte("fx")},
		{OTLP: []byte("skip")}, {OTLP: []byte("bad")}, {OTLP: []byte("")},
	}
	results := r.Replay(t.Context(), letters)
	assert.Equal(t, []deadletter.Outcome{
		deadletter.OutcomeDelivered, deadletter.OutcomeRefused, deadletter.OutcomeDelivered, deadletter.OutcomeDelivered,
		deadletter.OutcomeRefused, deadletter.OutcomeDelivered, deadletter.OutcomeRefused, deadletter.OutcomeDelivered,
	}, outcomesOf(results))
	assert.Equal(t, 2, attempts)
	assert.Equal(t, 5, results[1].Letters[0].Attempts)
	assert.Equal(t, "no", results[1].Letters[0].Message)
	assert.Equal(t, deadletter.ReasonEncoding, results[6].Letters[0].Reason)
}

func TestDeadLetterOfSeveralEventsKeepsWhatIsLeft(t *testing.T) {
	discard := func(events []batch.Event) *attempt.Result {
		r := outcome(events, "r", "p")
		for i := range r.Refused {
			r.Refused[i].Discard = true
		}
		return r
	}
	refuse := func(events []batch.Event) *attempt.Result { return outcome(events, "r", "p") }
	for name, tt := range map[string]struct {
		otlp    string
		attempt func([]batch.Event) *attempt.Result
		outcome deadletter.Outcome
		left    []string // payloads of the new dead letters; none leaves it as it is
	}{
		"delivered":                 {"ab", refuse, deadletter.OutcomeDelivered, nil},
		"all pending":               {"pp", refuse, deadletter.OutcomeKept, nil},
		"one pending":               {"ap", refuse, deadletter.OutcomeKept, []string{"p"}},
		"one refused":               {"ar", refuse, deadletter.OutcomeRefused, []string{"r"}},
		"one refused, one pending":  {"arp", refuse, deadletter.OutcomeRefused, []string{"r", "p"}},
		"all refused":               {"rr", refuse, deadletter.OutcomeRefused, []string{"r", "r"}},
		"one discarded":             {"ar", discard, deadletter.OutcomeKept, []string{"r"}},
		"the only one is discarded": {"r", discard, deadletter.OutcomeKept, nil},
	} {
		t.Run(name, func(t *testing.T) {
			attempts := 0
			r := newReplayer(func(n int, events []batch.Event) *attempt.Result {
				attempts = n
				return tt.attempt(events)
			})
			old := deadletter.Letter{OTLP: []byte(tt.otlp), Reason: deadletter.ReasonExhausted, Attempts: 3}
			results := r.Replay(t.Context(), []deadletter.Letter{old, {Payload: []byte("c")}})
			assert.Equal(t, []deadletter.Outcome{tt.outcome, deadletter.OutcomeDelivered}, outcomesOf(results))
			var left []string
			for _, letter := range results[0].Letters {
				assert.Empty(t, letter.OTLP)
				left = append(left, string(letter.Payload))
				if string(letter.Payload) == "r" && tt.outcome == deadletter.OutcomeRefused {
					assert.Equal(t, 4, letter.Attempts)
					assert.Equal(t, deadletter.ReasonRefused, letter.Reason)
				} else {
					assert.Equal(t, deadletter.ReasonExhausted, letter.Reason)
				}
			}
			assert.Equal(t, tt.left, left)
			if strings.Contains(tt.otlp, "p") {
				assert.Equal(t, maxAttempts, attempts)
			}
		})
	}
}

func TestReplayEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := newReplayer(func(_ int, events []batch.Event) *attempt.Result {
		cancel()
		return outcome(events, "", "a")
	})
	r.Wait = time.Hour
	results := r.Replay(ctx, []deadletter.Letter{{Payload: []byte("a")}})
	assert.Equal(t, []deadletter.Outcome{deadletter.OutcomeKept}, outcomesOf(results))
}

func TestPausedExporterKeepsAllDeadLetters(t *testing.T) {
	r := newReplayer(func(int, []batch.Event) *attempt.Result {
		assert.Fail(t, "it is paused")
		return &attempt.Result{}
	})
	counted := 0
	r.IsPaused, r.Count = func() bool { return true }, func(_ []deadletter.Letter, replayed []deadletter.Replayed) { counted += len(replayed) }
	r.Enable = func() { assert.Fail(t, "it is paused") }
	assert.True(t, r.Paused())
	letters := []deadletter.Letter{{Payload: []byte("a")}, {OTLP: []byte("bad")}, {OTLP: []byte("skip")}}
	assert.Equal(t, make([]deadletter.Replayed, 3), r.Replay(t.Context(), letters))
	assert.Equal(t, 3, counted)
}

func TestPauseEndsAReplay(t *testing.T) {
	attempts := 0
	r := newReplayer(func(n int, events []batch.Event) *attempt.Result {
		attempts = n
		result := outcome(events, "r", "p")
		result.Paused = result.Pending
		return result
	})
	results := r.Replay(t.Context(), []deadletter.Letter{{Payload: []byte("a")}, {Payload: []byte("p")}, {Payload: []byte("r")}})
	assert.Equal(t, []deadletter.Outcome{deadletter.OutcomeDelivered, deadletter.OutcomeKept, deadletter.OutcomeRefused}, outcomesOf(results))
	assert.Equal(t, 1, attempts)
}

func TestReplayedEventsAreCompleted(t *testing.T) {
	enabled := false
	var seen batch.Event
	r := newReplayer(func(_ int, events []batch.Event) *attempt.Result {
		require.Len(t, events, 1)
		seen = events[0]
		return outcome(events, "", "")
	})
	r.Enable = func() { enabled = true }
	r.Complete = func(e *batch.Event) { e.VendorID = "v-" + string(e.Payload) }
	at := time.Unix(1700000000, 5)
	r.Replay(t.Context(), []deadletter.Letter{{ID: "i", Name: "n", Category: "c", Destination: "d", Time: at, Payload: []byte("p")}})
	assert.True(t, enabled)
	assert.Equal(t, batch.Event{
		Meta:    batch.Meta{ID: "i", Name: "n", Category: "c", Destination: "d", Time: 1700000000000000005, VendorID: "v-p"},
		Payload: []byte("p"),
	}, seen)
}
