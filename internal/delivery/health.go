// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"errors"
	"fmt"
	"sync"

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

	mu      sync.Mutex
	failing bool
}

func newHealth(host component.Host, logger *zap.Logger) *health {
	return &health{host: host, logger: logger}
}

// report tells how an attempt went, when that is news.
func (h *health) report(a *attempt) {
	if h == nil {
		return
	}
	problem := a.trouble()
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case problem != nil && !h.failing:
		h.failing = true
		h.logger.Warn("The backend fails; what it does not take is sent again as retry_on_failure says", zap.Error(problem))
		componentstatus.ReportStatus(h.host, componentstatus.NewRecoverableErrorEvent(problem))
	case problem == nil && h.failing && a.delivered > 0:
		h.failing = false
		h.logger.Info("The backend works again")
		componentstatus.ReportStatus(h.host, componentstatus.NewEvent(componentstatus.StatusOK))
	}
}

// trouble is what is wrong with the backend, in words that quote nothing it said.
func (a *attempt) trouble() error {
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
