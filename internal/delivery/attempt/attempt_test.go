// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package attempt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/transport"
)

// backend puts up to most events into a request. Events whose name begins with a letter after m are
// of a partition of that letter.
type backend struct {
	most     int
	classify func(req *transport.Request, response *transport.Response) Classification
}

func (b *backend) BuildRequests(events []batch.Event) (requests []transport.Request, refusals []Refusal) {
	for chunk := range slices.Chunk(events, b.most) {
		var fitting []batch.Event
		for _, e := range chunk {
			switch e.Name {
			case "huge":
				refusals = append(refusals, Refusal{Event: e, Reason: deadletter.ReasonTooLarge, Message: "it is huge"})
			case "discarded":
				refusals = append(refusals, Refusal{Event: e, Reason: deadletter.ReasonRateLimited, Discard: true})
			case "forgotten":
			default:
				fitting = append(fitting, e)
			}
		}
		if len(fitting) > 0 {
			req := transport.Request{URL: "http://backend", Events: fitting}
			if letter := fitting[0].Name[0]; letter > 'm' {
				req.Partition = int(letter)
			}
			requests = append(requests, req)
		}
	}
	return requests, refusals
}

func (b *backend) ClassifyResponse(req *transport.Request, response *transport.Response) Classification {
	if b.classify != nil {
		return b.classify(req, response)
	}
	return ClassifyStatus(req, response)
}

// sender answers requests, and remembers them as the names of their events.
type sender struct {
	answer func(names string) (status int, err error) // nil means 200

	mu   sync.Mutex
	sent []string
}

func (s *sender) send(_ context.Context, req *transport.Request) (*transport.Response, error) {
	names := make([]string, len(req.Events))
	for i := range req.Events {
		names[i] = req.Events[i].Name
	}
	text := strings.Join(names, " ")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, text)
	if s.answer == nil {
		return &transport.Response{Status: http.StatusOK, ReceivedAt: time.Now()}, nil
	}
	status, err := s.answer(text)
	if err != nil {
		return nil, err
	}
	return &transport.Response{Status: status, ReceivedAt: time.Now()}, nil
}

func newRunner(b *backend, s *sender) *Runner {
	return &Runner{Backend: b, Send: s.send, Slots: make(chan struct{}, 1), MaxWait: time.Minute}
}

func named(names ...string) []batch.Event {
	events := make([]batch.Event, len(names))
	for i, name := range names {
		events[i].Name = name
	}
	return events
}

func numbered(n int) []batch.Event {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("e%04d", i)
	}
	return named(names...)
}

func namesOf(events []batch.Event) string {
	names := make([]string, len(events))
	for i := range events {
		names[i] = events[i].Name
	}
	return strings.Join(names, " ")
}

func refusedOf(r *Result) map[string]Cause {
	all := map[string]Cause{}
	for _, refused := range r.Refused {
		all[refused.Name] = refused.Cause
	}
	return all
}

func TestPausedRunnerSendsNothing(t *testing.T) {
	var s sender
	r := newRunner(&backend{most: 1}, &s)
	r.IsPaused = func() bool { return true }
	r.Handshake = func(context.Context) error {
		assert.Fail(t, "a handshake is a request")
		return nil
	}
	result := r.Run(t.Context(), named("a", "huge"))
	assert.Equal(t, "a huge", namesOf(result.Pending))
	assert.Equal(t, "a huge", namesOf(result.Paused))
	assert.Empty(t, result.Refused)
	assert.ErrorIs(t, result.Problem, ErrPaused)
	assert.False(t, result.Sent)
	assert.False(t, result.Held)
}

