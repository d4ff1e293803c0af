// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"fmt"
	"net/http"
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
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
	sentryintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/sentry"
)

const bodySecret = "only-for-the-backend"

func testConfig(in *sentryintake.Intake) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.DSN = configopaque.String(in.DSN())
	cfg.ClientConfig.Timeout = 10 * time.Second
	cfg.Delivery.DeadLetter = deliverytest.DeadLetterID()
	cfg.Delivery.RetryConfig.MaxElapsedTime = 10 * time.Second
	cfg.Delivery.MaxInFlight = 1
	deliverytest.Hasten(&cfg.Delivery.QueueConfig, &cfg.Delivery.RetryConfig)
	return cfg
}

func setup(cfg *Config) deliverytest.Setup {
	return deliverytest.Setup{
		Factory: NewFactory(), Config: cfg, Credentials: []string{"examplepublickey", "otherpublickey", "X-Sentry-Auth"}, Values: []string{bodySecret},
	}
}

// record appends a record, which the caller may change.
func record(ld plog.Logs, uid string) plog.LogRecord {
	if ld.ResourceLogs().Len() == 0 {
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("service.name", "shop")
		rl.ScopeLogs().AppendEmpty().Scope().SetName("orders")
	}
	r := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty()
	r.SetTimestamp(1700000000123456789)
	r.Attributes().PutStr("log.record.uid", uid)
	r.SetEventName(uid)
	r.Body().SetStr(bodySecret)
	return r
}

// exceptions returns records that become Issues, one for each uid.
func exceptions(uids ...string) plog.Logs {
	ld := plog.NewLogs()
	for _, uid := range uids {
		r := record(ld, uid)
		r.Attributes().PutStr("exception.type", "Error")
		r.Attributes().PutStr("exception.message", uid)
	}
	return ld
}

// logs returns n records that become logs.
func logs(n int) plog.Logs {
	ld := plog.NewLogs()
	for i := range n {
		record(ld, fmt.Sprintf("log-%d", i)).Attributes().PutInt("n", int64(i))
	}
	return ld
}

func messages(events []map[string]any) []string {
	var all []string
	for _, e := range events {
		values := e["exception"].(map[string]any)["values"].([]any)
		all = append(all, values[len(values)-1].(map[string]any)["value"].(string))
	}
	return all
}

func TestTransientFailuresAreRetriedWithSameEventID(t *testing.T) {
	for name, reply := range map[string]sentryintake.Reply{
		"503": sentryintake.Unavailable(), "502": {Status: 502}, "504": {Status: 504}, "408": {Status: 408}, "reset": sentryintake.Reset(),
		"hung":                 func() sentryintake.Reply { r, _ := sentryintake.Hung(); return r }(),
		"503 with Retry-After": {Status: 503, Header: http.Header{"Retry-After": {"0.001"}}},
	} {
		t.Run(name, func(t *testing.T) {
			in := sentryintake.New(t)
			var requests atomic.Int32
			in.ReplyWith(func(sentryintake.Envelope) sentryintake.Reply {
				if requests.Add(1) <= 2 {
					return reply
				}
				return sentryintake.OK()
			})
			cfg := testConfig(in)
			if name == "hung" {
				cfg.ClientConfig.Timeout = 100 * time.Millisecond
			}
			e := setup(cfg).StartLogs(t)
			e.Send(exceptions("a"))
			assert.Equal(t, map[string]int64{"delivered": 1}, e.Outcomes())
			var ids []string
			for _, r := range in.Requests() {
				ids = append(ids, r.Envelope.EventID())
			}
			assert.Len(t, ids, 3)
			assert.Len(t, in.Events(), 1)
			assert.Equal(t, []string{ids[0], ids[0], ids[0]}, ids)
		})
	}
}

