// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

func TestStateFollowsReports(t *testing.T) {
	type step struct {
		report string // works, or the state of a problem
		after  time.Duration
		until  time.Duration // from now
	}
	for name, test := range map[string]struct {
		steps []step
		want  State
		since int // index of the step that led to the state; -1 for the start
	}{
		"start":                                   {nil, Starting, -1},
		"works":                                   {[]step{{report: "works"}, {"works", time.Second, 0}}, OK, 0},
		"one failure":                             {[]step{{report: "works"}, {"failing", time.Second, 0}}, Failing, 1},
		"failures":                                {[]step{{report: "failing"}, {"failing", time.Second, 0}}, Failing, 0},
		"works again":                             {[]step{{report: "failing"}, {"works", time.Second, 0}}, OK, 1},
		"refuses events":                          {[]step{{report: "failing"}, {"", time.Second, 0}}, OK, 1},
		"unauthorized":                            {[]step{{report: "works"}, {"unauthorized", time.Second, 0}}, Unauthorized, 1},
		"unauthorized, then failing":              {[]step{{report: "unauthorized"}, {"failing", time.Second, 0}}, Failing, 1},
		"rate limit lasts":                        {[]step{{"rate_limited", 0, time.Minute}, {"works", time.Second, 0}}, RateLimited, 0},
		"rate limit lasts through a failure":      {[]step{{"rate_limited", 0, time.Minute}, {"failing", time.Second, 0}}, RateLimited, 0},
		"rate limit is over, unknown yet":         {[]step{{"rate_limited", 0, time.Minute}, {"rate_limited", 2 * time.Minute, -time.Minute}}, RateLimited, 0},
		"rate limit is over, works":               {[]step{{"rate_limited", 0, time.Minute}, {"works", time.Minute, 0}}, OK, 1},
		"rate limit is over, fails":               {[]step{{"rate_limited", 0, time.Minute}, {"failing", time.Minute, 0}}, Failing, 1},
		"rate limit is longer than before":        {[]step{{"rate_limited", 0, time.Minute}, {"rate_limited", 0, time.Hour}, {"works", 2 * time.Minute, 0}}, RateLimited, 0},
		"rate limit is not shortened":             {[]step{{"rate_limited", 0, time.Hour}, {"rate_limited", 0, time.Minute}, {"works", 2 * time.Minute, 0}}, RateLimited, 0},
		"rate limit without an end ends at once":  {[]step{{report: "rate_limited"}, {"works", time.Millisecond, 0}}, OK, 1},
		"rate limited, then works, fails at last": {[]step{{"rate_limited", 0, time.Minute}, {"works", time.Hour, 0}, {"failing", time.Second, 0}}, Failing, 2},
	} {
		t.Run(name, func(t *testing.T) {
			r, f := newReporter(t, Settings{}, "webhook")
			since := f.clock.Now()
			for i, step := range test.steps {
				now := f.clock.advance(step.after)
				if i == test.since {
					since = now
				}
				if step.report == "works" {
					f.Works()
					continue
				}
				problem := &statusfeed.Problem{State: statusfeed.State(step.report)}
				if step.until != 0 {
					problem.Until = now.Add(step.until)
				}
				f.Fails(problem)
			}
			b, found := r.Backend("webhook")
			require.True(t, found)
			assert.Equal(t, test.want, b.State)
			assert.Equal(t, since, b.Since)
			assert.Equal(t, test.want == RateLimited, !b.RateLimitedUntil.IsZero())
		})
	}
}

func TestWorseStateOfTwoSignalsWins(t *testing.T) {
	states := []State{Starting, OK, RateLimited, Failing, Unauthorized} // the worst one last
	for i, one := range states {
		for j, other := range states {
			c := newClock()
			r := New(Settings{Now: c.Now})
			report(r.AddExporter(exporterOf(t, "webhook", "logs")), one, c.Now().Add(time.Hour))
			first := c.Now()
			second := c.advance(time.Second)
			report(r.AddExporter(exporterOf(t, "webhook", "traces")), other, c.Now().Add(2*time.Hour))

			b, _ := r.Backend("webhook")
			assert.Equal(t, []string{"logs", "traces"}, b.Signals)
			assert.Equal(t, states[max(i, j)], b.State)
			if i >= j {
				assert.Equal(t, first, b.Since, "%s and %s", one, other)
			} else {
				assert.Equal(t, second, b.Since, "%s and %s", one, other)
			}
			if one == RateLimited && other == RateLimited {
				assert.Equal(t, second.Add(2*time.Hour), b.RateLimitedUntil)
			}
			b.State = ""
			at := c.advance(time.Second)
			require.NoError(t, pauseAll(r))
			b, _ = r.Backend("webhook")
			assert.Equal(t, Paused, b.State)
			assert.Equal(t, at, b.Since)
			assert.Equal(t, at, b.PausedAt)
		}
	}
}