func TestPauseEndsAnAttempt(t *testing.T) {
	for name, tt := range map[string]struct {
		run             func(r *Runner, ctx context.Context, events []batch.Event) *Result
		ordered         bool
		status          int
		pending, failed string
		problem         string
		sent            []string
	}{
		"after a success":           {(*Runner).Run, false, 200, "c d", "", "the exporter is paused", []string{"a b"}},
		"after a failure":           {(*Runner).Run, false, 500, "c d a b", "a b", "the backend answered 500", []string{"a b"}},
		"after a failure, in order": {(*Runner).Run, true, 500, "a b c d", "a b", "the backend answered 500", []string{"a b"}},
		"before bisecting":          {(*Runner).RunBisecting, false, 500, "a b c d", "", "the exporter is paused", []string{"a b"}},
		"before halves":             {(*Runner).Run, false, 400, "a b c d", "", "the exporter is paused", []string{"a b"}},
	} {
		t.Run(name, func(t *testing.T) {
			paused := false
			s := sender{answer: func(string) (int, error) {
				paused = true
				return tt.status, nil
			}}
			r := newRunner(&backend{most: 2}, &s)
			r.IsPaused, r.Ordered = func() bool { return paused }, tt.ordered
			events := named("a", "b", "c", "d")
			result := tt.run(r, t.Context(), events)
			assert.Equal(t, tt.pending, namesOf(result.Pending))
			assert.Equal(t, tt.failed, namesOf(result.Failed))
			assert.Len(t, result.Pending, len(result.Failed)+len(result.Paused))
			assert.EqualError(t, result.Problem, tt.problem)
			assert.True(t, result.Sent)
			assert.Equal(t, tt.sent, s.sent)
		})
	}
}

func TestEachEventHasOneOutcome(t *testing.T) {
	var s sender
	result := newRunner(&backend{most: 3}, &s).Run(t.Context(), named("a", "huge", "b", "discarded", "forgotten", "c"))
	assert.Equal(t, 3, result.Delivered)
	assert.Empty(t, result.Pending)
	assert.NoError(t, result.Problem)
	assert.Equal(t, map[string]Cause{
		"huge":      {Reason: deadletter.ReasonTooLarge, Message: "it is huge"},
		"discarded": {Reason: deadletter.ReasonRateLimited, Discard: true},
		"forgotten": {Reason: deadletter.ReasonRefused, Message: "the exporter put it into no request"},
	}, refusedOf(result))
	assert.Equal(t, []string{"a b", "c"}, s.sent)
}

func TestAmbiguousRequestIsBisected(t *testing.T) {
	for _, n := range []int{1, 2, 3, 100, 1000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			events := numbered(n)
			bad := events[n/2].Name
			s := sender{answer: func(names string) (int, error) {
				if strings.Contains(names, bad) {
					return http.StatusBadRequest, nil
				}
				return http.StatusOK, nil
			}}
			result := newRunner(&backend{most: n}, &s).Run(t.Context(), events)
			assert.Equal(t, n-1, result.Delivered)
			require.Len(t, result.Refused, 1)
			assert.Equal(t, bad, result.Refused[0].Name)
			assert.Equal(t, http.StatusBadRequest, result.Refused[0].Status)
			assert.LessOrEqual(t, len(s.sent), 1+2*int(math.Ceil(math.Log2(float64(n))))+1)
		})
	}
}

func TestAmbiguousEventIsRefusedWithoutBisecting(t *testing.T) {
	var s sender
	b := &backend{most: 3, classify: func(*transport.Request, *transport.Response) Classification {
		return Classification{
			Outcome: Outcome{Kind: Ambiguous, Reason: deadletter.ReasonRefused},
			Events:  []Outcome{{Kind: Delivered}, {Kind: Ambiguous, Reason: deadletter.ReasonTooLarge}, {Kind: Delivered}},
		}
	}}
	result := newRunner(b, &s).Run(t.Context(), named("a", "b", "c"))
	assert.Equal(t, []string{"a b c"}, s.sent)
	assert.Equal(t, 2, result.Delivered)
	assert.Equal(t, map[string]Cause{"b": {Reason: deadletter.ReasonTooLarge, Status: http.StatusOK}}, refusedOf(result))
}

func TestUnsentEventsArePendingBeforeFailedOnes(t *testing.T) {
	s := sender{answer: func(string) (int, error) { return http.StatusServiceUnavailable, nil }}
	result := newRunner(&backend{most: 1}, &s).Run(t.Context(), named("a", "b", "c", "d", "e"))
	assert.Equal(t, []string{"a", "b", "c"}, s.sent, "a backend that is down is not asked for each event")
	assert.Equal(t, "d e a b c", namesOf(result.Pending))
	assert.EqualError(t, result.Problem, "the backend answered 503")
	assert.Equal(t, http.StatusServiceUnavailable, result.Status)
}

