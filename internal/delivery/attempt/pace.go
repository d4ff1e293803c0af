// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package attempt

import (
	"cmp"
	"context"
	"math"

	"golang.org/x/time/rate"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/transport"
)

// Pacer delays requests to stay within a backend's rate limit. Its methods are safe for concurrent
// use, and the exporters of one backend share it. A nil Pacer has no limit.
type Pacer struct {
	weigh func(*transport.Request) int

	turn    chan struct{} // held by the request that waits for the limiter
	limiter *rate.Limiter
}

// NewPacer returns a pacer of perSecond on average, and of up to burst at once after a pause.
// weigh returns how much of the limit a request uses, such as [EachRequest] or its events. A perSecond of 0 means no limit.
func NewPacer(perSecond float64, burst int, weigh func(*transport.Request) int) *Pacer {
	if perSecond <= 0 {
		return nil
	}
	return &Pacer{weigh: weigh, turn: make(chan struct{}, 1), limiter: rate.NewLimiter(rate.Limit(perSecond), max(1, burst))}
}

// EachRequest weighs each request as 1.
func EachRequest(*transport.Request) int { return 1 }

// Pace waits until the request may be sent, or returns the error of ctx if that ends, or would end,
// first. A request that weighs more than the burst waits several times.
func (p *Pacer) Pace(ctx context.Context, req *transport.Request) error {
	if p == nil {
		return nil
	}
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for left := p.weigh(req); left > 0; {
		n := min(left, p.limiter.Burst())
		if err := p.limiter.WaitN(ctx, n); err != nil {
			return cmp.Or(ctx.Err(), context.DeadlineExceeded) // the limiter foresees it
		}
		left -= n
	}
	return nil
}

// Slow lowers the limit to perSecond, if it is higher.
func (p *Pacer) Slow(perSecond float64) {
	if p != nil && perSecond > 0 && !math.IsInf(perSecond, 0) && rate.Limit(perSecond) < p.limiter.Limit() {
		p.limiter.SetLimit(rate.Limit(perSecond))
	}
}
