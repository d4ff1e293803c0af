// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	moengageintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/moengage"
)

func TestTransientFailuresAreRetried(t *testing.T) {
	for name, reply := range map[string]moengageintake.Reply{
		"429":                  moengageintake.RateLimited(),
		"500":                  moengageintake.Fail(500, "Server Error", "oops"),
		"503":                  moengageintake.Unavailable(),
		"504":                  {Status: 504},
		"520":                  {Status: 520},
		"429 with Retry-After": {Status: 429, Header: http.Header{"Retry-After": {"0.001"}}},
		"a broken connection":  moengageintake.Reset(),
		"no response":          moengageintake.Hung(),
		"a 200 that is a page": {Body: "<html>log in</html>", Taken: true},
		"a 200 without status": {Body: "{}"},
		"an empty 200":         {Body: " "},
	} {
		t.Run(name, func(t *testing.T) {
			in := moengageintake.New(t)
			failures := failFirst(in, 2, reply)
			cfg := testConfig(in)
			if name == "no response" {
				cfg.ClientConfig.Timeout = 500 * time.Millisecond
			}
			e := start(t, cfg)
			e.Send(events("a", "b"))
			assert.EqualValues(t, 3, failures.Load())
			assert.Equal(t, map[string]int64{"delivered": 2}, e.Outcomes())
			requests := in.Requests()
			require.Len(t, requests, 3)
			assert.Equal(t, requests[0].Body, requests[2].Body, "the same bytes, and so the same event_id")
		})
	}
}

// failFirst responds to the first n requests with the reply, and counts all.
func failFirst(in *moengageintake.Intake, n int64, reply moengageintake.Reply) *atomic.Int64 {
	var count atomic.Int64
	in.ReplyWith(func(moengageintake.Request) moengageintake.Reply {
		if count.Add(1) <= n {
			return reply
		}
		return moengageintake.Reply{}
	})
	return &count
}

func TestRetryAmbiguousFalseGivesEventsUp(t *testing.T) {
	for name, c := range map[string]struct {
		reply   moengageintake.Reply
		message string
	}{
		"no response":         {moengageintake.Hung(), "sending the request: no response within the timeout; it may have arrived, so it is not sent again"},
		"a broken connection": {moengageintake.Reset(), "it may have arrived, so it is not sent again"},
		"504":                 {moengageintake.Reply{Status: 504}, "the backend answered 504; it may have arrived, and retry_ambiguous is false"},
		"a page":              {moengageintake.Reply{Body: "<html>"}, "the backend answered 200; the body does not report success; it may have arrived, and retry_ambiguous is false"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, mode := range []Mode{ModeBulk, ModeSingle} {
				in := moengageintake.New(t)
				failFirst(in, 1, c.reply)
				cfg := testConfig(in)
				cfg.Mode = mode
				if name == "no response" {
					cfg.ClientConfig.Timeout = 500 * time.Millisecond
				}
				cfg.RetryAmbiguous = false
				e := start(t, cfg)
				e.Send(events("a"))
				assert.Len(t, in.Requests(), 1)
				assert.Equal(t, map[string]int64{"dead_lettered/exhausted": 1}, e.Outcomes())
				assert.Contains(t, e.Letters.All()[0].Message, c.message)
				e.Send(events("b"))
				assert.Equal(t, map[string]int64{"dead_lettered/exhausted": 1, "delivered": 1}, e.Outcomes())
			}
		})
	}
}

func TestRetryAmbiguousFalseStillRetriesFailures(t *testing.T) {
	in := moengageintake.New(t)
	failFirst(in, 2, moengageintake.Unavailable())
	cfg := testConfig(in)
	cfg.RetryAmbiguous = false
	e := start(t, cfg)
	e.Send(events("a"))
	assert.Equal(t, map[string]int64{"delivered": 1}, e.Outcomes())

	nobody := validConfig()
	nobody.ClientConfig.Endpoint = "http://127.0.0.1:1"
	nobody.RetryAmbiguous = false
	nobody.Delivery.Dispatch = delivery.DispatchSync
	nobody.Delivery.RetryConfig.Enabled = false
	err := start(t, nobody).Consume(t.Context(), events("a"))
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "may have arrived", "nothing was written")
}

