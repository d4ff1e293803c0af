// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package sentryexporter

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// longTexts returns texts above the lowest limit, of characters that JSON escapes in different ways.
func longTexts() map[string]string {
	texts := map[string]string{}
	for name, piece := range map[string]string{"letters": "x", "quotes": `"`, "controls": "\x01", "invalid": "\xff", "wide": "日本"} {
		texts[name] = strings.Repeat(piece, (minEventBytes+1000)/len(piece))
	}
	return texts
}

// longStacks returns stacks of long exceptions with long frames.
func longStacks(text string) []string {
	var java, python strings.Builder
	python.WriteString("Traceback (most recent call last):")
	for i := range 60 {
		fmt.Fprintf(&java, "\n\tat com.%[1]s.C%[2]d.%[1]s(%[1]s.java:%[2]d)", text[:600], i)
		fmt.Fprintf(&python, "\n  File \"%[1]s.py\", line %[2]d, in %[1]s\n    %[1]s", text[:600], i)
	}
	java.WriteString("\nCaused by: " + text + java.String())
	python.WriteString("\n" + text + ": " + text)
	return []string{text, text + ": " + text + java.String(), python.String()}
}

// Attributes that become members of payloads.
func resourceAttributes() []string {
	return []string{
		"any", "service.name", "service.namespace", "service.version", "deployment.environment.name", "app.build_id", "host.name", "k8s.pod.name",
		"service.instance.id", "telemetry.sdk.language", "process.runtime.name", "process.runtime.version", "os.name", "os.version",
	}
}

func spanAttributes() []string {
	return []string{
		"any", "http.request.method", "http.route", "url.full", "url.scheme", "url.path", "url.query", "server.address", "user_agent.original",
		"client.address", "http.request.header.accept", "db.query.text", "gen_ai.operation.name", "graphql.operation.type",
		"messaging.operation.type", "sentry.op", "sentry.release", "sentry.environment", "sentry.segment.name", "otel.trace_state",
	}
}

func recordAttributes() []string {
	return append(spanAttributes(), "log.record.uid", "exception.type", "exception.message", "session.id", "user.id", "user.email", "user.name",
		"user.full_name", "user.roles", "enduser.pseudo.id", "fanout.subject", "fanout.fingerprint", "fanout.type", "fanout.previous_id",
		"sentry.message.template", "{OriginalFormat}")
}

// aRecord is a record with its resource and scope, and aSpan a span with its resource.
type (
	aRecord struct {
		plog.LogRecord
		resource pcommon.Map
		scope    pcommon.InstrumentationScope
	}
	aSpan struct {
		ptrace.Span
		resource pcommon.Map
	}
)

// longRecords returns changes to a record. Each makes one part of it long.
func longRecords(text string) []func(aRecord) {
	changes := []func(aRecord){
		func(r aRecord) { r.SetEventName(text) },
		func(r aRecord) { r.SetSeverityText(text) },
		func(r aRecord) { r.Body().SetStr(text) },
		func(r aRecord) { r.scope.SetName(text) },
		func(r aRecord) { r.scope.SetVersion(text) },
		func(r aRecord) { putTexts(r.Attributes(), "fanout.fingerprint", text) },
	}
	for _, name := range recordAttributes() {
		changes = append(changes, func(r aRecord) { r.Attributes().PutStr(name, text) })
	}
	for _, name := range resourceAttributes() {
		changes = append(changes, func(r aRecord) { r.resource.PutStr(name, text) })
	}
	for _, stack := range longStacks(text) {
		changes = append(changes, func(r aRecord) { r.Attributes().PutStr("exception.stacktrace", stack) })
	}
	for _, name := range []string{"fanout.groups", "fanout.traits", "fanout.traits_once", text} {
		changes = append(changes, func(r aRecord) { r.Attributes().PutEmptyMap(name).PutStr(text, text) })
	}
	return changes
}

// putTexts sets an attribute to many texts.
func putTexts(attributes pcommon.Map, name, text string) {
	values := attributes.PutEmptySlice(name)
	for range 100 {
		values.AppendEmpty().SetStr(text)
	}
}

// longSpans returns changes to a span and its exception. Each makes one part of them long.
func longSpans(text string) []func(aSpan) {
	changes := []func(aSpan){
		func(s aSpan) { s.SetName(text) },
		func(s aSpan) { s.Status().SetMessage(text) },
		func(s aSpan) { s.TraceState().FromRaw(text) },
		func(s aSpan) {
			link := s.Links().AppendEmpty()
			link.SetTraceID([16]byte{2})
			link.SetSpanID([8]byte{2})
			link.Attributes().PutStr(text, text)
		},
		func(s aSpan) {
			exception := s.Events().At(0).Attributes()
			exception.PutStr("exception.message", text)
			exception.PutStr("exception.stacktrace", longStacks(text)[1])
			putTexts(exception, "fanout.fingerprint", text)
		},
	}
	for _, name := range spanAttributes() {
		changes = append(changes, func(s aSpan) { s.Attributes().PutStr(name, text) })
	}
	for _, name := range resourceAttributes() {
		changes = append(changes, func(s aSpan) { s.resource.PutStr(name, text) })
	}
	return changes
}

