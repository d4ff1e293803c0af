// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	sentryintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/sentry"
)

// sentry returns a sentry exporter's configuration; settings are more keys, in YAML's flow style.
type sentry struct{ name, dsn, settings string }

// startSentry starts a collector with all receivers, whose logs and traces go to the given
// exporters.
func startSentry(t *testing.T, s *dataFolders, change func(string) string, exporters ...sentry) *instrumentedCollector {
	t.Helper()
	var written, names []string
	for _, e := range exporters {
		written = append(written, fmt.Sprintf("  %s: {dsn: %q, dead_letter: dead_letter, %s}", e.name, e.dsn, e.settings))
		names = append(names, e.name)
	}
	all := strings.Join(names, ", ")
	return startInstrumentedWith(t, s, func(configuration string) string {
		configuration = replace(t, configuration, "exporters:\n", "exporters:\n"+strings.Join(written, "\n"))
		return change(replace(t, configuration, "exporters: []}",
			"exporters: ["+all+"]}\n    traces: {receivers: [otlp], exporters: ["+all+"]}"))
	}, nil)
}

func unchanged(configuration string) string { return configuration }

// soon flushes and retries within milliseconds.
const soon = "sending_queue: {batch: {flush_timeout: 20ms}}, " +
	"retry_on_failure: {initial_interval: 20ms, max_interval: 50ms, max_elapsed_time: 0}"

// issue has the parts of a Sentry issue that these tests check.
type issue struct {
	EventID     string `json:"event_id"`
	Platform    string
	Level       string
	Logger      string
	Transaction string
	Release     string
	Exception   struct{ Values []exception }
	Contexts    struct{ Trace traceContext }
}

type exception struct {
	Type, Value, Module string
	Mechanism           struct {
		Type    string
		Source  string
		Handled bool
	}
	Stacktrace struct{ Frames []frame }
}

type frame struct {
	Function, Module, Filename string
	ContextLine                string `json:"context_line"`
	Lineno, Colno              int
	InApp                      bool `json:"in_app"`
}

type traceContext struct {
	TraceID string `json:"trace_id"`
	SpanID  string `json:"span_id"`
	Parent  string `json:"parent_span_id"`
	Op      string
	Status  string
}

// thrown returns the thrown exception, and top the frame that threw it.
func (i *issue) thrown(t *testing.T) exception {
	t.Helper()
	require.NotEmpty(t, i.Exception.Values, "exceptions")
	return i.Exception.Values[len(i.Exception.Values)-1]
}

func (e *exception) top(t *testing.T) frame {
	t.Helper()
	require.NotEmpty(t, e.Stacktrace.Frames, "frames of %s", e.Type)
	return e.Stacktrace.Frames[len(e.Stacktrace.Frames)-1]
}

// issuesAt returns the issues at the intake.
func issuesAt(t *testing.T, in *sentryintake.Intake) []issue {
	t.Helper()
	raw := in.Raw("event")
	issues := make([]issue, len(raw))
	for i := range raw {
		require.NoError(t, json.Unmarshal(raw[i], &issues[i]), "%s", raw[i])
	}
	return issues
}

// spanAt returns the span with this name at the intake.
type spanAt struct {
	Name       string
	TraceID    string `json:"trace_id"`
	SpanID     string `json:"span_id"`
	Parent     string `json:"parent_span_id"`
	Status     string
	IsSegment  bool                   `json:"is_segment"`
	Attributes map[string]typedMember `json:"attributes"`
}

// typedMember is an attribute of a log or a span.
type typedMember struct {
	Value any
	Type  string
}

func spansAt(t *testing.T, in *sentryintake.Intake) map[string]spanAt {
	t.Helper()
	spans := map[string]spanAt{}
	for _, raw := range in.Raw("span") {
		var s spanAt
		require.NoError(t, json.Unmarshal(raw, &s), "%s", raw)
		assert.NotContains(t, spans, s.Name, "a span arrives twice")
		spans[s.Name] = s
	}
	return spans
}

// logAt is a log at the intake.
type logAt struct {
	Body, Level string
	TraceID     string                 `json:"trace_id"`
	Attributes  map[string]typedMember `json:"attributes"`
}

func logsAt(t *testing.T, in *sentryintake.Intake) []logAt {
	t.Helper()
	raw := in.Raw("log")
	logs := make([]logAt, len(raw))
	for i := range raw {
		require.NoError(t, json.Unmarshal(raw[i], &logs[i]), "%s", raw[i])
	}
	return logs
}

