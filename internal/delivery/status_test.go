// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// deliverytest.Status checks that every report is about the entry of its event. The tests here check
// what is reported, those of other files that nothing is missing.

func TestExporterDescribesItself(t *testing.T) {
	f := newFixture(t, options{path: "/services/hunter2?token=hunter3"})
	e := f.Status.Exporter()
	assert.Equal(t, "line", e.ID.String())
	assert.Equal(t, "logs", e.Signal)
	assert.Equal(t, f.server.URL, e.Endpoint)
	assert.Equal(t, deliverytest.DeadLetterID(), e.DeadLetter)
	assert.False(t, e.Sync)
	assert.False(t, e.Durable)
	assert.Zero(t, e.InFlight())

	e = newFixture(t, options{configure: func(cfg *Config) { cfg.Dispatch, cfg.DeadLetter = DispatchSync, nil }}).Status.Exporter()
	assert.True(t, e.Sync)
	assert.Nil(t, e.Queue)
	assert.Nil(t, e.DeadLetter)

	assert.True(t, newFixture(t, durable(t.TempDir(), nil)).Status.Exporter().Durable)
}

// eachQueue runs a test with a queue in memory and one on disk.
func eachQueue(t *testing.T, test func(t *testing.T, o options)) {
	t.Helper()
	t.Run("in memory", func(t *testing.T) { test(t, options{}) })
	t.Run("on disk", func(t *testing.T) { test(t, options{storage: t.TempDir()}) })
}

// with returns the options with a changed configuration.
func (o options) with(configure func(*Config)) options {
	onDisk := o.storage != ""
	o.configure = func(cfg *Config) {
		if onDisk {
			cfg.QueueConfig.Get().StorageID = deliverytest.StorageID()
		}
		configure(cfg)
	}
	return o
}

func TestAttemptsAreReported(t *testing.T) {
	eachQueue(t, func(t *testing.T, o options) {
		f := newFixture(t, o.with(func(*Config) {}))
		var mu sync.Mutex
		failed := false
		f.server.on(func([]string) (int, http.Header) {
			mu.Lock()
			defer mu.Unlock()
			if !failed {
				failed = true
				return http.StatusServiceUnavailable, nil
			}
			return http.StatusOK, nil
		})
		begun := time.Now()
		f.send("a", "b")
		for _, name := range []string{"a", "b"} {
			e := f.Status.Entry(name)
			assert.Equal(t, []string{`503: the backend answered 503: {"error": "status 503"}`, "200: "}, e.Tries)
			assert.Equal(t, "delivered", e.Outcome)
			assert.Equal(t, http.StatusOK, e.Status)
			assert.Empty(t, e.Message)
			assert.True(t, e.Next.After(begun))
			assert.WithinDuration(t, begun.Add(5*time.Minute), e.GivesUp, time.Minute)
		}
		assert.Equal(t, []string{"503: 2 events", "200: 2 events"}, f.Status.Requests())
	})
}

func TestEachEventOfABatchHasItsOwnEntry(t *testing.T) {
	eachQueue(t, func(t *testing.T, o options) {
		// Batches are merged and split. Of each request one event is refused, one is sent again, and one
		// is delivered, until all have an end.
		o.most, o.answer = 7, func(req *Request, _ *Response) Classification {
			c := Classification{Events: make([]Outcome, len(req.Events))}
			for i := range c.Events {
				c.Events[i] = []Outcome{
					{Kind: Delivered}, {Kind: Refused, Reason: deadletter.ReasonRefused, Message: "never: " + req.Events[i].Name},
					{Kind: Retryable, Message: "later: " + req.Events[i].Name},
				}[i%3]
			}
			return c
		}
		f := newFixture(t, o.with(func(cfg *Config) {
			cfg.QueueConfig.Get().Batch.Get().MinSize, cfg.QueueConfig.Get().Batch.Get().MaxSize = 20, 20
		}))
		names := numbered(300)
		for part := range slices.Chunk(names, 13) {
			require.NoError(t, f.Consume(t.Context(), records(part...)))
		}
		f.Settle()
		for i, e := range f.Status.Entries() {
			require.Equal(t, names[i], e.Name)
			for _, try := range e.Tries[:len(e.Tries)-1] {
				assert.Equal(t, "200: later: "+e.Name, try)
			}
			switch last := e.Tries[len(e.Tries)-1]; e.Outcome {
			case "delivered":
				assert.Equal(t, "200: ", last)
			case "dead_lettered/refused":
				assert.Equal(t, "200: never: "+e.Name, last)
				assert.Equal(t, "never: "+e.Name, e.Message)
			default:
				assert.Fail(t, "no outcome", e.Name)
			}
		}
	})
}

