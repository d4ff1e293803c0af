// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

func TestSeriesIsLikeASlowModel(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 2))
		c := newClock()
		s := series{began: c.now}
		type event struct{ step, n int64 }
		var all []event
		for range 200 {
			now := c.advance(time.Duration(random.Int64N(int64(20 * time.Second))))
			if random.IntN(20) == 0 {
				now = c.advance(time.Duration(random.Int64N(int64(30 * time.Minute)))) // idle
			}
			n := random.Int64N(100)
			s.at(now).settle(statusfeed.Delivered, n)
			s.at(now).settle(statusfeed.Dropped, 2*n)
			s.at(now).settle(statusfeed.Skipped, 1000)
			all = append(all, event{int64(now.Sub(s.began) / stepTime), n})

			got := s.steps(now)
			want := make([]int64, seriesSteps)
			last := int64(now.Sub(s.began) / stepTime)
			for _, e := range all {
				if i := e.step - last + seriesSteps - 1; i >= 0 {
					want[i] += e.n
				}
			}
			require.Equal(t, want, got.Delivered, "seed %d", seed)
			for i := range want {
				require.Equal(t, 2*want[i], got.NotDelivered[i])
			}
			require.Equal(t, s.began.Add(time.Duration(last+1)*stepTime), got.Until)
			require.Equal(t, stepTime, got.Step)
		}
	}
}

func TestSteadyRateIsExact(t *testing.T) {
	c := newClock()
	s := series{began: c.now}
	for range 1000 { // 1,000 s, 2 events each
		s.at(c.advance(time.Second)).accepted += 2
		s.at(c.now).delivered++
	}
	now := c.advance(time.Millisecond)
	minute, five := s.rates(now, time.Minute), s.rates(now, 5*time.Minute)
	assert.InDelta(t, 120, minute.Accepted, 3)
	assert.InDelta(t, 60, minute.Delivered, 2)
	assert.InDelta(t, 120, five.Accepted, 1)
	assert.Zero(t, minute.NotDelivered)

	now = c.advance(2 * time.Minute)
	assert.Zero(t, s.rates(now, time.Minute).Accepted)
	assert.InDelta(t, 72, s.rates(now, 5*time.Minute).Accepted, 3)
	now = c.advance(24 * time.Hour)
	assert.Zero(t, s.rates(now, 5*time.Minute))
}

func TestRatesAreNotExtrapolatedAfterTheStart(t *testing.T) {
	c := newClock()
	s := series{began: c.now}
	s.at(c.now).delivered += 30
	now := c.advance(time.Second)
	assert.InDelta(t, 30, s.rates(now, 5*time.Minute).Delivered, 0.1)
	assert.InDelta(t, 30, s.rates(now, time.Minute).Delivered, 3)
	now = c.advance(2 * time.Minute)
	assert.InDelta(t, 15, s.rates(now, 5*time.Minute).Delivered, 0.2, "in two minutes")
}

func TestSeriesSurvivesAClockThatGoesBack(t *testing.T) {
	c := newClock()
	s := series{began: c.now}
	s.at(c.advance(time.Minute)).delivered += 5
	back := c.advance(-time.Hour)
	s.at(back).delivered += 7
	total := int64(0)
	for _, n := range s.steps(back).Delivered {
		total += n
	}
	assert.EqualValues(t, 12, total)
	assert.GreaterOrEqual(t, s.rates(back, time.Minute).Delivered, 0.0)
}

func TestResponseTimesOfTheLastRequests(t *testing.T) {
	var r responseTimes
	assert.Equal(t, ResponseTime{}, r.summary())
	r.add(7 * time.Millisecond)
	assert.Equal(t, ResponseTime{1, 7 * time.Millisecond, 7 * time.Millisecond, 7 * time.Millisecond}, r.summary())
	for i := range 150 {
		r.add(time.Duration(i+1) * time.Millisecond)
	}
	assert.Equal(t, ResponseTime{100, 100500 * time.Microsecond, 100 * time.Millisecond, 145 * time.Millisecond}, r.summary())
}