func TestRefusedEventCostsNoOther(t *testing.T) {
	for _, mode := range []Mode{ModeBulk, ModeSingle} {
		in := moengageintake.New(t)
		in.ReplyWith(func(r moengageintake.Request) moengageintake.Reply {
			for _, action := range r.Content.Actions {
				if action.Name == "bad" {
					return moengageintake.BadRequest("no such event")
				}
			}
			return moengageintake.Reply{}
		})
		cfg := testConfig(in)
		cfg.Mode = mode
		e := start(t, cfg)
		e.Send(events("a", "b", "bad", "c", "d"))
		assert.Equal(t, []string{"id-a", "id-b", "id-c", "id-d"}, ids(in), "in their order")
		assert.Equal(t, map[string]int64{"delivered": 4, "dead_lettered/refused": 1}, e.Outcomes())
		letter := e.Letters.All()[0]
		assert.Equal(t, "bad", letter.Name)
		assert.Equal(t, `the backend answered 400: {"error":{"message":"no such event","request_id":"fbkHZtPx","type":"Bad Request"},"status":"fail"}`, letter.Message)
		assert.JSONEq(t, `{"type":"event","customer_id":"u1","actions":[{"action":"bad","attributes":{"event_id":"id-bad","note":"`+bodySecret+`"},"current_time":"2023-11-14T22:13:20.123Z"}]}`, string(letter.Payload))

		in.ReplyWith(nil)
		replayed := e.Letters.Replay(t.Context())
		require.Len(t, replayed, 1)
		assert.Equal(t, "id-bad", ids(in)[4])
	}
}

func TestFailureIn200IsBisected(t *testing.T) {
	in := moengageintake.New(t)
	in.ReplyWith(func(r moengageintake.Request) moengageintake.Reply {
		if strings.Contains(string(r.Body), "bad") {
			return moengageintake.Reply{Body: `{"status":"failure","error":{"message":"x"}}`}
		}
		return moengageintake.Reply{}
	})
	e := start(t, testConfig(in))
	e.Send(events("a", "bad", "c"))
	assert.Equal(t, map[string]int64{"delivered": 2, "dead_lettered/refused": 1}, e.Outcomes())
}

func TestUnknownCredentials(t *testing.T) {
	in := moengageintake.New(t)
	cfg := testConfig(in)
	cfg.APIKey = "another-data-api-key"
	e := start(t, cfg)
	e.Send(events("a", "b"))
	assert.Len(t, in.Requests(), 1, "nothing is sent again")
	assert.Equal(t, map[string]int64{"dead_lettered/unauthorized": 2}, e.Outcomes())
	assert.Equal(t, []string{"StatusRecoverableError: the backend answers 401: check the credentials"}, e.Statuses())
}

func TestSuspendedWorkspace(t *testing.T) {
	in := moengageintake.New(t)
	failFirst(in, 1, moengageintake.Forbidden())
	e := start(t, testConfig(in))
	e.Send(events("a"))
	assert.Equal(t, map[string]int64{"dead_lettered/unauthorized": 1}, e.Outcomes())
}

func Test413IsBisected(t *testing.T) {
	in := moengageintake.New(t)
	in.LimitBody(400)
	e := start(t, testConfig(in))
	ld := events("a", "b", "c", "d")
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(2).Attributes().PutStr("more", strings.Repeat("x", 300))
	e.Send(ld)
	assert.Equal(t, []string{"id-a", "id-b", "id-d"}, ids(in))
	assert.Equal(t, map[string]int64{"delivered": 3, "dead_lettered/too_large": 1}, e.Outcomes())
}

func TestTooLargeEventIsRefusedWithoutARequest(t *testing.T) {
	in := moengageintake.New(t)
	e := start(t, testConfig(in))
	ld := events("a", "huge", "b")
	for i := range 90 {
		ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1).Attributes().PutStr(fmt.Sprintf("%03d%s", i, strings.Repeat("日", 190)), strings.Repeat("本", 512))
	}
	e.Send(ld)
	assert.Equal(t, []string{"id-a", "id-b"}, ids(in))
	assert.Equal(t, map[string]int64{"delivered": 2, "dead_lettered/too_large": 1}, e.Outcomes())
}

func TestVerifyFindsEventsThatBulkHides(t *testing.T) {
	in := moengageintake.New(t)
	var single atomic.Int64
	in.ReplyWith(func(r moengageintake.Request) moengageintake.Reply {
		if r.Route == moengageintake.RouteBulk {
			return moengageintake.Reply{}
		}
		single.Add(1)
		return moengageintake.BadRequest("event is blocked")
	})
	cfg := testConfig(in)
	cfg.Verify = 0.1
	e := start(t, cfg)
	e.Send(numbered(2000, 100))
	n := single.Load()
	assert.InDelta(t, 200, n, 60, "about the configured share")
	assert.Equal(t, map[string]int64{"delivered": 2000 - n, "dead_lettered/refused": n}, e.Outcomes())
	inOrder(t, in, 2000-int(n))
}

