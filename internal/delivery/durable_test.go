// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// durable keeps the queue in the directory, and retries forever.
func durable(directory string, configure func(*Config)) options {
	return options{most: 10, storage: directory, configure: func(cfg *Config) {
		cfg.QueueConfig.Get().StorageID = deliverytest.StorageID()
		cfg.RetryConfig.MaxElapsedTime = 0
		if configure != nil {
			configure(cfg)
		}
	}}
}

func TestDurableQueueKeepsUndeliveredEvents(t *testing.T) {
	for name, respond := range map[string]int{"hangs": 0, "is down": http.StatusServiceUnavailable} {
		t.Run("where the backend "+name, func(t *testing.T) {
			directory := t.TempDir()
			first := newFixture(t, durable(directory, func(cfg *Config) { cfg.ShutdownTimeout = 200 * time.Millisecond }))
			first.server.always(respond)
			names := numbered(300)
			for i := range 30 {
				require.NoError(t, first.Consume(t.Context(), records(names[10*i:10*i+10]...)))
			}
			begun := time.Now()
			first.Stop()
			assert.Less(t, time.Since(begun), 30*time.Second)
			assert.Empty(t, first.Letters.All(), "the queue has them")

			o := durable(directory, nil)
			o.server = first.server
			second := newFixture(t, o)
			first.server.always(http.StatusOK)
			second.WaitFor("what the queue held", func() bool { return len(first.server.takenOnce()) == 300 })
			assert.Equal(t, names, first.server.takenOnce())
			second.Stop()
		})
	}
}

func TestDeliveredEventsAreNotResentAfterRestart(t *testing.T) {
	for name, schedule := range map[string][]time.Duration{"with a schedule": {time.Hour, time.Hour}, "without": nil} {
		t.Run(name, func(t *testing.T) {
			o := durable(t.TempDir(), nil)
			o.schedule, o.most = schedule, 1
			f := newFixture(t, o)
			stopping := make(chan struct{})
			f.server.on(func(lines []string) (int, http.Header) {
				if lines[0] < "e0005" {
					return http.StatusOK, nil
				}
				return http.StatusRequestTimeout, nil // too few in a row to stop the attempt
			})
			take := f.server.Config.Handler
			var asked atomic.Int64
			f.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if asked.Add(1) > 5 {
					<-stopping
				}
				take.ServeHTTP(w, r)
			})
			require.NoError(t, f.Consume(t.Context(), records(numbered(9)...)))
			f.WaitFor("the first half", func() bool { return asked.Load() > 5 })
			lifetime := f.Component.(*logsExporter).lifetime
			go func() {
				for !lifetime.IsStopping() {
					time.Sleep(time.Millisecond)
				}
				close(stopping)
			}()
			f.Stop()
			assert.Equal(t, numbered(5), f.server.takenOnce())
			assert.Equal(t, map[string]int64{"delivered": 5}, f.Outcomes())
		})
	}
}

func TestRestartSendsOnlyPendingEvents(t *testing.T) {
	for _, most := range []int{1, 10, 1000} {
		t.Run(fmt.Sprintf("%d events per request", most), func(t *testing.T) {
			directory := t.TempDir()
			o := durable(directory, func(cfg *Config) {
				cfg.QueueConfig.Get().Batch.Get().MinSize, cfg.QueueConfig.Get().Batch.Get().MaxSize = 300, 300
			})
			o.most, o.schedule = most, []time.Duration{time.Hour, time.Hour}
			// One event in ten is retried, and one in a hundred is refused.
			o.answer = func(req *Request, response *Response) Classification {
				if response.Status == http.StatusOK {
					return AllDelivered()
				}
				c := Classification{Events: make([]Outcome, len(req.Events))}
				for i := range req.Events {
					switch name := req.Events[i].Name; {
					case strings.HasSuffix(name, "55"):
						c.Events[i] = Outcome{Kind: Refused, Reason: deadletter.ReasonRefused}
					case strings.HasSuffix(name, "5"):
						c.Events[i] = Outcome{Kind: Retryable, Message: "later"}
					default:
						c.Events[i] = Outcome{Kind: Delivered}
					}
				}
				return c
			}
			first := newFixture(t, o)
			first.server.always(http.StatusMultiStatus)
			require.NoError(t, first.Consume(t.Context(), records(numbered(1000)...)))
			first.WaitFor("the first attempts", func() bool { return first.Outcomes()["delivered"] == 900 })
			first.WaitFor("the dead letters", func() bool { return first.Outcomes()["dead_lettered/refused"] == 10 })
			first.Stop()

			o.server = first.server
			o.server.always(http.StatusOK)
			second := newFixture(t, o)
			second.WaitFor("the rest", func() bool { return second.Outcomes()["delivered"] == 90 })
			second.Stop()
			names := first.server.takenOnce()
			assert.Len(t, names, 90)
			assert.NotContains(t, strings.Join(names, " "), "55")
		})
	}
}

