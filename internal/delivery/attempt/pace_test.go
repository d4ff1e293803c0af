// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package attempt

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/transport"
)

func TestAPacerKeepsToItsLimitOverAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const perMinute, burst = 30_000, 1000
		p := NewPacer(perMinute/60.0, burst, EachEvent)
		var times []time.Time
		for range 200 {
			require.NoError(t, p.Pace(t.Context(), &transport.Request{Events: make([]batch.Event, 300)}))
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
		require.NoError(t, p.Pace(t.Context(), &transport.Request{Events: make([]batch.Event, 25)}))
		assert.Equal(t, 2*time.Second, time.Since(began).Round(time.Millisecond))
	})
}

func TestAPacerEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(0.001, 1, EachRequest)
		require.NoError(t, p.Pace(t.Context(), &transport.Request{}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, p.Pace(ctx, &transport.Request{}), context.DeadlineExceeded)
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