// goApp is an application that uses the OpenTelemetry SDK for Go.
type goApp struct {
	t      *testing.T
	spans  *sdktrace.TracerProvider
	logs   *sdklog.LoggerProvider
	tracer trace.Tracer
	logger log.Logger
}

// newGoApp returns an application that sends to host; options are for its log exporter.
func newGoApp(t *testing.T, endpoint string, options ...otlploghttp.Option) *goApp {
	t.Helper()
	res, err := resource.New(t.Context(), resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", "shop"), attribute.String("service.version", "1.2.3")))
	require.NoError(t, err)
	spans, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpoint(endpoint), otlptracehttp.WithInsecure())
	require.NoError(t, err)
	options = append([]otlploghttp.Option{otlploghttp.WithEndpoint(endpoint), otlploghttp.WithInsecure()}, options...)
	logs, err := otlploghttp.New(t.Context(), options...)
	require.NoError(t, err)
	app := &goApp{
		t: t,
		// They send only when sendSpans and sendLogs are called.
		spans: sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans, sdktrace.WithBatchTimeout(time.Hour)), sdktrace.WithResource(res)),
		logs: sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(logs, sdklog.WithExportInterval(time.Hour))),
			sdklog.WithResource(res)),
	}
	app.tracer, app.logger = app.spans.Tracer("checkout"), app.logs.Logger("checkout")
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_, _ = app.spans.Shutdown(ctx), app.logs.Shutdown(ctx)
	})
	return app
}

func (a *goApp) sendSpans() {
	a.t.Helper()
	require.NoError(a.t, a.spans.ForceFlush(a.t.Context()))
}

func (a *goApp) sendLogs() {
	a.t.Helper()
	require.NoError(a.t, a.logs.ForceFlush(a.t.Context()))
}

// stockError is an error with its own type.
type stockError struct{ item string }

func (e stockError) Error() string { return e.item + " is out of stock" }

// thisPackage is this package's import path.
const thisPackage = "github.com/otelcol-fanout/otelcol-fanout/test/e2e"

// assertThrownHere checks that this line of this file threw the exception, a stockError.
func assertThrownHere(t *testing.T, e exception, function string, line int) {
	t.Helper()
	assert.Equal(t, thisPackage+".stockError", e.Type)
	assert.Equal(t, "tea is out of stock", e.Value)
	top := e.top(t)
	assert.Equal(t, thisPackage, top.Module)
	assert.Equal(t, function, top.Function)
	assert.True(t, strings.HasSuffix(top.Filename, "test/e2e/sentry_test.go"), top.Filename)
	assert.Equal(t, line, top.Lineno)
	assert.True(t, top.InApp)
	first := e.Stacktrace.Frames[0]
	assert.Equal(t, frame{Module: "testing", Function: "(*T).Run"},
		frame{Module: first.Module, Function: first.Function, InApp: first.InApp}, "the caller of the goroutine")
	for _, f := range e.Stacktrace.Frames {
		assert.Positive(t, f.Lineno, f.Function)
		assert.NotContains(t, f.Module, "go.opentelemetry.io", "a frame of the SDK")
		assert.NotContains(t, f.Module, "runtime/debug")
	}
}

// reserve fails, and records it in the span.
func reserve(span trace.Span) (line int) {
	_, _, line, _ = runtime.Caller(0)
	span.RecordError(stockError{"tea"}, trace.WithStackTrace(true))
	span.SetStatus(codes.Error, "out of stock")
	return line + 1
}

