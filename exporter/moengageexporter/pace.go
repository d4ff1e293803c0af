// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"context"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// Rate limits of a workspace, which are the same for bulk and single requests
// (moengage.com/docs/api/data/data-overview; moengage.com/docs/api/user/merge-users).
const (
	maxEventsAMinute  = 30_000
	maxUsersAMinute   = 10_000
	maxDevicesAMinute = 10_000
	maxMergesAMinute  = 1_000
)

// burstDivisor is the share of a minute's limit that may be sent at once, as 1/burstDivisor. The
// rest is spread over the minute, so that no 60 seconds exceed the limit.
const burstDivisor = 20

// weights counts events by kind.
type weights [numKinds]int

// perMinute returns the limits; 0 means no limit.
func (cfg *RateLimitsConfig) perMinute() weights {
	return weights{kindEvent: cfg.Events, kindUser: cfg.Users, kindDevice: cfg.Devices, kindMerge: cfg.Merges}
}

// burst returns how many events may be sent at once, and therefore in one request; 0 means no limit.
func (cfg *RateLimitsConfig) burst() weights {
	burst := cfg.perMinute()
	for k, limit := range burst {
		if limit > 0 {
			burst[k] = max(1, limit/burstDivisor)
		}
	}
	return burst
}

// pacers holds a pacer for each kind; nil means no limit.
type pacers [numKinds]*delivery.Pacer

func (cfg *RateLimitsConfig) pacers() (ps pacers) {
	burst := cfg.burst()
	for k, perMinute := range cfg.perMinute() {
		if perMinute > 0 {
			// The worst minute begins with a full burst, followed by the steady rate.
			steady := max(1, perMinute-burst[k])
			ps[k] = delivery.NewPacer(float64(steady)/time.Minute.Seconds(), burst[k], kind(k).weigh)
		}
	}
	return ps
}

// weigh returns how many events of the kind a request has.
func (k kind) weigh(req *delivery.Request) (n int) {
	for i := range req.Events {
		if kindOf(&req.Events[i]) == k {
			n++
		}
	}
	return n
}

// pace waits until the limits of all kinds let a request pass; see delivery.Options.
func (b *backend) pace(ctx context.Context, req *delivery.Request) error {
	for _, pacer := range b.pacers {
		if err := pacer.Pace(ctx, req); err != nil {
			return err
		}
	}
	return nil
}
