// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package retry decides when events are sent again, and when they are given up.
package retry

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
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

// IsExhausted reports whether events are given up after attempts attempts, the first of them elapsed
// ago, rather than sent again after wait.
func (p *Policy) IsExhausted(attempts int, elapsed, wait time.Duration) bool {
	if !p.Backoff.Enabled || attempts > p.maxRetries() {
		return true
	}
	limit := p.Backoff.MaxElapsedTime
	return len(p.Waits) == 0 && limit > 0 && elapsed+wait > limit
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

// GivesUp returns when the last attempt is due at the latest, if each one fails; zero if never. The
// first attempt was at first, attempts have been made, and the next one is due at next.
func (p *Policy) GivesUp(attempts int, first, next time.Time) time.Time {
	if !p.Backoff.Enabled {
		return next
	}
	var ends []time.Time
	if limit := p.Backoff.MaxElapsedTime; len(p.Waits) == 0 && limit > 0 {
		ends = append(ends, first.Add(limit))
	}
	if retries := p.maxRetries(); retries < math.MaxInt {
		if left := p.waitsFrom(attempts+1, retries); left < time.Duration(math.MaxInt64) {
			ends = append(ends, next.Add(left))
		}
	}
	if len(ends) == 0 {
		return time.Time{}
	}
	if earliest := slices.MinFunc(ends, time.Time.Compare); earliest.After(next) {
		return earliest
	}
	return next
}

// waitsFrom returns the sum of the waits, not randomized, after the attempts with these numbers. It is
// at most math.MaxInt64.
func (p *Policy) waitsFrom(first, last int) time.Duration {
	const enough = 1000 // by then a wait hardly grows any more
	sum := 0.0
	for n := first; n <= last; n++ {
		wait := float64(p.interval(n))
		if n > len(p.Waits) && wait == float64(p.interval(n+1)) || n == first+enough {
			sum += wait * float64(last-n+1)
			break
		}
		sum += wait
	}
	if sum >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(sum)
}

// Limit says how long events are sent again, such as "for up to 5m0s". It is empty if there is no end,
// and "not" if they are not sent again.
func (p *Policy) Limit() string {
	retries, limit := p.maxRetries(), p.Backoff.MaxElapsedTime
	switch {
	case !p.Backoff.Enabled:
		return "not"
	case retries == 1:
		return "once"
	case retries < math.MaxInt:
		return fmt.Sprintf("up to %d times", retries)
	case limit > 0:
		return fmt.Sprintf("for up to %s", limit)
	default:
		return ""
	}
}

// Wait returns the wait after the given number of attempts; asked is the least one, for which the
// backend asked.
func (p *Policy) Wait(attempts int, asked time.Duration) time.Duration {
	by := p.Backoff.RandomizationFactor
	if len(p.Waits) > 0 {
		by = waitSpread
	}
	return max(asked, spread(p.interval(attempts), by))
}

// interval returns the wait after the given number of attempts, before it is randomized. Without
// Waits it is that of exporterhelper.
func (p *Policy) interval(attempts int) time.Duration {
	if waits := p.Waits; len(waits) > 0 {
		return waits[max(0, min(attempts, len(waits))-1)]
	}
	if attempts <= 1 {
		return p.Backoff.InitialInterval
	}
	grown := float64(p.Backoff.InitialInterval) * math.Pow(p.Backoff.Multiplier, float64(attempts-1))
	return time.Duration(min(grown, float64(p.Backoff.MaxInterval)))
}

// waitSpread is the share by which a wait is randomized, so that many senders do not retry at once.
const waitSpread = 0.1

func spread(wait time.Duration, by float64) time.Duration {
	return time.Duration(float64(wait) * (1 + by*(2*rand.Float64()-1)))
}

// HelperConfig returns the configuration of exporterhelper's retry. The policy decides how long to
// wait, and when to give up: then the events become dead letters. For callers that wait, delivery makes
// all attempts itself.
func (p *Policy) HelperConfig(async bool) configretry.BackOffConfig {
	cfg := p.Backoff
	// On even if nothing is retried: only exporterhelper's retry can make a durable queue keep a request.
	cfg.Enabled, cfg.MaxElapsedTime = async, 0
	// It waits as long as the error says.
	cfg.InitialInterval, cfg.MaxInterval, cfg.RandomizationFactor = time.Nanosecond, time.Nanosecond, 0
	return cfg
}
