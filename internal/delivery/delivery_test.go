// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
)

func TestEventsAreDeliveredOnce(t *testing.T) {
	f := newFixture(t, options{most: 7})
	names := numbered(250)
	f.send(names...)
	assert.Equal(t, names, f.server.takenOnce())
	assert.Equal(t, map[string]int64{"delivered": 250}, f.Outcomes())
	assert.Empty(t, f.Letters.All())
}

func TestRecordBecomesZeroOrMoreEvents(t *testing.T) {
	f := newFixture(t, options{})
	f.send("a", "private", "double", "unencodable", "b", "huge")
	assert.Equal(t, []string{"a", "b", "double", "double-2"}, f.server.takenOnce())
	assert.Equal(t, []string{"huge:too_large", "unencodable:encoding"}, f.Letters.Reasons())
	assert.Equal(t, map[string]int64{
		"delivered": 4, "skipped/private": 1, "dead_lettered/encoding": 1, "dead_lettered/too_large": 1,
	}, f.Outcomes())

	letters := f.Letters.All()
	i := slices.IndexFunc(letters, func(l deadletter.Letter) bool { return l.Name == "unencodable" })
	assert.Contains(t, string(letters[i].OTLP), `"eventName":"unencodable"`)
	assert.Contains(t, string(letters[i].OTLP), `"service.name"`)
	assert.Empty(t, letters[i].Payload)
	assert.Equal(t, "it has no bytes", letters[i].Message)
}

func TestPoisonEventDoesNotAffectItsNeighbors(t *testing.T) {
	for _, n := range []int{1, 2, 3, 100} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			names := numbered(n)
			bad := names[n/2]
			f := newFixture(t, options{})
			f.server.refusing(bad)
			f.send(names...)
			assert.Equal(t, slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == bad }), slices.Clip(append([]string{}, f.server.takenOnce()...)))
			letters := f.Letters.All()
			require.Len(t, letters, 1)
			assert.Equal(t, bad, string(letters[0].Payload))
			assert.Equal(t, deadletter.ReasonRefused, letters[0].Reason)
			assert.Equal(t, http.StatusBadRequest, letters[0].Status)
			assert.Equal(t, `the backend answered 400: {"error": "status 400"}`, letters[0].Message)
			assert.Equal(t, 1, letters[0].Attempts)
			bound := 1
			if n > 1 {
				bound += 2*int(math.Ceil(math.Log2(float64(n)))) + 1
			}
			assert.LessOrEqual(t, f.server.requestCount(), bound)
		})
	}
}

func TestThreePoisonEventsInAThousand(t *testing.T) {
	names := numbered(1000)
	f := newFixture(t, options{configure: func(cfg *Config) {
		cfg.QueueConfig.Get().Batch.Get().MinSize = 1000
		cfg.QueueConfig.Get().Batch.Get().MaxSize = 1000
	}})
	f.server.refusing("e0003", "e0500", "e0501")
	f.send(names...)
	assert.Len(t, f.server.takenOnce(), 997)
	assert.Equal(t, []string{"e0003:refused", "e0500:refused", "e0501:refused"}, f.Letters.Reasons())
	assert.LessOrEqual(t, f.server.requestCount(), 10+80)
}

func TestOnlyFailedEventsAreSentAgain(t *testing.T) {
	f := newFixture(t, options{most: 1, configure: func(cfg *Config) { cfg.MaxInFlight = 1 }})
	var failed sync.Map
	f.server.on(func(lines []string) (int, http.Header) {
		if _, again := failed.LoadOrStore(lines[0], true); !again && lines[0] >= "e0007" {
			return http.StatusInternalServerError, nil
		}
		return http.StatusOK, nil
	})
	f.send(numbered(10)...)
	assert.Equal(t, numbered(10), f.server.takenOnce())
	assert.Equal(t, 13, f.server.requestCount())
}

func TestFailingEventDoesNotHoldUpItsNeighbors(t *testing.T) {
	for _, code := range []int{500, 503, 429} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			f := newFixture(t, options{most: 1, configure: func(cfg *Config) {
				cfg.MaxInFlight = 1
				cfg.RetryConfig.MaxElapsedTime = time.Second
			}})
			f.server.on(func(lines []string) (int, http.Header) {
				if lines[0] == "e0000" {
					return code, nil
				}
				return http.StatusOK, nil
			})
			f.send(numbered(50)...)
			assert.Equal(t, numbered(50)[1:], f.server.takenOnce())
			assert.Equal(t, []string{"e0000:exhausted"}, f.Letters.Reasons())
			letter := f.Letters.All()[0]
			assert.Greater(t, letter.Attempts, 1)
			assert.Equal(t, code, letter.Status)
		})
	}
}

