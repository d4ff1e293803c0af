// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
	posthogintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/posthog"
)

const bodySecret = "only-for-the-backend"

func testConfig(in *posthogintake.Intake) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.APIKey = configopaque.String(posthogintake.Key)
	cfg.ClientConfig.Endpoint = in.URL()
	cfg.Delivery.DeadLetter = deliverytest.DeadLetterID()
	cfg.Delivery.RetryConfig.MaxElapsedTime = 10 * time.Second
	cfg.Delivery.MaxInFlight = 1
	deliverytest.Hasten(&cfg.Delivery.QueueConfig, &cfg.Delivery.RetryConfig)
	return cfg
}

func setup(cfg *Config) deliverytest.Setup {
	return deliverytest.Setup{
		Factory: NewFactory(), Config: cfg, Credentials: []string{posthogintake.Key}, Values: []string{bodySecret},
	}
}

// record appends a record to ld and returns it.
func record(ld plog.Logs, name, uid string) plog.LogRecord {
	if ld.ResourceLogs().Len() == 0 {
		ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	}
	r := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty()
	r.SetEventName(name)
	r.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	r.Attributes().PutStr("log.record.uid", uid)
	r.Attributes().PutStr("user.id", "u1")
	r.Attributes().PutStr("note", bodySecret)
	return r
}

// events returns one record for each name.
func events(names ...string) plog.Logs {
	ld := plog.NewLogs()
	for _, name := range names {
		record(ld, name, "id-"+name)
	}
	return ld
}

func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("e%04d", i)
	}
	return names
}

func names(events []posthogintake.Event) []string {
	all := []string{}
	for i := range events {
		all = append(all, events[i].Name)
	}
	return all
}

// got returns the names of the events of each request.
func got(in *posthogintake.Intake) [][]string {
	var all [][]string
	for _, r := range in.Requests() {
		all = append(all, names(r.Events))
	}
	return all
}

func eachProtocol(t *testing.T, test func(t *testing.T, in *posthogintake.Intake, cfg *Config)) {
	t.Helper()
	for _, protocol := range []Protocol{ProtocolBatch, ProtocolV1} {
		t.Run(string(protocol), func(t *testing.T) {
			in := posthogintake.New(t)
			cfg := testConfig(in)
			cfg.Protocol = protocol
			test(t, in, cfg)
		})
	}
}

// first makes the intake reply to the first n requests with reply, and accept all others.
func first(in *posthogintake.Intake, n int32, reply posthogintake.Reply) {
	var requests atomic.Int32
	in.ReplyWith(func(posthogintake.Request) posthogintake.Reply {
		if requests.Add(1) <= n {
			return reply
		}
		return posthogintake.OK()
	})
}

func TestTransientFailuresAreRetriedUnchanged(t *testing.T) {
	for name, reply := range map[string]posthogintake.Reply{
		"408": posthogintake.Failure(408, "client stopped sending data"), "500": posthogintake.Failure(500, "internal"),
		"502": posthogintake.Failure(502, "<html>"), "503": posthogintake.Error(503, "service_unavailable").Within("0.001"),
		"504":          posthogintake.Error(504, "gateway_timeout"),
		"429 by tag":   posthogintake.Error(429, "rate_limited").Within("0.001"),
		"429 in words": posthogintake.Failure(429, "rate limited"),
		"reset":        posthogintake.Reset(), "lost response": posthogintake.Lost(), "garbage": posthogintake.Garbage(),
		"200 of another server": {Body: `{"error":"no such page"}`, NotTaken: true}, "200 with a page": {Body: "<html>", NotTaken: true}, "null": {Body: "null", NotTaken: true}, "a status of 0": {Body: `{"status":0,"results":{}}`, NotTaken: true},
		"an empty 200": {Body: " ", NotTaken: true}, "204": {Status: 204},
		"hung": func() posthogintake.Reply { r, _ := posthogintake.Hung(); return r }(),
	} {
		t.Run(name, func(t *testing.T) {
			eachProtocol(t, func(t *testing.T, in *posthogintake.Intake, cfg *Config) {
				first(in, 2, reply)
				if reply.Hang != nil {
					cfg.ClientConfig.Timeout = 500 * time.Millisecond
				}
				e := setup(cfg).StartLogs(t)
				e.Send(events("a", "b"))
				assert.Equal(t, map[string]int64{"delivered": 2}, e.Outcomes())
				requests := in.Requests()
				require.Len(t, requests, 3)
				assert.Equal(t, []string{"a", "b"}, names(in.Events()))
				assert.Equal(t, requests[0].Body, requests[2].Body, "to the byte, created_at included")
				assert.Equal(t, requests[0].RequestID, requests[2].RequestID)
			})
		})
	}
}

