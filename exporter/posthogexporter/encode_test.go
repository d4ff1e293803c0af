// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/analyticsconf"
	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

func TestUUIDsAreKeptInLowerCase(t *testing.T) {
	for text, want := range map[string]string{
		"0198c0de-0000-7000-8000-00000000000f":    "0198c0de-0000-7000-8000-00000000000f",
		"0198C0DE-ABCD-7000-8000-00000000000F":    "0198c0de-abcd-7000-8000-00000000000f",
		"0198c0de-0000-7000-8000-00000000000g":    "", // g is not a hexadecimal digit
		"0198c0de-0000-7000-8000-00000000000-":    "",
		"0198c0de-0000-7000-8000-0000000000\xff0": "",
		"0198c0de0-000-7000-8000-00000000000f":    "",
		"0198c0de-0000-7000-8000-00000000000f0":   "",
		"0198c0de00007000800000000000000f":        "",
		"{198c0de-0000-7000-8000-00000000000f":    "",
		"0198c0d@-0000-7000-8000-0000000000`f":    "",
		"0198c0d/-0000-7000-8000-0000000000:f":    "",
	} {
		u, ok := parseUUID(text)
		assert.Equal(t, want != "", ok, text)
		if ok {
			assert.Equal(t, want, string(u[:]))
			assert.Equal(t, u, uuidOf(text))
			continue
		}
		made := uuidOf(text)
		assert.NotEqual(t, text, string(made[:]))
		assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, string(made[:]))
		assert.Equal(t, made, uuidOf(text))
	}
	random := newRequestID()
	assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, random)
	assert.NotEqual(t, random, newRequestID())
}

func FuzzUUID(f *testing.F) {
	f.Add("0198c0de-0000-7000-8000-00000000000f")
	f.Fuzz(func(t *testing.T, text string) {
		u, ok := parseUUID(text)
		if ok != (len(text) == uuidLength && strings.Trim(text, "0123456789abcdefABCDEF-") == "" && strings.Count(text, "-") == 4 &&
			text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-') {
			t.Fatalf("%q: %v", text, ok)
		}
		if ok && string(u[:]) != strings.ToLower(text) {
			t.Fatalf("%q: %s", text, u[:])
		}
	})
}

func TestIllegalIDsAreRecognized(t *testing.T) {
	for _, id := range slices.Concat(illegalIDs[:]...) {
		assert.True(t, isIllegalID(id), id)
		assert.True(t, isIllegalID(" "+strings.ToUpper(id)+"\n"), id)
		assert.False(t, isIllegalID(id+"-1"), id)
	}
	assert.Len(t, slices.Concat(illegalIDs[:]...), 20)
	assert.True(t, isIllegalID(" "))
	assert.False(t, isIllegalID(strings.Repeat("0", 200)))
}

func TestEventWithoutTimeHasArrivalTime(t *testing.T) {
	b := benchBackend(t, func(*Config) {})
	b.now = func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC) }
	ld := events("a")
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetTimestamp(0)
	encoded := encodeAll(t, b, ld)
	assert.Contains(t, string(encoded[0].Payload), `"timestamp":"2026-01-02T03:04:05.000006Z"`)
	assert.Equal(t, pcommon.NewTimestampFromTime(b.now()), encoded[0].Time)
}

// encodeFailure returns the error for an event with these attributes.
func encodeFailure(t *testing.T, protocol Protocol, attributes map[string]any) string {
	ld := events("a")
	record := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	require.NoError(t, record.Attributes().FromRaw(attributes))
	if attributes["event.name"] != nil {
		record.SetEventName("")
	}
	enc := newEncoder(benchBackend(t, func(cfg *Config) { cfg.Protocol = protocol }))
	var w delivery.Writer
	for e := range appevent.Logs(ld) {
		if err := enc.Encode(&w, e); err != nil {
			return err.Error()
		}
	}
	return ""
}