func TestOutcomePerEventIsUsed(t *testing.T) {
	retried := false
	f := newFixture(t, options{answer: func(req *Request, _ *Response) Classification {
		v := Classification{}
		for _, e := range req.Events {
			o := Outcome{Kind: Delivered}
			switch {
			case e.Name == "drop":
				o = Outcome{Kind: Refused, Reason: deadletter.ReasonRateLimited, Message: "quota"}
			case e.Name == "later" && !retried:
				retried = true
				o = Outcome{Kind: Retryable, Message: "not now"}
			}
			v.Events = append(v.Events, o)
		}
		return v
	}})
	f.send("a", "drop", "later", "b")
	assert.Equal(t, []string{"drop:rate_limited"}, f.Letters.Reasons())
	assert.Equal(t, map[string]int64{"delivered": 3, "dead_lettered/rate_limited": 1}, f.Outcomes())
	assert.Equal(t, 2, f.server.requestCount())
}

func TestRefusals(t *testing.T) {
	for code, want := range map[int]deadletter.Reason{
		207: deadletter.ReasonRefused,
		301: deadletter.ReasonRedirected, 302: deadletter.ReasonRedirected, 303: deadletter.ReasonRedirected,
		307: deadletter.ReasonRedirected, 308: deadletter.ReasonRedirected, 400: deadletter.ReasonRefused,
		401: deadletter.ReasonUnauthorized, 403: deadletter.ReasonUnauthorized, 404: deadletter.ReasonRefused,
		410: deadletter.ReasonRefused, 413: deadletter.ReasonTooLarge, 422: deadletter.ReasonRefused, 501: deadletter.ReasonRefused,
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			f := newFixture(t, options{})
			elsewhere := newServer(t)
			f.server.on(func([]string) (int, http.Header) { return code, http.Header{"Location": {elsewhere.URL}} })
			f.send("a", "b")
			assert.Equal(t, []string{"a:" + string(want), "b:" + string(want)}, f.Letters.Reasons())
			assert.Zero(t, elsewhere.requestCount(), "a redirect was followed")
			assert.Equal(t, code, f.Letters.All()[0].Status)
		})
	}
}

func TestInvalidRedirectLocationIsRefused(t *testing.T) {
	f := newFixture(t, options{credentials: []string{"hunter2"}})
	f.server.on(func([]string) (int, http.Header) { return 302, http.Header{"Location": {"http://%zz/hunter2"}} })
	f.send("a")
	assert.Equal(t, []string{"a:redirected"}, f.Letters.Reasons())
}

func TestLongRetryAfterDoesNotExhaustRetries(t *testing.T) {
	f := newFixture(t, options{configure: func(cfg *Config) {
		cfg.RetryConfig.MaxInterval, cfg.RetryConfig.MaxElapsedTime = 200*time.Millisecond, time.Second
	}})
	var n atomic.Int64
	f.server.on(func([]string) (int, http.Header) {
		if n.Add(1) == 1 {
			return http.StatusServiceUnavailable, http.Header{"Retry-After": {"300"}} // which is ten times max_interval
		}
		return http.StatusOK, nil
	})
	f.send("a")
	assert.Equal(t, []string{"a"}, f.server.takenOnce())
}

func TestLargeCallIsQueuedInParts(t *testing.T) {
	f := newFixture(t, options{most: 1})
	var names []string
	for i := range 30 {
		names = append(names, fmt.Sprintf("%02d", i)+strings.Repeat("x", maxEncoded/10))
	}
	f.send(names...)
	for i := range names {
		names[i] = names[i][:2]
	}
	var got []string
	for _, name := range f.server.takenOnce() {
		got = append(got, name[:2])
	}
	assert.Equal(t, names, got)
}

func TestTooLargeEventIsRefusedWithItsSize(t *testing.T) {
	f := newFixture(t, options{})
	f.server.on(func(lines []string) (int, http.Header) {
		if len(strings.Join(lines, "\n")) > 20 {
			return http.StatusRequestEntityTooLarge, nil
		}
		return http.StatusOK, nil
	})
	long := strings.Repeat("x", 30)
	f.send("a", "b", long, "c", "d", "e", "f")
	assert.Equal(t, []string{"a", "b", "c", "d", "e", "f"}, f.server.takenOnce())
	letters := f.Letters.All()
	require.Len(t, letters, 1)
	assert.Contains(t, letters[0].Message, "413")
	assert.Contains(t, letters[0].Message, "31 bytes")
}

func TestLossWithoutStoreIsLoggedAndCounted(t *testing.T) {
	f := newFixture(t, options{configure: func(cfg *Config) { cfg.DeadLetter = nil }})
	f.server.always(http.StatusForbidden)
	f.send("a", "b")
	f.Stop() // the log comes after the books
	assert.Equal(t, map[string]int64{"dropped/unauthorized": 2}, f.Outcomes())
	lost := f.Logs.FilterMessage("Events were not delivered and are lost").All()
	require.Len(t, lost, 1)
	assert.Equal(t, "unauthorized", lost[0].ContextMap()["reason"])
	assert.Contains(t, lost[0].ContextMap()["what_to_do"], "check the credentials")
}

