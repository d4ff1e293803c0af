// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package outcome

import (
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/attempt"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/internal/metadatatest"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
	"github.com/otelcol-fanout/otelcol-fanout/internal/throttle"
)

// store keeps letters, but those with a name that it refuses.
type store struct {
	component.StartFunc
	component.ShutdownFunc

	refuse  string
	letters []deadletter.Letter
	known   map[string]bool // by signal
}

func (s *store) Put(_ component.ID, letters []deadletter.Letter) error {
	for i := range letters {
		if s.refuse != "" && letters[i].Name == s.refuse {
			return errors.New("disk full")
		}
	}
	s.letters = append(s.letters, letters...)
	return nil
}

func (s *store) Register(_ component.ID, signal string, _ deadletter.Replayer) (unregister func()) {
	s.known = map[string]bool{signal: true}
	return func() { delete(s.known, signal) }
}

// fixture is a recorder, and what it left behind.
type fixture struct {
	*Recorder
	telemetry *componenttest.Telemetry
	logs      *observer.ObservedLogs
	lost      []deadletter.Letter
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	f := &fixture{telemetry: componenttest.NewTelemetry(), logs: logs}
	set := exportertest.NewNopSettings(component.MustNewType("line"))
	set.ID = component.MustNewIDWithName("line", "a")
	set.TelemetrySettings = f.telemetry.NewTelemetrySettings()
	set.Logger = zap.New(core)
	var err error
	f.Recorder, err = NewRecorder(set, "logs", func(lost []deadletter.Letter) { f.lost = append(f.lost, lost...) })
	require.NoError(t, err)
	return f
}

// events are the counts of otelcol_fanout_events_total, by outcome and reason.
func (f *fixture) events(t *testing.T) map[string]int64 {
	t.Helper()
	counts := map[string]int64{}
	metric, err := f.telemetry.GetMetric("otelcol_fanout_events_total")
	require.NoError(t, err)
	for _, point := range metric.Data.(metricdata.Sum[int64]).DataPoints {
		exporter, _ := point.Attributes.Value("exporter")
		assert.Equal(t, "line/a", exporter.AsString())
		outcome, _ := point.Attributes.Value("outcome")
		reason, _ := point.Attributes.Value("reason")
		counts[outcome.AsString()+"/"+reason.AsString()] = point.Value
	}
	return counts
}

func refusedEvent(name string, cause attempt.Cause) attempt.RefusedEvent {
	return attempt.RefusedEvent{Event: batch.Event{Meta: batch.Meta{ID: "id-" + name, Name: name, VendorID: "v", Key: "k"}, Payload: []byte(name)}, Cause: cause}
}

func TestRefusedEventsBecomeDeadLetters(t *testing.T) {
	f, s := newFixture(t), &store{}
	f.Start(nil, s, nil)
	assert.Equal(t, map[string]bool{"logs": true}, s.known)
	f.Refused([]attempt.RefusedEvent{
		refusedEvent("a", attempt.Cause{Reason: deadletter.ReasonRefused, Status: 400, Message: "no"}),
		refusedEvent("b", attempt.Cause{Reason: deadletter.ReasonRateLimited, Discard: true}),
	}, 3)
	f.Stop()

	require.Len(t, s.letters, 1)
	letter := s.letters[0]
	assert.False(t, letter.FailedAt.IsZero())
	letter.FailedAt = time.Time{}
	assert.Equal(t, deadletter.Letter{
		Exporter: "line/a", Signal: "logs", ID: "id-a", Name: "a", Payload: []byte("a"),
		Reason: deadletter.ReasonRefused, Status: 400, Message: "no", Attempts: 3,
	}, letter)
	require.Len(t, f.lost, 1)
	assert.Equal(t, "b", f.lost[0].Name)
	assert.Equal(t, map[string]int64{"dead_lettered/refused": 1, "dropped/rate_limited": 1}, f.events(t))
	assert.Empty(t, s.known)
}

func TestRefusedDeadLetterDoesNotAffectOthers(t *testing.T) {
	f, s := newFixture(t), &store{refuse: "b"}
	f.Start(nil, s, nil)
	events := []batch.Event{{Meta: batch.Meta{Name: "a"}}, {Meta: batch.Meta{Name: "b"}}, {Meta: batch.Meta{Name: "c"}}}
	f.GivenUp(events, attempt.Cause{Reason: deadletter.ReasonExhausted}, 1)
	assert.Len(t, s.letters, 2)
	assert.Equal(t, map[string]int64{"dead_lettered/exhausted": 2, "dropped/exhausted": 1}, f.events(t))
	lost := f.logs.FilterMessage("Events were not delivered and are lost").All()
	require.Len(t, lost, 1)
	assert.Equal(t, "disk full", lost[0].ContextMap()["dead_letter_error"])
}

func TestLossIsLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		refuse := func(n int) {
			f.Refused(make([]attempt.RefusedEvent, 0), 1) // of nothing
			for range n {
				f.Refused([]attempt.RefusedEvent{refusedEvent("a", attempt.Cause{Reason: deadletter.ReasonRefused})}, 1)
			}
		}
		refuse(3)
		time.Sleep(throttle.Interval)
		synctest.Wait()
		refuse(1)
		refuse(5)
		f.Stop()
		var events []int64
		for _, entry := range f.logs.FilterMessage("Events were not delivered and are lost").All() {
			events = append(events, entry.ContextMap()["events"].(int64))
			assert.NotEmpty(t, entry.ContextMap()["what_to_do"])
		}
		assert.Equal(t, []int64{1, 2, 6}, events)
	})
}

func TestSuppressedLossesAreLoggedWithinAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		giveUp := func(events, status int) {
			f.GivenUp(make([]batch.Event, events), attempt.Cause{Reason: deadletter.ReasonExhausted, Status: status}, 1)
		}
		giveUp(1, 0)
		time.Sleep(10 * time.Second)
		first := time.Now()
		giveUp(2, 503)
		time.Sleep(10 * time.Second)
		last := time.Now()
		giveUp(3, 503)
		time.Sleep(10 * time.Minute)

		lines := f.logs.All()
		require.Len(t, lines, 2)
		assert.Equal(t, []string{"reason", "what_to_do", "events"}, fieldsOf(lines[0]), "neither a status without a response, nor times at once")
		assert.Equal(t, []string{"reason", "what_to_do", "status", "events", "first", "last"}, fieldsOf(lines[1]))
		assert.Equal(t, 50*time.Second, lines[1].Time.Sub(first))
		fields := lines[1].ContextMap()
		assert.Equal(t, []any{int64(503), int64(5), first, last}, []any{fields["status"], fields["events"], fields["first"], fields["last"]})
		f.Stop()
		assert.Equal(t, 2, f.logs.Len(), "nothing was pending")
	})
}

// fieldsOf returns the names of a line's fields, in order.
func fieldsOf(line observer.LoggedEntry) []string {
	names := make([]string, len(line.Context))
	for i, field := range line.Context {
		names[i] = field.Key
	}
	return names
}

func TestQueueSetAsideIsLoggedAndCountedOnce(t *testing.T) {
	f := newFixture(t)
	f.SetAside("/q/line", "/q/line.damaged-1", "cut short")
	require.Equal(t, 1, f.logs.Len())
	logged := f.logs.All()[0]
	assert.Equal(t, zap.ErrorLevel, logged.Level)
	fields := logged.ContextMap()
	for key, want := range map[string]string{"exporter": "line/a", "file": "/q/line", "new_name": "/q/line.damaged-1", "damage": "cut short"} {
		assert.Equal(t, want, fields[key], key)
	}
	metadatatest.AssertEqualFanoutEventsTotal(t, f.telemetry, []metricdata.DataPoint[int64]{
		{Value: 1, Attributes: attribute.NewSet(attribute.String("exporter", "line/a"), attribute.String("outcome", "dropped"), attribute.String("reason", "torn"))},
	}, metricdatatest.IgnoreTimestamp())
}

func TestEachReasonHasARemedy(t *testing.T) {
	for _, reason := range append(deadletter.Reasons(), reasonTorn) {
		for _, outcome := range []statusfeed.Outcome{statusfeed.Dropped, statusfeed.DeadLettered, statusfeed.Returned} {
			assert.NotEmpty(t, whatToDo(lossTopic{outcome, reason}), reason)
		}
	}
}

func TestEachReasonIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../docs/delivery.md")
	require.NoError(t, err)
	for _, reason := range append(deadletter.Reasons(), reasonTorn) {
		assert.Contains(t, string(page), "\n| `"+string(reason)+"` |")
	}
}