func TestEventsThatPostHogDropsAreRefused(t *testing.T) {
	for _, protocol := range []Protocol{ProtocolBatch, ProtocolV1} {
		assert.Contains(t, encodeFailure(t, protocol, map[string]any{"$cookieless_mode": true, "$host": "h"}), "no $raw_user_agent")
		assert.Contains(t, encodeFailure(t, protocol, map[string]any{"$cookieless_mode": 1, "$raw_user_agent": "u"}), "no $host")
		assert.Empty(t, encodeFailure(t, protocol, map[string]any{"$cookieless_mode": false}))
	}
	for _, name := range []string{"$identify", "$create_alias", "$groupidentify", "$merge_dangerously"} {
		for _, protocol := range []Protocol{ProtocolBatch, ProtocolV1} {
			event := map[string]any{"event.name": name}
			assert.Contains(t, encodeFailure(t, protocol, event), "PostHog drops a "+name)
			event["user.id"] = "u1"
			assert.Empty(t, encodeFailure(t, protocol, event))
			event["$process_person_profile"] = "false"
			assert.Contains(t, encodeFailure(t, protocol, event), "PostHog drops a "+name)
		}
	}
	assert.Contains(t, encodeFailure(t, ProtocolBatch, map[string]any{"event.name": "$performance_event"}), "use another name")
	assert.Contains(t, encodeFailure(t, ProtocolBatch, map[string]any{"$cookieless_mode": "maybe"}), "neither true nor false")
	assert.Empty(t, encodeFailure(t, ProtocolV1, map[string]any{"$cookieless_mode": "maybe"}))
}

func TestFieldsOfAnotherTypeStayPropertiesInV1(t *testing.T) {
	ld := events("a")
	attributes := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes()
	attributes.PutInt(propSession, 7)
	attributes.PutBool(propWindow, true)
	attributes.PutDouble(propCookieless, math.NaN())
	encoded := encodeAll(t, benchBackend(t, func(cfg *Config) { cfg.Protocol = ProtocolV1 }), ld)
	payload := string(encoded[0].Payload)
	assert.Contains(t, payload, `"$session_id":7,"$window_id":true,"$cookieless_mode":"NaN"`)
	assert.Contains(t, payload, `"options":{"disable_skew_correction":true}`)
	assert.NotContains(t, payload, `"session_id":7`)
}

func TestSourcesDoNotMix(t *testing.T) {
	ld := plog.NewLogs()
	for _, name := range []string{"shop", "cart", "shop"} {
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("service.name", name)
		rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().SetEventName("of_" + name)
	}
	for _, e := range encodeAll(t, benchBackend(t, func(*Config) {}), ld) {
		assert.Contains(t, string(e.Payload), `"service.name":"`+strings.TrimPrefix(e.Name, "of_")+`"`)
	}
}

func TestAttributeOverridesTheResource(t *testing.T) {
	for _, name := range []string{"service.name", "user.id", "subject", "trace_id", "$lib", "body", "other"} {
		ld := plog.NewLogs()
		rl := ld.ResourceLogs().AppendEmpty()
		for _, key := range []string{"service.name", "user.id", "user.email", "subject", "trace_id", "$lib", "body", "other", "fanout.note"} {
			rl.Resource().Attributes().PutStr(key, "of the resource")
		}
		r := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		r.SetEventName("a")
		r.Attributes().PutStr(name, "of the record")
		b := benchBackend(t, func(cfg *Config) { cfg.ResourceAttributes = []string{"*"} })
		encoded := encodeAll(t, b, ld)
		require.True(t, jsontext.Value(encoded[0].Payload).IsValid(), "%s", encoded[0].Payload)
		var e struct {
			DistinctID string         `json:"distinct_id"`
			Properties map[string]any `json:"properties"`
		}
		require.NoError(t, json.Unmarshal(encoded[0].Payload, &e))
		assert.NotContains(t, e.Properties, "fanout.note")
		if name == "user.id" {
			assert.Equal(t, "of the record", e.DistinctID)
			continue
		}
		assert.Equal(t, "of the record", e.Properties[name])
		assert.Equal(t, "of the resource", e.Properties["user.email"])
	}
}