func report(f statusfeed.Feed, state State, until time.Time) {
	switch state {
	case Starting:
	case OK:
		f.Works()
	case RateLimited:
		f.Fails(&statusfeed.Problem{State: statusfeed.RateLimited, Until: until})
	default:
		f.Fails(&statusfeed.Problem{State: statusfeed.State(state)})
	}
}

func pauseAll(r *Registry) (err error) {
	for _, b := range r.sorted() {
		for _, f := range b.running() {
			f.exporter.SetPaused = func(bool) {}
		}
		err = r.SetPaused(b.name, true)
	}
	return err
}

func TestSnapshotTellsAllOfABackend(t *testing.T) {
	c := newClock()
	start := c.Now()
	r := New(Settings{RecentEvents: 10, Now: c.Now})
	logs, traces := exporterOf(t, "webhook/audit", "logs"), exporterOf(t, "webhook/audit", "traces")
	letters := webhook
	for _, e := range []*statusfeed.Exporter{logs, traces} {
		e.Endpoint, e.Durable, e.DeadLetter = "https://audit.example.com", true, &letters
		e.SetPaused, e.InFlight = func(bool) {}, func() int { return 2 }
	}
	logs.Queue = func() statusfeed.Queue {
		return statusfeed.Queue{Events: 1, Bytes: 10, Size: 10, Capacity: 100, Sizer: "bytes", Oldest: start.Add(time.Second)}
	}
	traces.Queue = func() statusfeed.Queue {
		return statusfeed.Queue{Events: 2, Bytes: 20, Size: 20, Capacity: 100, Sizer: "bytes"}
	}
	f := &reporter{r.AddExporter(logs), c}
	g := &reporter{r.AddExporter(traces), c}
	r.AddExporter(exporterOf(t, "sentry", "logs"))

	f.Accepted(4)
	g.Accepted(2)
	f.settle(statusfeed.Delivered, "", 200, "", eventWith("a"), eventWith("b"))
	g.settle(statusfeed.Skipped, "plain_log", 0, "", eventWith("c"))
	f.Requested(200, 20*time.Millisecond, 2)
	delivered := c.advance(time.Second)
	f.Works()
	failed := c.advance(time.Second)
	f.Requested(0, time.Second, 1) // without a response
	f.Fails(&statusfeed.Problem{State: statusfeed.Failing, Status: 503, Message: "busy", Remedy: "wait"})

	all := r.Snapshot()
	require.Len(t, all, 2)
	assert.Equal(t, "sentry", all[0].ID)
	b := all[1]
	minute := b.LastMinute
	b.LastMinute, b.LastFiveMinutes, b.Series = Rates{}, Rates{}, Series{}
	assert.Equal(t, Backend{
		ID: "webhook/audit", Kind: "webhook", Signals: []string{"logs", "traces"}, State: Failing, Since: failed,
		Endpoint: "https://audit.example.com", Durable: true, CanPause: true, DeadLetter: "webhook/audit",
		LastError:    &Error{failed, 503, "busy", "wait"},
		LastDelivery: delivered, LastActivity: failed,
		Counts: Counts{
			Accepted: 6, Outcomes: []OutcomeCount{{statusfeed.Delivered, "", 2}, {statusfeed.Skipped, "plain_log", 1}}, Waiting: 3,
		},
		Queue:        &statusfeed.Queue{Events: 3, Bytes: 30, Size: 30, Capacity: 200, Sizer: "bytes", Oldest: start.Add(time.Second)},
		InFlight:     4,
		ResponseTime: ResponseTime{1, 20 * time.Millisecond, 20 * time.Millisecond, 20 * time.Millisecond},
	}, b)
	assert.Positive(t, minute.Accepted)
}