func TestMetricsMatchMetadata(t *testing.T) {
	f := newFixture(t)
	f.Accepted(7)
	f.Accepted(0)
	f.Delivered(&attempt.Result{Delivered: 2})
	f.Skipped("plain_log", 3, func(int) statusfeed.Event { return statusfeed.Event{} })
	f.Returned(make([]batch.Event, 1), attempt.Cause{})
	f.Corrupt("disk: damaged")
	f.Replayed(make([]deadletter.Letter, 3), []deadletter.Replayed{{Outcome: deadletter.OutcomeDelivered}, {Outcome: deadletter.OutcomeKept}, {Outcome: deadletter.OutcomeKept}})
	f.Requested(503, time.Second, 4)
	f.Requested(0, time.Second, 4)
	assert.Equal(t, map[string]int64{"delivered/": 2, "skipped/plain_log": 3, "returned/": 1, "dropped/torn": 1}, f.events(t))
	for _, name := range []string{
		"otelcol_fanout_accepted_events_total", "otelcol_fanout_replayed_events_total", "otelcol_fanout_request_duration_seconds", "otelcol_fanout_request_events",
	} {
		_, err := f.telemetry.GetMetric(name)
		assert.NoError(t, err)
	}
	metadatatest.AssertEqualFanoutAcceptedEventsTotal(t, f.telemetry, []metricdata.DataPoint[int64]{
		{Attributes: attribute.NewSet(attribute.String("exporter", "line/a")), Value: 10},
	}, metricdatatest.IgnoreTimestamp())
	require.NoError(t, f.telemetry.Shutdown(context.Background()))
}

// statuses is a host that remembers them.
type statuses struct {
	component.Host
	all []string
}

func (s *statuses) Report(event *componentstatus.Event) {
	text := event.Status().String()
	if event.Err() != nil {
		text += ": " + event.Err().Error()
	}
	s.all = append(s.all, text)
}

func TestStatusChangesWithTheBackend(t *testing.T) {
	fine := &attempt.Result{Delivered: 1}
	refusedFor := func(reason deadletter.Reason) *attempt.Result {
		return &attempt.Result{Refused: []attempt.RefusedEvent{refusedEvent("a", attempt.Cause{Reason: reason, Status: 401})}}
	}
	for name, tt := range map[string]struct {
		result *attempt.Result
		want   string // empty: nothing is wrong
	}{
		"fine":                              {fine, ""},
		"bad credentials":                   {refusedFor(deadletter.ReasonUnauthorized), "the backend answers 401: check the credentials"},
		"a bad event":                       {refusedFor(deadletter.ReasonRefused), ""},
		"a redirect":                        {refusedFor(deadletter.ReasonRedirected), "the backend redirects"},
		"a status":                          {&attempt.Result{Problem: errors.New("secret"), Status: 503}, "the backend answers 503"},
		"no response":                       {&attempt.Result{Problem: errors.New("reset")}, "reset"},
		"a caller that went":                {&attempt.Result{Problem: context.Canceled}, ""},
		"an event that is wanted once more": {&attempt.Result{Problem: errors.New("again"), Status: 200}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			host := &statuses{}
			s := NewStatus(host, zap.NewNop())
			s.Report(tt.result)
			s.Report(tt.result)
			if tt.want == "" {
				assert.Empty(t, host.all)
				return
			}
			require.Len(t, host.all, 1, "once")
			assert.Contains(t, host.all[0], tt.want)
			assert.NotContains(t, host.all[0], "secret")
			s.Report(fine)
			assert.Equal(t, "StatusOK", host.all[1])
		})
	}
}

func TestFlappingBackendIsLoggedOnceAMinute(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	host := &statuses{}
	s := NewStatus(host, zap.New(core))
	now := time.Unix(1700000000, 0)
	s.now = func() time.Time { return now }
	failing, fine := &attempt.Result{Problem: errors.New("reset")}, &attempt.Result{Delivered: 1}
	for range 60 {
		s.Report(failing)
		s.Report(fine)
		now = now.Add(2 * time.Second)
	}
	assert.Len(t, host.all, 120, "the status changes each time")
	assert.Equal(t, 2, logs.FilterMessageSnippet("The backend is failing").Len())
	assert.Equal(t, 2, logs.FilterMessage("The backend works again").Len())
}

// problems is a feed that remembers the state of the backend.
type problems struct {
	statusfeed.Feed
	works int
	all   []statusfeed.Problem
}

func (p *problems) Works()                            { p.works++ }
func (p *problems) Fails(problem *statusfeed.Problem) { p.all = append(p.all, *problem) }

