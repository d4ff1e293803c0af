// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/config/configretry"
)

func TestWaitsOfASchedule(t *testing.T) {
	backoff := configretry.BackOffConfig{InitialInterval: time.Second, Multiplier: 2, MaxInterval: 5 * time.Second, RandomizationFactor: 0}
	for name, tt := range map[string]struct {
		schedule Policy
		retries  int
		waits    []time.Duration
	}{
		"the list":                        {Policy{Waits: []time.Duration{time.Second, time.Minute}}, 2, []time.Duration{time.Second, time.Minute}},
		"the last wait is repeated":       {Policy{Waits: []time.Duration{time.Second, time.Minute}, MaxRetries: 4}, 4, []time.Duration{time.Second, time.Minute, time.Minute, time.Minute}},
		"without a list it grows":         {Policy{MaxRetries: 4}, 4, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second}},
		"it grows without an end of time": {Policy{MaxRetries: 2000}, 2000, []time.Duration{1999: 5 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			policy := tt.schedule
			policy.Backoff = backoff
			assert.Equal(t, tt.retries, policy.maxRetries())
			for i, want := range tt.waits {
				if want > 0 {
					assert.InDelta(t, want, policy.Wait(i+1, 0), float64(want)/10)
				}
			}
		})
	}
	assert.Positive(t, (&Policy{Backoff: backoff, Waits: []time.Duration{time.Second}}).Wait(0, 0), "before any attempt")
}

func TestGivesUp(t *testing.T) {
	first := time.Unix(1700000000, 0)
	next := first.Add(time.Second)
	backoff := configretry.BackOffConfig{Enabled: true, InitialInterval: time.Second, Multiplier: 2, MaxInterval: 5 * time.Second}
	limited := backoff
	limited.MaxElapsedTime = time.Minute
	off := backoff
	off.Enabled = false
	for name, tt := range map[string]struct {
		policy   Policy
		attempts int
		want     time.Time
		limit    string
	}{
		"never":                      {Policy{Backoff: backoff}, 1, time.Time{}, ""},
		"max_elapsed_time":           {Policy{Backoff: limited}, 1, first.Add(time.Minute), "for up to 1m0s"},
		"the sooner one":             {Policy{Backoff: limited, MaxRetries: 2}, 1, next.Add(2 * time.Second), "up to 2 times"},
		"the next one is the last":   {Policy{Backoff: backoff, MaxRetries: 1}, 1, next, "once"},
		"a growing wait":             {Policy{Backoff: backoff, MaxRetries: 5}, 1, next.Add((2 + 4 + 5 + 5) * time.Second), "up to 5 times"},
		"a schedule":                 {Policy{Backoff: limited, Waits: []time.Duration{time.Second, time.Hour, 2 * time.Hour}}, 1, next.Add(3 * time.Hour), "up to 3 times"},
		"a schedule that repeats":    {Policy{Backoff: limited, Waits: []time.Duration{time.Second, time.Hour}, MaxRetries: 4}, 2, next.Add(2 * time.Hour), "up to 4 times"},
		"practically never":          {Policy{Backoff: backoff, MaxRetries: math.MaxInt - 1}, 1, time.Time{}, fmt.Sprintf("up to %d times", math.MaxInt-1)},
		"no retries":                 {Policy{Backoff: off}, 0, next, "not"},
		"held back beyond the limit": {Policy{Backoff: configretry.BackOffConfig{Enabled: true, MaxElapsedTime: time.Millisecond}}, 1, next, "for up to 1ms"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, tt.policy.GivesUp(tt.attempts, first, next))
			assert.Equal(t, tt.limit, tt.policy.Limit())
		})
	}
}

func TestWaitIsThatOfExporterhelper(t *testing.T) {
	backoff := configretry.NewDefaultBackOffConfig()
	for attempts, want := range []time.Duration{5 * time.Second, 5 * time.Second, 7500 * time.Millisecond, 11250 * time.Millisecond, 16875 * time.Millisecond, 25312500 * time.Microsecond, 30 * time.Second, 30 * time.Second} {
		for range 100 {
			assert.InDelta(t, want, (&Policy{Backoff: backoff}).Wait(attempts, 0), float64(want)/2, "after %d attempts", attempts)
		}
	}
	assert.Equal(t, time.Hour, (&Policy{Backoff: backoff}).Wait(1, time.Hour), "the backend asked for more")
	backoff.MaxInterval, backoff.RandomizationFactor = time.Second, 0
	assert.Equal(t, 5*time.Second, (&Policy{Backoff: backoff}).Wait(1, 0), "the first wait is not limited")
	assert.Equal(t, time.Second, (&Policy{Backoff: backoff}).Wait(2, 0))
}