func TestBisectionIsReported(t *testing.T) {
	eachQueue(t, func(t *testing.T, o options) {
		f := newFixture(t, o.with(func(*Config) {}))
		f.server.refusing("bad")
		f.send("a", "b", "bad", "c")
		bad := f.Status.Entry("bad")
		assert.Len(t, bad.Tries, 3, "with three others, with one, alone")
		assert.Equal(t, "dead_lettered/refused", bad.Outcome)
		assert.Equal(t, http.StatusBadRequest, bad.Status)
		assert.Contains(t, bad.Message, "status 400")
		assert.Equal(t, []string{bad.Tries[0], "200: "}, f.Status.Entry("a").Tries)
	})
}

func TestSkippedEventsAreReported(t *testing.T) {
	f := newFixture(t, options{})
	f.send("private")
	e := f.Status.Entry("private")
	assert.Equal(t, "skipped/private", e.Outcome)
	assert.NotEmpty(t, e.ID)

	_, setup := newObserving(t, newServer(t), withLetters, false)
	traces := setup.StartTraces(t)
	traces.Send(spansNamed("a"))
	var outcomes []string
	for _, e := range traces.Status.Entries() {
		assert.Equal(t, "a", e.Name)
		outcomes = append(outcomes, e.Outcome)
	}
	assert.Equal(t, []string{"delivered", "skipped/part"}, outcomes)
}

func TestSkippedEventsAreReportedOnceForACall(t *testing.T) {
	f := newFixture(t, options{})
	f.send(slices.Repeat([]string{"private", "a", "internal"}, 100)...)
	f.send("private")
	assert.Equal(t, []string{"skipped/private: 100", "skipped/internal: 100", "skipped/private: 1"},
		slices.DeleteFunc(f.Status.Reports(), func(report string) bool { return !strings.HasPrefix(report, "skipped") }))
	assert.EqualValues(t, 301, f.Status.Accepted())
	skipped := map[string]int{}
	for _, e := range f.Status.Entries() {
		if e.Outcome != "delivered" {
			assert.Equal(t, "skipped/"+e.Name, e.Outcome)
			for event := range appevent.Logs(records(e.Name)) {
				assert.Equal(t, event.ID(), e.ID)
				assert.Equal(t, event.Time.AsTime(), e.Time)
			}
			skipped[e.Name]++
		}
	}
	assert.Equal(t, map[string]int{"private": 101, "internal": 100}, skipped)
}

func TestEncodingFailureIsReported(t *testing.T) {
	f := newFixture(t, options{})
	f.send("unencodable")
	e := f.Status.Entry("unencodable")
	assert.Equal(t, "dead_lettered/encoding", e.Outcome)
	assert.Equal(t, "it has no bytes", e.Message)
	assert.Empty(t, e.Tries)
}

func TestShedEventsAreReported(t *testing.T) {
	f := newFixture(t, options{configure: func(cfg *Config) { cfg.QueueConfig.Get().QueueSize = 1 }})
	f.send("a")
	e := f.Status.Entry("a")
	assert.Equal(t, "dead_lettered/queue_full", e.Outcome)
	assert.NotEmpty(t, e.Message)
}