func TestRefusedEventsAreReplayedUnchanged(t *testing.T) {
	for name, c := range map[string]struct {
		reply   posthogintake.Reply
		reason  string
		message string
	}{
		"an empty name":     {posthogintake.Failure(400, "event submitted with an empty event name"), "refused", "the backend answered 400: event submitted with an empty event name"},
		"parsing":           {posthogintake.Error(400, "request_parsing_error"), "refused", "request_parsing_error"},
		"headers":           {posthogintake.Error(400, "missing_required_headers"), "refused", "does a proxy remove headers?"},
		"an unknown key":    {posthogintake.Failure(401, "API key is not valid: "+posthogintake.Key), "unauthorized", "the backend answered 401: API key is not valid: [REDACTED]; check that api_key is"},
		"an invalid token":  {posthogintake.Error(401, "invalid_api_token"), "unauthorized", "which begins with phc_"},
		"402":               {posthogintake.Error(402, "billing"), "rate_limited", "raise the billing limit in PostHog, then replay the dead letters"},
		"billing in words":  {posthogintake.Failure(429, "billing limit reached"), "rate_limited", "raise the billing limit"},
		"billing by tag":    {posthogintake.Error(429, "billing_limit_exceeded"), "rate_limited", "raise the billing limit"},
		"404":               {posthogintake.Failure(404, ""), "refused", "write protocol: batch, which every server supports"},
		"413":               {posthogintake.Failure(413, "maximum event size exceeded: 1"), "too_large", "to a request of"},
		"415":               {posthogintake.Error(415, "unsupported_encoding"), "refused", "write compression: gzip"},
		"a redirect":        {posthogintake.Redirect(302, "http://127.0.0.1:1/"), "redirected", "redirects are not followed"},
		"the private hosts": {posthogintake.Failure(403, "CSRF"), "unauthorized", "check that api_key is"},
	} {
		t.Run(name, func(t *testing.T) {
			eachProtocol(t, func(t *testing.T, in *posthogintake.Intake, cfg *Config) {
				in.ReplyWith(func(posthogintake.Request) posthogintake.Reply { return c.reply })
				e := setup(cfg).StartLogs(t)
				e.Send(events("a"))
				assert.Equal(t, []string{"a:" + c.reason}, e.Letters.Reasons())
				assert.Contains(t, e.Letters.All()[0].Message, c.message)
				require.Len(t, in.Requests(), 1)

				in.ReplyWith(nil)
				replayed := e.Letters.Replay(t.Context())
				require.Len(t, replayed, 1)
				requests := in.Requests()
				require.Len(t, requests, 2)
				assert.Equal(t, string(requests[0].Events[0].Raw), string(requests[1].Events[0].Raw), "the same uuid, event, distinct_id and timestamp")
			})
		})
	}
}

func TestBadEventCostsNoOther(t *testing.T) {
	eachProtocol(t, func(t *testing.T, in *posthogintake.Intake, cfg *Config) {
		in.ReplyWith(func(r posthogintake.Request) posthogintake.Reply {
			if slices.Contains(names(r.Events), "e0037") {
				return posthogintake.Failure(400, "invalid event could not be processed")
			}
			return posthogintake.OK()
		})
		e := setup(cfg).StartLogs(t)
		e.Send(events(numbered(100)...))
		assert.Equal(t, map[string]int64{"delivered": 99, "dead_lettered/refused": 1}, e.Outcomes())
		assert.Equal(t, []string{"e0037:refused"}, e.Letters.Reasons())
		assert.Len(t, in.Events(), 99)
		assert.LessOrEqual(t, len(in.Requests()), 15)
	})
}