func TestProblemsOfTheBackend(t *testing.T) {
	refusedFor := func(reason deadletter.Reason, status int) *attempt.Result {
		return &attempt.Result{Refused: []attempt.RefusedEvent{refusedEvent("a", attempt.Cause{Reason: reason, Status: status, Message: "its words"})}}
	}
	const again = "events are sent again for up to 5m0s, then they become dead letters"
	for name, tt := range map[string]struct {
		result *attempt.Result
		state  statusfeed.State
		remedy string // empty: nothing is wrong
	}{
		"fine":                              {&attempt.Result{Delivered: 1}, "", ""},
		"bad credentials":                   {refusedFor(deadletter.ReasonUnauthorized, 401), statusfeed.Unauthorized, "check the credentials of this exporter, then replay the dead letters"},
		"a bad event":                       {refusedFor(deadletter.ReasonRefused, 400), "", "see the messages of the dead letters"},
		"a large event":                     {refusedFor(deadletter.ReasonTooLarge, 0), "", "the event alone exceeds the backend's size limit"},
		"a quota":                           {refusedFor(deadletter.ReasonRateLimited, 200), statusfeed.RateLimited, "raise the quota, or send less"},
		"a redirect":                        {refusedFor(deadletter.ReasonRedirected, 302), statusfeed.Failing, "redirects are not followed"},
		"gone":                              {refusedFor(deadletter.ReasonGone, 410), statusfeed.Failing, "the endpoint is gone"},
		"a blocked address":                 {refusedFor(deadletter.ReasonBlocked, 0), statusfeed.Failing, "block_private_networks"},
		"sent at most once":                 {refusedFor(deadletter.ReasonExhausted, 0), statusfeed.Failing, "fix the backend"},
		"too old":                           {refusedFor(deadletter.ReasonExpired, 0), "", ""},
		"a status":                          {&attempt.Result{Problem: errors.New("its words"), Status: 503}, statusfeed.Failing, again},
		"no response":                       {&attempt.Result{Problem: errors.New("its words")}, statusfeed.Failing, again},
		"a wait":                            {&attempt.Result{Problem: errors.New("its words"), Status: 429, Wait: time.Minute}, statusfeed.RateLimited, again},
		"a wait with a 2xx":                 {&attempt.Result{Delivered: 1, Wait: time.Minute}, statusfeed.RateLimited, again},
		"a 401 that is retried":             {&attempt.Result{Problem: errors.New("its words"), Status: 401}, statusfeed.Unauthorized, again},
		"an event that is wanted once more": {&attempt.Result{Problem: errors.New("its words"), Status: 200}, "", again},
		"still waiting":                     {&attempt.Result{Problem: &attempt.HeldError{}, Held: true, Wait: time.Minute}, "", ""},
		"a caller that went":                {&attempt.Result{Problem: context.Canceled}, "", ""},
		"a collector that stops":            {&attempt.Result{Problem: attempt.ErrStopped}, "", ""},
		"a pause":                           {&attempt.Result{Problem: attempt.ErrPaused}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			feed := &problems{}
			s := NewStatus(&statuses{}, zap.NewNop())
			s.Feed(feed, "for up to 5m0s", statusfeed.DeadLettered)
			s.Report(tt.result)
			assert.Equal(t, tt.result.Delivered, feed.works)
			if tt.remedy == "" {
				assert.Empty(t, feed.all)
				return
			}
			require.Len(t, feed.all, 1)
			got := feed.all[0]
			assert.Equal(t, tt.state, got.State)
			if tt.result.Delivered == 0 {
				assert.Equal(t, "its words", got.Message)
			} else {
				assert.Equal(t, "the backend asked to wait 1m0s", got.Message)
			}
			assert.Contains(t, got.Remedy, tt.remedy)
			assert.Equal(t, tt.result.Wait > 0, !got.Until.IsZero())
		})
	}
}