func TestFailingStoreMeansLoss(t *testing.T) {
	f := newFixture(t, options{letters: &deliverytest.Letters{Refuse: func(*deadletter.Letter) error { return errors.New("disk full") }}})
	f.server.always(http.StatusBadRequest)
	f.send("a")
	f.Stop() // the log comes after the books
	assert.Equal(t, map[string]int64{"dropped/refused": 1}, f.Outcomes())
	lost := f.Logs.FilterMessage("Events were not delivered and are lost").All()
	require.Len(t, lost, 1)
	assert.Equal(t, "disk full", lost[0].ContextMap()["dead_letter_error"])
	assert.Contains(t, lost[0].ContextMap()["why_not_kept"], "free disk space")
}

func TestFailingStoreIsLoggedOnce(t *testing.T) {
	f := newFixture(t, options{letters: &deliverytest.Letters{Refuse: func(*deadletter.Letter) error { return errors.New("disk full") }}})
	f.server.always(http.StatusBadRequest)
	for _, name := range numbered(50) {
		f.send(name)
	}
	f.Stop()
	assert.Equal(t, map[string]int64{"dropped/refused": 50}, f.Outcomes())
	assert.LessOrEqual(t, f.Logs.FilterLevelExact(zap.ErrorLevel).Len(), 2, "one line immediately, and one at shutdown for the rest")
}

func TestEachReasonIsLoggedWithItsEvents(t *testing.T) {
	f := newFixture(t, options{})
	f.server.refusing("bad", "worse")
	f.send("a", "huge", "bad", "b", "worse")
	f.Stop()
	told := map[any]any{}
	for _, entry := range f.Logs.FilterMessage("Events were not delivered and are kept as dead letters").All() {
		told[entry.ContextMap()["reason"]] = entry.ContextMap()["events"]
	}
	assert.Equal(t, map[any]any{"too_large": int64(1), "refused": int64(2)}, told)
}

func TestRefusedDeadLetterDoesNotAffectOthers(t *testing.T) {
	f := newFixture(t, options{letters: &deliverytest.Letters{Refuse: func(letter *deadletter.Letter) error {
		if letter.Name == "unkept" {
			return errors.New("it is too large to keep")
		}
		return nil
	}}})
	f.server.always(http.StatusNotFound)
	f.send("a", "unkept", "b")
	assert.Equal(t, []string{"a:refused", "b:refused"}, f.Letters.Reasons())
	assert.Equal(t, map[string]int64{"dead_lettered/refused": 2, "dropped/refused": 1}, f.Outcomes())
}

func TestRetriesRunOut(t *testing.T) {
	t.Run("in time", func(t *testing.T) {
		f := newFixture(t, options{configure: func(cfg *Config) { cfg.RetryConfig.MaxElapsedTime = 500 * time.Millisecond }})
		f.server.always(http.StatusServiceUnavailable)
		f.send("a", "b")
		assert.Equal(t, []string{"a:exhausted", "b:exhausted"}, f.Letters.Reasons())
		assert.Greater(t, f.Letters.All()[0].Attempts, 1)
	})
	t.Run("at once where they are off", func(t *testing.T) {
		f := newFixture(t, options{configure: func(cfg *Config) { cfg.RetryConfig.Enabled = false }})
		f.server.always(http.StatusServiceUnavailable)
		f.send("a")
		assert.Equal(t, []string{"a:exhausted"}, f.Letters.Reasons())
		assert.Equal(t, 1, f.server.requestCount())
	})
}

func TestRetryAfterIsBounded(t *testing.T) {
	for _, value := range []string{"1000000000", "NaN", "-1", "Inf", "0.001", "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 02 Jan 2006 15:04:05 GMT", "soon", ""} {
		t.Run(value, func(t *testing.T) {
			f := newFixture(t, options{})
			var n atomic.Int64
			f.server.on(func([]string) (int, http.Header) {
				if n.Add(1) == 1 {
					return http.StatusTooManyRequests, http.Header{"Retry-After": {value}}
				}
				return http.StatusOK, nil
			})
			begun := time.Now()
			f.send("a")
			assert.Equal(t, []string{"a"}, f.server.takenOnce())
			assert.Less(t, time.Since(begun), 30*time.Second)
		})
	}
}

func TestRetryAfterIsHonored(t *testing.T) {
	f := newFixture(t, options{configure: func(cfg *Config) { cfg.RetryConfig.MaxInterval = time.Second }})
	var first, second time.Time
	f.server.on(func([]string) (int, http.Header) {
		if first.IsZero() {
			first = time.Now()
			return http.StatusServiceUnavailable, http.Header{"Retry-After": {"0.2"}}
		}
		second = time.Now()
		return http.StatusOK, nil
	})
	f.send("a")
	assert.GreaterOrEqual(t, second.Sub(first), 200*time.Millisecond)
}