func Test413IsBisected(t *testing.T) {
	eachProtocol(t, func(t *testing.T, in *posthogintake.Intake, cfg *Config) {
		in.LimitBody(2000)
		e := setup(cfg).StartLogs(t)
		e.Send(events(numbered(20)...))
		assert.Equal(t, map[string]int64{"delivered": 20}, e.Outcomes())
	})
}

func TestBillingLimitIsReadFrom200(t *testing.T) {
	for name, c := range map[string]struct {
		resources []string
		want      map[string]int64
	}{
		"events":           {[]string{"events"}, map[string]int64{"dead_lettered/rate_limited": 4}},
		"unknown resource": {[]string{"something_new"}, map[string]int64{"dead_lettered/rate_limited": 4}},
		"exceptions":       {[]string{"exceptions"}, map[string]int64{"delivered": 3, "dead_lettered/rate_limited": 1}},
		"surveys":          {[]string{"surveys"}, map[string]int64{"delivered": 3, "dead_lettered/rate_limited": 1}},
		"language models":  {[]string{"llm_events"}, map[string]int64{"delivered": 3, "dead_lettered/rate_limited": 1}},
		"two resources":    {[]string{"surveys", "exceptions"}, map[string]int64{"delivered": 2, "dead_lettered/rate_limited": 2}},
		"recordings":       {[]string{"recordings"}, map[string]int64{"delivered": 4}},
		"no resource":      {[]string{}, map[string]int64{"delivered": 4}},
	} {
		t.Run(name, func(t *testing.T) {
			in := posthogintake.New(t)
			in.ReplyWith(func(posthogintake.Request) posthogintake.Reply { return posthogintake.QuotaLimited(c.resources...) })
			e := setup(testConfig(in)).StartLogs(t)
			ld := events("a", "survey sent", "$ai_feedback")
			ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(2).Attributes().PutStr("$ai_trace_id", "t")
			record(ld, "", "id-x").Attributes().PutStr("exception.type", "E")
			e.Send(ld)
			assert.Equal(t, c.want, e.Outcomes())
			assert.Len(t, in.Requests(), 1)
			for _, letter := range e.Letters.All() {
				assert.Equal(t, fmt.Sprintf("the backend answered 200, but stored none of %q, which are beyond the billing limit; raise the billing limit in PostHog, then replay the dead letters", c.resources), letter.Message)
			}
		})
	}
}

func TestOtherServersThatConfirmAreTakenAtTheirWord(t *testing.T) {
	for _, body := range []string{`{}`, `{"id":"0"}`, `{"ok":true}`} {
		in := posthogintake.New(t)
		in.ReplyWith(func(posthogintake.Request) posthogintake.Reply {
			return posthogintake.Reply{Body: body, NotTaken: true}
		})
		e := setup(testConfig(in)).StartLogs(t)
		e.Send(events("a", "b"))
		assert.Equal(t, map[string]int64{"delivered": 2}, e.Outcomes(), body)
		assert.Len(t, in.Requests(), 1)
		lines := e.Logs.FilterMessageSnippet("check that endpoint is a PostHog server").All()
		require.Len(t, lines, 1)
		assert.Equal(t, map[string]any{"endpoint": in.URL() + "/batch/", "events": int64(2)}, lines[0].ContextMap())
	}
}

func TestMessagesFrom200RedactTheKey(t *testing.T) {
	eachProtocol(t, func(t *testing.T, in *posthogintake.Intake, cfg *Config) {
		in.Plan("a", posthogintake.Result{Result: "drop", Details: "of the project " + posthogintake.Key})
		in.ReplyWith(func(r posthogintake.Request) posthogintake.Reply {
			if r.Protocol == posthogintake.V1 {
				return posthogintake.OK()
			}
			return posthogintake.QuotaLimited("events of " + posthogintake.Key)
		})
		e := setup(cfg).StartLogs(t)
		e.Send(events("a"))
		assert.Contains(t, e.Letters.All()[0].Message, "[REDACTED]")
	})
}

