// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package outcome

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/attempt"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// tell tells the status extension what an attempt says about the backend.
func (s *Status) tell(result *attempt.Result) {
	if result.Delivered > 0 {
		s.feed.Works()
	}
	for _, problem := range []*statusfeed.Problem{s.refusal(result), s.failure(result)} { // the worse one last
		if problem != nil {
			if problem.Message == "" {
				problem.Message = kindOfFailure(nil, problem.Status)
			}
			s.feed.Fails(problem)
		}
	}
}

// failure returns the temporary failure of a backend, or nil. An attempt that still waits, as the backend
// has asked, that a pause or the shutdown ended, or whose caller went away, says nothing new.
func (s *Status) failure(result *attempt.Result) *statusfeed.Problem {
	_, held := errors.AsType[*attempt.HeldError](result.Problem)
	canceled := result.Status == 0 && errors.Is(result.Problem, context.Canceled)
	if held || canceled || errors.Is(result.Problem, attempt.ErrStopped) || errors.Is(result.Problem, attempt.ErrPaused) {
		return nil
	}
	problem := &statusfeed.Problem{State: statusfeed.Failing, Status: result.Status}
	if result.Problem != nil {
		problem.Message = result.Problem.Error()
	}
	switch {
	case result.Wait > 0: // it may have taken the events nevertheless
		problem.State, problem.Until = statusfeed.RateLimited, time.Now().Add(result.Wait)
		problem.Message = cmp.Or(problem.Message, "the backend asked to wait "+result.Wait.Round(time.Millisecond).String())
		problem.Remedy = "the backend asked to wait: send less, or raise its limit; " + s.retried()
	case result.Problem == nil:
		return nil
	case isUnauthorized(result.Status):
		problem.State = statusfeed.Unauthorized
		problem.Remedy = whatToDo(lossTopic{outcome: "", reason: deadletter.ReasonUnauthorized}) + "; " + s.retried()
	case result.Status/100 == 2: // it asks for some event again
		problem.State, problem.Remedy = "", s.retried()
	default:
		problem.Remedy = "see whether the backend is up and can be reached; " + s.retried()
	}
	return problem
}

// retried says how long events are sent again, and what becomes of them then.
func (s *Status) retried() string {
	then := map[statusfeed.Outcome]string{
		statusfeed.DeadLettered: "they become dead letters", statusfeed.Dropped: "they are lost, because there is no dead_letter", statusfeed.Returned: "their callers get the error",
	}[s.givenUp]
	switch s.retries {
	case "":
		return "events are sent again until the backend takes them"
	case "not": // see [retry.Policy.Limit]
		return "events are not sent again, because retry_on_failure::enabled is false: " + then
	default:
		return "events are sent again " + s.retries + ", then " + then
	}
}

// refusal returns the worst refusal of an attempt, nil if the backend refused nothing.
func (s *Status) refusal(result *attempt.Result) (worst *statusfeed.Problem) {
	for i := range result.Refused {
		refused := &result.Refused[i]
		state, isBackends := stateOf(refused)
		if !isBackends || worst != nil && (worst.State != "" || state == "") {
			continue
		}
		worst = &statusfeed.Problem{
			State: state, Status: refused.Status, Message: refused.Message, Until: refused.Until,
			Remedy: whatToDo(lossTopic{s.outcomeOf(refused), refused.Reason}),
		}
	}
	return worst
}

// outcomeOf returns the outcome of a refused event.
func (s *Status) outcomeOf(refused *attempt.RefusedEvent) statusfeed.Outcome {
	if refused.Discard {
		return statusfeed.Dropped
	}
	return s.givenUp
}

// stateOf returns the state of a backend that refused an event, and false if the event was refused
// for its age alone.
func stateOf(refused *attempt.RefusedEvent) (state statusfeed.State, isBackends bool) {
	switch refused.Reason {
	case deadletter.ReasonUnauthorized:
		return statusfeed.Unauthorized, true
	case deadletter.ReasonRateLimited:
		return statusfeed.RateLimited, true
	case deadletter.ReasonRedirected, deadletter.ReasonGone, deadletter.ReasonBlocked, deadletter.ReasonExhausted:
		return statusfeed.Failing, true
	case deadletter.ReasonExpired:
		return "", false
	default:
		return "", true
	}
}

func isUnauthorized(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}