func TestGoSDKSpanErrorIsOneSentryIssue(t *testing.T) {
	t.Parallel()
	in := sentryintake.New(t)
	p := startSentry(t, newDataFolders(t), unchanged, sentry{"sentry", in.DSN(), soon})
	app := newGoApp(t, p.otlpHTTP())

	ctx, request := app.tracer.Start(t.Context(), "POST /orders", trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.request.method", "POST"), attribute.String("http.route", "/orders")))
	_, work := app.tracer.Start(ctx, "reserve")
	line := reserve(work)
	work.End()
	request.End()
	app.sendSpans()
	sentryintake.WaitFor(in, 1, in.Events)
	sentryintake.WaitFor(in, 2, in.Spans)
	// Two spans, and the event in one of them.
	assert.Equal(t, map[string]int{"delivered": 3}, p.settled("sentry", 3).outcomes)
	p.stop()

	issues := issuesAt(t, in)
	require.Len(t, issues, 1)
	i := issues[0]
	require.Len(t, i.Exception.Values, 1)
	assertThrownHere(t, i.thrown(t), "reserve", line)
	assert.Equal(t, "auto.otel.span_event", i.thrown(t).Mechanism.Type)
	assert.Equal(t, "go", i.Platform)
	assert.Equal(t, "error", i.Level)
	assert.Equal(t, "checkout", i.Logger)
	assert.Equal(t, "shop@1.2.3", i.Release)
	assert.Equal(t, traceContext{
		TraceID: work.SpanContext().TraceID().String(), SpanID: work.SpanContext().SpanID().String(),
		Parent: request.SpanContext().SpanID().String(), Op: "default", Status: "internal_error",
	}, i.Contexts.Trace)

	spans := spansAt(t, in)
	require.Len(t, spans, 2)
	of, inner := spans["POST /orders"], spans["reserve"]
	assert.Equal(t, i.Contexts.Trace.TraceID, of.TraceID)
	assert.Equal(t, i.Contexts.Trace.SpanID, inner.SpanID)
	assert.Equal(t, of.SpanID, inner.Parent)
	assert.True(t, of.IsSegment)
	assert.False(t, inner.IsSegment)
	assert.Equal(t, "http.server", of.Attributes["sentry.op"].Value)
	assert.Equal(t, "default", inner.Attributes["sentry.op"].Value)
	assert.Equal(t, "route", of.Attributes["sentry.span.source"].Value)
	assert.Equal(t, "route", of.Attributes["sentry.segment.name.source"].Value)
	assert.Equal(t, of.SpanID, inner.Attributes["sentry.segment.id"].Value)
	assert.Equal(t, "shop@1.2.3", inner.Attributes["sentry.release"].Value)
	assert.Equal(t, "ok", of.Status)
	assert.Equal(t, "error", inner.Status)
}

// reserveTwice fails, and records the error in a log record and in the span, as with
// OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN=logs/dup.
func (a *goApp) reserveTwice() (span trace.Span, line int) {
	ctx, span := a.tracer.Start(a.t.Context(), "reserve")
	defer span.End()
	_, _, line, _ = runtime.Caller(0)
	attributes := exceptionAttributes(stockError{"tea"}, debug.Stack())
	span.AddEvent("exception", trace.WithAttributes(attributes...))
	var record log.Record
	record.SetTimestamp(time.Now())
	record.SetSeverity(log.SeverityError)
	record.AddAttributes(attributes...)
	a.logger.Emit(ctx, record)
	return span, line + 1
}

func exceptionAttributes(err error, stack []byte) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String("exception.type", strings.Replace(fmt.Sprintf("%T", err), "e2e.", thisPackage+".", 1)),
		attribute.String("exception.message", err.Error()),
		attribute.String("exception.stacktrace", string(stack)),
	}
}

func TestErrorInLogAndSpanIsOneSentryIssue(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		send      []func(*goApp)
		mechanism string
	}{
		{"the log comes first", []func(*goApp){(*goApp).sendLogs, (*goApp).sendSpans}, "auto.otel.log"},
		{"the span comes first", []func(*goApp){(*goApp).sendSpans, (*goApp).sendLogs}, "auto.otel.span_event"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := sentryintake.New(t)
			p := startSentry(t, newDataFolders(t), unchanged, sentry{"sentry", in.DSN(), soon})
			app := newGoApp(t, p.otlpHTTP())

			span, line := app.reserveTwice()
			tt.send[0](app)
			sentryintake.WaitFor(in, 1, in.Events)
			tt.send[1](app)
			counts := p.settled("sentry", 3)
			assert.Equal(t, map[string]int{"delivered/": 2, "skipped/duplicate": 1}, counts.reasons)
			p.stop()

			issues := issuesAt(t, in)
			require.Len(t, issues, 1)
			assertThrownHere(t, issues[0].thrown(t), "(*goApp).reserveTwice", line)
			assert.Equal(t, tt.mechanism, issues[0].thrown(t).Mechanism.Type)
			assert.Equal(t, span.SpanContext().TraceID().String(), issues[0].Contexts.Trace.TraceID)
			assert.Equal(t, span.SpanContext().SpanID().String(), issues[0].Contexts.Trace.SpanID)
			assert.Len(t, spansAt(t, in), 1)
			assert.Empty(t, logsAt(t, in), "an issue is not also a log")
		})
	}
}

func TestRepeatedErrorKeepsEventIDAcrossRestart(t *testing.T) {
	t.Parallel()
	in := sentryintake.New(t)
	var current atomic.Pointer[instrumentedCollector]
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: current.Load().otlpHTTP()})
	}})
	t.Cleanup(proxy.Close)
	app := newGoApp(t, proxy.Listener.Addr().String())
	app.reserveTwice()

	// The second collector knows nothing about the events of the first.
	for i, send := range []func(*goApp){(*goApp).sendLogs, (*goApp).sendSpans} {
		p := startSentry(t, newDataFolders(t), unchanged, sentry{"sentry", in.DSN(), soon})
		current.Store(p)
		send(app)
		sentryintake.WaitFor(in, i+1, in.Events)
		p.stop()
	}
	issues := issuesAt(t, in)
	require.Len(t, issues, 2)
	assert.Equal(t, issues[0].EventID, issues[1].EventID, "the same id lets Sentry drop the second")
}