// jsontext refuses an object that has a name twice.
func TestGeoIPDisableIsWrittenOnce(t *testing.T) {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutBool(propGeoIPDisable, false)
	rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().SetEventName("a")
	b := benchBackend(t, func(cfg *Config) { cfg.ResourceAttributes, cfg.IPAttribute = []string{"*"}, "client.address" })
	encoded := encodeAll(t, b, ld)
	require.True(t, jsontext.Value(encoded[0].Payload).IsValid(), "%s", encoded[0].Payload)
	assert.Contains(t, string(encoded[0].Payload), `"$geoip_disable":true`)
}

func TestRecordFieldsOverrideTheResource(t *testing.T) {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	for _, key := range []string{"body", "subject", "trace_id", "span_id", "user.email", "$session_id", "other"} {
		rl.Resource().Attributes().PutStr(key, "of the resource")
	}
	r := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	r.SetEventName("a")
	r.Body().SetStr("of the record")
	r.SetTraceID([16]byte{1})
	r.SetSpanID([8]byte{1})
	for _, key := range []string{"fanout.subject", "user.email", "session.id"} {
		r.Attributes().PutStr(key, "of the record")
	}
	b := benchBackend(t, func(cfg *Config) { cfg.ResourceAttributes = []string{"*"} })
	encoded := encodeAll(t, b, ld)
	checkEvent(t, &encoded[0])
	payload := encoded[0].Payload
	assert.Equal(t, 1, strings.Count(string(payload), "of the resource"), "%s", payload)
}

func TestPageTitleOverridesTheResource(t *testing.T) {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("title", "of the resource")
	rl.Resource().Attributes().PutStr("name", "of the resource")
	r := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	r.SetEventName("Pricing")
	r.Attributes().PutStr("fanout.type", "page")
	r.Attributes().PutEmptyMap("page").PutStr("title", "of the record")
	b := benchBackend(t, func(cfg *Config) { cfg.ResourceAttributes = []string{"*"} })
	encoded := encodeAll(t, b, ld)
	checkEvent(t, &encoded[0])
	payload := encoded[0].Payload
	assert.NotContains(t, string(payload), "of the resource")
	assert.Contains(t, string(payload), `"title":"of the record"`)
}

func TestSpanIdentifiesThePersonOfItsExceptions(t *testing.T) {
	span := ptrace.NewSpan()
	span.Attributes().PutStr("posthog.distinct_id", "best")
	span.Attributes().PutStr("user.id", "u1")
	span.Events().AppendEmpty().Attributes().PutStr("exception.type", "E")
	span.Events().AppendEmpty().Attributes().PutStr("exception.type", "E")
	span.Events().At(1).Attributes().PutStr("user.id", "u2")
	var w delivery.Writer
	source := appevent.NewSource(pcommon.NewResource(), pcommon.NewInstrumentationScope())
	require.NoError(t, newSpanEncoder(benchBackend(t, func(*Config) {})).EncodeSpan(&w, source, span))
	encoded := w.Take().Events()
	require.Len(t, encoded, 2)
	assert.Contains(t, string(encoded[0].Payload), `"distinct_id":"best"`)
	assert.Contains(t, string(encoded[1].Payload), `"distinct_id":"u2"`)
}