func TestRareFailureDoesNotStopTheOthers(t *testing.T) {
	s := sender{answer: func(names string) (int, error) {
		if names == "b" || names == "d" {
			return http.StatusInternalServerError, nil
		}
		return http.StatusOK, nil
	}}
	result := newRunner(&backend{most: 1}, &s).Run(t.Context(), named("a", "b", "c", "d", "e"))
	assert.Len(t, s.sent, 5)
	assert.Equal(t, "b d", namesOf(result.Pending))
	assert.Equal(t, 3, result.Delivered)
}

func TestAttemptStopsWhenTheBackendAsksForAWait(t *testing.T) {
	var s sender
	b := &backend{most: 1, classify: func(*transport.Request, *transport.Response) Classification {
		return Classification{Outcome: Outcome{Kind: Retryable, Message: "later"}, Wait: time.Hour}
	}}
	result := newRunner(b, &s).Run(t.Context(), named("a", "b"))
	assert.Equal(t, []string{"a"}, s.sent)
	assert.Equal(t, "b a", namesOf(result.Pending))
	assert.Equal(t, time.Minute, result.Wait, "which is bounded")
}

func TestUnclassifiedEventsAreNotDelivered(t *testing.T) {
	for name, c := range map[string]Classification{
		"of the request":     {},
		"of an event":        {Events: []Outcome{{Kind: Delivered}, {}}},
		"of too many events": {Events: []Outcome{{Kind: Delivered}, {Kind: Delivered}, {Kind: Delivered}}},
	} {
		t.Run(name, func(t *testing.T) {
			var s sender
			b := &backend{most: 2, classify: func(*transport.Request, *transport.Response) Classification { return c }}
			result := newRunner(b, &s).Run(t.Context(), named("a", "b"))
			assert.NotEmpty(t, result.Pending)
			assert.Error(t, result.Problem)
			assert.Equal(t, 2, result.Delivered+len(result.Pending))
			assert.Empty(t, result.Refused)
		})
	}
}

func TestPartitionStopsAtAFailure(t *testing.T) {
	s := sender{answer: func(names string) (int, error) {
		if names == "x2" {
			return http.StatusInternalServerError, nil
		}
		return http.StatusOK, nil
	}}
	r := newRunner(&backend{most: 1}, &s)
	r.Ordered = true
	result := r.Run(t.Context(), named("x1", "y1", "x2", "a", "x3", "y2"))
	assert.Equal(t, []string{"x1", "x2", "y1", "y2", "a"}, s.sent)
	assert.Equal(t, "x2 x3", namesOf(result.Pending), "in their order")
}

func TestHalvesOfAPartitionStopAtAFailure(t *testing.T) {
	s := sender{answer: func(names string) (int, error) {
		switch {
		case strings.Contains(names, "x2"):
			return http.StatusBadRequest, nil
		case names == "x1":
			return http.StatusBadGateway, nil
		}
		return http.StatusOK, nil
	}}
	r := newRunner(&backend{most: 4}, &s)
	r.Ordered = true
	result := r.Run(t.Context(), named("x1", "x2", "x3", "x4"))
	assert.Equal(t, []string{"x1 x2 x3 x4", "x1 x2", "x1"}, s.sent)
	assert.Equal(t, "x1 x2 x3 x4", namesOf(result.Pending))
}

func TestFailedHandshakeSendsNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"in words of the backend's code": {HandshakeError("it answered 403"), "handshake with the backend: it answered 403"},
		"in words of net/http":           {fmt.Errorf("Post http://secret: %w", context.DeadlineExceeded), "handshake with the backend: no response within the timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			var s sender
			r := newRunner(&backend{most: 1}, &s)
			r.Handshake = func(context.Context) error { return tt.err }
			result := r.Run(t.Context(), named("a", "b"))
			assert.EqualError(t, result.Problem, tt.want)
			assert.Equal(t, "a b", namesOf(result.Pending))
			assert.Empty(t, s.sent)
		})
	}
}

func TestDisabledBackendGetsNoRequests(t *testing.T) {
	var s sender
	disabled := ""
	s.answer = func(string) (int, error) {
		disabled = "it is gone"
		return http.StatusGone, nil
	}
	r := newRunner(&backend{most: 1}, &s)
	r.Disabled = func() string { return disabled }
	result := r.Run(t.Context(), named("a", "b", "c"))
	assert.Equal(t, []string{"a"}, s.sent)
	assert.Equal(t, Cause{Reason: deadletter.ReasonGone, Message: "it is gone"}, refusedOf(result)["c"])
	assert.Equal(t, http.StatusGone, refusedOf(result)["a"].Status)
}