func TestPermanentRefusalsBecomeDeadLetters(t *testing.T) {
	for name, c := range map[string]struct {
		reply   sentryintake.Reply
		reason  string
		message string
	}{
		"400": {sentryintake.BadRequest("invalid transaction event"), "refused", "the backend answered 400: {\"causes\":[\"invalid transaction event\"],\"detail\":\"bad request\"}"},
		"401": {sentryintake.Reply{Status: 401}, "unauthorized", "check the DSN, and that the project and its key are enabled"},
		"403": {sentryintake.Forbidden(), "unauthorized", "check the DSN, and that the project and its key are enabled"},
		"404": {sentryintake.Reply{Status: 404}, "refused", "check the DSN's project and path"},
		"413": {sentryintake.TooLarge(), "too_large", "to a request of"},
		"500": {sentryintake.Reply{Status: 500}, "refused", "the backend answered 500"},
		"302": {sentryintake.Redirect(302, "http://127.0.0.1:1/"), "redirected", "redirects are not followed"},
	} {
		t.Run(name, func(t *testing.T) {
			in := sentryintake.New(t)
			in.ReplyWith(func(sentryintake.Envelope) sentryintake.Reply { return c.reply })
			e := setup(testConfig(in)).StartLogs(t)
			e.Send(exceptions("a"))
			assert.Equal(t, []string{"a:" + c.reason}, e.Letters.Reasons())
			assert.Contains(t, e.Letters.All()[0].Message, c.message)
			assert.Len(t, in.Requests(), 1)

			in.ReplyWith(nil)
			e.Letters.Replay(t.Context())
			assert.Equal(t, []string{"a"}, messages(in.Events()), "a replay sends the same payload")
		})
	}
}

func TestResponseBodyNeedNotBeJSON(t *testing.T) {
	in := sentryintake.New(t)
	in.ReplyWith(func(sentryintake.Envelope) sentryintake.Reply { return sentryintake.Garbage() })
	e := setup(testConfig(in)).StartLogs(t)
	e.Send(exceptions("a"))
	assert.Equal(t, map[string]int64{"delivered": 1}, e.Outcomes())
}

func TestOneBadLogIsRefusedAlone(t *testing.T) {
	in := sentryintake.New(t)
	in.ReplyWith(func(e sentryintake.Envelope) sentryintake.Reply {
		if strings.Contains(string(e.Raw), `"n":{"value":37,`) {
			return sentryintake.BadRequest("bad log")
		}
		return sentryintake.OK()
	})
	e := setup(testConfig(in)).StartLogs(t)
	e.Send(logs(100))
	assert.Equal(t, map[string]int64{"delivered": 99, "dead_lettered/refused": 1}, e.Outcomes())
	assert.Equal(t, []string{"log-37:refused"}, e.Letters.Reasons())
	assert.Len(t, in.Logs(), 99)
	assert.LessOrEqual(t, len(in.Requests()), 15)
}

func TestRequestsAreBisectedOn413(t *testing.T) {
	in := sentryintake.New(t)
	in.LimitItem("log", 2000)
	e := setup(testConfig(in)).StartLogs(t)
	e.Send(logs(20))
	assert.Equal(t, map[string]int64{"delivered": 20}, e.Outcomes())
	assert.Len(t, in.Logs(), 20)
}