func TestAIContentIsHidden(t *testing.T) {
	const said = "what-was-said"
	td := ptrace.NewTraces()
	span := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetName("chat")
	span.SetTraceID([16]byte{1})
	span.SetSpanID([8]byte{1})
	for name := range contentAttributes {
		span.Attributes().PutStr(name, `[{"role":"user","`+said+`":1,"parts":[{"type":"text","content":"`+said+`","mime_type":"`+said+" "+said+`","modality":"`+strings.Repeat(said, 5)+`"}],"content":["`+said+`"]}]`)
	}
	for _, prefix := range contentPrefixes {
		span.Attributes().PutStr(prefix+"0.content", said)
	}
	span.Attributes().PutEmptySlice("gen_ai.input.messages").AppendEmpty().SetEmptyMap().PutEmptySlice("parts").AppendEmpty().SetStr(said)
	deep := span.Attributes().PutEmptySlice("gen_ai.output.messages")
	for range 20 {
		deep = deep.AppendEmpty().SetEmptySlice()
	}
	deep.AppendEmpty().SetStr(said)
	for content, want := range map[Content]bool{ContentFull: true, ContentRedacted: false, ContentNone: false} {
		enc := newSpanEncoder(benchBackend(t, func(cfg *Config) { cfg.AI.Content = content }))
		var w delivery.Writer
		source := appevent.NewSource(pcommon.NewResource(), pcommon.NewInstrumentationScope())
		require.NoError(t, enc.EncodeSpan(&w, source, span))
		payload := string(w.Take().Events()[0].Payload)
		assert.Equal(t, want, strings.Contains(payload, said), payload)
		assert.Equal(t, content == ContentRedacted, strings.Contains(payload, redacted))
		assert.Equal(t, content != ContentNone, strings.Contains(payload, `$ai_input"`))
	}
}

// FuzzEncode checks that any record is either refused or becomes events that PostHog can read,
// within its limits.
func FuzzEncode(f *testing.F) {
	seed := func(ld plog.Logs) {
		raw, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
		require.NoError(f, err)
		f.Add(raw, true)
		f.Add(raw, false)
	}
	odd := events("a", "\xff", "")
	records := odd.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	records.At(0).SetTimestamp(math.MaxUint64)
	attributes := records.At(1).Attributes()
	attributes.PutDouble("nan", math.NaN())
	attributes.PutEmptyBytes("bytes").FromRaw([]byte{0, 255})
	attributes.PutEmptyMap("\xfe").PutEmptySlice("\xfe").AppendEmpty()
	attributes.PutStr("$set", "x")
	attributes.PutStr("$process_person_profile", "\xff")
	attributes.PutStr("exception.stacktrace", "E: x\n\tat a.b(C.java:1)\n\xff")
	seed(odd)
	for _, word := range appevent.Kinds() {
		ld := events("x")
		m := kind(ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0), word)
		m.PutStr("enduser.pseudo.id", "anon")
		groups := m.PutEmptyMap("fanout.groups")
		groups.PutStr("company", "acme")
		groups.PutInt("\xff", 1)
		m.PutEmptyMap("fanout.traits").PutStr("\xff", "\xff")
		m.PutEmptyMap("fanout.traits_once").PutStr("a", "b")
		m.PutStr("url.full", "https://h/p?q")
		seed(ld)
	}
	batch := benchBackend(f, func(cfg *Config) { cfg.Logs = analyticsconf.LogsAsEvents })
	v1 := benchBackend(f, func(cfg *Config) {
		cfg.Protocol, cfg.AI.Content, cfg.IPAttribute = ProtocolV1, ContentRedacted, "client.address"
	})
	f.Fuzz(func(t *testing.T, data []byte, useV1 bool) {
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
		if err != nil {
			return
		}
		b := batch
		if useV1 {
			b = v1
		}
		encoded := encodeAll(t, b, ld)
		for i := range encoded {
			checkEvent(t, &encoded[i])
		}
		again := encodeAll(t, b, ld)
		require.Len(t, again, len(encoded))
		for i := range again {
			if encoded[i].Time == again[i].Time { // otherwise it is the time of arrival
				require.Equal(t, encoded[i], again[i], "encoding is deterministic")
			}
		}
		buildRequests(t, b, encoded)
	})
}