func TestWorstProblemIsTheLast(t *testing.T) {
	feed := &problems{}
	s := NewStatus(&statuses{}, zap.NewNop())
	s.Feed(feed, "", statusfeed.Dropped)
	until := time.Now().Add(time.Hour)
	s.Report(&attempt.Result{Refused: []attempt.RefusedEvent{
		refusedEvent("a", attempt.Cause{Reason: deadletter.ReasonRefused, Status: 400}),
		refusedEvent("b", attempt.Cause{Reason: deadletter.ReasonRateLimited, Status: 429, Until: until}),
	}})
	require.Len(t, feed.all, 1)
	assert.Equal(t, until, feed.all[0].Until)

	feed.all = nil
	s.Report(&attempt.Result{Delivered: 1, Problem: errors.New("reset"), Refused: []attempt.RefusedEvent{
		refusedEvent("a", attempt.Cause{Reason: deadletter.ReasonRefused, Status: 400}),
		refusedEvent("b", attempt.Cause{Reason: deadletter.ReasonUnauthorized, Status: 401}),
		refusedEvent("c", attempt.Cause{Reason: deadletter.ReasonRefused, Status: 400}),
	}})
	assert.Equal(t, 1, feed.works)
	require.Len(t, feed.all, 2)
	assert.Equal(t, statusfeed.Unauthorized, feed.all[0].State)
	assert.Equal(t, "the backend answered 401", feed.all[0].Message, "it said nothing")
	assert.Equal(t, statusfeed.Failing, feed.all[1].State)
	assert.Equal(t, "see whether the backend is up and can be reached; events are sent again until the backend takes them", feed.all[1].Remedy)
}

func TestRemedySaysWhatBecomesOfEvents(t *testing.T) {
	for want, s := range map[string]*Status{
		"events are not sent again, because retry_on_failure::enabled is false: they become dead letters": {retries: "not", givenUp: statusfeed.DeadLettered},
		"events are sent again once, then they are lost, because there is no dead_letter":                 {retries: "once", givenUp: statusfeed.Dropped},
		"events are sent again up to 3 times, then their callers get the error":                           {retries: "up to 3 times", givenUp: statusfeed.Returned},
	} {
		assert.Equal(t, want, s.retried())
	}
}

// behind is a feed that checks that the metrics have counted what it gets.
type behind struct {
	statusfeed.Feed
	t       *testing.T
	f       *fixture
	settled map[string]int64
	closed  int

	accepted int
}

func (b *behind) Accepted(n int) {
	b.accepted += n
	metric, err := b.f.telemetry.GetMetric("otelcol_fanout_accepted_events_total")
	require.NoError(b.t, err)
	assert.EqualValues(b.t, b.accepted, metric.Data.(metricdata.Sum[int64]).DataPoints[0].Value)
}

func (b *behind) Delivered(deliveries []statusfeed.Delivery) {
	b.Settled(statusfeed.Delivered, "", len(deliveries[0].Events), func(int) statusfeed.Event { return statusfeed.Event{} })
}

func (b *behind) Settled(outcome statusfeed.Outcome, reason string, n int, event func(int) statusfeed.Event) {
	name := string(outcome) + "/" + reason
	b.settled[name] += int64(n)
	assert.Equal(b.t, b.settled[name], b.f.events(b.t)[name], name)
	for i := range n {
		_ = event(i)
	}
}

func (b *behind) Close() { b.closed++ }

func TestMetricsCountBeforeTheStatusExtension(t *testing.T) {
	f := newFixture(t)
	feed := &behind{t: t, f: f, settled: map[string]int64{}}
	f.Start(feed, &store{}, nil)
	f.Accepted(7)
	f.Accepted(0)
	f.Delivered(&attempt.Result{Delivered: 1, Deliveries: []statusfeed.Delivery{{Events: make([]batch.Event, 1), Status: 200}}})
	f.Delivered(&attempt.Result{})
	f.Skipped("plain_log", 3, func(int) statusfeed.Event { return statusfeed.Event{} })
	f.Refused([]attempt.RefusedEvent{
		refusedEvent("a", attempt.Cause{Reason: deadletter.ReasonRefused}),
		refusedEvent("b", attempt.Cause{Reason: deadletter.ReasonTooLarge}),
		refusedEvent("c", attempt.Cause{Reason: deadletter.ReasonRateLimited, Discard: true}),
	}, 1)
	f.Returned(make([]batch.Event, 2), attempt.Cause{})
	f.RefusalsReturned([]attempt.RefusedEvent{refusedEvent("d", attempt.Cause{Reason: deadletter.ReasonRefused})})
	f.Corrupt("disk: damaged")
	f.SetAside("/q/line", "/q/line.damaged-1", "cut short")
	f.Stop()
	f.Stop()
	assert.Equal(t, 1, feed.closed)
	assert.Equal(t, map[string]int64{
		"delivered/": 1, "skipped/plain_log": 3, "dead_lettered/refused": 1, "dead_lettered/too_large": 1, "dropped/rate_limited": 1, "returned/": 3, "dropped/torn": 2,
	}, feed.settled)
}