func TestNodeSDKErrorIsOneSentryIssue(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, ways string
		items      int // a span and the error
		mechanism  string
		causes     bool
	}{
		{"in a span", "span", 2, "auto.otel.span_event", false},
		{"in a log", "log", 2, "auto.otel.log", false},
		{"in both", "span,log", 3, "", false},
		{"in a log as Node prints it", "printed", 2, "auto.otel.log", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := sentryintake.New(t)
			p := startSentry(t, newDataFolders(t), unchanged, sentry{"sentry", in.DSN(), soon})

			want := recordWithNode(t, p.collector, tt.ways)
			sentryintake.WaitFor(in, 1, in.Events)
			sentryintake.WaitFor(in, 1, in.Spans)
			outcomes := map[string]int{"delivered": 2}
			if tt.items > 2 {
				outcomes["skipped"] = tt.items - 2
			}
			assert.Equal(t, outcomes, p.settled("sentry", tt.items).outcomes)
			p.stop()

			issues := issuesAt(t, in)
			require.Len(t, issues, 1)
			i := issues[0]
			thrown := i.thrown(t)
			assert.Equal(t, "PaymentError", thrown.Type)
			assert.Equal(t, "the card was declined", thrown.Value)
			assert.Equal(t, "node", i.Platform)
			assert.Equal(t, "checkout", i.Logger)
			assert.Equal(t, want.TraceID, i.Contexts.Trace.TraceID)
			assert.Equal(t, want.SpanID, i.Contexts.Trace.SpanID)
			if tt.mechanism != "" {
				assert.Equal(t, tt.mechanism, thrown.Mechanism.Type)
			}
			assertThrownByScript(t, thrown.top(t), "chargeCard", "new PaymentError(")
			for _, f := range thrown.Stacktrace.Frames {
				assert.Equal(t, !strings.HasPrefix(f.Filename, "node:"), f.InApp, "%+v", f)
			}
			assert.Len(t, i.Exception.Values, map[bool]int{false: 1, true: 2}[tt.causes], "error.stack does not have the cause")
			if tt.causes {
				cause := i.Exception.Values[0]
				assert.Equal(t, "SyntaxError", cause.Type)
				assert.Equal(t, "cause", cause.Mechanism.Source)
				assert.Equal(t, "JSON.parse", cause.top(t).Function)
				assert.False(t, cause.top(t).InApp)
				assertThrownByScript(t, cause.Stacktrace.Frames[len(cause.Stacktrace.Frames)-2], "Terminal.connect", "parse(")
			}
			span := spansAt(t, in)["POST /orders"]
			assert.Equal(t, want.SpanID, span.SpanID)
			assert.True(t, span.IsSegment)
		})
	}
}

const script = "record_exception.mjs"

// recordWithNode runs node/record_exception.mjs, and returns the ids of the span.
func recordWithNode(t *testing.T, c *collector, ways string) traceContext {
	t.Helper()
	needNode(t)
	output, err := inNodeFolder(t, "node", script, "http://"+c.otlpHTTP(), ways)
	require.NoError(t, err, "node/%s: %s", script, output)
	var ids traceContext
	require.NoError(t, json.Unmarshal([]byte(output), &ids), output)
	return ids
}

// assertThrownByScript checks that a frame is at this code in node/record_exception.mjs.
func assertThrownByScript(t *testing.T, f frame, function, code string) {
	t.Helper()
	content, err := os.ReadFile("node/" + script)
	require.NoError(t, err)
	at := bytes.Index(content, []byte(code))
	require.Positive(t, at, code)
	before := content[:at]
	assert.Equal(t, function, f.Function)
	assert.True(t, strings.HasPrefix(f.Filename, "/") && strings.HasSuffix(f.Filename, "/node/"+script), f.Filename)
	assert.Equal(t, bytes.Count(before, []byte("\n"))+1, f.Lineno)
	assert.Equal(t, at-bytes.LastIndexByte(before, '\n'), f.Colno)
	assert.True(t, f.InApp)
}