func TestNoItemExceedsItsLimit(t *testing.T) {
	for name, text := range longTexts() {
		t.Run(name, func(t *testing.T) {
			for _, b := range smallBackends() {
				checkRecord(t, b, longRecords(text)...)
				checkSpan(t, b, longSpans(text)...)
			}
		})
	}
	t.Run("one by one", func(t *testing.T) {
		text := longTexts()["controls"]
		for _, b := range smallBackends() {
			for _, change := range longRecords(text) {
				checkRecord(t, b, change)
			}
			for _, change := range longSpans(text) {
				checkSpan(t, b, change)
			}
		}
	})
}

// smallBackends returns backends with the lowest limit. They encode the same events as different items.
func smallBackends() []*backend {
	return []*backend{
		benchBackend(func(cfg *Config) { cfg.MaxEventBytes = minEventBytes }),
		benchBackend(func(cfg *Config) {
			cfg.MaxEventBytes, cfg.Issues.Enabled, cfg.Traces.Format = minEventBytes, false, TracesTransactions
			cfg.SendDefaultPII, cfg.MaskSecrets, cfg.ReleaseFormat = true, false, ReleaseNameVersion
		}),
	}
}

func checkRecord(t *testing.T, b *backend, changes ...func(aRecord)) {
	t.Helper()
	ld := exceptions("large")
	rl := ld.ResourceLogs().At(0)
	scope := rl.ScopeLogs().At(0)
	r := aRecord{scope.LogRecords().At(0), rl.Resource().Attributes(), scope.Scope()}
	r.SetTraceID([16]byte{1})
	for _, change := range changes {
		change(r)
	}
	checkSizes(t, eventsOfLogs(b, ld), 1)
}

func checkSpan(t *testing.T, b *backend, changes ...func(aSpan)) {
	t.Helper()
	td := spanWithException("large")
	rs := td.ResourceSpans().At(0)
	for _, change := range changes {
		change(aSpan{rs.ScopeSpans().At(0).Spans().At(0), rs.Resource().Attributes()})
	}
	checkSizes(t, eventsOfTraces(b, td), 2)
}

func checkSizes(t *testing.T, events []delivery.Event, want int) {
	t.Helper()
	require.Len(t, events, want)
	for i := range events {
		require.LessOrEqual(t, len(events[i].Payload), minEventBytes, "%s: %.2000s", events[i].Category, events[i].Payload)
		require.True(t, json.Valid(events[i].Payload))
	}
}

func TestConfiguredFingerprintsAreBounded(t *testing.T) {
	b := benchBackend(func(cfg *Config) {
		cfg.MaxEventBytes = minEventBytes
		cfg.Issues.Fingerprints = map[string][]string{"*": make([]string, 100)}
		for i := range cfg.Issues.Fingerprints["*"] {
			cfg.Issues.Fingerprints["*"][i] = strings.Repeat("\x01", 5000)
		}
	})
	checkSizes(t, eventsOfLogs(b, exceptions("e")), 1)
}

func TestCutKeepsWholeCharactersWithinBothLimits(t *testing.T) {
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{"", 6, ""},
		{"abcdef", 6, "abcdef"},
		{"abcdefg", 6, "abcdef"},
		{"日本語", 6, "日本"},
		{"日本語", 5, "日"},
		{"日本語", 2, ""},
		{"日本", 6, "日本"},
		{"\xff\xff\xff\xff\xff", 6, "\xff\xff\xff\xff"},
		{`""""""`, 6, `""""""`},
		{`"""""""`, 6, `""""""`},
		{"a\x01\x01", 6, "a\x01"},
		{"\x01\x01", 6, "\x01\x01"},
		{"\x01\x01\x01", 6, "\x01\x01"},
		{"\n\n\n", 6, "\n\n"},
	} {
		assert.Equal(t, c.want, cut(c.text, c.limit), "%q", c.text)
	}
}

// FuzzCut checks that cut keeps a beginning within both limits.
func FuzzCut(f *testing.F) {
	for _, text := range longTexts() {
		f.Add(text[:300], uint8(100))
	}
	f.Fuzz(func(t *testing.T, text string, limit uint8) {
		kept := cut(text, int(limit))
		if !strings.HasPrefix(text, kept) || len(kept) > int(limit) {
			t.Fatalf("%q is cut to %q at %d", text, kept, limit)
		}
		if size := len(jsonappend.String(nil, kept)) - len(`""`); size > 2*int(limit) {
			t.Fatalf("%q is cut to %q, which is %d bytes of JSON", text, kept, size)
		}
	})
}