func TestRateLimitsAreRespected(t *testing.T) {
	for name, c := range map[string]struct {
		reply      sentryintake.Reply
		more, logs map[string]int64 // the outcomes after another exception, and after a log
	}{
		"for errors":             {sentryintake.RateLimited("60:error:organization"), map[string]int64{"dead_lettered/rate_limited": 2}, map[string]int64{"dead_lettered/rate_limited": 2, "delivered": 1}},
		"for all categories":     {sentryintake.RateLimited("60::organization"), map[string]int64{"dead_lettered/rate_limited": 2}, map[string]int64{"dead_lettered/rate_limited": 3}},
		"from Retry-After":       {sentryintake.RetryAfter("60"), map[string]int64{"dead_lettered/rate_limited": 2}, map[string]int64{"dead_lettered/rate_limited": 3}},
		"without headers":        {sentryintake.TooManyRequests(), map[string]int64{"dead_lettered/rate_limited": 2}, map[string]int64{"dead_lettered/rate_limited": 3}},
		"on a 200":               {sentryintake.LimitsFromNowOn("2.5:error;unknown:key:reason:ns, 60:replay"), map[string]int64{"delivered": 1, "dead_lettered/rate_limited": 1}, map[string]int64{"delivered": 2, "dead_lettered/rate_limited": 1}},
		"for unknown categories": {sentryintake.LimitsFromNowOn("60:replay;profile:key"), map[string]int64{"delivered": 2}, map[string]int64{"delivered": 3}},
		"for log bytes":          {sentryintake.LimitsFromNowOn("60:log_byte:key"), map[string]int64{"delivered": 2}, map[string]int64{"delivered": 2, "dead_lettered/rate_limited": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			in := sentryintake.New(t)
			in.ReplyWith(func(sentryintake.Envelope) sentryintake.Reply { return c.reply })
			begun := time.Now()
			e := setup(testConfig(in)).StartLogs(t)
			e.Send(exceptions("a"))
			in.ReplyWith(nil)
			e.Send(exceptions("b"))
			assert.Equal(t, c.more, e.Outcomes())
			e.Send(logs(1))
			assert.Equal(t, c.logs, e.Outcomes())
			problems, _ := e.Status.Problems()
			assert.Len(t, problems, int(c.logs["dead_lettered/rate_limited"]))
			for _, problem := range problems {
				assert.Equal(t, statusfeed.RateLimited, problem.State)
				assert.True(t, problem.Until.After(begun), "the status extension knows until when")
			}
		})
	}
}

func TestRateLimitsExpire(t *testing.T) {
	in := sentryintake.New(t)
	in.ReplyWith(func(sentryintake.Envelope) sentryintake.Reply { return sentryintake.RateLimited("0.05:error:key") })
	e := setup(testConfig(in)).StartLogs(t)
	e.Send(exceptions("a"))
	in.ReplyWith(nil)
	e.WaitFor("the limit to end", func() bool {
		e.Send(exceptions("b"))
		return len(in.Events()) == 1
	})
}

func TestRateLimitedEventsCanBeDropped(t *testing.T) {
	in := sentryintake.New(t)
	in.ReplyWith(func(sentryintake.Envelope) sentryintake.Reply {
		return sentryintake.RateLimited("60:error:organization")
	})
	cfg := testConfig(in)
	cfg.RateLimited = RateLimitedDrop
	e := setup(cfg).StartLogs(t)
	e.Send(exceptions("a"))
	e.Send(exceptions("b", "c"))
	assert.Equal(t, map[string]int64{"dropped/rate_limited": 3}, e.Outcomes())
	assert.Empty(t, e.Letters.All())

	in.ReplyWith(nil)
	e.Send(logs(1))
	reports := in.ClientReports()
	require.Len(t, reports, 1)
	assert.Equal(t, `[map[category:error quantity:2 reason:ratelimit_backoff]]`, fmt.Sprint(reports[0]["discarded_events"]),
		"Sentry has counted the event that got the 429")
}

