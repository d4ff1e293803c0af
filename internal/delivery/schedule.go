// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/config/configretry"
)

// Scheduled is a backend whose users say when events are sent again, rather than for how long.
type Scheduled interface {
	// RetrySchedule is asked once, when the exporter is made.
	RetrySchedule() Schedule
}

// Schedule says when, and how often, events are sent again. The zero value leaves both to retry_on_failure.
type Schedule struct {
	// Waits are the waits before the second, third, ... attempt, each up to a tenth longer or shorter by chance. They take the place of
	// the waits and the max_elapsed_time of retry_on_failure. A backend that asks for a longer wait gets it.
	Waits []time.Duration
	// MaxRetries is how often events are sent again; 0 is as often as there are Waits or, without any, as max_elapsed_time
	// lets it. Retries beyond the Waits repeat the last of them.
	MaxRetries int
}

// RetrySchedule implements Scheduled, for backends that embed a schedule.
func (s Schedule) RetrySchedule() Schedule { return s }

func (s Schedule) isSet() bool { return len(s.Waits) > 0 || s.MaxRetries > 0 }

// retries is how many there are at the most.
func (s Schedule) retries() int {
	switch {
	case s.MaxRetries > 0:
		return s.MaxRetries
	case len(s.Waits) > 0:
		return len(s.Waits)
	default:
		return math.MaxInt
	}
}

// wait is how long to wait after that many attempts.
func (s Schedule) wait(attempts int, retry configretry.BackOffConfig) time.Duration {
	if len(s.Waits) > 0 {
		return spread(s.Waits[min(attempts, len(s.Waits))-1], waitSpread)
	}
	grown := float64(retry.InitialInterval) * math.Pow(retry.Multiplier, float64(attempts-1))
	return spread(time.Duration(min(grown, float64(retry.MaxInterval))), retry.RandomizationFactor)
}

// waitSpread is by how much of itself a wait is longer or shorter, so that many senders do not come back at once.
const waitSpread = 0.1

func spread(wait time.Duration, by float64) time.Duration {
	return time.Duration(float64(wait) * (1 + by*(2*rand.Float64()-1)))
}

// withoutWaits is the configuration of exporterhelper's retry where the waits are ours: it waits for what it is told and, where
// the caller waits, does not retry at all, since it knows no number of retries.
func withoutWaits(retry configretry.BackOffConfig, async bool) configretry.BackOffConfig {
	retry.Enabled = async
	retry.InitialInterval, retry.MaxInterval, retry.RandomizationFactor, retry.MaxElapsedTime = time.Nanosecond, time.Nanosecond, 0, 0
	return retry
}

// pushScheduled is push for callers that wait where there is a schedule: it makes all attempts.
func (d *deliverer) pushScheduled(ctx context.Context, b *batch) error {
	for {
		err := d.push(ctx, b)
		owed, ok := errors.AsType[*owedError](err)
		if !ok || d.exhausted(owed.batch) {
			return err
		}
		if !d.stopping.sleep(ctx, owed.wait) {
			return err
		}
		b = owed.batch
	}
}

// sleep waits. It reports false when the exporter is told to stop, or ctx ends, before that.
func (s *stopping) sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.begun:
		return false
	case <-ctx.Done():
		return false
	}
}