func TestContextEndsTheAttempt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Run("where a request waits for its turn", func(t *testing.T) {
		var s sender
		r := newRunner(&backend{most: 1}, &s)
		r.Pace = func(ctx context.Context, req *transport.Request) error {
			if req.Events[0].Name == "b" {
				cancel()
				return ctx.Err()
			}
			return nil
		}
		result := r.Run(ctx, named("a", "b", "c"))
		assert.Equal(t, []string{"a"}, s.sent)
		assert.Equal(t, "b c", namesOf(result.Pending))
		assert.ErrorIs(t, result.Problem, context.Canceled)
	})
	t.Run("where it waits for a slot", func(t *testing.T) {
		var s sender
		r := newRunner(&backend{most: 1}, &s)
		r.Slots <- struct{}{}
		result := r.Run(ctx, named("a"))
		assert.Empty(t, s.sent)
		assert.Equal(t, "a", namesOf(result.Pending))
		assert.ErrorIs(t, result.Problem, context.Canceled)
	})
}

func TestRequestWithoutAResponse(t *testing.T) {
	for name, tt := range map[string]struct {
		err         error
		atMostOnce  bool
		wantRefused deadletter.Reason // empty: it is pending
	}{
		"sent again": {err: errors.New("reset")},
		"not sent again if it may have arrived and is sent at most once": {err: &transport.NoResponseError{Err: io.ErrUnexpectedEOF}, atMostOnce: true, wantRefused: deadletter.ReasonExhausted},
		"sent again if it may have arrived":                              {err: &transport.NoResponseError{Err: io.ErrUnexpectedEOF}},
		"refused if it cannot be made":                                   {err: transport.InvalidRequestError{}, wantRefused: deadletter.ReasonRefused},
		"refused if its address is blocked":                              {err: &transport.BlockedError{}, wantRefused: deadletter.ReasonBlocked},
	} {
		t.Run(name, func(t *testing.T) {
			told := 0
			r := newRunner(&backend{most: 1}, &sender{})
			r.Send = func(context.Context, *transport.Request) (*transport.Response, error) { return nil, tt.err }
			r.Backend = &onceBackend{backend{most: 1}, tt.atMostOnce, &told}
			result := r.Run(t.Context(), named("a"))
			assert.Equal(t, 1, told)
			if tt.wantRefused == "" {
				assert.Equal(t, "a", namesOf(result.Pending))
				return
			}
			assert.Equal(t, tt.wantRefused, refusedOf(result)["a"].Reason)
			assert.Empty(t, result.Pending)
		})
	}
}

// twiceBackend puts the first event into a request twice, and the second into none.
type twiceBackend struct{ backend }

func (b *twiceBackend) BuildRequests(events []batch.Event) ([]transport.Request, []Refusal) {
	return []transport.Request{{URL: "http://backend", Events: []batch.Event{events[0], events[0]}}}, nil
}

func TestEventInTwoRequestsHasOneOutcome(t *testing.T) {
	var s sender
	r := newRunner(&backend{}, &s)
	r.Backend = &twiceBackend{}
	result := r.Run(t.Context(), named("a", "b"))
	assert.Equal(t, 1, result.Delivered)
	assert.Equal(t, deadletter.ReasonRefused, refusedOf(result)["b"].Reason)
	assert.Empty(t, result.Pending)
}

// onceBackend sends at most once, and counts requests without a response.
type onceBackend struct {
	backend
	once bool
	told *int
}

func (b *onceBackend) BuildRequests(events []batch.Event) ([]transport.Request, []Refusal) {
	requests, refusals := b.backend.BuildRequests(events)
	for i := range requests {
		requests[i].AtMostOnce, requests[i].OnNoResponse = b.once, func() { *b.told++ }
	}
	return requests, refusals
}

func TestPartitionsAreSentInParallel(t *testing.T) {
	b := &backend{most: 1}
	r := newRunner(b, &sender{})
	r.Ordered, r.Slots = true, make(chan struct{}, 3)
	together := make(chan struct{})
	var mu sync.Mutex
	waiting := 0
	r.Send = func(context.Context, *transport.Request) (*transport.Response, error) {
		mu.Lock()
		if waiting++; waiting == 3 {
			close(together)
		}
		mu.Unlock()
		<-together // of which three come at the same time
		return &transport.Response{Status: http.StatusOK, ReceivedAt: time.Now()}, nil
	}
	result := r.Run(t.Context(), named("x1", "x2", "y1", "y2", "z1", "z2", "a", "b"))
	assert.Equal(t, 8, result.Delivered)
	assert.Empty(t, r.Slots, "each slot was given back")
}

func TestWaitHoldsTheURLBackForLaterAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s sender
		b := &backend{most: 1, classify: func(*transport.Request, *transport.Response) Classification {
			return Classification{Outcome: Outcome{Kind: Retryable, Message: "later"}, Wait: 2 * time.Second}
		}}
		r := newRunner(b, &s)
		first := r.Run(t.Context(), named("a"))
		assert.False(t, first.Held)
		assert.Equal(t, 2*time.Second, first.Wait)

		time.Sleep(1900 * time.Millisecond)
		held := r.Run(t.Context(), named("b"))
		assert.True(t, held.Held)
		assert.Equal(t, 100*time.Millisecond, held.Wait)
		assert.Equal(t, "b", namesOf(held.Pending))
		assert.ErrorContains(t, held.Problem, "the backend asked to wait until ")
		assert.Equal(t, []string{"a"}, s.sent)

		time.Sleep(100 * time.Millisecond)
		b.classify = nil
		assert.Equal(t, 1, r.Run(t.Context(), named("b")).Delivered)
		assert.Empty(t, r.holds.until, "holds that are over are forgotten")
	})
}

func TestLastAttemptBisectsFailures(t *testing.T) {
	failures := map[string]func() (int, error){
		"500":   func() (int, error) { return http.StatusInternalServerError, nil },
		"503":   func() (int, error) { return http.StatusServiceUnavailable, nil },
		"reset": func() (int, error) { return 0, &transport.NoResponseError{Err: io.EOF} },
	}
	for name, fail := range failures {
		for place, at := range map[string]int{"first": 0, "in the middle": 617, "last": 999} {
			t.Run(name+" "+place, func(t *testing.T) {
				events := numbered(1000)
				bad := events[at].Name
				s := sender{answer: func(names string) (int, error) {
					if strings.Contains(names, bad) {
						return fail()
					}
					return http.StatusOK, nil
				}}
				r := newRunner(&backend{most: 1000}, &s)
				result := r.Run(t.Context(), events)
				assert.True(t, result.Bisectable)
				assert.Len(t, result.Pending, 1000)

				result = r.RunBisecting(t.Context(), events)
				assert.Equal(t, 999, result.Delivered)
				assert.Equal(t, bad, namesOf(result.Pending))
				assert.LessOrEqual(t, len(s.sent), 30)
			})
		}
	}
}

func TestLastAttemptStopsIfEverythingFails(t *testing.T) {
	for name, tt := range map[string]struct {
		fail       func() (int, error)
		bisectable bool
		most       int // requests
	}{
		"500":         {func() (int, error) { return http.StatusInternalServerError, nil }, true, 12},
		"429":         {func() (int, error) { return http.StatusTooManyRequests, nil }, false, 1},
		"unreachable": {func() (int, error) { return 0, &net.OpError{Op: "dial", Err: errors.New("refused")} }, false, 1},
		"timeout":     {func() (int, error) { return 0, transport.ErrTimeout }, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := sender{answer: func(string) (int, error) { return tt.fail() }}
			result := newRunner(&backend{most: 1000}, &s).RunBisecting(t.Context(), numbered(1000))
			assert.Len(t, result.Pending, 1000)
			assert.Len(t, s.sent, tt.most)
			s.sent = nil
			assert.Equal(t, tt.bisectable, newRunner(&backend{most: 1000}, &s).Run(t.Context(), numbered(1000)).Bisectable)
		})
	}
}