func TestClientReportsCountLostEvents(t *testing.T) {
	in := sentryintake.New(t)
	in.ReplyWith(func(sentryintake.Envelope) sentryintake.Reply { return sentryintake.BadRequest("no") })
	cfg := testConfig(in)
	cfg.Delivery.DeadLetter = nil
	e := setup(cfg).StartLogs(t)
	e.Send(exceptions("a"))
	e.Send(logs(2))
	var size int
	for _, r := range in.Requests() {
		for _, item := range r.Envelope.Of("log") {
			if entries := item.Entries(); len(entries) == 1 {
				size += len(entries[0])
			}
		}
	}
	in.ReplyWith(func(sentryintake.Envelope) sentryintake.Reply { return sentryintake.BadRequest("not this one either") })
	e.Send(exceptions("b"))
	assert.Empty(t, in.ClientReports(), "the envelope that carried the report was refused")
	in.ReplyWith(nil)
	e.Send(exceptions("c"))
	e.Send(exceptions("d"))
	reports := in.ClientReports()
	require.Len(t, reports, 1)
	assert.ElementsMatch(t, []string{
		"map[category:error quantity:2 reason:send_error]", "map[category:log_item quantity:2 reason:send_error]",
		fmt.Sprintf("map[category:log_byte quantity:%d reason:send_error]", size),
	}, texts(reports[0]["discarded_events"].([]any)))
	assert.Equal(t, map[string]int64{"delivered": 2, "dropped/refused": 4}, e.Outcomes())
}

func texts(values []any) []string {
	var all []string
	for _, v := range values {
		all = append(all, fmt.Sprint(v))
	}
	return all
}

func TestClientReportsLeaveOutDeadLetters(t *testing.T) {
	in := sentryintake.New(t)
	in.ReplyWith(func(sentryintake.Envelope) sentryintake.Reply { return sentryintake.BadRequest("no") })
	e := setup(testConfig(in)).StartLogs(t)
	e.Send(exceptions("a"))
	in.ReplyWith(nil)
	e.Send(exceptions("b"))
	assert.Empty(t, in.ClientReports())
}

func TestFailuresOfProjectsAreIsolated(t *testing.T) {
	in := sentryintake.New(t, sentryintake.Project{ID: "42", PublicKey: "examplepublickey"},
		sentryintake.Project{ID: "43", PublicKey: "otherpublickey", SecretKey: "legacy", Path: "/sub/path"})
	var failed atomic.Int32
	in.ReplyWith(func(e sentryintake.Envelope) sentryintake.Reply {
		if e.Project == "43" && failed.Add(1) <= 3 {
			return sentryintake.Unavailable()
		}
		return sentryintake.OK()
	})
	cfg := testConfig(in)
	cfg.Routing = RoutingConfig{FromAttribute: "tenant", DSNs: map[string]configopaque.String{"b": configopaque.String(in.DSN("43"))}}
	e := setup(cfg).StartLogs(t)
	ld := exceptions("of-a", "of-b", "of-none")
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	records.At(0).Attributes().PutStr("tenant", "a")
	records.At(1).Attributes().PutStr("tenant", "b")
	e.Send(ld)
	assert.Equal(t, map[string]int64{"delivered": 3}, e.Outcomes())
	got := map[string][]string{}
	for _, envelope := range in.Envelopes() {
		got[envelope.Project] = append(got[envelope.Project], envelope.EventID())
	}
	assert.Len(t, got["42"], 2)
	assert.Len(t, got["43"], 1)
	assert.Len(t, in.Requests(), 6, "events that the other project accepted are not resent")
}

func TestRateLimitsOfProjectsAreIsolated(t *testing.T) {
	in := sentryintake.New(t, sentryintake.Project{ID: "42", PublicKey: "examplepublickey"}, sentryintake.Project{ID: "43", PublicKey: "otherpublickey"})
	in.ReplyWith(func(e sentryintake.Envelope) sentryintake.Reply {
		if e.Project == "43" {
			return sentryintake.RateLimited("60:error:key")
		}
		return sentryintake.OK()
	})
	cfg := testConfig(in)
	cfg.Routing = RoutingConfig{FromAttribute: "tenant", DSNs: map[string]configopaque.String{"b": configopaque.String(in.DSN("43"))}}
	e := setup(cfg).StartLogs(t)
	for range 2 {
		ld := exceptions("of-a", "of-b")
		ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1).Attributes().PutStr("tenant", "b")
		e.Send(ld)
	}
	assert.Equal(t, map[string]int64{"delivered": 2, "dead_lettered/rate_limited": 2}, e.Outcomes())
	assert.Len(t, in.Requests(), 3)
}

