// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"fmt"
	"net/http"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// fullQueue is how full a queue may be before the collector is no longer ready.
const fullQueue = 0.95

// readiness knows whether the pipelines run, and which receivers have an error.
type readiness struct {
	lock  sync.Mutex
	phase phase
	// failing has the receivers with an error. A receiver has an instance for each signal.
	failing map[*componentstatus.InstanceID]componentstatus.Status
}

// phase is how far the pipelines are.
type phase int

const (
	phaseStarting phase = iota
	phaseRunning
	phaseStopping
)

func (p *readiness) set(to phase) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.phase = to
}

func (p *readiness) get() phase {
	p.lock.Lock()
	defer p.lock.Unlock()
	return p.phase
}

func (p *readiness) starting() bool { return p.get() == phaseStarting }

// note notes the status of a component. Only receivers matter: exporters report by themselves.
func (p *readiness) note(source *componentstatus.InstanceID, status componentstatus.Status) {
	if source.Kind() != component.KindReceiver {
		return
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	if !componentstatus.StatusIsError(status) {
		delete(p.failing, source)
		return
	}
	if p.failing == nil {
		p.failing = map[*componentstatus.InstanceID]componentstatus.Status{}
	}
	p.failing[source] = status
}

// reasons says why the pipelines are not ready. The errors of receivers are left to the log, since they
// may contain secrets.
func (p *readiness) reasons() []string {
	p.lock.Lock()
	defer p.lock.Unlock()
	var reasons []string
	switch p.phase {
	case phaseStarting:
		reasons = append(reasons, "the pipelines are starting")
	case phaseStopping:
		reasons = append(reasons, "the collector is stopping")
	case phaseRunning:
	}
	failing := make([]string, 0, len(p.failing))
	for source, status := range p.failing {
		kind := "an error that may pass"
		if status != componentstatus.StatusRecoverableError {
			kind = "a permanent error"
		}
		failing = append(failing, fmt.Sprintf("receiver %s has %s; the log says which", source.ComponentID(), kind))
	}
	slices.Sort(failing)
	return append(reasons, slices.Compact(failing)...)
}

// readyJSON is the response of GET /v1/ready.
type readyJSON struct {
	Ready   bool     `json:"ready"`
	Reasons []string `json:"reasons,omitempty"`
}

// ready responds with 200 if the collector can take events: all pipelines run, no receiver has an
// error, and no queue is nearly full.
func (a *api) ready(w http.ResponseWriter, r *http.Request, _ arguments) error {
	if _, err := query(r); err != nil {
		return err
	}
	reasons := a.pipelines.reasons()
	all := a.registry.Snapshot()
	for i := range all {
		if queue := all[i].Queue; queue != nil && fill(queue.Size, queue.Capacity) > fullQueue {
			reasons = append(reasons, fmt.Sprintf("the queue of %s is full to %.0f %%", all[i].ID, 100*fill(queue.Size, queue.Capacity)))
		}
	}
	if len(reasons) > 0 {
		writeJSON(w, http.StatusServiceUnavailable, readyJSON{false, reasons})
		return nil
	}
	writeJSON(w, http.StatusOK, readyJSON{Ready: true})
	return nil
}