func TestEventsThatCannotBeStoredAreReported(t *testing.T) {
	o := options{storage: t.TempDir(), storageFails: func(ops []*storage.Operation) error {
		if slices.ContainsFunc(ops, func(op *storage.Operation) bool { return op.Type == storage.Set && op.Key == "0" }) {
			return fmt.Errorf("the disk is full")
		}
		return nil
	}}
	f := newFixture(t, o.with(func(*Config) {}))
	f.send("a")
	assert.Equal(t, "dead_lettered/storage_failed", f.Status.Entry("a").Outcome)
	f.send("b")
	assert.Equal(t, "delivered", f.Status.Entry("b").Outcome)
}

func TestShutdownIsReported(t *testing.T) {
	f := newFixture(t, options{schedule: []time.Duration{time.Hour}})
	f.server.always(http.StatusServiceUnavailable)
	require.NoError(t, f.Consume(t.Context(), records("a")))
	f.WaitFor("the next attempt to be known", func() bool { return !f.Status.Entry("a").Next.IsZero() })
	e := f.Status.Entry("a")
	assert.WithinDuration(t, time.Now().Add(time.Hour), e.Next, 10*time.Minute)
	assert.Equal(t, e.Next, e.GivesUp)
	f.Stop()
	e = f.Status.Entry("a")
	assert.Equal(t, "dead_lettered/shutdown", e.Outcome)
	assert.Len(t, e.Tries, 2, "the last attempt too")
}

func TestEventsOfAnEarlierProcessHaveNoEntry(t *testing.T) {
	o := durable(t.TempDir(), nil)
	first := newFixture(t, o)
	first.server.always(http.StatusServiceUnavailable)
	require.NoError(t, first.Consume(t.Context(), records("a", "b")))
	first.WaitFor("an attempt", func() bool { return len(first.Status.Entry("a").Tries) > 0 })
	first.Stop()
	assert.Empty(t, first.Status.Entry("a").Outcome)

	o.server = first.server
	first.server.always(http.StatusOK)
	second := newFixture(t, o)
	require.NoError(t, second.Consume(t.Context(), records("c")))
	second.WaitFor("the events", func() bool { return len(first.server.takenOnce()) == 3 })
	second.WaitFor("their reports", func() bool { return second.Status.Outcomes()["delivered"] == 3 })
	assert.Equal(t, []string{"200: "}, second.Status.Entry("c").Tries)
	assert.Equal(t, "delivered", second.Status.Entry("a").Outcome)
	assert.Empty(t, second.Status.Entry("a").Tries)
}

func TestReplayIsReported(t *testing.T) {
	f := newFixture(t, options{})
	f.server.refusing("a", "b")
	f.send("a", "b")
	f.server.refusing("b")
	f.Letters.Replay(t.Context())
	assert.ElementsMatch(t, []string{"id-a delivered", "id-b refused"}, f.Status.Replayed())
	assert.Equal(t, "dead_lettered/refused", f.Status.Entry("a").Outcome)
	f.server.always(http.StatusServiceUnavailable)
	f.Letters.Replay(t.Context())
	assert.Len(t, f.Status.Replayed(), 2, "what is kept is not replayed")
}

