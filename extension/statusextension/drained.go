// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"fmt"
	"net/http"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/extension/statusextension/internal/backends"
)

const (
	defaultDrain = 30 * time.Second
	maxDrain     = 5 * time.Minute
)

// drainedJSON is the response of GET /v1/drained.
type drainedJSON struct {
	Drained bool       `json:"drained"`
	Waited  float64    `json:"waited_ms"`
	Left    []leftJSON `json:"left,omitempty"`
	Error   string     `json:"error,omitempty"`
}

type leftJSON struct {
	Backend string `json:"backend"`
	Events  int64  `json:"events"`
	Paused  bool   `json:"paused,omitempty"`
}

// drained responds as soon as nothing waits or is being sent, or when the timeout has passed.
func (a *api) drained(w http.ResponseWriter, r *http.Request, _ arguments) error {
	q, err := query(r, "backend", "timeout")
	if err != nil {
		return err
	}
	ids, timeout := q.list("backend"), q.duration("timeout", defaultDrain, maxDrain)
	if err := q.err(); err != nil {
		return err
	}
	if err := a.checkDrainable(ids); err != nil {
		return err
	}
	release, ok := a.waiters.take()
	if !ok {
		return apiErrorf(http.StatusServiceUnavailable, "%d requests wait for queues to drain, which is the most; try again later", maxHeld)
	}
	defer release()
	control := hold(w)
	begun := time.Now()
	left, err := a.awaitDrained(r, ids, timeout)
	_ = control.SetWriteDeadline(time.Now().Add(a.pace.write))
	if err != nil {
		return err
	}
	shown := drainedJSON{Drained: len(left) == 0, Waited: milliseconds(time.Since(begun))}
	if shown.Drained {
		writeJSON(w, http.StatusOK, shown)
		return nil
	}
	shown.Error = fmt.Sprintf("events are left after %s; raise timeout (at most %s), or see GET /v1/backends for what is wrong", timeout, maxDrain)
	for _, l := range left {
		shown.Left = append(shown.Left, leftJSON(l))
		if l.Paused {
			shown.Error = fmt.Sprintf("%s is paused, so it cannot drain; resume it with POST /v1/backends/%s/resume", l.Backend, l.Backend)
		}
	}
	writeJSON(w, http.StatusGatewayTimeout, shown)
	return nil
}

// checkDrainable returns an error for a backend whose queue is unknown.
func (a *api) checkDrainable(ids []string) error {
	if err := a.checkBackends(ids); err != nil {
		return err
	}
	off := a.cfg.exportersOff()
	for _, id := range ids {
		_, isOff := off[id]
		if _, reports := a.registry.Backend(id); !reports && !isOff && !a.pipelines.starting() {
			return badRequest("backend: %s is one of the collector's own exporters, whose queue is unknown; see the metric otelcol_exporter_queue_size", id)
		}
	}
	return nil
}

// awaitDrained waits until nothing is left or the timeout is over, and returns what is left then. Its error
// says that what queues hold is unknown, or that nobody waits any more.
func (a *api) awaitDrained(r *http.Request, ids []string, timeout time.Duration) ([]backends.Left, error) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	look := time.NewTicker(a.pace.look)
	defer look.Stop()
	for {
		left, changed := a.registry.Waiting(ids...)
		// Exporters that do not run yet, or no more, cannot say what their queues hold.
		switch p := a.pipelines.get(); {
		case len(left) > 0:
		case p == phaseRunning:
			return nil, nil
		case p == phaseStopping:
			return nil, errStopping()
		}
		select {
		case <-timer.C:
			if len(left) == 0 {
				return nil, apiErrorf(http.StatusServiceUnavailable, "the pipelines are still starting after %s; try again later", timeout)
			}
			return left, nil
		case <-a.closing.Done():
			return nil, errStopping()
		case <-r.Context().Done():
			return nil, apiErrorf(http.StatusServiceUnavailable, "the client has disconnected")
		case <-changed:
		case <-look.C:
		}
	}
}

func errStopping() error {
	return apiErrorf(http.StatusServiceUnavailable, "the collector is stopping")
}