func TestEventsWithoutProjectBecomeDeadLetters(t *testing.T) {
	in := sentryintake.New(t)
	cfg := testConfig(in)
	cfg.DSN = ""
	cfg.Routing = RoutingConfig{FromAttribute: "tenant", DSNs: map[string]configopaque.String{"a": configopaque.String(in.DSN())}}
	with := setup(cfg)
	with.Letters = &deliverytest.Letters{}
	e := with.StartLogs(t)
	ld := exceptions("of-a", "of-b", "of-none")
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	records.At(0).Attributes().PutStr("tenant", "a")
	records.At(1).Attributes().PutStr("tenant", "b")
	e.Send(ld)
	assert.Equal(t, []string{"of-b:encoding", "of-none:encoding"}, with.Letters.Reasons())
	assert.Equal(t, "the value of tenant has no DSN; add it to routing::dsns, or set dsn for all others, and replay", with.Letters.All()[0].Message)
	assert.Equal(t, "has no attribute tenant to select a project; set dsn for events without it, and replay", with.Letters.All()[1].Message)
	e.Stop()

	cfg.DSN = configopaque.String(in.DSN())
	setup(cfg).StartLogs(t)
	with.StartLogs(t)
	with.Letters.Replay(t.Context())
	assert.Equal(t, []string{"of-a", "of-b", "of-none"}, messages(in.Events()))
}

func TestLogsAndTracesSharePairedExceptions(t *testing.T) {
	in := sentryintake.New(t)
	with := setup(testConfig(in))
	logs, traces := with.StartLogs(t), with.StartTraces(t)

	ld := exceptions("e1")
	r := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	r.Attributes().Remove("log.record.uid")
	r.SetTraceID([16]byte{1})
	r.SetSpanID([8]byte{2})
	r.Attributes().PutStr("exception.message", "seen twice")
	logs.Send(ld)

	twice := spanWithException("seen twice")
	traces.Send(twice)
	traces.Send(twice) // as a client does that got no response

	assert.Len(t, in.Events(), 1)
	assert.Len(t, in.Spans(), 2)
	assert.Equal(t, map[string]int64{"delivered": 1}, logs.Outcomes())
	assert.Equal(t, map[string]int64{"delivered": 2, "skipped/duplicate": 2}, traces.Outcomes())

	traces.Send(spanWithException("seen once"))
	assert.Len(t, in.Events(), 2)
}

// spanWithException returns a span with an exception that is a little later than those of exceptions.
func spanWithException(message string) ptrace.Traces {
	td := ptrace.NewTraces()
	span := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID([16]byte{1})
	span.SetSpanID([8]byte{2})
	span.SetStartTimestamp(1700000000000000000)
	span.SetEndTimestamp(1700000001000000000)
	event := span.Events().AppendEmpty()
	event.SetName("exception")
	event.SetTimestamp(1700000000123457000)
	event.Attributes().PutStr("exception.type", "Error")
	event.Attributes().PutStr("exception.message", message)
	return td
}

func TestBreadcrumbsOfManyErrorsAreBounded(t *testing.T) {
	in := sentryintake.New(t)
	e := setup(testConfig(in)).StartLogs(t)
	ld := exceptions(strings.Fields(strings.Repeat("e ", 300))...)
	for i, r := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		r.SetTraceID([16]byte{1})
		r.SetTimestamp(r.Timestamp() + pcommon.Timestamp(i))
		r.Attributes().PutStr("note", strings.Repeat("x", 2000))
		r.Attributes().PutStr("exception.message", strings.Repeat("y", 2000))
	}
	e.Send(ld)
	assert.Len(t, in.Events(), 300)
	size := 0
	for _, envelope := range in.Envelopes() {
		size += len(envelope.Raw)
	}
	assert.Less(t, size, 300*20_000)
}