func TestDetailsOfAnAttempt(t *testing.T) {
	s := sender{answer: func(names string) (int, error) {
		switch {
		case strings.Contains(names, "lost"):
			return 0, io.ErrUnexpectedEOF
		case strings.Contains(names, "bad"):
			return http.StatusBadRequest, nil
		default:
			return http.StatusAccepted, nil
		}
	}}
	b := &backend{most: 2, classify: func(req *transport.Request, response *transport.Response) Classification {
		if req.Events[0].Name == "each" {
			return Classification{Events: []Outcome{{Kind: Retryable, Message: "later"}, {Kind: Unclassified}}}
		}
		return ClassifyStatus(req, response)
	}}
	r := newRunner(b, &s)
	events := named("a", "b", "each", "other", "bad", "c", "lost")
	assert.Empty(t, r.Run(t.Context(), slices.Clone(events)).Exchanges, "nobody wants them")

	r.Detailed = true
	begun := time.Now()
	result := r.Run(t.Context(), events)
	got := map[string]string{}
	for i := range result.Exchanges {
		x := &result.Exchanges[i]
		assert.False(t, x.Begun.Before(begun))
		assert.Positive(t, x.Took)
		messages := []string{fmt.Sprint(x.Status)}
		for j := range x.Events {
			message := ""
			if x.Message != nil {
				message = x.Message(j)
			}
			messages = append(messages, message)
		}
		got[namesOf(x.Events)] = strings.Join(messages, "|")
	}
	assert.Equal(t, map[string]string{
		"a b": "202||", "each other": "202|later|" + errUnclassified.Error(), "bad c": "400|the backend answered 400|the backend answered 400",
		"bad": "400|the backend answered 400", "c": "202|", "lost": "0|" + io.ErrUnexpectedEOF.Error(),
	}, got)
	var delivered []string
	for _, d := range result.Deliveries {
		assert.Equal(t, http.StatusAccepted, d.Status)
		delivered = append(delivered, namesOf(d.Events))
	}
	assert.ElementsMatch(t, []string{"a b", "c"}, delivered)
}

func TestDeliveriesHoldOnlyDeliveredEvents(t *testing.T) {
	s := sender{answer: func(string) (int, error) { return http.StatusMultiStatus, nil }}
	b := &backend{most: 6, classify: func(*transport.Request, *transport.Response) Classification {
		delivered, refused := Outcome{Kind: Delivered}, Outcome{Kind: Refused}
		return Classification{Events: []Outcome{delivered, delivered, refused, delivered, refused, delivered}}
	}}
	r := newRunner(b, &s)
	r.Detailed = true
	result := r.Run(t.Context(), named("a", "b", "c", "d", "e", "f"))
	var delivered []string
	for _, d := range result.Deliveries {
		delivered = append(delivered, namesOf(d.Events))
	}
	assert.Equal(t, []string{"a b", "d", "f"}, delivered)
	assert.Equal(t, 4, result.Delivered)
	require.Len(t, result.Exchanges, 1)
	require.NotNil(t, result.Exchanges[0].Message)
}

func TestDeliveredEventsAreReportedAtOnce(t *testing.T) {
	var s sender
	b := &backend{most: 2, classify: func(req *transport.Request, _ *transport.Response) Classification {
		if req.Events[0].Name == "a" {
			return AllDelivered()
		}
		return Classification{Events: []Outcome{{Kind: Delivered}, {Kind: Retryable}}}
	}}
	r := newRunner(b, &s)
	var reported []string
	r.OnDelivered = func(events []batch.Event, all bool) {
		reported = append(reported, fmt.Sprint(namesOf(events), " ", all))
	}
	r.Run(t.Context(), named("a", "b", "c", "d"))
	assert.Equal(t, []string{"a b false", "c false"}, reported)
}

func TestRetryableStatuses(t *testing.T) {
	for _, status := range []int{408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529, 598} {
		assert.Equal(t, Retryable, ClassifyStatus(&transport.Request{}, &transport.Response{Status: status}).Kind, status)
	}
	for _, status := range []int{404, 501, 505, 525, 530, 599} {
		assert.Equal(t, Refused, ClassifyStatus(&transport.Request{}, &transport.Response{Status: status}).Kind, status)
	}
}

func TestBisectingNeverRepeatsAtMostOnce(t *testing.T) {
	told := 0
	s := &sender{answer: func(string) (int, error) { return 0, &transport.NoResponseError{Err: io.EOF} }}
	r := newRunner(&backend{most: 4}, s)
	r.Backend = &onceBackend{backend{most: 4}, true, &told}
	result := r.RunBisecting(t.Context(), named("a", "b", "c", "d"))
	assert.Equal(t, []string{"a b c d"}, s.sent)
	assert.Len(t, result.Refused, 4)
	assert.False(t, result.Bisectable)
}
