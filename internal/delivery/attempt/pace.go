// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"math"
	"sync"

	"golang.org/x/time/rate"
)

// Paced is a backend whose requests wait for their turn.
type Paced interface {
	// Pace returns when the request may be sent, or with an error when ctx ends first. It is called once for each request of an
	// attempt.
	Pace(ctx context.Context, req *Request) error
}

// Pacer makes requests wait so that a backend gets no more in a time than it takes. Exporters of one backend share it. A nil
// Pacer has no limit.
type Pacer struct {
	weigh func(*Request) int

	mu      sync.Mutex // so that who waits for several turns has them one behind the other
	limiter *rate.Limiter
}

// NewPacer returns a pacer that lets perSecond pass on average, and burst at once after a pause. What is counted is what weigh says of
// a request: [EachRequest], [EachEvent], or what the backend's limit is of. A perSecond of 0 is no limit.
func NewPacer(perSecond float64, burst int, weigh func(*Request) int) *Pacer {
	if perSecond <= 0 {
		return nil
	}
	return &Pacer{weigh: weigh, limiter: rate.NewLimiter(rate.Limit(perSecond), max(1, burst))}
}

// EachRequest counts requests.
func EachRequest(*Request) int { return 1 }

// EachEvent counts events.
func EachEvent(req *Request) int { return len(req.Events) }

// Pace implements Paced, for backends that embed a pacer. A request that weighs more than the burst waits for several turns.
func (p *Pacer) Pace(ctx context.Context, req *Request) error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for left := p.weigh(req); left > 0; {
		n := min(left, p.limiter.Burst())
		if err := p.limiter.WaitN(ctx, n); err != nil {
			return context.DeadlineExceeded // the limiter knows it beforehand where ctx would end first
		}
		left -= n
	}
	return nil
}

// Slow lowers the limit to perSecond, where it was higher.
func (p *Pacer) Slow(perSecond float64) {
	if p != nil && perSecond > 0 && !math.IsInf(perSecond, 0) && rate.Limit(perSecond) < p.limiter.Limit() {
		p.limiter.SetLimit(rate.Limit(perSecond))
	}
}

// paced waits for the request's turn, unless the attempt is to stop.
func (a *attempt) paced(req *Request) bool {
	if a.isStopped(req.URL) {
		return false
	}
	if err := a.d.pace(a.ctx, req); err != nil {
		a.fail(err, 0)
		return false
	}
	return true
}

// pace waits for the request's turn.
func (d *deliverer) pace(ctx context.Context, req *Request) error {
	if paced, ok := d.backend.(Paced); ok {
		return paced.Pace(ctx, req)
	}
	return nil
}
