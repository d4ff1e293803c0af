// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configretry"
)

func TestAPacerKeepsToItsLimitOverAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const perMinute, burst = 30_000, 1000
		p := NewPacer(perMinute/60.0, burst, EachEvent)
		var times []time.Time
		for range 200 {
			require.NoError(t, p.Pace(t.Context(), &Request{Events: make([]Event, 300)}))
			times = append(times, time.Now())
		}
		for i := range times {
			events := 0
			for j := i; j < len(times) && times[j].Sub(times[i]) < time.Minute; j++ {
				events += 300
			}
			assert.LessOrEqual(t, events, perMinute+burst)
		}
		assert.GreaterOrEqual(t, times[len(times)-1].Sub(times[0]), 115*time.Second, "60,000 events take two minutes")
	})
}

func TestARequestThatWeighsMoreThanTheBurstWaitsForSeveralTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(10, 5, EachEvent)
		began := time.Now()
		require.NoError(t, p.Pace(t.Context(), &Request{Events: make([]Event, 25)}))
		assert.Equal(t, 2*time.Second, time.Since(began).Round(time.Millisecond))
	})
}

func TestAPacerEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(0.001, 1, EachRequest)
		require.NoError(t, p.Pace(t.Context(), &Request{}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, p.Pace(ctx, &Request{}), context.DeadlineExceeded)
	})
}

func TestAPacerIsSlowedDownButNotHastened(t *testing.T) {
	p := NewPacer(10, 1, EachRequest)
	p.Slow(20)
	assert.InDelta(t, 10, float64(p.limiter.Limit()), 0)
	p.Slow(0)
	p.Slow(2)
	assert.InDelta(t, 2, float64(p.limiter.Limit()), 0)
	var none *Pacer
	none.Slow(1)
	require.NoError(t, none.Pace(t.Context(), nil))
	assert.Nil(t, NewPacer(0, 1, EachRequest))
}

func TestWaitsOfASchedule(t *testing.T) {
	retry := configretry.BackOffConfig{InitialInterval: time.Second, Multiplier: 2, MaxInterval: 5 * time.Second, RandomizationFactor: 0}
	for name, tt := range map[string]struct {
		schedule Schedule
		retries  int
		waits    []time.Duration
	}{
		"the list":                        {Schedule{Waits: []time.Duration{time.Second, time.Minute}}, 2, []time.Duration{time.Second, time.Minute}},
		"the last wait is repeated":       {Schedule{Waits: []time.Duration{time.Second, time.Minute}, MaxRetries: 4}, 4, []time.Duration{time.Second, time.Minute, time.Minute, time.Minute}},
		"without a list it grows":         {Schedule{MaxRetries: 4}, 4, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second}},
		"it grows without an end of time": {Schedule{MaxRetries: 2000}, 2000, []time.Duration{1999: 5 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.True(t, tt.schedule.isSet())
			assert.Equal(t, tt.retries, tt.schedule.retries())
			for i, want := range tt.waits {
				if want > 0 {
					assert.InDelta(t, want, tt.schedule.wait(i+1, retry), float64(want)/10)
				}
			}
		})
	}
	assert.False(t, Schedule{}.isSet())
}
