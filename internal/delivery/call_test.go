// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/otelcol-fanout/otelcol-fanout/internal/callresult"
)

func TestSyncCallerGetsEncodingFailures(t *testing.T) {
	t.Run("alone it is returned", func(t *testing.T) {
		f := newFixture(t, syncOptions(options{}))
		err := f.Consume(t.Context(), records("unencodable"))
		require.EqualError(t, err, "1 of 1 events refused: it has no bytes")
		assert.True(t, consumererror.IsPermanent(err))
		assert.Equal(t, codes.InvalidArgument, status.Code(err))
		assert.Equal(t, map[string]int64{"returned": 1}, f.Outcomes())
		assert.Empty(t, f.Letters.All())
	})
	t.Run("beside a delivered event it is kept", func(t *testing.T) {
		f := newFixture(t, syncOptions(options{}))
		err := f.Consume(t.Context(), records("a", "unencodable", "private"))
		require.EqualError(t, err, "1 of 2 events refused: it has no bytes")
		assert.Equal(t, map[string]int64{"delivered": 1, "skipped/private": 1, "dead_lettered/encoding": 1}, f.Outcomes())
		assert.Equal(t, []string{"unencodable:encoding"}, f.Letters.Reasons())
	})
	t.Run("beside an event that failed for now it is returned", func(t *testing.T) {
		f := newFixture(t, syncOptions(options{}))
		f.server.always(http.StatusServiceUnavailable)
		err := f.Consume(t.Context(), records("a", "unencodable"))
		require.EqualError(t, err, "the backend answered 503; 1 of 2 events refused: it has no bytes")
		assert.Equal(t, codes.Unavailable, status.Code(err))
		assert.False(t, consumererror.IsPermanent(err))
		assert.Equal(t, map[string]int64{"returned": 2}, f.Outcomes())
	})
}

// largeNames returns names that together exceed the size at which a call is sent in parts.
func largeNames(n int) []string {
	names := numbered(n)
	for i := range names {
		names[i] += strings.Repeat("x", 10*maxEncoded/4/n)
	}
	return names
}

func TestLargeSyncCallGoesOnAfterRefusals(t *testing.T) {
	f := newFixture(t, syncOptions(options{}))
	names := largeNames(500)
	f.server.refusing(names[4])
	err := f.Consume(t.Context(), records(names...))
	require.ErrorContains(t, err, "1 of 500 events refused")
	assert.Len(t, f.server.takenOnce(), 499)
	assert.Equal(t, map[string]int64{"delivered": 499, "dead_lettered/refused": 1}, f.Outcomes())
}

func TestLargeSyncCallReturnsTheRestAfterAFailure(t *testing.T) {
	f := newFixture(t, syncOptions(options{}))
	names := largeNames(500)
	f.server.on(func(lines []string) (int, http.Header) {
		switch {
		case slices.Contains(lines, names[4]):
			return http.StatusBadRequest, nil
		case slices.Contains(lines, names[350]):
			return http.StatusServiceUnavailable, nil
		}
		return http.StatusOK, nil
	})
	err := f.Consume(t.Context(), records(names...))
	require.ErrorContains(t, err, "the backend answered 503; 1 of ")
	assert.Equal(t, codes.Unavailable, status.Code(err))
	outcomes := f.Outcomes()
	assert.Len(t, outcomes, 2)
	assert.Equal(t, int64(len(f.server.takenOnce())), outcomes["delivered"])
	assert.Equal(t, int64(500), outcomes["delivered"]+outcomes["returned"])
	assert.Greater(t, outcomes["returned"], int64(50), "the last parts were not sent")
	assert.Empty(t, f.Letters.All(), "the caller sends the refused event again")
}

