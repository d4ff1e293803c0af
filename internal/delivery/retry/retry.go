// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package retry decides when events are sent again, and when they are given up.
package retry

import (
	"math"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/config/configretry"
)

// Policy says when and how often events are sent again.
type Policy struct {
	// Backoff is retry_on_failure.
	Backoff configretry.BackOffConfig
	// Waits are the waits before the second, third, ... attempt, each randomized by up to a tenth.
	// They replace the waits and the max_elapsed_time of Backoff. If the backend asks for a longer
	// wait, that is used. It may be empty.
	Waits []time.Duration
	// MaxRetries is how often events are sent again. 0 means once for each of Waits or, without
	// Waits, until max_elapsed_time. Retries beyond Waits repeat the last wait.
	MaxRetries int
}

// HasSchedule reports whether this package, not exporterhelper, decides on the waits.
func (p *Policy) HasSchedule() bool { return len(p.Waits) > 0 || p.MaxRetries > 0 }

// IsExhausted reports whether events are given up after attempts attempts, the first of them at
// first, rather than sent again after wait.
func (p *Policy) IsExhausted(attempts int, first time.Time, wait time.Duration) bool {
	if !p.Backoff.Enabled || attempts > p.maxRetries() {
		return true
	}
	limit := p.Backoff.MaxElapsedTime
	return len(p.Waits) == 0 && limit > 0 && time.Since(first)+wait > limit
}

func (p *Policy) maxRetries() int {
	switch {
	case p.MaxRetries > 0:
		return p.MaxRetries
	case len(p.Waits) > 0:
		return len(p.Waits)
	default:
		return math.MaxInt
	}
}

// Wait returns the least wait after the given number of attempts; asked is the wait that the backend
// asked for. 0 leaves the wait to exporterhelper.
func (p *Policy) Wait(attempts int, asked time.Duration) time.Duration {
	if !p.HasSchedule() {
		return asked
	}
	return max(asked, p.scheduled(attempts))
}

// CallerWait is Wait for callers that wait, for whom exporterhelper does not retry.
func (p *Policy) CallerWait(attempts int, asked time.Duration) time.Duration {
	return max(asked, p.scheduled(attempts))
}

func (p *Policy) scheduled(attempts int) time.Duration {
	if waits := p.Waits; len(waits) > 0 {
		return spread(waits[max(0, min(attempts, len(waits))-1)], waitSpread)
	}
	grown := float64(p.Backoff.InitialInterval) * math.Pow(p.Backoff.Multiplier, float64(max(0, attempts-1)))
	return spread(time.Duration(min(grown, float64(p.Backoff.MaxInterval))), p.Backoff.RandomizationFactor)
}

// waitSpread is the share by which a wait is randomized, so that many senders do not retry at once.
const waitSpread = 0.1

func spread(wait time.Duration, by float64) time.Duration {
	return time.Duration(float64(wait) * (1 + by*(2*rand.Float64()-1)))
}

// HelperConfig returns the configuration of exporterhelper's retry. Delivery decides when to give up,
// so that the events become dead letters. For callers that wait it makes all attempts itself.
func (p *Policy) HelperConfig(async bool) configretry.BackOffConfig {
	cfg := p.Backoff
	// On even if nothing is retried: only exporterhelper's retry can make a durable queue keep a request.
	cfg.Enabled, cfg.MaxElapsedTime = async, 0
	if p.HasSchedule() { // it waits as long as the error says
		cfg.InitialInterval, cfg.MaxInterval, cfg.RandomizationFactor = time.Nanosecond, time.Nanosecond, 0
	}
	return cfg
}
