// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

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
)

// health reports to the collector whether the backend works. A permanent error could not be taken back, so bad
// credentials are a recoverable one too.
type health struct {
	host   component.Host
	logger *zap.Logger
	now    func() time.Time

	mu      sync.Mutex
	failing bool
	// logged is whether the log says that it fails, and loggedAt since when.
	logged   bool
	loggedAt time.Time
}

func newHealth(host component.Host, logger *zap.Logger) *health {
	return &health{host: host, logger: logger, now: time.Now}
}

// report tells how an attempt went, when that is news. The log says at most once a minute that the backend fails: one that does so now
// and then would else fill it.
func (h *health) report(a *attempt) {
	if h == nil {
		return
	}
	problem := a.trouble()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.log(problem, a.delivered > 0)
	switch {
	case problem != nil && !h.failing:
		h.failing = true
		componentstatus.ReportStatus(h.host, componentstatus.NewRecoverableErrorEvent(problem))
	case problem == nil && h.failing && a.delivered > 0:
		h.failing = false
		componentstatus.ReportStatus(h.host, componentstatus.NewEvent(componentstatus.StatusOK))
	}
}

func (h *health) log(problem error, delivered bool) {
	switch now := h.now(); {
	case problem != nil && !h.logged && now.Sub(h.loggedAt) >= lossInterval:
		h.logged, h.loggedAt = true, now
		h.logger.Warn("The backend fails; what it does not take is sent again as retry_on_failure says", zap.Error(problem))
	case problem == nil && h.logged && delivered:
		h.logged = false
		h.logger.Info("The backend works again")
	}
}

// trouble is what is wrong with the backend, in words that quote nothing it said.
func (a *attempt) trouble() error {
	if a.status == 0 && errors.Is(a.problem, context.Canceled) {
		return nil // it was the caller who went, or the exporter that stops
	}
	if a.problem != nil && a.status/100 != 2 { // a backend that answers 2xx works, though it may want some event again
		if a.status != 0 {
			return fmt.Errorf("the backend answers %d", a.status)
		}
		return a.problem
	}
	for i := range a.refused {
		switch a.refused[i].reason {
		case deadletter.ReasonUnauthorized:
			return fmt.Errorf("the backend answers %d: check the credentials", a.refused[i].status)
		case deadletter.ReasonRedirected:
			return errors.New("the backend redirects: write the URL it redirects to as the endpoint")
		case deadletter.ReasonGone:
			return errors.New("the endpoint is gone (410), and nothing more is sent to it: write another one and restart, or replay its dead letters when it is back")
		case deadletter.ReasonBlocked:
			return errors.New("the endpoint's host leads to an address that is not connected to: " + a.refused[i].message)
		}
	}
	return nil
}
