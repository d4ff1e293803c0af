// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"math"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/config/configretry"
)

// retryPolicy says when events are sent again, and when they are given up.
type retryPolicy struct {
	backoff  configretry.BackOffConfig
	schedule Schedule
}

// hasSchedule reports whether the waits are ours rather than exporterhelper's.
func (p *retryPolicy) hasSchedule() bool {
	return len(p.schedule.Waits) > 0 || p.schedule.MaxRetries > 0
}

// isExhausted reports whether there is no further attempt after so many, of which the first was at
// that time. A wait that the backend asks for does not count: it would else be the backend that
// gives up the events.
func (p *retryPolicy) isExhausted(attempts int, first time.Time) bool {
	if !p.backoff.Enabled || attempts > p.maxRetries() {
		return true
	}
	limit := p.backoff.MaxElapsedTime
	return len(p.schedule.Waits) == 0 && limit > 0 && time.Since(first)+p.backoff.InitialInterval > limit
}

func (p *retryPolicy) maxRetries() int {
	switch {
	case p.schedule.MaxRetries > 0:
		return p.schedule.MaxRetries
	case len(p.schedule.Waits) > 0:
		return len(p.schedule.Waits)
	default:
		return math.MaxInt
	}
}

// wait is how long to wait at least after so many attempts, of which the last asked for a wait; 0
// leaves it to exporterhelper. Where there is a schedule, it is how long to wait.
func (p *retryPolicy) wait(attempts int, asked time.Duration) time.Duration {
	if !p.hasSchedule() {
		return asked
	}
	return max(asked, p.scheduled(attempts))
}

func (p *retryPolicy) scheduled(attempts int) time.Duration {
	if waits := p.schedule.Waits; len(waits) > 0 {
		return spread(waits[min(attempts, len(waits))-1], waitSpread)
	}
	grown := float64(p.backoff.InitialInterval) * math.Pow(p.backoff.Multiplier, float64(attempts-1))
	return spread(time.Duration(min(grown, float64(p.backoff.MaxInterval))), p.backoff.RandomizationFactor)
}

// waitSpread is by how much of itself a wait is longer or shorter, so that many senders do not come
// back at once.
const waitSpread = 0.1

func spread(wait time.Duration, by float64) time.Duration {
	return time.Duration(float64(wait) * (1 + by*(2*rand.Float64()-1)))
}

// helperConfig is the configuration of exporterhelper's retry.
func (p *retryPolicy) helperConfig(async bool) configretry.BackOffConfig {
	cfg := p.backoff
	if async {
		// When to give up is ours to say, so that what is given up becomes dead letters. And only
		// exporterhelper's retry knows how to tell a durable queue to keep an event, so it is on
		// even where nothing is retried.
		cfg.Enabled, cfg.MaxElapsedTime = true, 0
	}
	if p.hasSchedule() {
		// It waits for what it is told and, where the caller waits, does not retry at all, since it
		// knows no number of retries.
		cfg.Enabled = async
		cfg.InitialInterval, cfg.MaxInterval, cfg.RandomizationFactor, cfg.MaxElapsedTime = time.Nanosecond, time.Nanosecond, 0, 0
	}
	return cfg
}