// pythonStack is a result of traceback.format_exc.
const pythonStack = `Traceback (most recent call last):
  File "/srv/shop/stock.py", line 12, in take
    return levels[item] - 1
           ~~~~~~^^^^^^
KeyError: 'tea'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/flask/app.py", line 917, in full_dispatch_request
    rv = self.dispatch_request()
  File "/srv/shop/orders.py", line 31, in place
    raise OutOfStock(item) from error
shop.errors.OutOfStock: tea
`

func TestJSONExceptionsAreSentryIssuesAndEventsLogs(t *testing.T) {
	t.Parallel()
	in := sentryintake.New(t)
	p := startSentry(t, newDataFolders(t), unchanged, sentry{"sentry", in.DSN(), soon})
	stack, err := json.Marshal(pythonStack)
	require.NoError(t, err)
	newClient(t).mustAccept(t, p.eventURL(), jsonType, `[
		{"id": "0198f3a2b4c57d6e8f90a1b2c3d4e5f6", "timestamp": "2026-01-02T03:04:05.678901Z", "source": {"name": "shop", "version": "1.2.3"},
		 "exception": {"type": "shop.errors.OutOfStock", "message": "tea", "handled": false, "stacktrace": `+string(stack)+`},
		 "trace": {"trace_id": "0102030405060708090a0b0c0d0e0f10", "span_id": "1112131415161718"}},
		{"name": "order_placed", "timestamp": "2026-01-02T03:04:05.678901Z",
		 "properties": {"total": 2.5, "items": 3, "gift": true, "to": {"city": "Ulm"}}}
	]`, 2)
	sentryintake.WaitFor(in, 1, in.Events)
	sentryintake.WaitFor(in, 1, in.Logs)
	assert.Equal(t, map[string]int{"delivered": 2}, p.settled("sentry", 2).outcomes)
	p.stop()

	issues := issuesAt(t, in)
	require.Len(t, issues, 1)
	i := issues[0]
	assert.Equal(t, "0198f3a2b4c57d6e8f90a1b2c3d4e5f6", i.EventID)
	assert.Equal(t, "python", i.Platform, "recognized from the text")
	assert.Equal(t, traceContext{TraceID: "0102030405060708090a0b0c0d0e0f10", SpanID: "1112131415161718"}, i.Contexts.Trace)
	require.Len(t, i.Exception.Values, 2)
	cause, thrown := i.Exception.Values[0], i.Exception.Values[1]
	assert.Equal(t, []string{"KeyError", "'tea'", "__cause__"}, []string{cause.Type, cause.Value, cause.Mechanism.Source})
	assert.Equal(t, []string{"OutOfStock", "tea", "shop.errors"}, []string{thrown.Type, thrown.Value, thrown.Module})
	assert.False(t, thrown.Mechanism.Handled)
	assert.Equal(t, frame{
		Function: "take", Filename: "/srv/shop/stock.py", Lineno: 12, InApp: true, ContextLine: "return levels[item] - 1",
	}, cause.top(t))
	require.Len(t, thrown.Stacktrace.Frames, 2)
	assert.Equal(t, frame{
		Function: "place", Filename: "/srv/shop/orders.py", Lineno: 31, InApp: true, ContextLine: "raise OutOfStock(item) from error",
	}, thrown.top(t))
	assert.False(t, thrown.Stacktrace.Frames[0].InApp, "a frame of flask")

	logs := logsAt(t, in)
	require.Len(t, logs, 1)
	assert.Equal(t, "order_placed", logs[0].Body)
	assert.Len(t, logs[0].TraceID, 32)
	for name, want := range map[string]typedMember{
		"event.name": {"order_placed", "string"},
		"total":      {2.5, "double"},
		"items":      {3.0, "integer"},
		"gift":       {true, "boolean"},
		"to.city":    {"Ulm", "string"},
	} {
		assert.Equal(t, want, logs[0].Attributes[name], name)
	}
}

// exceptionNumber returns an exception with a number.
func exceptionNumber(n int) string {
	return fmt.Sprintf(`{"timestamp": "2026-01-02T03:04:05Z", "exception": {"type": "OutOfStock", "message": "%d"}}`, n)
}