func TestBreadcrumbsStayWithinTheProject(t *testing.T) {
	in := sentryintake.New(t, sentryintake.Project{ID: "42", PublicKey: "examplepublickey"}, sentryintake.Project{ID: "43", PublicKey: "otherpublickey"})
	cfg := testConfig(in)
	cfg.Routing = RoutingConfig{FromAttribute: "tenant", DSNs: map[string]configopaque.String{"b": configopaque.String(in.DSN("43"))}}
	e := setup(cfg).StartLogs(t)
	ld := logs(2)
	record(ld, "of-b").Attributes().PutStr("exception.type", "E")
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	for i, r := range records.All() {
		r.SetTraceID([16]byte{1})
		r.SetTimestamp(r.Timestamp() + pcommon.Timestamp(i))
	}
	records.At(1).Attributes().PutStr("tenant", "b")
	records.At(2).Attributes().PutStr("tenant", "b")
	e.Send(ld)
	crumbs := in.Events()[0]["breadcrumbs"].(map[string]any)["values"].([]any)
	require.Len(t, crumbs, 1)
	assert.Equal(t, "log-1", crumbs[0].(map[string]any)["category"])
}

func TestSentAtIsTheTimeOfSending(t *testing.T) {
	in := sentryintake.New(t)
	in.ReplyWith(func(sentryintake.Envelope) sentryintake.Reply { return sentryintake.Slow(30 * time.Millisecond) })
	e := setup(testConfig(in)).StartLogs(t)
	e.Send(exceptions("a", "b", "c", "d"))
	envelopes := in.Envelopes()
	first, err := time.Parse(time.RFC3339Nano, envelopes[0].Header["sent_at"].(string))
	require.NoError(t, err)
	last, err := time.Parse(time.RFC3339Nano, envelopes[3].Header["sent_at"].(string))
	require.NoError(t, err)
	assert.Greater(t, last.Sub(first), 60*time.Millisecond)
}

func TestQueuedEventsSurviveARestart(t *testing.T) {
	in := sentryintake.New(t)
	in.ReplyWith(func(sentryintake.Envelope) sentryintake.Reply { return sentryintake.Unavailable() })
	cfg := testConfig(in)
	cfg.Delivery.QueueConfig.Get().StorageID = deliverytest.StorageID()
	cfg.Delivery.ShutdownTimeout = time.Millisecond
	cfg.Delivery.RetryConfig.MaxElapsedTime = 0
	// No request may be in flight when the intake changes its response.
	cfg.Delivery.RetryConfig.InitialInterval, cfg.Delivery.RetryConfig.MaxInterval = time.Hour, time.Hour
	with := setup(cfg)
	with.Storage = t.TempDir()
	before := with.StartLogs(t)
	require.NoError(t, before.Consume(t.Context(), exceptions("a", "b")))
	before.WaitFor("an attempt for each event", func() bool { return len(in.Requests()) == 2 })
	before.Stop()

	in.ReplyWith(nil)
	after := with.StartLogs(t)
	after.WaitFor("the queued events", func() bool { return len(in.Events()) >= 2 })
	assert.ElementsMatch(t, []string{"a", "b"}, messages(in.Events()))
}

func TestSyncCallersGetTheError(t *testing.T) {
	in := sentryintake.New(t)
	in.ReplyWith(func(sentryintake.Envelope) sentryintake.Reply { return sentryintake.Forbidden() })
	cfg := testConfig(in)
	cfg.Delivery.Dispatch = delivery.DispatchSync
	e := setup(cfg).StartLogs(t)
	require.ErrorContains(t, e.Consume(t.Context(), exceptions("a")), "check the DSN")
}

