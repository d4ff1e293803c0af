// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// A series counts events in buckets of 5 s over the last 15 minutes.
const (
	bucketTime     = 5 * time.Second
	stepTime       = 30 * time.Second
	seriesSteps    = 30
	bucketsPerStep = int(stepTime / bucketTime)
	seriesBuckets  = int64(seriesSteps * bucketsPerStep)
)

// series needs the same memory however long it is idle. Its time is the time since it began, which
// never goes back: steps of the system's clock do not matter.
type series struct {
	began   time.Time
	buckets [seriesBuckets]bucket
	last    int64 // the number of the last bucket, which is at last % seriesBuckets
}

type bucket struct{ accepted, delivered, notDelivered int64 }

// at returns the bucket of a time. It clears those that were idle.
func (s *series) at(now time.Time) *bucket {
	for number := max(s.bucketOf(now), s.last); s.last < number; {
		s.last = max(s.last+1, number-seriesBuckets)
		s.buckets[s.last%seriesBuckets] = bucket{}
	}
	return &s.buckets[s.last%seriesBuckets]
}

// settle counts events with an outcome; skipped ones are on neither side.
func (b *bucket) settle(outcome statusfeed.Outcome, events int64) {
	switch outcome {
	case statusfeed.Delivered:
		b.delivered += events
	case statusfeed.DeadLettered, statusfeed.Dropped, statusfeed.Returned:
		b.notDelivered += events
	case statusfeed.Skipped:
	}
}

func (s *series) bucketOf(now time.Time) int64 { return int64(now.Sub(s.began) / bucketTime) }

// age returns how long the series lasts, at least until the start of its last bucket.
func (s *series) age(now time.Time) time.Duration {
	return max(now.Sub(s.began), time.Duration(s.last)*bucketTime)
}

// rates returns the events per minute during a time before now. A shorter life counts as a minute
// at least.
func (s *series) rates(now time.Time, during time.Duration) Rates {
	s.at(now)
	n := int64(during / bucketTime)
	age := s.age(now)
	over := during - bucketTime + (age - time.Duration(s.last)*bucketTime) // since the last bucket is not over
	minutes := min(over, max(age, time.Minute)).Minutes()
	var sum bucket
	for number := max(s.last-n+1, 0); number <= s.last; number++ {
		sum.add(s.buckets[number%seriesBuckets])
	}
	return Rates{float64(sum.accepted) / minutes, float64(sum.delivered) / minutes, float64(sum.notDelivered) / minutes}
}

func (b *bucket) add(other bucket) {
	b.accepted += other.accepted
	b.delivered += other.delivered
	b.notDelivered += other.notDelivered
}

// steps returns the events of the last 15 minutes.
func (s *series) steps(now time.Time) Series {
	s.at(now)
	result := Series{Step: stepTime, Delivered: make([]int64, seriesSteps), NotDelivered: make([]int64, seriesSteps)}
	last := s.last / int64(bucketsPerStep)
	for i := range int64(seriesSteps) {
		step := last - seriesSteps + 1 + i
		for number := step * int64(bucketsPerStep); step >= 0 && number <= min(s.last, (step+1)*int64(bucketsPerStep)-1); number++ {
			bucket := s.buckets[number%seriesBuckets]
			result.Delivered[i] += bucket.delivered
			result.NotDelivered[i] += bucket.notDelivered
		}
	}
	result.Until = now.Add(time.Duration(last+1)*stepTime - s.age(now))
	return result
}