func TestSentryRateLimitMakesReplayableDeadLetters(t *testing.T) {
	t.Parallel()
	in := sentryintake.New(t)
	p := startSentry(t, newDataFolders(t), unchanged, sentry{"sentry", in.DSN(), soon})
	client := newClient(t)
	in.ReplyWith(func(sentryintake.Envelope) sentryintake.Reply {
		return sentryintake.RateLimited("3:error:organization:quota")
	})
	client.mustAccept(t, p.eventURL(), jsonType, exceptionNumber(1), 1)
	assert.Equal(t, map[string]int{"dead_lettered/rate_limited": 1}, p.settled("sentry", 1).reasons, "refused by Sentry")
	deadLetters := p.newest("sentry", 10)
	require.Len(t, deadLetters, 1)
	assert.Equal(t, http.StatusTooManyRequests, deadLetters[0].Status)
	assert.Equal(t, 1, deadLetters[0].Attempts, "it is not sent again by itself")
	in.ReplyWith(nil)

	// The intake fails the test if one of these arrives while the limit lasts.
	client.mustAccept(t, p.eventURL(), jsonType, exceptionNumber(2), 1)
	assert.Equal(t, map[string]int{"dead_lettered/rate_limited": 2}, p.settled("sentry", 2).reasons, "not sent at all")
	client.mustAccept(t, p.eventURL(), jsonType, `{"name": "order_placed"}`, 1)
	counts := p.settled("sentry", 3)
	assert.Equal(t, map[string]int{"dead_lettered/rate_limited": 2, "delivered/": 1}, counts.reasons, "logs are not limited")
	for _, l := range p.newest("sentry", 10) {
		assert.Equal(t, "rate_limited", l.Reason)
	}

	delivered := 0
	p.waitFor("a replay after the limit", func() bool {
		time.Sleep(50 * time.Millisecond)
		_, got := p.replayOnly("sentry", "?reason=rate_limited", nil)
		delivered += got.Delivered
		return delivered >= 2
	})
	assert.Empty(t, p.deadLetterSummaries())
	assert.Equal(t, counts, p.eventCounts("sentry"), "a replay does not change the counts")
	p.stop()
	assert.ElementsMatch(t, []string{"1", "2"}, valuesOf(issuesAt(t, in)))
	assert.Len(t, in.Requests(), 4, "two issues, a log, and the one that started the limit")
}

// valuesOf returns the messages of the thrown exceptions.
func valuesOf(issues []issue) []string {
	var values []string
	for i := range issues {
		if n := len(issues[i].Exception.Values); n > 0 {
			values = append(values, issues[i].Exception.Values[n-1].Value)
		}
	}
	return values
}

func TestSentryRetryKeepsEventID(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		first sentryintake.Reply
	}{
		{"503", sentryintake.Unavailable()},
		{"502", sentryintake.Reply{Status: http.StatusBadGateway}},
		{"no response", sentryintake.Slow(time.Hour)},
		{"a reset", sentryintake.Reset()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := sentryintake.New(t)
			var asked atomic.Int64
			in.ReplyWith(func(sentryintake.Envelope) sentryintake.Reply {
				if asked.Add(1) <= 2 {
					return tt.first
				}
				return sentryintake.OK()
			})
			p := startSentry(t, newDataFolders(t), unchanged, sentry{"sentry", in.DSN(), "timeout: 1s, " + soon})
			newClient(t).mustAccept(t, p.eventURL(), jsonType, exceptionNumber(1), 1)
			sentryintake.WaitFor(in, 1, in.Events)
			assert.Equal(t, map[string]int{"delivered": 1}, p.settled("sentry", 1).outcomes)
			p.stop()
			requests := in.Requests()
			require.GreaterOrEqual(t, len(requests), 3)
			slices.SortFunc(requests, func(a, b sentryintake.Request) int { return a.Envelope.Arrived.Compare(b.Envelope.Arrived) })
			for i := range requests[1:] {
				before, after := requests[i].Envelope, requests[i+1].Envelope
				assert.Len(t, after.EventID(), 32)
				assert.Equal(t, before.EventID(), after.EventID())
				assert.Equal(t, string(before.Items[0].Payload), string(after.Items[0].Payload))
				assert.NotEqual(t, before.Header["sent_at"], after.Header["sent_at"], "when the attempt was made")
			}
		})
	}
}

// durableSentry is an exporter with a queue on disk.
const durableSentry = "sending_queue: {storage: file_storage, batch: {flush_timeout: 20ms}}, " +
	"retry_on_failure: {initial_interval: 5ms, max_interval: 20ms, max_elapsed_time: 0}"

// exceptionsAndEvents returns numbered records, every second one an exception.
func exceptionsAndEvents(first, count int) plog.Logs {
	logs := recordsWithoutID(first, count)
	of := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	for i := 0; i < count; i += 2 {
		of.At(i).Attributes().PutStr("exception.type", "OutOfStock")
		of.At(i).Attributes().PutStr("exception.message", strconv.Itoa(first+i))
	}
	return logs
}

