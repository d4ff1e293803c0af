// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"maps"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
)

// Every sender sends two records: orderPlaced, and a plain log without a name.
const (
	// orderPlaced is the event as it arrives, without its id. Integers and doubles are written
	// differently.
	orderPlaced = `{
		"name": "order_placed",
		"timestamp": "2026-01-02T03:04:05.678901234Z",
		"severity": "WARN",
		"severity_number": 13,
		"message": "an order was placed 🎉",
		"source": {"name": "shop", "version": "1.2.3"},
		"user": {"id": "u1"},
		"properties": {
			"beyond_double": 9007199254740993,
			"least": -9223372036854775808,
			"whole_double": 1.0,
			"tenth": 0.1,
			"paid": true,
			"refunded": false,
			"nested": {"deeper": {"int": 9007199254740993, "double": 2.0, "bytes": "/w=="}},
			"list": ["one", 2, 3.0, true, {"four": 4}],
			"bytes": "AAH+/w==",
			"emoji": "👩‍🚀🎉",
			"cjk": "注文が確定しました",
			"escapes": "a \"quote\", a \\ and a\nline",
			"empty": ""
		},
		"trace": {"trace_id": "0102030405060708090a0b0c0d0e0f10", "span_id": "1112131415161718", "flags": 1},
		"scope": {"name": "checkout", "version": "0.9.0"},
		"value_types": {"/properties/bytes": "bytes", "/properties/nested/deeper/bytes": "bytes"}
	}`

	// plainLog is the record as it arrives, without its id.
	plainLog = `{
		"timestamp": "2026-01-02T03:04:05.678901234Z",
		"message": "a plain log",
		"source": {"name": "shop", "version": "1.2.3"},
		"scope": {"name": "checkout", "version": "0.9.0"}
	}`

	// orderPlacedInNode is the event from Node, whose SDK sends doubles without a fraction as
	// integers.
	orderPlacedInNode = `{
		"name": "order_placed",
		"timestamp": "2026-01-02T03:04:05.678901234Z",
		"severity": "WARN",
		"severity_number": 13,
		"message": "an order was placed 🎉",
		"source": {"name": "shop", "version": "1.2.3"},
		"user": {"id": "u1"},
		"properties": {
			"largest_safe": 9007199254740991,
			"smallest_safe": -9007199254740991,
			"whole_double": 1,
			"tenth": 0.1,
			"paid": true,
			"refunded": false,
			"nested": {"deeper": {"int": 9007199254740991, "double": 2.5, "bytes": "/w=="}},
			"list": ["one", 2, 3.5, true, {"four": 4}],
			"bytes": "AAH+/w==",
			"emoji": "👩‍🚀🎉",
			"cjk": "注文が確定しました",
			"escapes": "a \"quote\", a \\ and a\nline",
			"empty": ""
		},
		"trace": {"trace_id": "0102030405060708090a0b0c0d0e0f10", "span_id": "1112131415161718", "flags": 1},
		"scope": {"name": "checkout", "version": "0.9.0"},
		"value_types": {"/properties/bytes": "bytes", "/properties/nested/deeper/bytes": "bytes"}
	}`
)

func TestEverySenderReachesEveryWebhook(t *testing.T) {
	t.Parallel()
	senders := []struct {
		name        string
		send        func(*testing.T, *collector)
		orderPlaced string
	}{
		{"the OpenTelemetry SDK for Go over HTTP", sendWithGoOverHTTP, orderPlaced},
		{"the OpenTelemetry SDK for Go over gRPC", sendWithGoOverGRPC, orderPlaced},
		{"the OpenTelemetry SDK for Node.js", sendWithNode, orderPlacedInNode},
		{"curl", sendWithCurl, orderPlaced},
	}
	for _, sender := range senders {
		t.Run(sender.name, func(t *testing.T) {
			t.Parallel()
			single, array := newInbox(t, singleEvents), newInbox(t, arraysOfEvents)
			c := start(t, configure("",
				webhook{"single", single.URL, "batching: single"},
				webhook{"array", array.URL, "batching: array"}))

			sender.send(t, c)

			bySingle, byArray := single.wait(c, 2), array.wait(c, 2)
			c.stop()
			assert.Len(t, single.attempted(), 2, "requests of one event each")
			for _, want := range []event{parse(t, sender.orderPlaced), parse(t, plainLog)} {
				one, other := find(t, bySingle, want.name()), find(t, byArray, want.name())
				assert.Equal(t, want, withoutID(one))
				assert.Equal(t, want, withoutID(other))
				assert.Equal(t, one.id(), other.id(), "the id at both webhooks")
			}
		})
	}
}