func TestSyncCallsAreReported(t *testing.T) {
	sync := func(cfg *Config) {
		cfg.Dispatch, cfg.MaxRetries = DispatchSync, 1
	}
	t.Run("failing", func(t *testing.T) {
		f := newFixture(t, options{configure: sync})
		f.server.always(http.StatusServiceUnavailable)
		require.Error(t, f.Consume(t.Context(), records("a", "unencodable", "private")))
		a := f.Status.Entry("a")
		assert.Equal(t, "returned", a.Outcome)
		assert.Len(t, a.Tries, 2)
		assert.Equal(t, http.StatusServiceUnavailable, a.Status)
		assert.Contains(t, a.Message, "503")
		assert.False(t, a.Next.IsZero())
		assert.Equal(t, "skipped/private", f.Status.Entry("private").Outcome)
		assert.NotEmpty(t, f.Status.Entry("unencodable").Outcome)
	})
	t.Run("refused", func(t *testing.T) {
		f := newFixture(t, options{configure: sync})
		f.server.refusing("a")
		require.Error(t, f.Consume(t.Context(), records("a", "unencodable")))
		assert.Equal(t, "returned", f.Status.Entry("a").Outcome)
		assert.Contains(t, f.Status.Entry("a").Message, "status 400")
		assert.Equal(t, "returned", f.Status.Entry("unencodable").Outcome)
	})
	t.Run("partly delivered", func(t *testing.T) {
		f := newFixture(t, options{configure: sync})
		f.server.refusing("a")
		_ = f.Consume(t.Context(), records("a", "b"))
		assert.Equal(t, "delivered", f.Status.Entry("b").Outcome)
	})
	t.Run("unsent", func(t *testing.T) {
		f := newFixture(t, options{configure: sync})
		f.server.always(http.StatusServiceUnavailable)
		first := strings.Repeat("x", maxEncoded)
		require.Error(t, f.Consume(t.Context(), records(first, "rest")))
		assert.Equal(t, "returned", f.Status.Entry("rest").Outcome)
		assert.Empty(t, f.Status.Entry("rest").Tries)
		assert.Contains(t, f.Status.Entry("rest").Message, "not sent")
	})
}

func TestQueueIsReported(t *testing.T) {
	for _, sizer := range []exporterhelper.RequestSizerType{
		exporterhelper.RequestSizerTypeBytes, exporterhelper.RequestSizerTypeItems, exporterhelper.RequestSizerTypeRequests,
	} {
		t.Run(sizer.String(), func(t *testing.T) {
			eachQueue(t, func(t *testing.T, o options) {
				f := newFixture(t, o.with(func(cfg *Config) {
					cfg.QueueConfig.Get().Sizer, cfg.QueueConfig.Get().QueueSize = sizer, 10_000
				}))
				queue := f.Status.Exporter().Queue
				assert.Equal(t, statusfeed.Queue{Capacity: 10_000, Sizer: sizer.String()}, queue())

				release := make(chan struct{})
				f.server.Config.Handler = blocked(release, f.server)
				begun := time.Now()
				require.NoError(t, f.Consume(t.Context(), records("a", "b")))
				between := time.Now()
				f.WaitFor("a request", func() bool { return f.Status.Exporter().InFlight() == 1 })
				require.NoError(t, f.Consume(t.Context(), records("c")))
				got := queue()
				assert.EqualValues(t, 3, got.Events)
				assert.Positive(t, got.Bytes)
				assert.Equal(t, f.QueueSize(), got.Size, "as the collector's own gauge says")
				assert.False(t, got.Oldest.Before(begun) || got.Oldest.After(between))

				close(release)
				f.Settle()
				f.WaitFor("the queue to be empty", func() bool { return queue().Events == 0 })
				assert.Equal(t, statusfeed.Queue{Capacity: 10_000, Sizer: sizer.String()}, queue())
			})
		})
	}
}

// blocked is a handler that answers once released.
func blocked(release chan struct{}, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-release
		next.ServeHTTP(w, r)
	})
}

