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

func TestPacerKeepsItsLimitOverAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const perMinute, burst = 30_000, 1000
		p := NewPacer(perMinute/60.0, burst, eachEvent)
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

func TestRequestHeavierThanBurstWaitsSeveralTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(10, 5, eachEvent)
		began := time.Now()
		require.NoError(t, p.Pace(t.Context(), &transport.Request{Events: make([]batch.Event, 25)}))
		assert.Equal(t, 2*time.Second, time.Since(began).Round(time.Millisecond))
	})
}

func TestPacerEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer(0.001, 1, EachRequest)
		require.NoError(t, p.Pace(t.Context(), &transport.Request{}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, p.Pace(ctx, &transport.Request{}), context.DeadlineExceeded)
	})
}

func TestPacerReturnsTheContextError(t *testing.T) {
	p := NewPacer(0.001, 1, EachRequest)
	require.NoError(t, p.Pace(t.Context(), &transport.Request{}))
	waits := make(chan error)
	first, cancelFirst := context.WithCancel(t.Context())
	second, cancelSecond := context.WithCancel(t.Context())
	go func() { waits <- p.Pace(first, &transport.Request{}) }()
	for len(p.turn) == 0 {
		time.Sleep(time.Millisecond)
	}
	go func() { waits <- p.Pace(second, &transport.Request{}) }()
	cancelSecond() // it waits behind the first
	require.ErrorIs(t, <-waits, context.Canceled)
	cancelFirst()
	require.ErrorIs(t, <-waits, context.Canceled)
}

func TestSlowOnlyLowersTheLimit(t *testing.T) {
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

func eachEvent(req *transport.Request) int { return len(req.Events) }
