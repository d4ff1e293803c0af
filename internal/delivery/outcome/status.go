// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package outcome

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/attempt"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
	"github.com/otelcol-fanout/otelcol-fanout/internal/throttle"
)

// Status reports to the collector, and to the status extension, whether the backend works. Bad
// credentials are a recoverable error too, because a permanent one lasts until restart. Its methods are
// safe for concurrent use.
type Status struct {
	host   component.Host
	logger *zap.Logger
	now    func() time.Time
	feed   statusfeed.Feed // nil without a status extension
	// retries says how long events are sent again, and givenUp what becomes of them then.
	retries string
	givenUp statusfeed.Outcome

	mu      sync.Mutex
	failing bool
	// logged is true if the log says that the backend fails, loggedAt is when it said so.
	logged   bool
	loggedAt time.Time
}

// NewStatus returns the status of an exporter that the host has started.
func NewStatus(host component.Host, logger *zap.Logger) *Status {
	return &Status{host: host, logger: logger, now: time.Now}
}

// Feed makes the status reach the status extension too. retries says how long events are sent again,
// as [retry.Policy.Limit] does, and givenUp what becomes of them then.
func (s *Status) Feed(feed statusfeed.Feed, retries string, givenUp statusfeed.Outcome) {
	s.feed, s.retries, s.givenUp = feed, retries, givenUp
}

// Report reports the result of an attempt to the status extension, and to the collector if it changes
// the status. The log says at most once a minute that the backend fails, so that one that fails now and
// then does not flood it.
func (s *Status) Report(result *attempt.Result) {
	if s.feed != nil {
		s.tell(result)
	}
	retried, problem := problemOf(result)
	works := problem == nil && result.Delivered > 0
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log(problem, retried, works)
	switch {
	case problem != nil && !s.failing:
		s.failing = true
		componentstatus.ReportStatus(s.host, componentstatus.NewRecoverableErrorEvent(problem))
	case works && s.failing:
		s.failing = false
		componentstatus.ReportStatus(s.host, componentstatus.NewEvent(componentstatus.StatusOK))
	}
}

func (s *Status) log(problem error, retried, works bool) {
	switch now := s.now(); {
	case problem != nil && !s.logged && now.Sub(s.loggedAt) >= throttle.Interval:
		s.logged, s.loggedAt = true, now
		message := "The backend is failing; requests are retried as retry_on_failure says"
		if !retried {
			message = "The backend is failing; events that fail in this way are not retried"
		}
		s.logger.Warn(message, zap.Error(problem))
	case works && s.logged:
		s.logged = false
		s.logger.Info("The backend works again")
	}
}

// problemOf returns what is wrong with the backend, without quoting it, and whether its requests are
// retried. The problem is nil if the backend works.
func problemOf(result *attempt.Result) (retried bool, problem error) {
	if result.Status == 0 && errors.Is(result.Problem, context.Canceled) {
		return false, nil // the caller went away, or the exporter is stopping
	}
	// A backend that answers 2xx works, even if it asks for some event again.
	if result.Problem != nil && !errors.Is(result.Problem, attempt.ErrPaused) && result.Status/100 != 2 {
		switch {
		case result.Status != 0 && result.Wait > 0:
			return true, fmt.Errorf("the backend answers %d, and asks to wait %s", result.Status, result.Wait.Round(time.Millisecond))
		case result.Status != 0:
			return true, fmt.Errorf("the backend answers %d", result.Status)
		}
		return true, result.Problem
	}
	for i := range result.Refused {
		refused := &result.Refused[i]
		switch refused.Reason {
		case deadletter.ReasonUnauthorized:
			return false, fmt.Errorf("the backend answers %d: check the credentials", refused.Status)
		case deadletter.ReasonRedirected:
			return false, errors.New("the backend redirects: configure the URL that it redirects to as the endpoint")
		case deadletter.ReasonGone:
			return false, errors.New("the endpoint is gone (410), and nothing more is sent to it: configure another one and restart, or replay its dead letters when it is back")
		case deadletter.ReasonBlocked:
			return false, errors.New("connecting to the address of the endpoint's host is not allowed: " + refused.Message)
		}
	}
	return false, nil
}