func TestDurableQueueDropsDeadLetters(t *testing.T) {
	directory := t.TempDir()
	f := newFixture(t, durable(directory, func(cfg *Config) { cfg.RetryConfig.MaxElapsedTime = 20 * time.Millisecond }))
	f.server.always(http.StatusServiceUnavailable)
	f.send("a", "b")
	assert.Equal(t, []string{"a:exhausted", "b:exhausted"}, f.Letters.Reasons())
	f.Stop()

	again := newFixture(t, durable(directory, nil))
	again.Stop()
	assert.Zero(t, again.server.requestCount())
}

func TestDurabilityIsLogged(t *testing.T) {
	f := newFixture(t, durable(t.TempDir(), nil))
	told := f.Logs.FilterMessageSnippet("The queue is on disk").All()
	require.Len(t, told, 1)
	assert.Contains(t, told[0].Message, "fsync: true")
}

func TestAutoIsAsyncWithStorage(t *testing.T) {
	f := newFixture(t, durable(t.TempDir(), func(cfg *Config) {
		cfg.Dispatch = DispatchAuto
		cfg.ShutdownTimeout = 50 * time.Millisecond
	}))
	f.server.always(http.StatusServiceUnavailable)
	for i := range 20 {
		require.NoError(t, f.Consume(t.Context(), records(fmt.Sprint(i))))
	}
}

func TestQueueSizeAfterRestartIsExact(t *testing.T) {
	o := durable(t.TempDir(), func(cfg *Config) {
		queue := cfg.QueueConfig.Get()
		queue.Batch.Get().MinSize, queue.NumConsumers, queue.QueueSize = 1, 4, 150
		require.NoError(t, queue.Sizer.UnmarshalText([]byte("items")))
	})
	o.most, o.schedule = 1000, []time.Duration{time.Hour, time.Hour}
	var all atomic.Bool
	o.answer = func(req *Request, _ *Response) Classification {
		c := Classification{Events: make([]Outcome, len(req.Events))}
		for i := range req.Events {
			if name := req.Events[i].Name; name == "stuck" || name == "e0005" && !all.Load() {
				c.Events[i] = Outcome{Kind: Retryable, Message: "later"}
			} else {
				c.Events[i] = Outcome{Kind: Delivered}
			}
		}
		return c
	}
	first := newFixture(t, o)
	require.NoError(t, first.Consume(t.Context(), records(numbered(100)...)))
	first.WaitFor("most events", func() bool { return first.Outcomes()["delivered"] == 99 })
	require.NoError(t, first.Consume(t.Context(), records("stuck")))
	first.WaitFor("the stuck event", func() bool { return first.server.requestCount() == 2 })
	first.Stop()

	all.Store(true)
	o.server = first.server
	second := newFixture(t, o)
	second.WaitFor("the rest", func() bool { return second.Outcomes()["delivered"] == 1 && first.server.requestCount() == 4 })
	second.WaitFor("the queue to hold only the stuck event", func() bool { return second.QueueSize() == 1 })
	names := numbered(100)
	for i := range names {
		names[i] = "x" + names[i]
	}
	require.NoError(t, second.Consume(t.Context(), records(names...)))
	second.WaitFor("the new events", func() bool { return second.Outcomes()["delivered"] == 101 })
	assert.Empty(t, second.Letters.Reasons())
	second.Stop()
}