func TestEachEventHasItsOwnResult(t *testing.T) {
	in := posthogintake.New(t)
	in.Plan("again", posthogintake.Result{Result: "retry", Details: posthogintake.DetailsNotPersisted}, posthogintake.Result{Result: "retry"})
	in.Plan("warned", posthogintake.Result{Result: "warning", Details: posthogintake.DetailsNoPerson})
	in.Plan("bad", posthogintake.Result{Result: "drop", Details: posthogintake.DetailsMalformed})
	in.Plan("big", posthogintake.Result{Result: "drop", Details: posthogintake.DetailsEventTooBig})
	in.Plan("over", posthogintake.Result{Result: "limited"})
	in.Plan("strange", posthogintake.Result{Result: "deferred", Details: "until tomorrow"})
	cfg := testConfig(in)
	cfg.Protocol = ProtocolV1
	e := setup(cfg).StartLogs(t)
	e.Send(events("fine", "again", "warned", "bad", "big", "over", "strange", "good"))

	assert.Equal(t, [][]string{{"fine", "again", "warned", "bad", "big", "over", "strange", "good"}, {"again"}, {"again"}}, got(in), "only events with the result retry are resent")
	assert.Equal(t, map[string]int64{"delivered": 4, "dead_lettered/refused": 2, "dead_lettered/too_large": 1, "dead_lettered/rate_limited": 1}, e.Outcomes())
	assert.Equal(t, []string{"bad:refused", "big:too_large", "over:rate_limited", "strange:refused"}, e.Letters.Reasons())
	messages := map[string]string{}
	for _, letter := range e.Letters.All() {
		messages[letter.Name] = letter.Message
	}
	assert.Equal(t, map[string]string{
		"bad": "the backend dropped the event: malformed_event_properties", "big": "the backend dropped the event: event_too_big",
		"over":    "the event is beyond a limit of the project; raise the billing limit in PostHog, then replay the dead letters",
		"strange": `the backend answered with the result "deferred": until tomorrow`,
	}, messages)
	requests := in.Requests()
	for i, r := range requests {
		assert.Equal(t, requests[0].RequestID, r.RequestID)
		assert.Equal(t, requests[0].CreatedAt, r.CreatedAt)
		assert.Equal(t, i+1, r.Attempt)
	}
}

func TestRetryAfterOfV1IsHonored(t *testing.T) {
	in := posthogintake.New(t)
	in.ReplyWith(func(posthogintake.Request) posthogintake.Reply { return posthogintake.OK().Within("0.3") })
	in.Plan("again", posthogintake.Result{Result: "retry"})
	cfg := testConfig(in)
	cfg.Protocol = ProtocolV1
	cfg.Delivery.RetryConfig.MaxInterval = time.Second
	started := time.Now()
	e := setup(cfg).StartLogs(t)
	e.Send(events("again"))
	assert.GreaterOrEqual(t, time.Since(started), 300*time.Millisecond)
}

func TestTruncatedResultsAreRetried(t *testing.T) {
	in := posthogintake.New(t)
	var cut atomic.Bool
	in.ReplyWith(func(r posthogintake.Request) posthogintake.Reply {
		if cut.Swap(true) {
			return posthogintake.OK()
		}
		return posthogintake.Reply{Body: `{"more":[1],"results":{"` + r.Events[0].UUID + `":{"result":"ok"},"no uuid":{"result":"ok"},"` + r.Events[1].UUID + `":{"resu`, NotTaken: true}
	})
	cfg := testConfig(in)
	cfg.Protocol = ProtocolV1
	e := setup(cfg).StartLogs(t)
	e.Send(events("a", "b", "c"))
	assert.Equal(t, [][]string{{"a", "b", "c"}, {"b", "c"}}, got(in))
	assert.Equal(t, map[string]int64{"delivered": 3}, e.Outcomes())
}

// Delivery reads 64 KiB of a response, which must hold the results of a full request.
func TestLongestResponseIsRead(t *testing.T) {
	in := posthogintake.New(t)
	all := numbered(maxV1Events)
	for _, name := range all {
		in.Plan(name, posthogintake.Result{Result: "warning", Details: posthogintake.DetailsNoPerson})
	}
	cfg := testConfig(in)
	cfg.Protocol = ProtocolV1
	e := setup(cfg).StartLogs(t)
	e.Send(events(all...))
	assert.Len(t, in.Requests(), 1)
	assert.Equal(t, map[string]int64{"delivered": maxV1Events}, e.Outcomes())
}

