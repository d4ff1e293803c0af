// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// State is the state of a backend.
type State string

// The states of a backend. It is starting until the first request has ended; then the last request
// decides. Paused hides the others.
const (
	Starting     State = "starting"
	OK           State = "ok"
	RateLimited  State = State(statusfeed.RateLimited)
	Failing      State = State(statusfeed.Failing)
	Unauthorized State = State(statusfeed.Unauthorized)
	Paused       State = "paused"
)

// severity orders the states of the signals of a backend, of which the worst one counts.
func (s State) severity() int {
	switch s {
	case OK:
		return 1
	case RateLimited:
		return 2
	case Failing:
		return 3
	case Unauthorized:
		return 4
	default:
		return 0
	}
}

// health is the state of one signal of a backend.
type health struct {
	state State
	since time.Time
	// until is when a rate limit ends; until then, no other result counts.
	until time.Time
}

func (h *health) fails(p *statusfeed.Problem, now time.Time) {
	switch p.State {
	case "": // it works, but refused events
		h.report(OK, now)
	case statusfeed.RateLimited:
		if p.Until.After(h.until) {
			h.until = p.Until
		}
		h.become(RateLimited, now)
	default:
		h.report(State(p.State), now)
	}
}

// report sets a state unless a rate limit lasts.
func (h *health) report(state State, now time.Time) {
	if now.Before(h.until) {
		return
	}
	h.until = time.Time{}
	h.become(state, now)
}

func (h *health) become(state State, now time.Time) {
	if h.state != state {
		h.state, h.since = state, now
	}
}

// worse returns the one with the worse state, and of equals the one that got there first.
func worse(a, b health) health {
	if b.state.severity() > a.state.severity() || b.state == a.state && b.since.Before(a.since) {
		a, b = b, a
	}
	if a.state == b.state && b.until.After(a.until) {
		a.until = b.until
	}
	return a
}