func TestFullQueueNeverFailsTheCaller(t *testing.T) {
	f := newFixture(t, options{timeout: 50 * time.Millisecond, configure: func(cfg *Config) {
		cfg.QueueConfig.Get().QueueSize = 2000
		cfg.RetryConfig.MaxElapsedTime = 300 * time.Millisecond
	}})
	f.server.always(0) // hangs
	begun := time.Now()
	for i := range 300 {
		require.NoError(t, f.Consume(t.Context(), records(fmt.Sprintf("e%d", i))))
	}
	assert.Less(t, time.Since(begun), 30*time.Second)
	f.Settle()
	counts := f.Outcomes()
	assert.Positive(t, counts["dead_lettered/queue_full"])
	assert.Len(t, f.Letters.All(), 300)
	for _, letter := range f.Letters.All() {
		assert.NotEmpty(t, letter.Payload)
	}
}

func TestEventLargerThanQueueIsShed(t *testing.T) {
	f := newFixture(t, options{configure: func(cfg *Config) {
		cfg.QueueConfig.Get().QueueSize = 200
	}})
	f.send(strings.Repeat("x", 500))
	assert.Equal(t, int64(1), f.Outcomes()["dead_lettered/queue_full"])
}

func syncOptions(o options) options {
	configure := o.configure
	o.configure = func(cfg *Config) {
		cfg.Dispatch = DispatchSync
		cfg.RetryConfig.MaxElapsedTime = 50 * time.Millisecond
		if configure != nil {
			configure(cfg)
		}
	}
	return o
}

func TestSyncCallersGetTheOutcome(t *testing.T) {
	t.Run("success", func(t *testing.T) {
		f := newFixture(t, syncOptions(options{}))
		require.NoError(t, f.Consume(t.Context(), records("a")))
		assert.Equal(t, []string{"a"}, f.server.takenOnce())
	})
	t.Run("a temporary failure is retryable, and Unavailable", func(t *testing.T) {
		f := newFixture(t, syncOptions(options{}))
		f.server.always(http.StatusServiceUnavailable)
		err := f.Consume(t.Context(), records("a"))
		require.Error(t, err)
		assert.False(t, consumererror.IsPermanent(err))
		s, ok := status.FromError(err)
		assert.True(t, ok)
		assert.Equal(t, codes.Unavailable, s.Code())
		assert.Empty(t, f.Letters.All(), "the caller has it")
		assert.Equal(t, map[string]int64{"returned": 1}, f.Outcomes())
	})
	t.Run("a refusal is permanent, and InvalidArgument", func(t *testing.T) {
		f := newFixture(t, syncOptions(options{}))
		f.server.always(http.StatusBadRequest)
		err := f.Consume(t.Context(), records("a", "b"))
		require.ErrorContains(t, err, "2 of 2 events refused: the backend answered 400")
		assert.True(t, consumererror.IsPermanent(err))
		s, ok := status.FromError(err)
		assert.True(t, ok)
		assert.Equal(t, codes.InvalidArgument, s.Code())
		assert.Equal(t, map[string]int64{"returned": 2}, f.Outcomes())
		assert.Len(t, f.Logs.FilterMessageSnippet("their callers got the error").All(), 1)
	})
	t.Run("a failure that the operator must fix is Unavailable and is not retried", func(t *testing.T) {
		for _, code := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusFound} {
			f := newFixture(t, syncOptions(options{}))
			f.server.always(code)
			err := f.Consume(t.Context(), records("a", "b"))
			s, ok := status.FromError(err)
			assert.True(t, ok)
			assert.Equal(t, codes.Unavailable, s.Code(), code)
			assert.Equal(t, 1, f.server.requestCount(), code)
			told := f.Logs.FilterMessageSnippet("their callers got the error").All()
			require.Len(t, told, 1)
			assert.NotContains(t, told[0].ContextMap()["what_to_do"], "dead letters", "there are none")
		}
	})
	t.Run("a refused event is kept if others of the call were delivered", func(t *testing.T) {
		f := newFixture(t, syncOptions(options{}))
		f.server.refusing("bad")
		err := f.Consume(t.Context(), records("a", "bad", "c"))
		require.ErrorContains(t, err, "1 of 3 events refused")
		assert.True(t, consumererror.IsPermanent(err))
		assert.Equal(t, []string{"bad:refused"}, f.Letters.Reasons())
		assert.True(t, f.Balanced(), f.Outcomes())
	})
	t.Run("part delivered, part failing", func(t *testing.T) {
		f := newFixture(t, syncOptions(options{most: 1}))
		f.server.on(func(lines []string) (int, http.Header) {
			if lines[0] == "b" {
				return http.StatusInternalServerError, nil
			}
			return http.StatusOK, nil
		})
		require.Error(t, f.Consume(t.Context(), records("a", "b", "c")))
		assert.Equal(t, []string{"a", "c"}, f.server.takenOnce())
		assert.Equal(t, map[string]int64{"delivered": 2, "returned": 1}, f.Outcomes())
	})
	t.Run("a caller that gives up", func(t *testing.T) {
		f := newFixture(t, syncOptions(options{}))
		f.server.always(0)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		require.Error(t, f.Consume(ctx, records("a")))
		assert.Equal(t, map[string]int64{"returned": 1}, f.Outcomes())
	})
}