func TestVerifyNoneOrAll(t *testing.T) {
	for share, want := range map[float64]moengageintake.Route{0: moengageintake.RouteBulk, 1: moengageintake.RouteEvent} {
		in := moengageintake.New(t)
		cfg := testConfig(in)
		cfg.Verify = share
		e := start(t, cfg)
		e.Send(numbered(20, 3))
		for _, r := range in.Requests() {
			assert.Equal(t, want, r.Route)
		}
		inOrder(t, in, 20)
	}
}

func TestWaitingCallersGetTheError(t *testing.T) {
	in := moengageintake.New(t)
	failFirst(in, 1, moengageintake.BadRequest("no"))
	cfg := testConfig(in)
	cfg.Delivery.Dispatch = delivery.DispatchSync
	e := start(t, cfg)
	require.ErrorContains(t, e.Consume(t.Context(), events("a")), "1 of 1 events refused: the backend answered 400")
}

func TestCompressionIsOptIn(t *testing.T) {
	in := moengageintake.New(t)
	in.AllowCompression()
	cfg := testConfig(in)
	cfg.ClientConfig.Compression = "gzip"
	e := start(t, cfg)
	e.Send(numbered(100, 10))
	inOrder(t, in, 100)
	assert.Equal(t, "gzip", in.Requests()[0].Header.Get("Content-Encoding"))
}

func TestWorstCorrectionIsLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestBackend(t, validConfig())
		logger, logs := observed()
		b.corrections.logger = logger
		for range 3 {
			b.corrections.add(&tally{correctedValue: 2, correctedPeriod: 100, correctedArrayType: 7})
			time.Sleep(25 * time.Second)
		}
		require.Equal(t, 2, logs.Len())
		assert.Equal(t, map[string]any{"worst": "long_value", "times": int64(2), "what_to_do": advice[correctedValue], "corrections": int64(9)}, logs.All()[0].ContextMap())
		assert.Equal(t, int64(4), logs.All()[1].ContextMap()["times"])
		time.Sleep(time.Hour)
		b.corrections.add(&tally{correctedPeriod: 1})
		assert.Equal(t, 2, logs.Len(), "corrections that lose nothing are not logged")
	})
}

func TestCorrectionsAreCountedOnce(t *testing.T) {
	in := moengageintake.New(t)
	e := start(t, testConfig(in))
	for range 3 {
		ld := events("a")
		ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().PutStr("long", strings.Repeat("x", 600))
		e.Send(ld)
	}
	assert.Equal(t, map[string]int64{"long_value": 3}, e.Counts("otelcol_fanout_moengage_corrections_total", "reason"))
	e.Stop()
	logged := e.Logs.FilterMessageSnippet("Events were corrected").All()
	require.Len(t, logged, 2, "the first at once, and the others at shutdown")
	assert.EqualValues(t, 2, logged[1].ContextMap()["corrections"])
}

func TestEveryCorrectionHasWordAndAdvice(t *testing.T) {
	for c := range numCorrections {
		assert.NotEmpty(t, correctionWords[c], c)
		assert.Equal(t, c < firstHarmless, advice[c] != "", c)
	}
}

// Several goroutines add the same new names at the same time.
func TestNamesAreCountedOnce(t *testing.T) {
	s := &limitedNames{max: 100}
	done := make(chan int)
	for range 4 {
		go func() {
			admitted := 0
			for i := range 200 {
				if s.admit(fmt.Sprint(i)) {
					admitted++
				}
			}
			done <- admitted
		}()
	}
	for range 4 {
		assert.Equal(t, 100, <-done)
	}
	assert.True(t, s.admit("99"))
	assert.False(t, s.admit("100"))
}

func TestKnownNameIsSentAtTheLimit(t *testing.T) {
	in := moengageintake.New(t)
	cfg := testConfig(in)
	cfg.EventNames.Max = 3
	e := start(t, cfg)
	for i := range 50 {
		e.Send(events(fmt.Sprintf("name-%d", i%3)))
	}
	e.Send(events("name-3"))
	assert.Equal(t, map[string]int64{"delivered": 50, "skipped/event_name_limit": 1}, e.Outcomes())
}