func TestSentryGetsDurableQueueAfterKill(t *testing.T) {
	t.Parallel()
	const rounds, requests, together = 4, 40, 10
	in, s := sentryintake.New(t), newDataFolders(t)
	var asked atomic.Int64
	in.ReplyWith(func(sentryintake.Envelope) sentryintake.Reply {
		if asked.Add(1)%10 == 0 {
			return sentryintake.Unavailable()
		}
		return sentryintake.OK()
	})
	var mu sync.Mutex
	accepted := map[int]bool{}
	first := 0

	for round := range rounds {
		p := startSentry(t, s, unchanged, sentry{"sentry", in.DSN(), durableSentry})
		app := newSDK(p)
		began := make(chan struct{})
		begin := sync.OnceFunc(func() { close(began) })
		life := 5*time.Millisecond + rand.N(200*time.Millisecond)
		var killer sync.WaitGroup
		killer.Go(func() {
			select {
			case <-began:
				time.Sleep(life)
			case <-time.After(waitTimeout):
			}
			p.kill()
		})
		inParallel(requests, func(i int) bool {
			status, _, err := app.post(exceptionsAndEvents(first+i*together, together))
			if err != nil || status/100 != 2 {
				return false // it was killed
			}
			mu.Lock()
			defer mu.Unlock()
			for n := range together {
				accepted[first+i*together+n] = true
			}
			begin()
			return true
		})
		killer.Wait()
		first += requests * together
		t.Logf("round %d: killed after %s; %d records accepted so far, %d Issues and %d logs have arrived", round+1, life,
			len(accepted), len(in.Raw("event")), len(in.Raw("log")))
	}

	p := startSentry(t, s, unchanged, sentry{"sentry", in.DSN(), durableSentry})
	p.waitFor("every accepted record at Sentry", func() bool {
		time.Sleep(50 * time.Millisecond)
		left := maps.Clone(accepted)
		for _, n := range numbersAt(t, in) {
			delete(left, n)
		}
		return len(left) == 0
	})
	p.stop()
	assert.Empty(t, s.text(t), "dead letters")
	assertOneEventID(t, issuesAt(t, in))
}

// numbersAt returns the numbers of the records at the intake, including repeats.
func numbersAt(t *testing.T, in *sentryintake.Intake) []int {
	t.Helper()
	var numbers []int
	for _, value := range valuesOf(issuesAt(t, in)) {
		n, err := strconv.Atoi(value)
		require.NoError(t, err)
		numbers = append(numbers, n)
	}
	for _, l := range logsAt(t, in) {
		n, ok := l.Attributes["n"].Value.(float64)
		require.True(t, ok, "%+v", l)
		numbers = append(numbers, int(n))
	}
	return numbers
}

// assertOneEventID checks that a repeated event kept its id, and that no other event had it.
func assertOneEventID(t *testing.T, issues []issue) {
	t.Helper()
	ids, numbers := map[string]string{}, map[string]string{}
	for i, number := range valuesOf(issues) {
		id := issues[i].EventID
		if other, ok := ids[number]; ok {
			assert.Equal(t, other, id, "the ids of exception %s", number)
		}
		if other, ok := numbers[id]; ok {
			assert.Equal(t, other, number, "the exceptions with the id %s", id)
		}
		ids[number], numbers[id] = id, number
	}
	t.Logf("%d Issues arrived, %d of them again", len(issues), len(issues)-len(ids))
}

// secretsOfDSN are parts of DSNs that must not appear anywhere.
var secretsOfDSN = []string{"plantedpublickey", "plantedsecretkey", "planted-location"}

// leaking responds with the DSN's key.
const leaking = "leaking"

// sentryFailures are failures of Sentry, each with the outcome of its events.
var sentryFailures = []struct {
	name  string
	reply sentryintake.Reply
	end   string
}{
	{"redirect", sentryintake.Redirect(http.StatusFound, "http://planted-location.example.com/?planted-location"), "dead_lettered/redirected"},
	{"bad", sentryintake.BadRequest("invalid event"), "dead_lettered/refused"},
	{"unauthorized", sentryintake.Reply{Status: http.StatusUnauthorized}, "dead_lettered/unauthorized"},
	{"forbidden", sentryintake.Forbidden(), "dead_lettered/unauthorized"},
	{"missing", sentryintake.Reply{Status: http.StatusNotFound}, "dead_lettered/refused"},
	{"large", sentryintake.TooLarge(), "dead_lettered/too_large"},
	{"limited", sentryintake.TooManyRequests(), "dead_lettered/rate_limited"},
	{"broken", sentryintake.Reply{Status: http.StatusInternalServerError}, "dead_lettered/refused"},
	{"busy", sentryintake.Unavailable(), "dead_lettered/exhausted"},
	{"reset", sentryintake.Reset(), "dead_lettered/exhausted"},
	{hangs, sentryintake.Slow(time.Hour), "dead_lettered/exhausted"},
	{leaking, sentryintake.Reply{}, "dead_lettered/refused"},
	{"garbage", sentryintake.Garbage(), "delivered/"},
}