func TestUnknownKeySetsTheStatus(t *testing.T) {
	in := posthogintake.New(t)
	in.ReplyWith(func(posthogintake.Request) posthogintake.Reply {
		return posthogintake.Failure(401, "API key is not valid")
	})
	e := setup(testConfig(in)).StartLogs(t)
	e.Send(events("a", "b"))
	assert.Len(t, in.Requests(), 1, "nothing is sent again")
	assert.Equal(t, map[string]int64{"dead_lettered/unauthorized": 2}, e.Outcomes())
	assert.Equal(t, []string{"StatusRecoverableError: the backend answers 401: check the credentials"}, e.Statuses())
}

func TestWaitingCallersGetTheError(t *testing.T) {
	eachProtocol(t, func(t *testing.T, in *posthogintake.Intake, cfg *Config) {
		in.ReplyWith(func(posthogintake.Request) posthogintake.Reply {
			return posthogintake.Failure(401, "API key is not valid: "+posthogintake.Key)
		})
		cfg.Delivery.Dispatch = delivery.DispatchSync
		e := setup(cfg).StartLogs(t)
		require.ErrorContains(t, e.Consume(t.Context(), events("a")), "check that api_key is")
	})
}

func TestRestartSendsTheSameEvents(t *testing.T) {
	eachProtocol(t, func(t *testing.T, in *posthogintake.Intake, cfg *Config) {
		in.ReplyWith(func(posthogintake.Request) posthogintake.Reply {
			return posthogintake.Error(503, "service_unavailable")
		})
		cfg.Delivery.QueueConfig.Get().StorageID = deliverytest.StorageID()
		cfg.Delivery.ShutdownTimeout = time.Millisecond
		cfg.Delivery.RetryConfig.MaxElapsedTime = 0
		with := setup(cfg)
		with.Storage = t.TempDir()
		before := with.StartLogs(t)
		ld := events("a", "b")
		record(ld, "c", "").SetTimestamp(0) // gets the time of its arrival
		require.NoError(t, before.Consume(t.Context(), ld))
		before.WaitFor("an attempt", func() bool { return len(in.Requests()) > 0 })
		before.Stop()

		in.ReplyWith(nil)
		if cfg.Protocol == ProtocolBatch {
			cfg.Protocol = ProtocolV1 // queued events keep their protocol
		} else {
			cfg.Protocol = ProtocolBatch
		}
		after := with.StartLogs(t)
		after.WaitFor("the pending events", func() bool { return len(in.Events()) >= 3 })
		requests := in.Requests()
		old, now := requests[0], requests[len(requests)-1]
		require.Len(t, old.Events, 3)
		require.Len(t, now.Events, 3)
		for i := range old.Events {
			assert.Equal(t, string(old.Events[i].Raw), string(now.Events[i].Raw), "to the byte")
		}
		assert.Equal(t, old.Protocol, now.Protocol)
	})
}

func TestResentRecordIsTheSameEvent(t *testing.T) {
	in := posthogintake.New(t)
	in.AllowResending()
	e := setup(testConfig(in)).StartLogs(t)
	e.Send(events("a"))
	ld := plog.NewLogs()
	record(ld, "a", "id-a").SetTimestamp(timeOf(t, in.Requests()[0].Events[0]))
	e.Send(ld)
	assert.Len(t, in.Events(), 1, "the intake compares uuid, event, distinct_id and timestamp")
}

func timeOf(t *testing.T, e posthogintake.Event) pcommon.Timestamp {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, e.Timestamp)
	require.NoError(t, err)
	return pcommon.NewTimestampFromTime(at)
}