// FuzzEncodeSpan is FuzzEncode for spans.
func FuzzEncodeSpan(f *testing.F) {
	td := ptrace.NewTraces()
	span := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID([16]byte{1})
	span.SetSpanID([8]byte{1})
	span.Attributes().PutStr("gen_ai.operation.name", "chat")
	span.Attributes().PutStr("gen_ai.input.messages", `[{"role":"user","parts":[{"type":"text","content":"x"}]}]`)
	span.Attributes().PutStr("gen_ai.output.messages", `{"a":1,"a":2}`)
	span.Attributes().PutStr("gen_ai.usage.input_tokens", "12")
	span.Attributes().PutDouble("gen_ai.usage.output_tokens", math.NaN())
	span.Events().AppendEmpty().Attributes().PutStr("exception.type", "\xff")
	raw, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	require.NoError(f, err)
	for content := range byte(3) {
		f.Add(raw, content)
	}
	dialects, err := filepath.Glob("testdata/ai_*/traces.yaml")
	require.NoError(f, err)
	for _, file := range dialects {
		raw, ok := readYAML(f, filepath.Dir(file), "traces.yaml")
		require.True(f, ok)
		td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(raw)
		require.NoError(f, err)
		raw, err = (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
		require.NoError(f, err)
		f.Add(raw, byte(0))
		f.Add(raw, byte(1))
	}
	var backends []*backend
	for _, content := range []Content{ContentFull, ContentRedacted, ContentNone} {
		backends = append(backends, benchBackend(f, func(cfg *Config) { cfg.AI.Content = content }))
	}
	f.Fuzz(func(t *testing.T, data []byte, content byte) {
		td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(data)
		if err != nil {
			return
		}
		b := backends[int(content)%len(backends)]
		enc := newSpanEncoder(b)
		var w delivery.Writer
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				source := appevent.NewSource(rs.Resource(), ss.Scope())
				for _, span := range ss.Spans().All() {
					_ = enc.EncodeSpan(&w, source, span)
				}
			}
		}
		encoded := w.Take().Events()
		for i := range encoded {
			checkEvent(t, &encoded[i])
		}
		buildRequests(t, b, encoded)
	})
}

// checkEvent requires an event that PostHog can read: JSON in UTF-8, without duplicate names, with
// all required members. Its Meta must agree with its payload.
func checkEvent(t *testing.T, encoded *delivery.Event) {
	t.Helper()
	payload := encoded.Payload
	require.True(t, utf8.Valid(payload))
	require.True(t, jsontext.Value(payload).IsValid(), "%s", payload)
	var e struct {
		UUID       string         `json:"uuid"`
		Event      string         `json:"event"`
		DistinctID string         `json:"distinct_id"`
		Timestamp  time.Time      `json:"timestamp"`
		Properties map[string]any `json:"properties"`
	}
	require.NoError(t, json.Unmarshal(payload, &e), "%s", payload)
	id, ok := parseUUID(e.UUID)
	require.True(t, ok)
	require.Equal(t, string(id[:]), eventUUID(encoded))
	require.NotEqual(t, encoded.ID, encoded.VendorID)
	require.Equal(t, resourceOf(e.Event), encoded.Key)
	requireCompleted(t, encoded)
	require.NotEmpty(t, e.Event)
	require.LessOrEqual(t, len(e.Event), maxName)
	require.False(t, isIllegalID(e.DistinctID), e.DistinctID)
	require.LessOrEqual(t, len(e.DistinctID), maxDistinctID)
	require.NotNil(t, e.Properties)
	if list, ok := e.Properties["$exception_list"].([]any); e.Event == eventException {
		require.True(t, ok)
		require.NotEmpty(t, list)
	}
}

func TestResetDropsReferencesToPdata(t *testing.T) {
	enc := newSpanEncoder(benchBackend(t, func(cfg *Config) { cfg.Protocol = ProtocolV1 }))
	var w delivery.Writer
	span := ptrace.NewSpan()
	span.SetName("gen_ai.chat")
	span.SetTraceID([16]byte{1})
	span.SetSpanID([8]byte{1})
	span.Attributes().PutBool(propProcessPerson, true)
	source := appevent.NewSource(pcommon.NewResource(), pcommon.NewInstrumentationScope())
	require.NoError(t, enc.EncodeSpan(&w, source, span))
	enc.Reset()
	assert.Nil(t, enc.source)
	assert.Equal(t, appevent.Event{}, enc.event)
	assert.Zero(t, enc.asEvent.Attributes().Len())
}