func sendWithGoOverHTTP(t *testing.T, c *collector) {
	t.Helper()
	exporter, err := otlploghttp.New(t.Context(), otlploghttp.WithEndpoint(c.otlpHTTP()), otlploghttp.WithInsecure())
	require.NoError(t, err)
	sendWithGo(t, exporter)
}

func sendWithGoOverGRPC(t *testing.T, c *collector) {
	t.Helper()
	exporter, err := otlploggrpc.New(t.Context(), otlploggrpc.WithEndpoint(c.otlpGRPC()), otlploggrpc.WithInsecure())
	require.NoError(t, err)
	sendWithGo(t, exporter)
}

func sendWithGo(t *testing.T, exporter sdklog.Exporter) {
	t.Helper()
	provider := sdklog.NewLoggerProvider(
		sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)),
		sdklog.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "shop"), attribute.String("service.version", "1.2.3"))))
	logger := provider.Logger("checkout", log.WithInstrumentationVersion("0.9.0"))
	at := time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC)

	var order log.Record
	order.SetEventName("order_placed")
	order.SetTimestamp(at)
	order.SetSeverity(log.SeverityWarn)
	order.SetSeverityText("WARN")
	order.SetBody(attribute.StringValue("an order was placed 🎉"))
	order.AddAttributes(
		attribute.String("user.id", "u1"),
		attribute.Int64("beyond_double", 9007199254740993),
		attribute.Int64("least", -9223372036854775808),
		attribute.Float64("whole_double", 1),
		attribute.Float64("tenth", 0.1),
		attribute.Bool("paid", true),
		attribute.Bool("refunded", false),
		attribute.Map("nested", attribute.Map("deeper",
			attribute.Int64("int", 9007199254740993),
			attribute.Float64("double", 2),
			attribute.ByteSlice("bytes", []byte{0xff}))),
		attribute.Slice("list",
			attribute.StringValue("one"), attribute.Int64Value(2), attribute.Float64Value(3), attribute.BoolValue(true),
			attribute.MapValue(attribute.Int("four", 4))),
		attribute.ByteSlice("bytes", []byte{0x00, 0x01, 0xfe, 0xff}),
		attribute.String("emoji", "👩‍🚀🎉"),
		attribute.String("cjk", "注文が確定しました"),
		attribute.String("escapes", "a \"quote\", a \\ and a\nline"),
		attribute.String("empty", ""),
	)
	logger.Emit(inTrace(t.Context()), order)

	var plain log.Record
	plain.SetTimestamp(at)
	plain.SetBody(attribute.StringValue("a plain log"))
	logger.Emit(t.Context(), plain)

	require.NoError(t, provider.Shutdown(t.Context()))
}

func inTrace(ctx context.Context) context.Context {
	return trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID:    trace.TraceID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
		SpanID:     trace.SpanID{0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18},
		TraceFlags: trace.FlagsSampled,
	}))
}

// sendWithNode runs node/send.mjs.
func sendWithNode(t *testing.T, c *collector) {
	t.Helper()
	needNode(t)
	output, err := inNodeFolder(t, "node", "send.mjs", "http://"+c.otlpHTTP()+"/v1/logs")
	require.NoError(t, err, "node/send.mjs: %s", output)
}

// sendWithCurl sends the events in the form in which they arrive.
func sendWithCurl(t *testing.T, c *collector) {
	t.Helper()
	body := "[" + orderPlaced + "," + plainLog + "]"
	assert.JSONEq(t, `{"accepted": 2, "rejected": []}`, curl(t, c.eventURL(), body))
}

// curl posts JSON, and returns the body of a 2xx response.
func curl(t *testing.T, url, body string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), needCurl(t), "--disable", "--noproxy", "*", "--silent", "--show-error",
		"--fail", "--header", "content-type: application/json", "--data-binary", body, url)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", output)
	return string(output)
}

func parse(t *testing.T, text string) event {
	t.Helper()
	var e event
	require.NoError(t, unmarshal([]byte(text), &e))
	return e
}

// find returns the only event with the name, which may be empty.
func find(t *testing.T, events []event, name string) event {
	t.Helper()
	var found []event
	for _, e := range events {
		if e.name() == name {
			found = append(found, e)
		}
	}
	require.Len(t, found, 1, "events named %q", name)
	return found[0]
}

func withoutID(e event) event {
	rest := maps.Clone(e)
	delete(rest, "id")
	return rest
}