func TestHistoricalEventsHaveSeparateRequests(t *testing.T) {
	eachProtocol(t, func(t *testing.T, in *posthogintake.Intake, cfg *Config) {
		e := setup(cfg).StartLogs(t)
		ld := events("new", "old", "older", "newer", "future")
		records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		records.At(1).SetTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-49 * time.Hour)))
		records.At(2).SetTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-1000 * time.Hour)))
		records.At(3).SetTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-47 * time.Hour)))
		records.At(4).SetTimestamp(math.MaxUint64)
		e.Send(ld)
		assert.Equal(t, [][]string{{"new", "newer", "future"}, {"old", "older"}}, got(in))
		assert.False(t, in.Requests()[0].Historical)
		assert.True(t, in.Requests()[1].Historical)
	})
}

func TestHistoricalNeverSharesRequests(t *testing.T) {
	in := posthogintake.New(t)
	cfg := testConfig(in)
	cfg.HistoricalMigration = HistoricalNever
	e := setup(cfg).StartLogs(t)
	ld := events("new", "old")
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1).SetTimestamp(1700000000000000000)
	e.Send(ld)
	assert.Equal(t, [][]string{{"new", "old"}}, got(in))
}

func TestUnencodableRecordsAreDeadLettered(t *testing.T) {
	long := strings.Repeat("x", 201)
	for name, c := range map[string]struct {
		change func(r plog.LogRecord)
		want   string
	}{
		"a long name":             {func(r plog.LogRecord) { r.SetEventName(long) }, "the name has 201 bytes, but PostHog accepts at most 200; shorten it, or map it to another name in event_names::map"},
		"a non-ASCII name":        {func(r plog.LogRecord) { r.SetEventName(strings.Repeat("é", 101)) }, "the name has 202 bytes"},
		"a name in invalid UTF-8": {func(r plog.LogRecord) { r.SetEventName(strings.Repeat("\xffx", 51)) }, "the name has 204 bytes"},
		"a long distinct ID":      {func(r plog.LogRecord) { r.Attributes().PutStr("user.id", long) }, "the distinct ID has 201 bytes, but PostHog accepts at most 200; shorten it, or list another attribute in distinct_id::from"},
		"identify without an ID":  {func(r plog.LogRecord) { kind(r, "identify").PutStr("user.id", "null") }, "an identify event needs the ID of a person, but has none that PostHog accepts; set user.id, or list its attribute in distinct_id::from"},
		"alias without an ID":     {func(r plog.LogRecord) { kind(r, "alias").PutStr("user.id", "") }, "an alias event needs the ID of a person"},
		"alias of itself":         {func(r plog.LogRecord) { kind(r, "alias").PutStr("fanout.previous_id", "u1") }, "an alias event needs a previous ID, but has none that PostHog accepts; set fanout.previous_id to another ID of the person"},
		"alias of an illegal ID":  {func(r plog.LogRecord) { kind(r, "alias").PutStr("fanout.previous_id", "undefined") }, "an alias event needs a previous ID"},
		"alias of a long ID":      {func(r plog.LogRecord) { kind(r, "alias").PutStr("fanout.previous_id", long) }, "the previous ID has 201 bytes, but PostHog accepts at most 200; shorten fanout.previous_id"},
		"identify of a long ID":   {func(r plog.LogRecord) { kind(r, "identify").PutStr("enduser.pseudo.id", long) }, "the previous ID has 201 bytes, but PostHog accepts at most 200; shorten enduser.pseudo.id"},
		"alias with a long ID": {func(r plog.LogRecord) {
			kind(r, "alias").PutStr("user.id", long)
			r.Attributes().PutStr("fanout.previous_id", "anon")
		}, "the distinct ID has 201 bytes"},
		"group without a group": {func(r plog.LogRecord) { kind(r, "group") }, "a group event needs a group; set fanout.groups to a map of group types to keys"},
		"group without a key":   {func(r plog.LogRecord) { kind(r, "group").PutEmptyMap("fanout.groups").PutDouble("company", 1.5) }, "a group event needs a group"},
		"group with a long key": {func(r plog.LogRecord) { kind(r, "group").PutEmptyMap("fanout.groups").PutStr("c", long) }, "the distinct ID of the group, $<type>_<key>, has 204 bytes, but PostHog accepts at most 200; shorten the type or the key in fanout.groups"},
		"an exception of a long ID": {func(r plog.LogRecord) {
			r.Attributes().PutStr("exception.type", "E")
			r.Attributes().PutStr("user.id", long)
		}, "the distinct ID has 201 bytes"},
		"an exception of a long name": {func(r plog.LogRecord) { r.Attributes().PutStr("exception.type", "E"); r.SetEventName(long) }, "the name has 201 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			in := posthogintake.New(t)
			e := setup(testConfig(in)).StartLogs(t)
			ld := events("fine", "bad")
			c.change(ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1))
			e.Send(ld)
			assert.Equal(t, map[string]int64{"delivered": 1, "dead_lettered/encoding": 1}, e.Outcomes())
			assert.Contains(t, e.Letters.All()[0].Message, c.want)
			assert.NotEmpty(t, e.Letters.All()[0].OTLP)
		})
	}
}