func TestLongWaitOfCallersIsLogged(t *testing.T) {
	for elapsed, told := range map[time.Duration]int{0: 1, time.Minute: 1, 5 * time.Second: 0} {
		f := newFixture(t, options{configure: func(cfg *Config) {
			cfg.Dispatch = DispatchSync
			cfg.RetryConfig.MaxElapsedTime = elapsed
		}})
		assert.Len(t, f.Logs.FilterMessageSnippet("Callers wait").All(), told, elapsed)
	}
}

func TestAutoIsSyncWithoutStorage(t *testing.T) {
	f := newFixture(t, options{configure: func(cfg *Config) {
		cfg.Dispatch = DispatchAuto
		cfg.RetryConfig.Enabled = false
	}})
	f.server.always(http.StatusServiceUnavailable)
	require.Error(t, f.Consume(t.Context(), records("a")))
}

func TestMissingExtensionsFailTheStart(t *testing.T) {
	other := component.MustNewID("other")
	for name, tt := range map[string]struct {
		configure func(*Config)
		want      string
	}{
		"a storage":                       {func(cfg *Config) { cfg.QueueConfig.Get().StorageID = &other }, `sending_queue::storage: there is no extension "other"`},
		"a dead letter store":             {func(cfg *Config) { cfg.DeadLetter = &other }, `dead_letter: there is no extension "other"`},
		"an extension that is no storage": {func(cfg *Config) { id := component.MustNewID("no_store"); cfg.QueueConfig.Get().StorageID = &id }, `sending_queue::storage: extension "no_store" stores nothing`},
		"one that is not a store":         {func(cfg *Config) { id := component.MustNewID("no_store"); cfg.DeadLetter = &id }, `dead_letter: extension "no_store" is not of type dead_letter`},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := NewDefaultConfig(10)
			tt.configure(&cfg)
			e := newUnstarted(t, &cfg)
			host := extensions{component.MustNewID("no_store"): struct {
				component.StartFunc
				component.ShutdownFunc
			}{}}
			require.ErrorContains(t, e.Start(t.Context(), host), tt.want)
			require.NoError(t, e.Shutdown(t.Context()))
		})
	}
}

// extensions are a host that has nothing else.
type extensions map[component.ID]component.Component

func (e extensions) GetExtensions() map[component.ID]component.Component { return e }

func TestShutdownSendsQueuedEvents(t *testing.T) {
	f := newFixture(t, options{most: 10})
	names := numbered(500)
	for _, name := range names {
		require.NoError(t, f.Consume(t.Context(), records(name)))
	}
	f.Stop()
	assert.Equal(t, names, f.server.takenOnce())
	assert.True(t, f.Balanced(), f.Outcomes())
}

func TestShutdownEndsInTimeAndDeadLettersTheRest(t *testing.T) {
	for name, respond := range map[string]int{"hangs": 0, "is down": http.StatusServiceUnavailable} {
		t.Run("where the backend "+name, func(t *testing.T) {
			f := newFixture(t, options{most: 10, timeout: time.Minute, configure: func(cfg *Config) {
				cfg.ShutdownTimeout = 200 * time.Millisecond
				cfg.RetryConfig.InitialInterval = time.Minute
				cfg.RetryConfig.MaxInterval = time.Minute
			}})
			f.server.always(respond)
			names := numbered(500)
			for _, name := range names {
				require.NoError(t, f.Consume(t.Context(), records(name)))
			}
			f.WaitFor("a request", func() bool { return f.server.requestCount() > 0 })
			begun := time.Now()
			f.Stop()
			assert.Less(t, time.Since(begun), 30*time.Second)
			assert.Len(t, f.Letters.All(), 500)
			for _, reason := range f.Letters.Reasons() {
				assert.Contains(t, reason, ":shutdown")
			}
			assert.True(t, f.Balanced(), f.Outcomes())
		})
	}
}

func TestWaitingRetriesGetALastAttemptAtShutdown(t *testing.T) {
	for name, tt := range map[string]struct {
		respond     int
		wantTaken   []string
		wantReasons []string
	}{
		"and is delivered":      {http.StatusOK, []string{"a", "b"}, []string{}},
		"and is kept otherwise": {http.StatusServiceUnavailable, nil, []string{"a:shutdown", "b:shutdown"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, options{configure: func(cfg *Config) {
				cfg.RetryConfig.InitialInterval, cfg.RetryConfig.MaxInterval = time.Minute, time.Minute
			}})
			f.server.always(http.StatusServiceUnavailable)
			require.NoError(t, f.Consume(t.Context(), records("a", "b")))
			waiting := &f.Component.(*logsExporter).deliverer.waiting
			f.WaitFor("the wait before the next attempt", func() bool { return waiting.len() == 1 })

			f.server.always(tt.respond)
			f.Stop()
			assert.Equal(t, tt.wantTaken, f.server.takenOnce())
			assert.Equal(t, tt.wantReasons, f.Letters.Reasons())
			assert.True(t, f.Balanced(), f.Outcomes())
		})
	}
}