func TestSentryDSNKeyIsNeverShown(t *testing.T) {
	t.Parallel()
	const settings = "shutdown_timeout: 500ms, sending_queue: {batch: {flush_timeout: 20ms}}, " +
		"retry_on_failure: {initial_interval: 20ms, max_interval: 50ms, max_elapsed_time: 100ms}"
	timeouts := map[string]string{hangs: ", timeout: 200ms"}
	var projects []sentryintake.Project
	replies := map[string]sentryintake.Reply{}
	for i, f := range sentryFailures {
		id := strconv.Itoa(i + 1)
		projects = append(projects, sentryintake.Project{ID: id, PublicKey: "plantedpublickey", SecretKey: "plantedsecretkey"})
		if f.name != leaking {
			replies[id] = f.reply
		}
	}
	in := sentryintake.New(t, projects...)
	in.ReplyWith(func(e sentryintake.Envelope) sentryintake.Reply {
		if reply, ok := replies[e.Project]; ok {
			return reply
		}
		return sentryintake.BadRequest("unknown key "+e.Key, e.Request.Get("X-Sentry-Auth"))
	})
	exporters := []sentry{
		{"sentry/nobody", "http://plantedpublickey:plantedsecretkey@127.0.0.1:9/42", settings},
		{"sentry/plaintext", strings.Replace(in.DSN("1"), "http://", "https://", 1), settings},
	}
	want := map[string]string{"sentry/nobody": "dead_lettered/exhausted", "sentry/plaintext": "dead_lettered/exhausted"}
	for i, f := range sentryFailures {
		exporters = append(exporters, sentry{"sentry/" + f.name, in.DSN(strconv.Itoa(i + 1)), settings + timeouts[f.name]})
		want["sentry/"+f.name] = f.end
	}
	s := newDataFolders(t)
	p := startSentry(t, s, atDebug(t), exporters...)
	newClient(t).mustAccept(t, p.eventURL(), jsonType, `{"name": "planted-name", "message": "planted-message",
		"source": {"name": "planted-service"}, "properties": {"planted-property": "planted-value"},
		"exception": {"type": "planted-type", "message": "planted-exception"}}`, 1)
	for name, end := range want {
		assert.Equal(t, map[string]int{end: 1}, p.settled(name, 1).reasons, name)
	}
	_, metrics, err := p.get(p.metrics)
	require.NoError(t, err)
	_, list, err := p.get(p.deadLettersURL())
	require.NoError(t, err)
	p.replay("sentry/busy", nil)
	p.stop()

	values := append(slices.Clone(secretsOfEvent), "planted-type", "planted-exception")
	assertNoSecrets(t, "the log", p.stdout.String()+p.stderr.String(), secretsOfDSN, values)
	assertNoSecrets(t, "the metrics", metrics, secretsOfDSN, values)
	assertNoSecrets(t, "the list of dead letters", list, secretsOfDSN, values)
	assertNoSecrets(t, "the dead letters on disk", s.text(t), secretsOfDSN)
	assert.Contains(t, p.stderr.String(), "\tdebug\t", "debug messages in the log")
	assert.Len(t, s.onDisk(t), len(want)-1, "all exporters have dead letters except the one that got 200")
}

func TestBadDSNIsNeverShown(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, dsn, problem string }{
		{"one without a project", "https://plantedpublickey:plantedsecretkey@sentry.example.com", "no project"},
		{"one with another scheme", "ftp://plantedpublickey:plantedsecretkey@sentry.example.com/42", "scheme"},
		{"one with a line feed", `https://plantedpublickey:plantedsecretkey@sentry.example.com/42\n`, "line feed"},
		{"one that is not a URL", "https://plantedpublickey:plantedsecretkey@sentry.example.com:port/42", "URL"},
		{"none", "", "missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			configuration := replace(t, configure(""), "exporters:\n", `exporters: {sentry: {dsn: "`+tt.dsn+`"}}`+"\n")
			configuration = replace(t, configuration, "exporters: []", "exporters: [sentry]")
			e := run(t, nil, "--config", writeConfig(t, configuration))
			assert.NotZero(t, e.code)
			assert.Contains(t, e.stderr, "exporters::sentry: dsn")
			assert.Contains(t, e.stderr, tt.problem)
			assertNoSecrets(t, "the output", e.stdout+e.stderr, secretsOfDSN)
		})
	}
}