func kind(r plog.LogRecord, kind string) pcommon.Map {
	r.Attributes().PutStr("fanout.type", kind)
	return r.Attributes()
}

func TestNamesAndIDsMayHave200Bytes(t *testing.T) {
	in := posthogintake.New(t)
	e := setup(testConfig(in)).StartLogs(t)
	e.Send(func() plog.Logs {
		ld := plog.NewLogs()
		record(ld, strings.Repeat("n", 200), "a").Attributes().PutStr("user.id", strings.Repeat("u", 200))
		return ld
	}())
	assert.Len(t, in.Events(), 1)
}

func TestTooLargeExceptionIsTrimmed(t *testing.T) {
	in := posthogintake.New(t)
	e := setup(testConfig(in)).StartLogs(t)
	ld := plog.NewLogs()
	record(ld, "", "x").Attributes().PutStr("exception.stacktrace", deepStack(20))
	e.Send(ld)
	events := in.Events()
	require.Len(t, events, 1)
	list := events[0].Properties["$exception_list"].([]any)
	assert.Len(t, list, trimmedExceptions)
	frames := list[0].(map[string]any)["stacktrace"].(map[string]any)["frames"].([]any)
	require.Len(t, frames, trimmedFrames)
	assert.Contains(t, frames[trimmedFrames-1].(map[string]any)["resolved_name"], "method0", "the throwing frame")
	assert.Contains(t, frames[0].(map[string]any)["resolved_name"], "method399")
	assert.NotContains(t, events[0].Properties, "exception.stacktrace")
}

func TestTrimmedExceptionFitsWithTheRest(t *testing.T) {
	ld := plog.NewLogs()
	note := record(ld, "", "x").Attributes()
	note.PutStr("exception.stacktrace", deepStack(2))
	ld.ResourceLogs().At(0).Resource().Attributes().PutStr("service.name", strings.Repeat("s", 9000))
	b := benchBackend(t, func(*Config) {})
	around := len(encodeAll(t, b, ld)[0].Payload)
	trimmed := map[bool]int{}
	for size := maxEvent - around - 20_000; size < maxEvent-around+2000; size += 1000 {
		note.PutStr("note", strings.Repeat("n", size))
		payload := encodeAll(t, b, ld)[0].Payload
		require.LessOrEqual(t, len(payload), maxEvent)
		trimmed[len(payload) < size+around/2]++
	}
	assert.Len(t, trimmed, 2, "some events keep all frames, and some do not")
}

// deepStack returns a stack of exceptions with 400 frames each.
func deepStack(exceptions int) string {
	var stack strings.Builder
	stack.WriteString("java.lang.Error: deep")
	for cause := range exceptions {
		if cause > 0 {
			fmt.Fprintf(&stack, "\nCaused by: java.lang.Error: deeper %d", cause)
		}
		for i := range 400 {
			fmt.Fprintf(&stack, "\n\tat com.example.Deep%s.method%d(Deep.java:%d)", strings.Repeat("x", 80), i, i+1)
		}
	}
	return stack.String()
}