func TestStatusIsReportedWhenItChanges(t *testing.T) {
	f := newFixture(t, options{configure: func(cfg *Config) { cfg.RetryConfig.MaxElapsedTime = 20 * time.Millisecond }})
	f.server.always(http.StatusUnauthorized)
	f.send("a")
	f.send("b")
	f.server.always(http.StatusOK)
	f.send("c")
	f.send("d")
	f.server.always(http.StatusServiceUnavailable)
	f.send("e")
	assert.Equal(t, []string{
		"StatusRecoverableError: the backend answers 401: check the credentials", "StatusOK", "StatusRecoverableError: the backend answers 503",
	}, f.Statuses())
	assert.Equal(t, 1, f.Logs.FilterMessageSnippet("The backend is failing").Len(), "within a minute")
	assert.Equal(t, 1, f.Logs.FilterMessage("The backend is failing; events that fail in this way are not retried").Len())
	assert.Equal(t, 1, f.Logs.FilterMessage("The backend works again").Len())
}

func TestLogsHoldNoEvent(t *testing.T) {
	const secret = "hunter2"
	for _, code := range []int{0, 302, 400, 401, 413, 500, 503} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			f := newFixture(t, options{timeout: 20 * time.Millisecond, values: []string{secret}, configure: func(cfg *Config) {
				cfg.RetryConfig.MaxElapsedTime = 10 * time.Millisecond
			}})
			f.server.always(code)
			f.send("event-"+secret, "b-"+secret)
			assert.Len(t, f.Letters.All(), 2)
		})
	}
}

func TestSpansHoldNoBackendMessage(t *testing.T) {
	const secret = "hunter2"
	for _, dispatch := range []Dispatch{DispatchAsync, DispatchSync} {
		t.Run(string(dispatch), func(t *testing.T) {
			f := newFixture(t, options{values: []string{secret}, configure: func(cfg *Config) {
				cfg.Dispatch = dispatch
				cfg.RetryConfig.MaxElapsedTime = 50 * time.Millisecond
			}})
			f.server.Config.Handler = echo(503, "not now: %s", func(*http.Request) string { return "event-" + secret })
			_ = f.Consume(t.Context(), records("event-"+secret))
			f.Settle()
		})
	}
}

func TestCompression(t *testing.T) {
	long := strings.Repeat("x", 2000)
	for _, encoding := range []string{"gzip", "zstd"} {
		f := newFixture(t, options{compression: configcompression.Type(encoding)})
		f.send(long)
		f.send("small")
		assert.Equal(t, []string{"small", long}, f.server.takenOnce())
		assert.Equal(t, []string{encoding, ""}, f.server.encoding, "a body that is too small to gain is sent as it is")
	}
	f := newFixture(t, options{})
	f.send(long)
	assert.Equal(t, []string{""}, f.server.encoding)
}

func TestRequestsInFlightAreBounded(t *testing.T) {
	f := newFixture(t, options{most: 1, configure: func(cfg *Config) { cfg.MaxInFlight = 3 }})
	var now, most atomic.Int64
	server := f.server.Config.Handler
	f.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for {
			m := most.Load()
			if n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		time.Sleep(2 * time.Millisecond)
		server.ServeHTTP(w, r)
	})
	f.send(numbered(60)...)
	assert.Equal(t, int64(3), most.Load())
}

func TestReplay(t *testing.T) {
	f := newFixture(t, options{configure: func(cfg *Config) { cfg.RetryConfig.Enabled = false }})
	f.server.always(http.StatusServiceUnavailable)
	f.send("a", "bad", "c", "unencodable")
	letters := f.Letters.All()
	require.Len(t, letters, 4)

	kept := f.Letters.Replay(t.Context(), letters...)
	outcomes := map[deadletter.Outcome]int{}
	for _, r := range kept {
		outcomes[r.Outcome]++
	}
	assert.Equal(t, map[deadletter.Outcome]int{deadletter.OutcomeKept: 3, deadletter.OutcomeRefused: 1}, outcomes)

	f.server.refusing("bad")
	for i, r := range f.Letters.Replay(t.Context(), letters...) {
		switch letters[i].Name {
		case "bad":
			assert.Equal(t, deadletter.OutcomeRefused, r.Outcome)
			assert.Equal(t, deadletter.ReasonRefused, r.Letters[0].Reason)
			assert.Equal(t, letters[i].Attempts+1, r.Letters[0].Attempts)
			assert.Equal(t, letters[i].Payload, r.Letters[0].Payload)
		case "unencodable":
			assert.Equal(t, deadletter.OutcomeRefused, r.Outcome)
			assert.Equal(t, deadletter.ReasonEncoding, r.Letters[0].Reason)
		default:
			assert.Equal(t, deadletter.OutcomeDelivered, r.Outcome)
		}
	}
	assert.Equal(t, []string{"a", "c"}, f.server.takenOnce())
	assert.True(t, f.Balanced(), "a replay leaves the books as they are")
}