func TestSyncExportersShareTheResultOfACall(t *testing.T) {
	for name, tt := range map[string]struct {
		first, second int // status
		want          map[string]int64
		code          codes.Code
	}{
		"delivered elsewhere":               {200, 400, map[string]int64{"dead_lettered/refused": 1}, codes.InvalidArgument},
		"refused elsewhere":                 {400, 400, map[string]int64{"returned": 1}, codes.InvalidArgument},
		"failed elsewhere":                  {503, 400, map[string]int64{"returned": 1}, codes.InvalidArgument},
		"unauthorized, refused elsewhere":   {400, 401, map[string]int64{"returned": 1}, codes.Unavailable},
		"unauthorized, delivered elsewhere": {200, 401, map[string]int64{"dead_lettered/unauthorized": 1}, codes.InvalidArgument},
	} {
		t.Run(name, func(t *testing.T) {
			first, second := newFixture(t, syncOptions(options{})), newFixture(t, syncOptions(options{}))
			first.server.always(tt.first)
			second.server.always(tt.second)
			ctx, _, end := callresult.Open(t.Context())
			err := second.Consume(ctx, records("a"))
			assert.Empty(t, second.Outcomes(), "the call has not ended")
			assert.Equal(t, tt.first == 200, first.Consume(ctx, records("b")) == nil)
			end()
			assert.Equal(t, tt.want, second.Outcomes())
			assert.Equal(t, tt.code, status.Code(err))
			assert.True(t, first.Balanced(), first.Outcomes())
		})
	}
}

func TestSyncCallIsRetried(t *testing.T) {
	f := newFixture(t, options{configure: func(cfg *Config) { cfg.Dispatch = DispatchSync }})
	var n atomic.Int64
	f.server.on(func([]string) (int, http.Header) {
		if n.Add(1) < 4 {
			return http.StatusBadGateway, nil
		}
		return http.StatusOK, nil
	})
	require.NoError(t, f.Consume(t.Context(), records("a")))
	assert.Equal(t, []string{"a"}, f.server.takenOnce())
}

// failing responds with the status to every request that holds the line.
func (s *server) failing(line string, code int) {
	s.on(func(lines []string) (int, http.Header) {
		if slices.Contains(lines, line) {
			return code, nil
		}
		return http.StatusOK, nil
	})
}

func TestEventThatMakesTheBackendFailIsGivenUpAlone(t *testing.T) {
	names := numbered(1000)
	configure := func(cfg *Config) {
		cfg.QueueConfig.Get().Batch.Get().MinSize, cfg.QueueConfig.Get().Batch.Get().MaxSize = 1000, 1000
		cfg.RetryConfig.MaxElapsedTime = 20 * time.Millisecond
	}
	t.Run("async", func(t *testing.T) {
		f := newFixture(t, options{most: 1000, configure: configure})
		f.server.failing(names[314], http.StatusInternalServerError)
		f.send(names...)
		assert.Len(t, f.server.takenOnce(), 999)
		assert.Equal(t, []string{names[314] + ":exhausted"}, f.Letters.Reasons())
	})
	t.Run("sync", func(t *testing.T) {
		f := newFixture(t, syncOptions(options{most: 1000, configure: configure}))
		f.server.failing(names[314], http.StatusInternalServerError)
		err := f.Consume(t.Context(), records(names...))
		require.EqualError(t, err, "the backend answered 500")
		assert.Len(t, f.server.takenOnce(), 999)
		assert.Equal(t, map[string]int64{"delivered": 999, "returned": 1}, f.Outcomes())
	})
	t.Run("not if retries are off", func(t *testing.T) {
		f := newFixture(t, options{most: 1000, configure: func(cfg *Config) { configure(cfg); cfg.RetryConfig.Enabled = false }})
		f.server.failing(names[314], http.StatusInternalServerError)
		f.send(names...)
		assert.Equal(t, map[string]int64{"dead_lettered/exhausted": 1000}, f.Outcomes())
		assert.Equal(t, 1, f.server.requestCount())
	})
	t.Run("replay", func(t *testing.T) {
		f := newFixture(t, options{most: 1000, configure: func(cfg *Config) { configure(cfg); cfg.RetryConfig.Enabled = false }})
		f.server.always(http.StatusInternalServerError)
		f.send(names[:100]...)
		f.server.failing(names[31], http.StatusInternalServerError)
		f.Letters.Replay(t.Context())
		assert.Len(t, f.server.takenOnce(), 99)
	})
}

func TestRetryAfterHoldsLaterBatchesBack(t *testing.T) {
	f := newFixture(t, options{configure: func(cfg *Config) { cfg.RetryConfig.MaxInterval = time.Second }})
	var until atomic.Pointer[time.Time]
	f.server.on(func([]string) (int, http.Header) {
		if until.Load() == nil {
			end := time.Now().Add(300 * time.Millisecond)
			until.Store(&end)
			return http.StatusTooManyRequests, http.Header{"Retry-After": {"0.3"}}
		}
		assert.False(t, time.Now().Before(*until.Load()), "a request during the wait")
		return http.StatusOK, nil
	})
	require.NoError(t, f.Consume(t.Context(), records("a")))
	f.WaitFor("the first response", func() bool { return len(f.Statuses()) > 0 })
	f.send("b")
	assert.Equal(t, []string{"a", "b"}, f.server.takenOnce())
	assert.Contains(t, f.Statuses()[0], "the backend answers 429, and asks to wait 300ms")
}