func TestTooLargeEventIsNotSent(t *testing.T) {
	eachProtocol(t, func(t *testing.T, in *posthogintake.Intake, cfg *Config) {
		e := setup(cfg).StartLogs(t)
		ld := events("a", "huge", "b")
		ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1).Attributes().PutStr("note", strings.Repeat("x", maxEvent))
		e.Send(ld)
		assert.Equal(t, []string{"huge:too_large"}, e.Letters.Reasons())
		assert.Regexp(t, `^the event has 900\d\d\d bytes, but PostHog accepts at most 900000$`, e.Letters.All()[0].Message)
		assert.Equal(t, [][]string{{"a", "b"}}, got(in))
	})
}

func TestLargeBatchIsCompressed(t *testing.T) {
	eachProtocol(t, func(t *testing.T, in *posthogintake.Intake, cfg *Config) {
		e := setup(cfg).StartLogs(t)
		e.Send(events(numbered(1200)...))
		assert.Len(t, in.Events(), 1200)
		for _, r := range in.Requests() {
			assert.Equal(t, "gzip", r.Header.Get("Content-Encoding"))
		}
	})
}

func TestOtherSpansAreSkipped(t *testing.T) {
	in := posthogintake.New(t)
	cfg := testConfig(in)
	cfg.AI.Enabled, cfg.Exceptions.Enabled = false, false
	e := setup(cfg).StartTraces(t)
	td := ptrace.NewTraces()
	spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	spans.AppendEmpty().SetName("gen_ai.chat")
	plain := spans.AppendEmpty()
	plain.Events().AppendEmpty().SetName("cache_miss")
	plain.Events().AppendEmpty().Attributes().PutStr("exception.type", "E")
	e.Send(td)
	assert.Equal(t, map[string]int64{"skipped/ai_off": 1, "skipped/other_span": 1, "skipped/span_event": 1, "skipped/exceptions_off": 1}, e.Outcomes())
	assert.Empty(t, in.Requests())
}

func TestUnencodableSpanIsDeadLettered(t *testing.T) {
	in := posthogintake.New(t)
	e := setup(testConfig(in)).StartTraces(t)
	td := ptrace.NewTraces()
	spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for i, id := range []string{"u1", strings.Repeat("u", 201), "u2"} {
		span := spans.AppendEmpty()
		span.SetTraceID([16]byte{1})
		span.SetSpanID([8]byte{byte(i + 1)})
		span.Attributes().PutStr("gen_ai.operation.name", "chat")
		span.Attributes().PutStr("user.id", id)
		span.Events().AppendEmpty().Attributes().PutStr("exception.type", "E")
	}
	e.Send(td)
	assert.Equal(t, map[string]int64{"delivered": 4, "dead_lettered/encoding": 1}, e.Outcomes())
}

func TestSpansWithoutIDsAreDeadLettered(t *testing.T) {
	in := posthogintake.New(t)
	e := setup(testConfig(in)).StartTraces(t)
	td := ptrace.NewTraces()
	spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for i := range 4 {
		span := spans.AppendEmpty()
		span.SetName("gen_ai.chat")
		span.SetTraceID([16]byte{byte(i & 1)})
		span.SetSpanID([8]byte{byte(i & 2)})
	}
	e.Send(td)
	assert.Equal(t, map[string]int64{"delivered": 1, "dead_lettered/encoding": 3}, e.Outcomes())
	assert.Equal(t, "the span has no trace ID or no span ID; OTLP requires both, and the uuid is derived from them", e.Letters.All()[0].Message)
}

func TestLogsAndTracesShareAnExporter(t *testing.T) {
	in := posthogintake.New(t)
	with := setup(testConfig(in))
	logs, traces := with.StartLogs(t), with.StartTraces(t)
	logs.Send(events("a"))
	td := ptrace.NewTraces()
	span := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID([16]byte{1})
	span.SetSpanID([8]byte{1})
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	span.Attributes().PutStr("gen_ai.operation.name", "chat")
	traces.Send(td)
	in.AllowResending()
	traces.Send(td)
	assert.ElementsMatch(t, []string{"a", "$ai_generation"}, names(in.Events()), "a resent span is the same event")
}

func TestStatusShowsTheHost(t *testing.T) {
	in := posthogintake.New(t)
	assert.Equal(t, testConfig(in).ClientConfig.Endpoint, setup(testConfig(in)).StartLogs(t).Status.Exporter().Endpoint)
}