func TestHandledExceptionsOfLowSeverityAreSkippedWithoutLogs(t *testing.T) {
	in := sentryintake.New(t)
	cfg := testConfig(in)
	cfg.Logs.Enabled = false
	exporter := setup(cfg).StartLogs(t)
	ld := plog.NewLogs()
	for uid, severity := range map[string]plog.SeverityNumber{
		"7d9f3c1e-5a2b-4c3d-8e4f-0123456789ab": plog.SeverityNumberInfo4, "7d9f3c1e-5a2b-4c3d-8e4f-0123456789ac": plog.SeverityNumberWarn,
	} {
		lr := record(ld, uid)
		lr.SetSeverityNumber(severity)
		lr.Attributes().PutStr("exception.type", "Boom")
	}
	exporter.Send(ld)
	assert.Equal(t, map[string]int64{"skipped/logs_off": 1, "delivered": 1}, exporter.Outcomes())
}

func TestDisabledSignalsAreSkipped(t *testing.T) {
	in := sentryintake.New(t)
	cfg := testConfig(in)
	cfg.Logs.Enabled = false
	cfg.Traces.Format = TracesOff
	with := setup(cfg)
	logsExporter, traces := with.StartLogs(t), with.StartTraces(t)
	logsExporter.Send(logs(2))
	assert.Equal(t, map[string]int64{"skipped/logs_off": 2}, logsExporter.Outcomes())
	td := ptrace.NewTraces()
	span := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID([16]byte{1})
	span.SetSpanID([8]byte{2})
	span.Events().AppendEmpty().SetName("cache miss")
	exception := span.Events().AppendEmpty()
	exception.SetName("exception")
	exception.Attributes().PutStr("exception.type", "Error")
	traces.Send(td)
	assert.Equal(t, map[string]int64{"skipped/traces_off": 1, "skipped/span_events_off": 1, "delivered": 1}, traces.Outcomes())
	assert.Len(t, in.Events(), 1)
}

func TestSpansWithoutIDsBecomeDeadLetters(t *testing.T) {
	in := sentryintake.New(t)
	e := setup(testConfig(in)).StartTraces(t)
	td := ptrace.NewTraces()
	spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	spans.AppendEmpty().SetName("no ids")
	good := spans.AppendEmpty()
	good.SetTraceID([16]byte{1})
	good.SetSpanID([8]byte{2})
	e.Send(td)
	assert.Equal(t, map[string]int64{"dead_lettered/encoding": 1, "delivered": 1}, e.Outcomes())
}

func TestEnvelopesStayWithinLimits(t *testing.T) {
	in := sentryintake.New(t)
	cfg := testConfig(in)
	with := setup(cfg)
	logsExporter, traces := with.StartLogs(t), with.StartTraces(t)
	logsExporter.Send(logs(250))
	assert.Len(t, in.Logs(), 250)
	large := plog.NewLogs()
	for i := range 5 {
		record(large, fmt.Sprintf("large-%d", i)).Body().SetStr(strings.Repeat("x", 400_000))
	}
	logsExporter.Send(large)
	assert.Len(t, in.Logs(), 255)

	td := ptrace.NewTraces()
	spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for i := range 2500 {
		span := spans.AppendEmpty()
		span.SetTraceID([16]byte{1})
		span.SetSpanID([8]byte{1, byte(i), byte(i >> 8)})
	}
	traces.Send(td)
	assert.Len(t, in.Spans(), 2500)
}