func TestBuggyBackendLosesNoEvent(t *testing.T) {
	t.Run("a response for another number of events", func(t *testing.T) {
		f := newFixture(t, options{answer: func(*Request, *Response) Classification { return Classification{Events: make([]Outcome, 1)} },
			configure: func(cfg *Config) { cfg.RetryConfig.Enabled = false }})
		f.send("a", "b")
		assert.Equal(t, []string{"a:exhausted", "b:exhausted"}, f.Letters.Reasons())
	})
	t.Run("an event in no request", func(t *testing.T) {
		f := newFixture(t, options{})
		f.send("a", "forgotten", "b")
		assert.Equal(t, []string{"a", "b"}, f.server.takenOnce())
		assert.Equal(t, []string{"forgotten:refused"}, f.Letters.Reasons())
	})
	t.Run("an invalid URL", func(t *testing.T) {
		f := newFixture(t, options{})
		f.send("a", "nowhere")
		assert.Equal(t, []string{"nowhere:refused"}, f.Letters.Reasons())
	})
}

func TestRetryableEventIsNotABackendFailure(t *testing.T) {
	again := true
	f := newFixture(t, options{answer: func(req *Request, _ *Response) Classification {
		v := Classification{Events: slices.Repeat([]Outcome{{Kind: Delivered}}, len(req.Events))}
		if again {
			v.Events[0] = Outcome{Kind: Retryable, Message: "again"}
			again = false
		}
		return v
	}})
	f.send("a", "b")
	assert.Empty(t, f.Statuses())
}

func TestErrorsDoNotQuoteTheBackend(t *testing.T) {
	const secret = "hunter2"
	for name, answer := range map[string]string{
		"garbage": secret, "a garbled status": "HTTP/1.1 " + secret + " OK\r\n\r\n", "a garbled header": "HTTP/1.1 200 OK\r\n" + secret + "\r\n\r\n",
		"a garbled length": "HTTP/1.1 200 OK\r\nContent-Length: " + secret + "\r\n\r\n", "nothing": "",
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, options{credentials: []string{secret}, configure: func(cfg *Config) { cfg.RetryConfig.Enabled = false }})
			f.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				assert.NoError(t, err)
				_, _ = conn.Write([]byte(answer))
				_ = conn.Close()
			})
			f.send("a")
			require.Equal(t, []string{"a:exhausted"}, f.Letters.Reasons())
		})
	}
}

func TestReplayWithoutPendingEventsDoesNotWait(t *testing.T) {
	f := newFixture(t, options{configure: func(cfg *Config) { cfg.RetryConfig.InitialInterval = time.Minute }})
	begun := time.Now()
	f.Letters.Replay(t.Context(), deadletter.Letter{Signal: signalLogs, Payload: []byte("a")})
	assert.Less(t, time.Since(begun), 30*time.Second)
}

