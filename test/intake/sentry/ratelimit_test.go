// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// later returns a header with a later sent_at.
func later(header string, d time.Duration) string {
	return strings.Replace(header, "2026-01-02T03:04:05.25Z", now.Add(d).Format(time.RFC3339Nano), 1)
}

func TestRateLimitsAreEnforced(t *testing.T) {
	const minute = time.Minute
	for _, test := range []struct {
		name      string
		reply     Reply
		after     time.Duration
		item      string
		forbidden bool
	}{
		{"a category, at once", RateLimited("60:error:organization"), 0, item("event", event), true},
		{"a category, before the end", RateLimited("60:error:organization"), minute - 1, item("event", event), true},
		{"a category, at the end", RateLimited("60:error:organization"), minute, item("event", event), false},
		{"another category", RateLimited("60:transaction:organization"), 0, item("event", event), false},
		{"one of several categories", RateLimited("60:transaction;error;log_item:organization"), 0, item("event", event), true},
		{"one of several limits", RateLimited("10:error:key, 60:log_item:organization"), 30 * time.Second, container("log", log), true},
		{"a limit that ended before another", RateLimited("10:error:key, 60:log_item:organization"), 30 * time.Second, item("event", event), false},
		{"a category of bytes", RateLimited("60:log_byte:organization"), 0, container("log", log), true},
		{"no category, which means all", RateLimited("60::organization"), 0, container("log", log), true},
		{"no category, for a client report", RateLimited("60::organization"), 0, item("client_report", report), false},
		{"an unknown category", RateLimited("60:unicorn:organization"), 0, item("event", event), false},
		{"a known category among unknown ones", RateLimited("60:unicorn;error:organization"), 0, item("event", event), true},
		{"a fraction of a second", RateLimited("0.5:error:organization"), 499 * time.Millisecond, item("event", event), true},
		{"a fraction of a second, at its end", RateLimited("0.5:error:organization"), 500 * time.Millisecond, item("event", event), false},
		{"a 200 with limits", LimitsFromNowOn("60:error:organization:quota:custom"), 0, item("event", event), true},
		{"a 503 with limits", Reply{Status: 503, Header: http.Header{"X-Sentry-Rate-Limits": {"60:error:key"}}}, 0, item("event", event), true},
		{"limits in two headers", Reply{Status: 429, Header: http.Header{"X-Sentry-Rate-Limits": {"60:span:key", "60:error:key"}}}, 0, item("event", event), true},
		{"the header before Retry-After", Reply{Status: 429, Header: http.Header{"X-Sentry-Rate-Limits": {"60:span:key"}, "Retry-After": {"60"}}}, 0, item("event", event), false},
		{"Retry-After", RetryAfter("30"), 29 * time.Second, item("event", event), true},
		{"Retry-After, at its end", RetryAfter("30"), 30 * time.Second, item("event", event), false},
		{"Retry-After as a date", RetryAfter(now.Add(minute).Format(http.TimeFormat)), minute - 1, item("event", event), true},
		{"Retry-After as a date, at its end", RetryAfter(now.Add(minute).Format(http.TimeFormat)), minute, item("event", event), false},
		{"a bare 429", TooManyRequests(), minute - 1, item("event", event), true},
		{"a bare 429, after a minute", TooManyRequests(), minute, item("event", event), false},
		{"Retry-After with a 503, which limits nothing", Reply{Status: 503, Header: http.Header{"Retry-After": {"60"}}}, 0, item("event", event), false},
		{"a limit in a response that was lost", Reply{Reset: true, Status: 429}, 0, item("event", event), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := NewRecording(t)
			setClock := at(in)
			in.ReplyWith(func(Envelope) Reply { return test.reply })
			_, _ = standin.Send(newRequest(t, in, []byte(envelope(header, item("client_report", report)))))
			in.ReplyWith(nil)
			setClock(test.after)
			a := send(t, in, envelope(later(headerFor(test.item), test.after), test.item))
			if !test.forbidden {
				assert.Empty(t, in.Violations())
				assert.Equal(t, 200, a.Status)
				return
			}
			require.Len(t, in.Violations(), 1)
			assert.Equal(t, RuleRateLimit, in.Violations()[0].Rule)
			assert.Equal(t, 429, a.Status)
			assert.NotEmpty(t, a.Header.Get("X-Sentry-Rate-Limits"))
		})
	}
}

// headerFor returns the header that an item needs.
func headerFor(item string) string {
	if strings.Contains(item, `"event"`) {
		return withoutDSN
	}
	return header
}

func TestRateLimitsArePerProject(t *testing.T) {
	in := New(t, Project{ID: "42", PublicKey: "examplepublickey"}, Project{ID: "43", PublicKey: "otherpublickey"})
	at(in)
	in.ReplyWith(func(e Envelope) Reply {
		if e.Project == "42" {
			return TooManyRequests()
		}
		return OK()
	})
	raw := []byte(envelope(header, container("log", log)))
	a, err := standin.Send(newRequest(t, in, raw))
	require.NoError(t, err)
	assert.Equal(t, 429, a.Status)
	r := newRequest(t, in, raw)
	r.URL.Path = "/api/43/envelope/"
	r.Header.Set("X-Sentry-Auth", strings.Replace(goodAuth, "examplepublickey", "otherpublickey", 1))
	a, err = standin.Send(r)
	require.NoError(t, err)
	assert.Equal(t, 200, a.Status)
}

func TestLongerRateLimitWins(t *testing.T) {
	in := NewRecording(t)
	setClock := at(in)
	for _, limits := range []string{"60:error:key", "10:error:key"} {
		in.ReplyWith(func(Envelope) Reply { return LimitsFromNowOn(limits) })
		send(t, in, envelope(header, item("client_report", report)))
	}
	setClock(30 * time.Second)
	send(t, in, envelope(later(withoutDSN, 30*time.Second), item("event", event)))
	require.Len(t, in.Violations(), 1)
	assert.Equal(t, RuleRateLimit, in.Violations()[0].Rule)
}

func TestRequestsInFlightBreakNoRateLimit(t *testing.T) {
	in := New(t)
	at(in)
	asked, answered := make(chan struct{}), make(chan struct{})
	in.ReplyWith(func(e Envelope) Reply {
		if len(e.Of("span")) == 1 {
			close(asked)
			<-answered
			return OK()
		}
		return RateLimited("60:span:key")
	})
	done := make(chan standin.Response)
	r := newRequest(t, in, []byte(envelope(headerWithTrace, container("span", span))))
	go func() {
		a, err := standin.Send(r)
		assert.NoError(t, err)
		done <- a
	}()
	<-asked
	send(t, in, envelope(header, item("client_report", report)))
	close(answered)
	assert.Equal(t, 200, (<-done).Status)
}

func TestGraceAllowsLateRequests(t *testing.T) {
	in := New(t)
	at(in)
	in.Grace(time.Hour)
	in.ReplyWith(func(Envelope) Reply { return RateLimited("60:span:key") })
	send(t, in, envelope(header, item("client_report", report)))
	in.ReplyWith(nil)
	assert.Equal(t, 429, send(t, in, envelope(headerWithTrace, container("span", span))).Status)
	assert.Empty(t, in.Spans())
}