func TestLargeIssuesAreTrimmed(t *testing.T) {
	stack := &strings.Builder{}
	for i := range 900 {
		fmt.Fprintf(stack, "\n\tat com.example.Deep%s.method%d(Deep.java:%d)", strings.Repeat("x", 80), i, i+1)
	}
	text := strings.Repeat("\x01", 200_000)
	for name, c := range map[string]struct {
		change  func(r plog.LogRecord)
		trimmed string
	}{
		"frames":     {func(r plog.LogRecord) { r.Attributes().PutStr("exception.stacktrace", "E: m"+stack.String()) }, "frames"},
		"attributes": {func(r plog.LogRecord) { r.Attributes().PutStr("order.note", text) }, "frames, long attributes"},
		"many attributes": {func(r plog.LogRecord) {
			for i := range 1000 {
				r.Attributes().PutStr(fmt.Sprint("order.note", i), text[:100])
			}
		}, "frames, attributes"},
		"message": {func(r plog.LogRecord) { r.Attributes().PutStr("exception.message", text) }, "frames, attributes, body"},
		"all": {func(r plog.LogRecord) {
			for _, name := range []string{"exception.type", "exception.message", "exception.stacktrace", "order.note", "user.id", "session.id", "http.route", "http.request.method"} {
				r.Attributes().PutStr(name, text)
			}
			r.SetEventName(text)
			r.SetSeverityText(text)
			r.Body().SetStr(text)
			r.Attributes().PutEmptyMap("fanout.groups").PutStr("company", text)
			r.Attributes().PutStr("fanout.subject", text)
			r.Attributes().PutStr("fanout.fingerprint", text)
		}, "frames, attributes, body"},
	} {
		t.Run(name, func(t *testing.T) {
			in := sentryintake.New(t)
			in.LimitItem("event", 32<<10)
			cfg := testConfig(in)
			cfg.MaxEventBytes = 32 << 10
			e := setup(cfg).StartLogs(t)
			ld := exceptions("large")
			c.change(ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0))
			e.Send(ld)
			events := in.Events()
			require.Len(t, events, 1)
			assert.Equal(t, c.trimmed, events[0]["extra"].(map[string]any)[attrTrimmed])
		})
	}
}

func TestLargeLogsAreTrimmed(t *testing.T) {
	in := sentryintake.New(t)
	in.LimitItem("log", 40<<10)
	cfg := testConfig(in)
	cfg.MaxEventBytes = 32 << 10
	e := setup(cfg).StartLogs(t)
	ld := logs(2)
	for i, r := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		if i == 0 {
			r.Attributes().PutStr("note", strings.Repeat("\x01", 100_000))
		} else {
			r.Body().SetStr(strings.Repeat("\x01", 100_000))
		}
	}
	e.Send(ld)
	assert.Equal(t, map[string]int64{"delivered": 2}, e.Outcomes())
	for _, log := range in.Logs() {
		assert.Contains(t, log["attributes"], attrTrimmed)
	}
}

func TestLargeSpansAreTrimmed(t *testing.T) {
	for _, format := range []TracesFormat{TracesSpans, TracesTransactions} {
		in := sentryintake.New(t)
		cfg := testConfig(in)
		cfg.MaxEventBytes = 32 << 10
		cfg.Traces.Format = format
		e := setup(cfg).StartTraces(t)
		td := ptrace.NewTraces()
		span := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		span.SetTraceID(pcommon.TraceID{1})
		span.SetSpanID(pcommon.SpanID{2})
		span.SetName(strings.Repeat("\x01", 100_000))
		span.Attributes().PutStr("note", strings.Repeat("\x01", 100_000))
		e.Send(td)
		require.Len(t, in.Envelopes(), 1)
		assert.Less(t, len(in.Envelopes()[0].Raw), 33<<10)
		assert.Contains(t, string(in.Envelopes()[0].Raw), attrTrimmed)
	}
}

func TestStatusShowsTheHost(t *testing.T) {
	cfg := testConfig(sentryintake.New(t))
	cfg.DSN = "http://examplepublickey@sentry.example:9000/sub/42"
	assert.Equal(t, "http://sentry.example:9000", setup(cfg).StartLogs(t).Status.Exporter().Endpoint)
	cfg.Routing = RoutingConfig{FromAttribute: "tenant", DSNs: map[string]configopaque.String{"b": "http://otherpublickey@sentry.example:9000/43"}}
	assert.Empty(t, setup(cfg).StartLogs(t).Status.Exporter().Endpoint, "there are two")
}