func TestHeldEventsAreNotExhausted(t *testing.T) {
	f := newFixture(t, options{configure: func(cfg *Config) { cfg.MaxRetries, cfg.RetryConfig.MaxInterval = 1, time.Second }})
	var n atomic.Int64
	f.server.on(func([]string) (int, http.Header) {
		if n.Add(1) == 1 {
			return http.StatusTooManyRequests, http.Header{"Retry-After": {"0.2"}}
		}
		return http.StatusOK, nil
	})
	f.send("a")
	for _, name := range []string{"b", "c", "d"} { // each is held while the last wait lasts
		f.send(name)
	}
	assert.Len(t, f.server.takenOnce(), 4)
}

func TestMaxRetriesGivesUpEarly(t *testing.T) {
	f := newFixture(t, options{configure: func(cfg *Config) { cfg.MaxRetries = 2 }})
	f.server.always(http.StatusServiceUnavailable)
	f.send("a")
	assert.Equal(t, 3, f.server.requestCount())
	assert.Equal(t, []string{"a:exhausted"}, f.Letters.Reasons())
}

func TestMaxAgeGivesUpOldEvents(t *testing.T) {
	old := records("old", "young", "timeless")
	record := func(i int) plog.LogRecord {
		return old.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(i)
	}
	record(1).SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	record(2).SetTimestamp(0)
	for name, configure := range map[string]func(*Config){
		"async": func(*Config) {}, "sync": func(cfg *Config) { cfg.Dispatch = DispatchSync },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, options{configure: func(cfg *Config) { cfg.MaxAge = time.Hour; configure(cfg) }})
			copied := plog.NewLogs()
			old.CopyTo(copied)
			_ = f.Consume(t.Context(), copied)
			f.Settle()
			assert.Equal(t, []string{"timeless", "young"}, f.server.takenOnce())
			assert.Equal(t, []string{"old:expired"}, f.Letters.Reasons())
			assert.Equal(t, "the event is older than max_age (1h0m0s)", f.Letters.All()[0].Message)
			f.Letters.Replay(t.Context())
			assert.Equal(t, []string{"old", "timeless", "young"}, f.server.takenOnce(), "a replay ignores the age")
		})
	}
}

func TestHeldBisectingAttemptIsMadeAfterTheHold(t *testing.T) {
	f := newFixture(t, options{most: 2, configure: func(cfg *Config) {
		r := &cfg.RetryConfig
		r.MaxElapsedTime, r.InitialInterval, r.MaxInterval = 20*time.Millisecond, 20*time.Millisecond, 20*time.Millisecond
		cfg.MaxInFlight = 1
	}})
	var n atomic.Int64
	f.server.on(func(lines []string) (int, http.Header) {
		if slices.Contains(lines, "bad") {
			return http.StatusInternalServerError, nil
		}
		if n.Add(1) == 1 {
			return http.StatusTooManyRequests, http.Header{"Retry-After": {"0.2"}}
		}
		return http.StatusOK, nil
	})
	f.send("bad", "a", "b", "c")
	assert.Equal(t, []string{"bad:exhausted"}, f.Letters.Reasons())
}

func TestHeldCallerWaitsNoLongerThanMaxElapsedTime(t *testing.T) {
	f := newFixture(t, syncOptions(options{configure: func(cfg *Config) {
		cfg.RetryConfig.MaxElapsedTime = 4 * time.Second
		cfg.RetryConfig.InitialInterval, cfg.RetryConfig.MaxInterval = 50*time.Millisecond, 200*time.Millisecond
	}}))
	f.server.on(func([]string) (int, http.Header) {
		return http.StatusTooManyRequests, http.Header{"Retry-After": {"3"}}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.Error(t, f.Consume(ctx, records("a")))
	f.server.always(http.StatusServiceUnavailable)
	begun := time.Now()
	require.Error(t, f.Consume(t.Context(), records("b")))
	assert.Less(t, time.Since(begun), 6500*time.Millisecond, "not for Retry-After and then for max_elapsed_time again")
}