func TestOldestEventLeavesBeforeLaterOnes(t *testing.T) {
	f := newFixture(t, options{most: 1, answer: func(req *Request, _ *Response) Classification {
		if req.Events[0].Name == "stuck" {
			return Classification{Outcome: Outcome{Kind: Retryable, Message: "later"}}
		}
		return AllDelivered()
	}})
	require.NoError(t, f.Consume(t.Context(), records("stuck", "a")))
	accepted := time.Now()
	f.WaitFor("a", func() bool { return f.Status.Entry("a").Outcome != "" })
	require.NoError(t, f.Consume(t.Context(), records("b", "c")))
	f.WaitFor("c", func() bool { return f.Status.Entry("c").Outcome != "" })
	f.WaitFor("one event to be left", func() bool { return f.Status.Exporter().Queue().Events == 1 })
	left := f.Status.Exporter().Queue()
	assert.False(t, left.Oldest.IsZero())
	assert.False(t, left.Oldest.After(accepted))
}

func TestQueueOfAnEarlierProcessIsReported(t *testing.T) {
	o := durable(t.TempDir(), func(cfg *Config) { cfg.ShutdownTimeout = 10 * time.Millisecond })
	first := newFixture(t, o)
	first.server.always(http.StatusServiceUnavailable)
	for range 5 {
		require.NoError(t, first.Consume(t.Context(), records("a", "b")))
	}
	first.WaitFor("an attempt", func() bool { return first.server.requestCount() > 0 })
	first.Stop()

	o.server = first.server
	second := newFixture(t, o)
	require.NoError(t, second.Consume(t.Context(), records("c")))
	queue := second.Status.Exporter().Queue()
	assert.EqualValues(t, 11, queue.Events)
	assert.Positive(t, queue.Bytes)
	assert.Zero(t, queue.Oldest, "nobody knows")
	second.server.always(http.StatusOK)
	second.WaitFor("an empty queue", func() bool { return second.Status.Exporter().Queue().Events == 0 })
}

func TestBackendsStateIsReported(t *testing.T) {
	f := newFixture(t, options{})
	f.server.on(func(lines []string) (int, http.Header) {
		if lines[0] == "limited" {
			return http.StatusTooManyRequests, http.Header{"Retry-After": {"0.005"}}
		}
		return map[string]int{"unauthorized": http.StatusUnauthorized, "refused": http.StatusBadRequest}[lines[0]], nil
	})
	f.send("unauthorized")
	f.send("refused")
	problems, works := f.Status.Problems()
	assert.Zero(t, works)
	require.Len(t, problems, 2)
	assert.Equal(t, statusfeed.Unauthorized, problems[0].State)
	assert.Equal(t, http.StatusUnauthorized, problems[0].Status)
	assert.Equal(t, "check the credentials of this exporter, then replay the dead letters", problems[0].Remedy)
	assert.Empty(t, problems[1].State)
	assert.Contains(t, problems[1].Message, "status 400")

	require.NoError(t, f.Consume(t.Context(), records("limited")))
	f.WaitFor("a wait", func() bool { problems, _ = f.Status.Problems(); return len(problems) > 2 })
	assert.Equal(t, statusfeed.RateLimited, problems[2].State)
	assert.False(t, problems[2].Until.IsZero())
	f.server.always(http.StatusOK)
	f.Settle()
	_, works = f.Status.Problems()
	assert.Equal(t, 1, works)
}

func TestWithoutStatusNothingIsCollected(t *testing.T) {
	s := newServer(t)
	cfg := NewDefaultConfig(100)
	deliverytest.Hasten(&cfg.QueueConfig, &cfg.RetryConfig)
	e, err := NewLogs(t.Context(), exportertest.NewNopSettings(component.MustNewType("line")), &cfg, confighttp.NewDefaultClientConfig(),
		&lineBackend{url: s.URL, most: 100}, Options{})
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, e.ConsumeLogs(t.Context(), records("a", "private", "unencodable")))
	require.NoError(t, e.Shutdown(t.Context()))
	assert.Equal(t, []string{"a"}, s.takenOnce())
	base := e.(*logsExporter).base
	assert.False(t, base.recorder.Reports())
	assert.False(t, base.deliverer.runner.Detailed)
	assert.Zero(t, base.content.arrivals.Len())
	assert.Zero(t, base.content.held)
}
