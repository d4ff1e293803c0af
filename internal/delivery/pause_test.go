// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"

	"github.com/otelcol-fanout/otelcol-fanout/internal/callresult"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
)

// stub stands for a backend, so that tests can run in the time of synctest.
type stub struct {
	mu   sync.Mutex
	sent []string // the names of each request's events
	// answer returns the status of a response; nil is always 200. It may wait.
	answer func(names []string) int
}

func (s *stub) send(_ context.Context, req *Request) (*Response, error) {
	names := make([]string, len(req.Events))
	for i := range req.Events {
		names[i] = req.Events[i].Name
	}
	s.mu.Lock()
	s.sent = append(s.sent, strings.Join(names, " "))
	answer := s.answer
	s.mu.Unlock()
	status := http.StatusOK
	if answer != nil {
		status = answer(names)
	}
	return &Response{Status: status, ReceivedAt: time.Now()}, nil
}

// all returns the requests so far. It waits until nothing happens without time passing.
func (s *stub) all() []string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

// always sets the status of all further responses.
func (s *stub) always(status int) {
	s.on(func([]string) int { return status })
}

func (s *stub) on(answer func(names []string) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// paused is an exporter that starts paused, and its backend.
type paused struct {
	*deliverytest.Exporter[plog.Logs]
	backend *stub
}

// setPaused pauses or resumes the exporter, as the status extension does.
func (p *paused) setPaused(paused bool) { p.Status.Exporter().SetPaused(paused) }

// flushTimeout is as short as the time of synctest can well pass.
const flushTimeout = 100 * time.Millisecond

// startPaused starts an exporter, in a bubble of synctest, whose operator has paused it.
func startPaused(t *testing.T, o options, backendOptions Options) *paused {
	t.Helper()
	cfg := NewDefaultConfig(100)
	deliverytest.Hasten(&cfg.QueueConfig, &cfg.RetryConfig)
	cfg.QueueConfig.Get().Batch.Get().FlushTimeout = flushTimeout
	cfg.DeadLetter = deliverytest.DeadLetterID()
	if o.configure != nil {
		o.configure(&cfg)
	}
	if o.storage != "" {
		cfg.QueueConfig.Get().StorageID = deliverytest.StorageID()
	}
	require.NoError(t, cfg.Check())
	most := o.most
	if most == 0 {
		most = 100
	}
	lines := &lineBackend{url: "http://backend.invalid", header: http.Header{}, most: most, answer: o.answer}
	var backend Backend = lines
	if backendOptions.Ordered {
		cfg.QueueConfig.Get().NumConsumers = 1
		backend = &partitionBackend{lines}
	}
	backendOptions.RetrySchedule = o.schedule
	p := &paused{backend: &stub{}}
	p.Exporter = deliverytest.Setup{
		Factory: newFactory(&cfg, confighttp.NewDefaultClientConfig(), backend, backendOptions), Config: &cfg,
		Storage: o.storage, Paused: true,
	}.StartLogs(t)
	p.Component.(*logsExporter).deliverer.runner.Send = p.backend.send
	return p
}

// consume passes events to the exporter, in a call of their own.
func (p *paused) consume(t *testing.T, names ...string) {
	t.Helper()
	require.NoError(t, p.Consume(t.Context(), records(names...)))
}

// settled waits until each event has an outcome, and returns the outcomes.
func (p *paused) settled() map[string]int64 {
	p.Settle()
	return p.Outcomes()
}

func inTime(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

func TestPausedExporterSendsNothingUntilItIsResumed(t *testing.T) {
	for name, o := range map[string]options{"in memory": {}, "on disk": {storage: t.TempDir()}} {
		inTime(t, name, func(t *testing.T) {
			p := startPaused(t, o, Options{})
			p.consume(t, "a", "b")
			p.consume(t, "c")
			time.Sleep(time.Hour)
			assert.Empty(t, p.backend.all())
			assert.Empty(t, p.Outcomes())
			p.setPaused(false)
			assert.Equal(t, []string{"a b c"}, p.backend.all())
			assert.Equal(t, map[string]int64{"delivered": 3}, p.settled())

			p.setPaused(true)
			p.consume(t, "d")
			time.Sleep(time.Hour)
			assert.Len(t, p.backend.all(), 1)
			p.setPaused(false)
			assert.Len(t, p.backend.all(), 2)
			p.Settle()
		})
	}
}

func TestQueueOfAPausedExporterKeepsItsBounds(t *testing.T) {
	inTime(t, "events", func(t *testing.T) {
		p := startPaused(t, options{configure: func(cfg *Config) {
			queue := cfg.QueueConfig.Get()
			queue.QueueSize, queue.NumConsumers, queue.Batch.Get().MinSize = 5, 2, 1
			require.NoError(t, queue.Sizer.UnmarshalText([]byte("items")))
		}}, Options{})
		names := numbered(12)
		for _, name := range names {
			p.consume(t, name)
			time.Sleep(time.Second)
		}
		assert.Equal(t, map[string]int64{"dead_lettered/queue_full": 7}, p.Outcomes())
		assert.EqualValues(t, 5, p.QueueSize())
		p.setPaused(false)
		assert.Equal(t, map[string]int64{"delivered": 5, "dead_lettered/queue_full": 7}, p.settled())
		sent := p.backend.all()
		slices.Sort(sent)
		assert.Equal(t, strings.Join(names[:5], " "), strings.Join(sent, " "))
	})
}

func TestPauseEndsAnAttempt(t *testing.T) {
	for name, o := range map[string]options{"in memory": {}, "on disk": {storage: t.TempDir()}} {
		inTime(t, name, func(t *testing.T) {
			o.most, o.configure = 1, func(cfg *Config) {
				cfg.MaxInFlight, cfg.MaxRetries = 1, 1
				cfg.RetryConfig.InitialInterval, cfg.RetryConfig.MaxInterval = time.Minute, time.Minute
			}
			p := startPaused(t, o, Options{})
			p.setPaused(false)
			p.backend.on(func(names []string) int {
				if names[0] == "b" {
					p.setPaused(true)
					time.Sleep(time.Second) // it finishes
				}
				return http.StatusOK
			})
			p.consume(t, "a", "b", "c", "d")
			time.Sleep(10 * time.Second) // less than a wait before an attempt
			assert.Equal(t, []string{"a", "b"}, p.backend.all())
			assert.Equal(t, map[string]int64{"delivered": 2}, p.Outcomes())
			assert.Zero(t, p.Status.Entry("c").Next, "nobody knows when it is resumed")
			assert.Zero(t, p.Status.Entry("c").GivesUp)

			p.setPaused(false)
			assert.Equal(t, []string{"a", "b", "c", "d"}, p.backend.all(), "it goes on at once")
			assert.Equal(t, map[string]int64{"delivered": 4}, p.settled())
			assert.Empty(t, p.Statuses(), "the backend has not failed")
		})
	}
}

func TestInterruptedAttemptIsNotCounted(t *testing.T) {
	inTime(t, "retries", func(t *testing.T) {
		p := startPaused(t, options{most: 1, configure: func(cfg *Config) { cfg.MaxInFlight, cfg.MaxRetries = 1, 2 }}, Options{})
		p.setPaused(false)
		p.backend.on(func(names []string) int {
			if names[0] == "a" && len(p.backend.sent) <= 1 {
				p.setPaused(true)
			}
			return http.StatusInternalServerError
		})
		p.consume(t, "a", "b")
		time.Sleep(time.Hour)
		assert.Equal(t, []string{"a"}, p.backend.all())
		p.setPaused(false)
		assert.Equal(t, map[string]int64{"dead_lettered/exhausted": 2}, p.settled())
		count := map[string]int{}
		for _, name := range p.backend.all() {
			count[name]++
		}
		assert.Equal(t, map[string]int{"a": 4, "b": 3}, count)
		for _, letter := range p.Letters.All() {
			assert.Equal(t, 3, letter.Attempts)
		}
	})
	inTime(t, "what was refused in it has been sent once", func(t *testing.T) {
		p := startPaused(t, options{most: 1, configure: func(cfg *Config) { cfg.MaxInFlight = 1 }}, Options{})
		p.setPaused(false)
		p.backend.on(func([]string) int {
			p.setPaused(true)
			return http.StatusNotFound
		})
		p.consume(t, "a", "b")
		time.Sleep(time.Hour)
		assert.Equal(t, []string{"a"}, p.backend.all())
		p.backend.always(http.StatusNotFound)
		p.setPaused(false)
		p.Settle()
		for _, letter := range p.Letters.All() {
			assert.Equal(t, 1, letter.Attempts, letter.Name)
		}
		assert.Len(t, p.Letters.All(), 2)
	})
	inTime(t, "without retries what failed is given up", func(t *testing.T) {
		p := startPaused(t, options{most: 1, configure: func(cfg *Config) { cfg.MaxInFlight, cfg.RetryConfig.Enabled = 1, false }}, Options{})
		p.setPaused(false)
		p.backend.on(func([]string) int {
			p.setPaused(true)
			return http.StatusInternalServerError
		})
		p.consume(t, "a", "b")
		time.Sleep(time.Hour)
		assert.Equal(t, []string{"a:exhausted"}, p.Letters.Reasons())
		p.backend.always(http.StatusOK)
		p.setPaused(false)
		assert.Equal(t, map[string]int64{"delivered": 1, "dead_lettered/exhausted": 1}, p.settled())
		assert.Equal(t, []string{"a", "b"}, p.backend.all())
	})
}

func TestPauseWhileARequestWaitsForItsTurn(t *testing.T) {
	inTime(t, "pace", func(t *testing.T) {
		turn := make(chan struct{})
		p := startPaused(t, options{}, Options{Pace: func(context.Context, *Request) error {
			<-turn
			return nil
		}})
		p.setPaused(false)
		p.consume(t, "a")
		time.Sleep(time.Second)
		p.setPaused(true)
		close(turn)
		time.Sleep(time.Hour)
		assert.Empty(t, p.backend.all())
		p.setPaused(false)
		assert.Equal(t, []string{"a"}, p.backend.all())
		p.Settle()
	})
}

func TestPausedExporterMakesNoHandshake(t *testing.T) {
	inTime(t, "handshake", func(t *testing.T) {
		handshakes := 0
		p := startPaused(t, options{}, Options{Handshake: func(context.Context, func(*http.Request) (*http.Response, error)) error {
			handshakes++
			return nil
		}})
		p.consume(t, "a")
		time.Sleep(time.Hour)
		p.Letters.Replay(t.Context(), deadLetters("dead")...)
		assert.Zero(t, handshakes)
		p.setPaused(false)
		p.Settle()
		assert.Equal(t, 1, handshakes)
		p.setPaused(true)
		p.consume(t, "b")
		p.Stop() // which delivers what is in the queue, unless it is paused
		assert.Equal(t, 1, handshakes)
	})
}

func TestPauseEndsBisecting(t *testing.T) {
	for name, ordered := range map[string]bool{"in any order": false, "in order": true} {
		inTime(t, name, func(t *testing.T) {
			p := startPaused(t, options{configure: func(cfg *Config) { cfg.MaxInFlight, cfg.MaxRetries = 1, 1 }}, Options{Ordered: ordered})
			p.setPaused(false)
			p.backend.on(func(names []string) int {
				if slices.Equal(names, []string{"a2"}) {
					p.setPaused(true)
				}
				if slices.Contains(names, "a2") {
					return http.StatusInternalServerError
				}
				return http.StatusOK
			})
			p.consume(t, "a1", "a2", "a3", "a4")
			time.Sleep(time.Hour)
			bisected := []string{"a1 a2 a3 a4", "a1 a2 a3 a4", "a1 a2 a3 a4", "a1 a2", "a1", "a2"}
			assert.Equal(t, bisected, p.backend.all())
			assert.Equal(t, map[string]int64{"delivered": 1, "dead_lettered/exhausted": 1}, p.Outcomes(), "it stood alone, so it is given up")
			p.setPaused(false)
			assert.Equal(t, append(bisected, "a3 a4"), p.backend.all())
			assert.Equal(t, map[string]int64{"delivered": 3, "dead_lettered/exhausted": 1}, p.settled())
		})
	}
	inTime(t, "of what failed before the pause", func(t *testing.T) {
		p := startPaused(t, options{most: 2, configure: func(cfg *Config) { cfg.MaxInFlight, cfg.MaxRetries = 1, 1 }}, Options{})
		p.setPaused(false)
		p.backend.on(func(names []string) int {
			if len(p.backend.sent) == 3 {
				p.setPaused(true)
			}
			if slices.Contains(names, "b") || len(p.backend.sent) == 2 {
				return http.StatusInternalServerError
			}
			return http.StatusOK
		})
		p.consume(t, "a", "b", "c", "d")
		time.Sleep(time.Hour)
		assert.Equal(t, []string{"a b", "c d", "a b"}, p.backend.all())
		assert.Empty(t, p.Outcomes(), "a may be delivered without b")
		p.setPaused(false)
		assert.Equal(t, map[string]int64{"delivered": 3, "dead_lettered/exhausted": 1}, p.settled())
		assert.Equal(t, []string{"b:exhausted"}, p.Letters.Reasons())
	})
	inTime(t, "before it begins", func(t *testing.T) {
		p := startPaused(t, options{configure: func(cfg *Config) { cfg.MaxRetries = 1 }}, Options{})
		p.setPaused(false)
		p.backend.on(func(names []string) int {
			if len(p.backend.sent) == 2 {
				p.setPaused(true)
			}
			if slices.Contains(names, "b") {
				return http.StatusInternalServerError
			}
			return http.StatusOK
		})
		p.consume(t, "a", "b")
		time.Sleep(time.Hour)
		assert.Equal(t, []string{"a b", "a b"}, p.backend.all())
		assert.Empty(t, p.Outcomes())
		p.setPaused(false)
		assert.Equal(t, map[string]int64{"delivered": 1, "dead_lettered/exhausted": 1}, p.settled())
		assert.Equal(t, []string{"b:exhausted"}, p.Letters.Reasons())
	})
}

// The batcher of an ordered exporter waits with its mutex locked, which stops the time of synctest. So the
// tests that let its queue fill use a server.
func TestPausedExporterKeepsTheOrder(t *testing.T) {
	for name, storage := range map[string]*component.ID{"in memory": nil, "on disk": deliverytest.StorageID()} {
		t.Run(name, func(t *testing.T) {
			f := newOrderedFixture(t, 2, func(cfg *Config) {
				queue := cfg.QueueConfig.Get()
				queue.StorageID, queue.Batch.Get().MinSize, queue.Batch.Get().MaxSize = storage, 3, 3
			})
			e, requests := f.Component.(*logsExporter), 0
			e.setPaused(true)
			f.server.on(func([]string) (int, http.Header) {
				if requests++; requests%7 == 0 {
					e.setPaused(true)
					go func() {
						time.Sleep(time.Millisecond)
						e.setPaused(false)
					}()
				}
				return http.StatusOK, nil
			})
			names := make([]string, 200)
			for i := range names {
				names[i] = fmt.Sprintf("a%03d", i)
			}
			for call := range slices.Chunk(names, 4) {
				require.NoError(t, f.Consume(t.Context(), records(call...)))
			}
			assert.Zero(t, f.server.requestCount())
			e.setPaused(false)
			f.Settle()
			assert.Equal(t, strings.Join(names, " "), strings.Join(f.server.all(), " "))
		})
	}
}

func TestPausedTimeDoesNotCountAsElapsed(t *testing.T) {
	pause := func(p *paused, after, lasts time.Duration) {
		time.Sleep(after)
		p.setPaused(true)
		time.Sleep(lasts)
		p.setPaused(false)
	}
	for name, tt := range map[string]struct {
		pauses   func(p *paused)
		requests int // one a minute, of a backend that fails, for 3 minutes
	}{
		"without a pause": {func(*paused) {}, 4},
		"within each wait": {func(p *paused) {
			for range 10 {
				pause(p, 11*time.Second, 30*time.Second)
				time.Sleep(19 * time.Second)
			}
		}, 6},
		"over the end of a wait": {func(p *paused) { pause(p, 10*time.Second, time.Hour) }, 4},
		"twice": {func(p *paused) {
			pause(p, time.Second, time.Hour)
			pause(p, time.Second, time.Hour)
		}, 5},
	} {
		inTime(t, name, func(t *testing.T) {
			p := startPaused(t, options{configure: func(cfg *Config) {
				cfg.RetryConfig.InitialInterval, cfg.RetryConfig.MaxInterval, cfg.RetryConfig.RandomizationFactor = time.Minute, time.Minute, 0
				cfg.RetryConfig.MaxElapsedTime = 3*time.Minute + time.Second
			}}, Options{})
			p.setPaused(false)
			p.backend.always(http.StatusServiceUnavailable)
			p.consume(t, "a")
			time.Sleep(time.Second)
			tt.pauses(p)
			time.Sleep(10 * time.Minute)
			assert.Equal(t, map[string]int64{"dead_lettered/exhausted": 1}, p.settled())
			assert.Len(t, p.backend.all(), tt.requests)
		})
	}
}

func TestPausedTimeLeavesTheScheduleAlone(t *testing.T) {
	inTime(t, "schedule", func(t *testing.T) {
		p := startPaused(t, options{schedule: []time.Duration{time.Minute, time.Minute}}, Options{})
		p.setPaused(false)
		p.backend.always(http.StatusServiceUnavailable)
		p.consume(t, "a")
		time.Sleep(time.Second)
		p.setPaused(true)
		time.Sleep(time.Hour)
		assert.Len(t, p.backend.all(), 1)
		p.setPaused(false)
		assert.Len(t, p.backend.all(), 2, "its wait is over")
		time.Sleep(2 * time.Minute)
		assert.Equal(t, map[string]int64{"dead_lettered/exhausted": 1}, p.settled())
		assert.Len(t, p.backend.all(), 3)
	})
}

func TestPausedTimeCountsTowardsMaxAge(t *testing.T) {
	inTime(t, "age", func(t *testing.T) {
		p := startPaused(t, options{configure: func(cfg *Config) { cfg.MaxAge = time.Hour }}, Options{})
		ld := records("old")
		ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		require.NoError(t, p.Consume(t.Context(), ld))
		time.Sleep(2 * time.Hour)
		p.setPaused(false)
		assert.Equal(t, map[string]int64{"dead_lettered/expired": 1}, p.settled())
		assert.Empty(t, p.backend.all())
	})
}

func TestShutdownWhilePausedSendsNothing(t *testing.T) {
	retried := options{configure: func(cfg *Config) {
		cfg.RetryConfig.InitialInterval, cfg.RetryConfig.MaxInterval, cfg.RetryConfig.MaxElapsedTime = time.Hour, time.Hour, 0
		cfg.QueueConfig.Get().Batch.Get().MinSize = 1
	}}
	inTime(t, "in memory", func(t *testing.T) {
		p := startPaused(t, retried, Options{})
		p.setPaused(false)
		p.backend.always(http.StatusServiceUnavailable)
		p.consume(t, "a")
		time.Sleep(time.Second)
		assert.Len(t, p.backend.all(), 1)
		p.setPaused(true)
		for _, name := range numbered(30) {
			p.consume(t, name)
		}
		time.Sleep(time.Second)
		begun := time.Now()
		p.Stop()
		assert.Zero(t, time.Since(begun), "nothing is waited for")
		assert.Len(t, p.backend.all(), 1)
		assertShutDownWhilePaused(t, p.Exporter, 31)
	})
	inTime(t, "on disk", func(t *testing.T) {
		o := retried
		o.storage = t.TempDir()
		first := startPaused(t, o, Options{})
		first.setPaused(false)
		first.backend.always(http.StatusServiceUnavailable)
		first.consume(t, "a")
		time.Sleep(time.Second)
		first.setPaused(true)
		for _, name := range numbered(30) {
			first.consume(t, name)
		}
		time.Sleep(time.Second)
		begun := time.Now()
		first.Stop()
		assert.Zero(t, time.Since(begun), "nothing is waited for")
		assert.Len(t, first.backend.all(), 1)
		assert.Empty(t, first.Outcomes())
		assert.Empty(t, first.Letters.All())

		second := startPaused(t, o, Options{})
		time.Sleep(time.Hour)
		assert.Empty(t, second.backend.all(), "it starts paused")
		second.setPaused(false)
		second.WaitFor("what the queue held", func() bool { return second.Outcomes()["delivered"] == 31 })
		second.Stop()
	})
	t.Run("in order", func(t *testing.T) {
		f := newOrderedFixture(t, 10, func(cfg *Config) {
			retried.configure(cfg)
			cfg.ShutdownTimeout = time.Hour
		})
		f.server.always(http.StatusServiceUnavailable)
		require.NoError(t, f.Consume(t.Context(), records("a")))
		e := f.Component.(*logsExporter)
		f.WaitFor("the wait before the next attempt", func() bool { return e.deliverer.waiting.len() == 1 })
		e.setPaused(true)
		for _, name := range numbered(30) {
			require.NoError(t, f.Consume(t.Context(), records(name)))
		}
		f.Stop()
		assert.Equal(t, 1, f.server.requestCount())
		assertShutDownWhilePaused(t, f.Exporter, 31)
	})
}

func assertShutDownWhilePaused(t *testing.T, e *deliverytest.Exporter[plog.Logs], events int64) {
	t.Helper()
	assert.Equal(t, map[string]int64{"dead_lettered/shutdown": events}, e.Outcomes())
	letters := e.Letters.All()
	for i := range letters {
		assert.Equal(t, "the exporter was paused when the collector stopped", letters[i].Message)
		assert.Equal(t, letters[i].Name == "a", letters[i].Attempts == 1, "only the first one was sent")
	}
}

func TestPausedExporterReturnsCallsAtOnce(t *testing.T) {
	inTime(t, "it is paused", func(t *testing.T) {
		p := startPaused(t, syncOptions(options{}), Options{})
		begun := time.Now()
		err := p.Consume(t.Context(), records("a", "b"))
		assertTold(t, err, codes.Unavailable, "the exporter is paused")
		assert.False(t, consumererror.IsPermanent(err))
		assert.Zero(t, time.Since(begun))
		assert.Empty(t, p.backend.all())
		assert.Equal(t, map[string]int64{"returned": 2}, p.Outcomes())
		p.setPaused(false)
		p.consume(t, "a", "b")
		assert.Equal(t, map[string]int64{"returned": 2, "delivered": 2}, p.settled())
		assert.Empty(t, p.Statuses())
	})
	inTime(t, "between two attempts", func(t *testing.T) {
		p := startPaused(t, syncOptions(options{configure: func(cfg *Config) {
			cfg.RetryConfig.InitialInterval, cfg.RetryConfig.MaxInterval, cfg.RetryConfig.MaxElapsedTime = time.Hour, time.Hour, 24*time.Hour
		}}), Options{})
		p.setPaused(false)
		p.backend.always(http.StatusServiceUnavailable)
		begun, ended := time.Now(), make(chan error, 1)
		go func() { ended <- p.Consume(t.Context(), records("a")) }()
		assert.Len(t, p.backend.all(), 1)
		p.setPaused(true)
		assertTold(t, <-ended, codes.Unavailable, "the backend answered 503")
		assert.Zero(t, time.Since(begun))
		assert.Len(t, p.backend.all(), 1)
		assert.Equal(t, map[string]int64{"returned": 1}, p.Outcomes())
	})
	inTime(t, "in an attempt", func(t *testing.T) {
		p := startPaused(t, syncOptions(options{most: 1, configure: func(cfg *Config) { cfg.MaxInFlight = 1 }}), Options{})
		p.setPaused(false)
		p.backend.on(func([]string) int {
			p.setPaused(true)
			return http.StatusOK
		})
		assertTold(t, p.Consume(t.Context(), records("a", "b", "c")), codes.Unavailable, "the exporter is paused")
		assert.Equal(t, []string{"a"}, p.backend.all())
		assert.Equal(t, map[string]int64{"delivered": 1, "returned": 2}, p.Outcomes())
	})
	inTime(t, "beside the refusal of another exporter", func(t *testing.T) {
		p, other := startPaused(t, syncOptions(options{}), Options{}), startPaused(t, syncOptions(options{}), Options{})
		other.setPaused(false)
		other.backend.always(http.StatusNotFound)
		ctx, result, end := callresult.Open(t.Context())
		require.Error(t, other.Consume(ctx, records("a")))
		assertTold(t, p.Consume(ctx, records("a")), codes.Unavailable, "the exporter is paused")
		end()
		assert.True(t, result.IsRepeatable(), "as after any failure for now")
		assert.Equal(t, map[string]int64{"returned": 1}, other.Outcomes())
		assert.Equal(t, map[string]int64{"returned": 1}, p.Outcomes())
	})
}

func deadLetters(names ...string) []deadletter.Letter {
	letters := make([]deadletter.Letter, len(names))
	for i, name := range names {
		letters[i] = deadletter.Letter{Exporter: "line", Signal: signalLogs, ID: name, Name: name, Payload: []byte(name)}
	}
	return letters
}

func TestPauseKeepsDeadLetters(t *testing.T) {
	inTime(t, "before the replay", func(t *testing.T) {
		enabled := false
		p := startPaused(t, options{}, Options{Enable: func() { enabled = true }})
		begun := time.Now()
		replayed := p.Letters.Replay(t.Context(), deadLetters("a", "b")...)
		assert.Equal(t, []deadletter.Replayed{{}, {}}, replayed, "kept")
		assert.Zero(t, time.Since(begun))
		assert.Empty(t, p.backend.all())
		assert.False(t, enabled)
		assert.Equal(t, map[string]int64{"kept": 2}, p.Counts("otelcol_fanout_replayed_events_total", "outcome"))
	})
	inTime(t, "in the replay", func(t *testing.T) {
		p := startPaused(t, options{most: 1, configure: func(cfg *Config) { cfg.MaxInFlight = 1 }}, Options{})
		p.setPaused(false)
		p.backend.on(func([]string) int {
			p.setPaused(true)
			return http.StatusOK
		})
		begun := time.Now()
		replayed := p.Letters.Replay(t.Context(), deadLetters("a", "b", "c")...)
		assert.Equal(t, []deadletter.Replayed{{Outcome: deadletter.OutcomeDelivered}, {}, {}}, replayed)
		assert.Zero(t, time.Since(begun))
		assert.Equal(t, []string{"a"}, p.backend.all())
	})
	inTime(t, "between two attempts", func(t *testing.T) {
		p := startPaused(t, options{configure: func(cfg *Config) { cfg.RetryConfig.InitialInterval, cfg.RetryConfig.MaxElapsedTime = time.Hour, 0 }}, Options{})
		p.setPaused(false)
		p.backend.always(http.StatusServiceUnavailable)
		begun, ended := time.Now(), make(chan []deadletter.Replayed, 1)
		go func() { ended <- p.Letters.Replay(t.Context(), deadLetters("a")...) }()
		assert.Len(t, p.backend.all(), 1)
		p.setPaused(true)
		assert.Equal(t, []deadletter.Replayed{{}}, <-ended)
		assert.Zero(t, time.Since(begun))
		assert.Len(t, p.backend.all(), 1)
	})
}

func TestPauseAndResumeAreLogged(t *testing.T) {
	for name, tt := range map[string]struct {
		o    options
		want string
	}{
		"async": {options{}, "The exporter is paused: it sends nothing until it is resumed, and events wait in its queue"},
		"sync":  {syncOptions(options{}), "The exporter is paused: it sends nothing until it is resumed, and callers get a retryable error (503)"},
	} {
		inTime(t, name, func(t *testing.T) {
			p := startPaused(t, tt.o, Options{})
			p.setPaused(true) // which it is
			p.setPaused(false)
			p.setPaused(false)
			var lines []string
			for _, entry := range p.Logs.FilterMessageSnippet("The exporter is ").All() {
				assert.Equal(t, zap.InfoLevel, entry.Level)
				assert.Equal(t, map[string]any{"signal": "logs"}, entry.ContextMap())
				lines = append(lines, entry.Message)
			}
			assert.Equal(t, []string{tt.want, "The exporter is resumed"}, lines)
		})
	}
}

func TestRequestInFlightFinishesDuringAPause(t *testing.T) {
	f := newFixture(t, options{most: 1, configure: func(cfg *Config) { cfg.MaxInFlight = 1 }})
	e, arrived, finish := f.Component.(*logsExporter), make(chan struct{}), make(chan struct{})
	take, paused := f.server.Config.Handler, true
	f.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if paused {
			close(arrived)
			<-finish
		}
		take.ServeHTTP(w, r)
	})
	require.NoError(t, f.Consume(t.Context(), records("a", "b", "c")))
	<-arrived
	e.setPaused(true)
	paused = false
	close(finish)
	f.WaitFor("the request", func() bool { return f.Outcomes()["delivered"] == 1 })
	assert.Equal(t, 1, f.server.requestCount())
	e.setPaused(false)
	f.Settle()
	assert.Equal(t, []string{"a", "b", "c"}, f.server.takenOnce())
}