func TestReplayEncodesRecordsAgain(t *testing.T) {
	f := newFixture(t, options{})
	otlp := []byte(strings.ReplaceAll(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"NAME"}]}]}]}`, "NAME", "double"))
	private := []byte(strings.ReplaceAll(string(otlp), "double", "private"))
	got := f.Letters.Replay(t.Context(), deadletter.Letter{Signal: signalLogs, OTLP: otlp}, deadletter.Letter{OTLP: private}, deadletter.Letter{OTLP: []byte(`{`)},
		deadletter.Letter{OTLP: []byte(`{}`)})
	assert.Equal(t, deadletter.OutcomeDelivered, got[0].Outcome)
	assert.Equal(t, deadletter.OutcomeDelivered, got[1].Outcome, "it is no longer meant for the backend")
	assert.Equal(t, deadletter.OutcomeRefused, got[2].Outcome)
	assert.Equal(t, deadletter.OutcomeRefused, got[3].Outcome)
	assert.Contains(t, got[3].Letters[0].Message, "holds no record")
	assert.Equal(t, []string{"double", "double-2"}, f.server.takenOnce())
}

func TestConfigurations(t *testing.T) {
	for name, tt := range map[string]struct {
		configure func(*Config)
		want      string
	}{
		"the defaults":          {func(*Config) {}, ""},
		"a dispatch":            {func(cfg *Config) { cfg.Dispatch = "later" }, `dispatch: "later" is not supported`},
		"max_in_flight of 0":    {func(cfg *Config) { cfg.MaxInFlight = 0 }, "max_in_flight: 0"},
		"shutdown_timeout of 0": {func(cfg *Config) { cfg.ShutdownTimeout = 0 }, "shutdown_timeout: 0s"},
		"a word for damage":     {func(cfg *Config) { cfg.OnQueueDamage = "ignore" }, `on_queue_damage: "ignore" is not valid; write fail or set_aside`},
		"negative age":          {func(cfg *Config) { cfg.MaxAge = -1 }, "max_age: -1ns is negative"},
		"negative retries":      {func(cfg *Config) { cfg.MaxRetries = -1 }, "max_retries: -1 is negative"},
		"retries that are off":  {func(cfg *Config) { cfg.MaxRetries, cfg.RetryConfig.Enabled = 1, false }, "max_retries: has no effect"},
		"a queue that blocks":   {func(cfg *Config) { cfg.QueueConfig.Get().BlockOnOverflow = true }, "sending_queue::block_on_overflow"},
		"a queue that waits":    {func(cfg *Config) { cfg.QueueConfig.Get().WaitForResult = true }, "sending_queue::wait_for_result"},
		"sync needs no queue":   {func(cfg *Config) { cfg.Dispatch = DispatchSync; cfg.QueueConfig = noQueue }, ""},
		"async needs a queue":   {func(cfg *Config) { cfg.QueueConfig = noQueue }, "sending_queue: is off"},
		"auto needs no queue":   {func(cfg *Config) { cfg.Dispatch = DispatchAuto; cfg.QueueConfig = noQueue }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := NewDefaultConfig(10)
			tt.configure(&cfg)
			err := cfg.Check()
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
}

var noQueue = configoptional.None[exporterhelper.QueueBatchConfig]()

func newUnstarted(t *testing.T, cfg *Config) exporter.Logs {
	t.Helper()
	set := exportertest.NewNopSettings(component.MustNewType("line"))
	e, err := NewLogs(t.Context(), set, cfg, confighttp.NewDefaultClientConfig(), &lineBackend{most: 1}, Options{})
	require.NoError(t, err)
	return e
}

func TestQueueFailuresAreLoggedOnce(t *testing.T) {
	f := newFixture(t, options{configure: func(cfg *Config) { cfg.RetryConfig.MaxElapsedTime = 20 * time.Millisecond }})
	f.server.always(http.StatusServiceUnavailable)
	f.send("a")
	f.Stop() // the log comes after the books
	assert.Zero(t, f.Logs.FilterMessageSnippet("Exporting failed").Len())
	assert.Equal(t, exporterhelper.RequestSizerTypeBytes, f.Component.(*logsExporter).cfg.QueueConfig.Get().Sizer)
}

func TestRareFailureDoesNotStopTheBatch(t *testing.T) {
	f := newFixture(t, options{most: 1, configure: func(cfg *Config) {
		cfg.MaxInFlight = 1
		cfg.RetryConfig.InitialInterval, cfg.RetryConfig.MaxInterval = 20*time.Millisecond, 20*time.Millisecond
		cfg.RetryConfig.MaxElapsedTime = time.Second // of a batch from which nothing was delivered
	}})
	requests := 0
	f.server.on(func([]string) (int, http.Header) {
		time.Sleep(7 * time.Millisecond) // so that the first attempt takes longer than that
		requests++
		if requests%10 == 0 {
			return http.StatusServiceUnavailable, nil
		}
		return http.StatusOK, nil
	})
	var names []string
	for i := range 200 {
		names = append(names, fmt.Sprintf("e%03d", i))
	}
	f.send(names...)
	assert.Equal(t, map[string]int64{"delivered": 200}, f.Outcomes())
	assert.Equal(t, names, f.server.takenOnce())
	assert.LessOrEqual(t, f.server.requestCount(), 230)
}

func TestAttemptStopsWhenTheBackendIsDown(t *testing.T) {
	f := newFixture(t, options{most: 1, configure: func(cfg *Config) {
		cfg.MaxInFlight = 1
		cfg.RetryConfig.Enabled = false
	}})
	f.server.always(http.StatusServiceUnavailable)
	f.send(strings.Fields(strings.Repeat("e ", 100))...)
	assert.Equal(t, 3, f.server.requestCount())
	assert.Equal(t, map[string]int64{"dead_lettered/exhausted": 100}, f.Outcomes())
}
func TestDeadLettersKeepTheirPayload(t *testing.T) {
	f := newFixture(t, options{})
	f.server.refusing("poison")
	for range 50 {
		f.send("poison", "a", "b")
		f.send("others", "b", "c") // of the same size
	}
	for _, letter := range f.Letters.All() {
		require.Equal(t, "id-poison poison poison", fmt.Sprintf("%s %s %s", letter.ID, letter.Name, letter.Payload))
	}
}

// TestResponseBeforeTheBodyIsRead is for the race detector: net/http is still sending when the
// answer is there.
func TestResponseBeforeTheBodyIsRead(t *testing.T) {
	f := newFixture(t, options{})
	f.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	for i := range 50 {
		f.send(string(bytes.Repeat([]byte{byte('a' + i%26)}, 300_000)))
	}
	assert.Equal(t, map[string]int64{"delivered": 50}, f.Outcomes())
}
