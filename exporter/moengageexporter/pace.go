// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"context"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// What a workspace takes a minute, bulk or not (moengage.com/docs/api/data/data-overview; moengage.com/docs/api/user/merge-users).
const (
	maxEventsAMinute  = 30_000
	maxUsersAMinute   = 10_000
	maxDevicesAMinute = 10_000
	maxMergesAMinute  = 1_000
)

// shareAtOnce is the share of a minute's limit that may be sent at once, which is one in so many. The rest is spread over the
// minute, so that no 60 seconds have more than the limit.
const shareAtOnce = 20

// weights is how much of each kind a request has.
type weights [kinds]int

// perMinute is the limits, by kind.
func (cfg *RateLimitsConfig) perMinute() weights {
	return weights{kindEvent: cfg.Events, kindUser: cfg.Users, kindDevice: cfg.Devices, kindMerge: cfg.Merges}
}

// atOnce is how much of each kind a request may have; 0 is any.
func (cfg *RateLimitsConfig) atOnce() weights {
	most := cfg.perMinute()
	for k, limit := range most {
		if limit > 0 {
			most[k] = max(1, limit/shareAtOnce)
		}
	}
	return most
}

// pacers are a pacer for each kind.
type pacers [kinds]*delivery.Pacer

func (cfg *RateLimitsConfig) pacers() (ps pacers) {
	most := cfg.atOnce()
	for k, perMinute := range cfg.perMinute() {
		if perMinute > 0 {
			// In the worst minute all that may be sent at once comes first, and the steady rate then.
			steady := max(1, perMinute-most[k])
			ps[k] = delivery.NewPacer(float64(steady)/time.Minute.Seconds(), most[k], kind(k).weigh)
		}
	}
	return ps
}

// weigh counts the events of a kind.
func (k kind) weigh(req *delivery.Request) (n int) {
	for i := range req.Events {
		if kindOf(&req.Events[i]) == k {
			n++
		}
	}
	return n
}

// Pace implements delivery.Paced.
func (b *backend) Pace(ctx context.Context, req *delivery.Request) error {
	for _, pacer := range b.pacers {
		if err := pacer.Pace(ctx, req); err != nil {
			return err
		}
	}
	return nil
}
