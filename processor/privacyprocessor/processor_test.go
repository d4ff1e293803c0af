// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package privacyprocessor

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/otelcol-fanout/otelcol-fanout/processor/privacyprocessor/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/processor/privacyprocessor/internal/metadatatest"
)

const (
	address = "ada@example.com"
	hashKey = "0123456789abcdef0123456789abcdef"
)

// hashOf returns the hash that takes the place of a text.
func hashOf(text string) string {
	mac := hmac.New(sha256.New, []byte(hashKey))
	_, _ = mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

func start(t testing.TB, rules ...Rule) *privacy {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.HashKey, cfg.Rules = hashKey, rules
	require.NoError(t, cfg.Validate())
	p, err := newPrivacy(processortest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	return p
}

// plantLogs puts the text into every place of logs, in text around it.
func plantLogs(text string) plog.Logs {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	plant(rl.Resource().Attributes(), text)
	sl := rl.ScopeLogs().AppendEmpty()
	plantScope(sl.Scope(), text)
	for _, fill := range []func(pcommon.Value){
		func(v pcommon.Value) { v.SetStr("mail " + text + " now") },
		func(v pcommon.Value) { plant(v.SetEmptyMap(), text) },
		func(v pcommon.Value) { v.SetEmptySlice().AppendEmpty().SetStr(text) },
		func(v pcommon.Value) { v.SetEmptyBytes().FromRaw([]byte(`{"email":"` + text + `"}`)) },
	} {
		r := sl.LogRecords().AppendEmpty()
		r.SetEventName("mail to " + text)
		r.SetSeverityText(text)
		plant(r.Attributes(), text)
		fill(r.Body())
	}
	return logs
}

func plantTraces(text string) ptrace.Traces {
	traces := ptrace.NewTraces()
	rs := traces.ResourceSpans().AppendEmpty()
	plant(rs.Resource().Attributes(), text)
	ss := rs.ScopeSpans().AppendEmpty()
	plantScope(ss.Scope(), text)
	span := ss.Spans().AppendEmpty()
	span.SetName("GET /users/" + text)
	span.Status().SetMessage(text + " not found")
	span.TraceState().FromRaw("vendor=" + text)
	plant(span.Attributes(), text)
	event := span.Events().AppendEmpty()
	event.SetName("mailed " + text)
	plant(event.Attributes(), text)
	link := span.Links().AppendEmpty()
	link.TraceState().FromRaw("vendor=" + text)
	plant(link.Attributes(), text)
	return traces
}

func plantScope(scope pcommon.InstrumentationScope, text string) {
	scope.SetName("scope of " + text)
	scope.SetVersion(text)
	plant(scope.Attributes(), text)
}

// plant puts the text into every kind of attribute that an event can have.
func plant(m pcommon.Map, text string) {
	for _, name := range []string{
		"user.id", "user.email", "enduser.id", "fanout.previous_id", "exception.message", "url.full", "http.request.header.cookie", "free text",
	} {
		m.PutStr(name, text)
	}
	m.PutStr("exception.stacktrace", "Error: "+text+" is taken\n    at signUp (/app/signup.js:10:5)\ncaused by: Error: <"+text+">\n    at x (/app/x.js:1:1)")
	for _, name := range []string{"fanout.traits", "fanout.traits_once", "properties", "context"} {
		traits := m.PutEmptyMap(name)
		traits.PutStr("email", text)
		traits.PutEmptyMap("traits").PutStr("contact", text)
		traits.PutInt(text, 1) // a name
		list := traits.PutEmptySlice("recipients")
		list.AppendEmpty().SetStr(text)
		list.AppendEmpty().SetEmptyMap().PutStr("to", text)
		list.AppendEmpty().SetEmptySlice().AppendEmpty().SetStr(text)
		list.AppendEmpty().SetInt(7)
	}
	m.PutEmptyMap("fanout.groups").PutStr("company", text)
	m.PutEmptyBytes("raw").FromRaw([]byte("to=" + text))
	m.PutInt("name "+text, 1)
	m.PutEmptySlice("exception.frames").AppendEmpty().SetEmptyMap().PutEmptyMap("vars").PutStr("user", text)
}

func marshaled(t *testing.T, data any) string {
	t.Helper()
	var bytes []byte
	var err error
	switch data := data.(type) {
	case plog.Logs:
		bytes, err = (&plog.ProtoMarshaler{}).MarshalLogs(data)
	case ptrace.Traces:
		bytes, err = (&ptrace.ProtoMarshaler{}).MarshalTraces(data)
	}
	require.NoError(t, err)
	return string(bytes)
}

func TestPersonalDataIsFoundWhereverAnEventHoldsIt(t *testing.T) {
	for _, personal := range []struct {
		preset Preset
		text   string
	}{
		{PresetEmail, address},
		{PresetIPAddress, "192.0.2.7"},
		{PresetCard, "4111 1111 1111 1111"},
		{PresetPhone, "+49 30 1234567"},
		{PresetToken, "ghp_0123456789abcdefghijABCDEFGHIJ012345"},
	} {
		for _, action := range []Action{ActionHash, ActionMask, ActionDrop} {
			t.Run(string(personal.preset)+" "+string(action), func(t *testing.T) {
				p := start(t, Rule{Preset: personal.preset, Action: action})
				logs, traces := plantLogs(personal.text), plantTraces(personal.text)
				require.Contains(t, marshaled(t, logs), personal.text)
				require.Contains(t, marshaled(t, traces), personal.text)
				logs, err := p.logs(t.Context(), logs)
				require.NoError(t, err)
				traces, err = p.traces(t.Context(), traces)
				require.NoError(t, err)
				for _, data := range []any{logs, traces} {
					assert.NotContains(t, marshaled(t, data), personal.text)
				}
				assert.Equal(t, 4, logs.LogRecordCount())
				assert.Equal(t, 1, traces.SpanCount())
				traits, _ := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().Get("fanout.traits")
				assert.Equal(t, pcommon.ValueTypeMap, traits.Type(), "a map stays a map")
			})
		}
	}
}

// process applies rules to one record that make fills.
func process(t *testing.T, rules []Rule, fill func(plog.LogRecord)) plog.LogRecord {
	t.Helper()
	logs := plog.NewLogs()
	record := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	fill(record)
	_, err := start(t, rules...).logs(t.Context(), logs)
	require.NoError(t, err)
	return record
}

func TestRules(t *testing.T) {
	hash, maskEmail, drop := Rule{Preset: PresetEmail, Action: ActionHash}, Rule{Preset: PresetEmail, Action: ActionMask}, Rule{Preset: PresetEmail, Action: ActionDrop}
	for name, tt := range map[string]struct {
		rules      []Rule
		give, want map[string]any
	}{
		"hash": {
			[]Rule{hash},
			map[string]any{"user.email": address, "note": "to " + address + ", " + address, "user": map[string]any{"email": address}},
			map[string]any{"user.email": hashOf(address), "note": "to " + hashOf(address) + ", " + hashOf(address), "user": map[string]any{"email": hashOf(address)}},
		},
		"mask": {
			[]Rule{maskEmail},
			map[string]any{"user.email": address, "note": "to " + address},
			map[string]any{"user.email": "****", "note": "to ****"},
		},
		"drop": {
			[]Rule{drop},
			map[string]any{"user.email": address, "note": "to " + address, "to": []any{address, "bob"}, "only": address, "m": map[string]any{"x": address}},
			map[string]any{"note": "to ", "to": []any{"bob"}, "m": map[string]any{}},
		},
		"names end a path after a dot": {
			[]Rule{{Keys: []string{"email"}, Action: ActionMask}},
			map[string]any{
				"email": "1", "user.email": "2", "Email": "3", "email_count": "4", "fanout.traits": map[string]any{"email": "5", "emails": "6"},
				"a": []any{map[string]any{"email": "7"}}, "xemail": "8",
			},
			map[string]any{
				"email": "****", "user.email": "****", "Email": "****", "email_count": "4", "fanout.traits": map[string]any{"email": "****", "emails": "6"},
				"a": []any{map[string]any{"email": "****"}}, "xemail": "8",
			},
		},
		"names with dots, and patterns": {
			[]Rule{{Keys: []string{"fanout.traits.p*", "*_Secret"}, Action: ActionDrop}},
			map[string]any{"fanout.traits": map[string]any{"phone": "1", "x": "2"}, "phone": "3", "app_secret": "4", "x": map[string]any{"my_secret": 5}},
			map[string]any{"fanout.traits": map[string]any{"x": "2"}, "phone": "3", "x": map[string]any{}},
		},
		"a map that a name matches keeps its form": {
			[]Rule{{Keys: []string{"fanout.traits"}, Action: ActionHash}},
			map[string]any{"fanout.traits": map[string]any{"age": 36, "tags": []any{"x"}, "none": nil, "empty": "", "yes": true}},
			map[string]any{"fanout.traits": map[string]any{"age": hashOf("36"), "tags": []any{hashOf("x")}, "none": nil, "empty": "", "yes": hashOf("true")}},
		},
		"names within a map that a name matches": {
			[]Rule{{Keys: []string{"fanout.traits", "raw"}, Action: ActionHash}, maskEmail},
			map[string]any{"fanout.traits": map[string]any{address: "x", "m": map[string]any{"to " + address: nil}}, "raw": []byte("x")},
			map[string]any{"fanout.traits": map[string]any{"****": hashOf("x"), "m": map[string]any{"to ****": nil}}, "raw": hashOf("x")},
		},
		"users keep one hash in every field": {
			[]Rule{{Preset: PresetUserID, Action: ActionHash}},
			map[string]any{"user.id": "u1", "fanout.previous_id": "u1", "fanout.groups": map[string]any{"company": "u1"}, "userId": "u1", "enduser.pseudo.id": "u1", "x": "u1"},
			map[string]any{
				"user.id": hashOf("u1"), "fanout.previous_id": hashOf("u1"), "fanout.groups": map[string]any{"company": hashOf("u1")}, "userId": hashOf("u1"),
				"enduser.pseudo.id": hashOf("u1"), "x": "u1",
			},
		},
		"the first rule applies": {
			[]Rule{{Keys: []string{"user.email"}, Action: ActionMask}, hash, {Values: []string{`ada@\S+`}, Action: ActionMask}},
			map[string]any{"user.email": address, "note": address},
			map[string]any{"user.email": "****", "note": hashOf(address)},
		},
		"what overlaps an earlier match is covered as well": {
			[]Rule{hash, {Preset: PresetToken, Action: ActionMask}, {Values: []string{"x.*x"}, Action: ActionDrop}},
			map[string]any{"url": "https://" + address + ":secret@db/", "note": "axbx ada x" + address + "x a"},
			map[string]any{"url": "https://" + hashOf(address) + "****@db/", "note": "a" + hashOf("x"+address+"x") + " a"},
		},
		"numbers": {
			[]Rule{{Preset: PresetCard, Action: ActionHash}, {Values: []string{`^77\d*$`}, Action: ActionMask}},
			map[string]any{"card": int64(4111111111111111), "float": 4111111111111111.0, "n": 771, "m": 12.5},
			map[string]any{"card": hashOf("4111111111111111"), "float": hashOf("4111111111111111"), "n": "****", "m": 12.5},
		},
		"ids stay": {
			[]Rule{{Preset: PresetCard, Action: ActionMask}, {Keys: []string{"*uid"}, Action: ActionDrop}},
			map[string]any{"log.record.uid": "4111111111111111", "uid": "1"},
			map[string]any{"log.record.uid": "4111111111111111"},
		},
		"names that are personal data": {
			[]Rule{maskEmail},
			map[string]any{"m": map[string]any{address: 1, "bob@example.com": 1, "x": 3}},
			map[string]any{"m": map[string]any{"****": 1, "****2": 1, "x": 3}},
		},
		"anchors and borders of expressions": {
			[]Rule{{Values: []string{`^\d+`, `\bid\d\b`}, Action: ActionMask}},
			map[string]any{"a": "12 34", "b": "id1id2 id3"},
			map[string]any{"a": "**** 34", "b": "id1id2 ****"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			record := process(t, tt.rules, func(r plog.LogRecord) { require.NoError(t, r.Attributes().FromRaw(tt.give)) })
			want := pcommon.NewMap()
			require.NoError(t, want.FromRaw(tt.want))
			assert.Equal(t, want.AsRaw(), record.Attributes().AsRaw())
		})
	}
}

func TestBodies(t *testing.T) {
	drop := []Rule{{Preset: PresetEmail, Action: ActionDrop}, {Keys: []string{"password"}, Action: ActionDrop}}
	for name, tt := range map[string]struct{ give, want any }{
		"a text":           {"mail to " + address, "mail to "},
		"nothing else":     {address, nil},
		"a map":            {map[string]any{"password": "1", "x": address + "!"}, map[string]any{"x": "!"}},
		"a list":           {[]any{address, 1}, []any{int64(1)}},
		"bytes":            {[]byte("to " + address), []byte("to ")},
		"bytes of no text": {[]byte("\xff" + address), []byte("\xff" + address)},
	} {
		t.Run(name, func(t *testing.T) {
			record := process(t, drop, func(r plog.LogRecord) { require.NoError(t, r.Body().FromRaw(tt.give)) })
			assert.Equal(t, tt.want, record.Body().AsRaw())
		})
	}
}

func TestDeepMapsAreRead(t *testing.T) {
	const depth = 2000
	record := process(t, []Rule{{Preset: PresetEmail, Action: ActionMask}, {Keys: []string{"m.secret"}, Action: ActionMask}}, func(r plog.LogRecord) {
		m := r.Attributes()
		for range depth {
			m = m.PutEmptyMap("m")
		}
		m.PutStr("note", address)
		m.PutStr("secret", "x")
		m.PutStr(strings.Repeat("long.", 10_000)+"m.secret", "x")
	})
	m := record.Attributes()
	for range depth {
		v, _ := m.Get("m")
		m = v.Map()
	}
	for name, v := range m.All() {
		assert.Equal(t, "****", v.Str(), name[max(len(name)-10, 0):])
	}
}

func TestManyNamesThatArePersonalData(t *testing.T) {
	const n = 100_000 // in quadratic time, this would take minutes
	for _, action := range []Action{ActionMask, ActionHash} {
		record := process(t, []Rule{{Preset: PresetEmail, Action: action}}, func(r plog.LogRecord) {
			raw := map[string]any{"x": "y"}
			for i := range n {
				raw[strconv.Itoa(i)+address] = i
			}
			require.NoError(t, r.Attributes().FromRaw(raw))
		})
		names, sum := map[string]bool{}, 0
		for name, v := range record.Attributes().All() {
			assert.NotContains(t, name, address)
			names[name] = true
			sum += int(v.Int())
		}
		assert.Len(t, names, n+1)
		assert.Equal(t, n*(n-1)/2, sum)
	}
}

func TestNamesOfManyDots(t *testing.T) {
	p := start(t, Rule{Preset: PresetToken, Action: ActionMask}, Rule{Keys: []string{"a.b"}, Action: ActionDrop})
	for path, want := range map[string]int{
		"a.b": 1, "x.a.b": 1, "xa.b": noRule, "a.b.c": noRule, "..a.b": 1, "x.my_token": 0, strings.Repeat(".", maxPath-3) + "a.b": 1,
	} {
		assert.Equal(t, want, p.rules.ruleOf(path), path)
	}
}

func TestNamesOfSeveralPartsMatchAtEveryDepth(t *testing.T) {
	const depth = 300 // beyond maxPath
	record := process(t, []Rule{{Keys: []string{"mm.secret"}, Action: ActionMask}}, func(r plog.LogRecord) {
		m := r.Attributes()
		for range depth {
			m = m.PutEmptyMap("mm")
			m.PutStr("secret", "x")
		}
	})
	m := record.Attributes()
	for i := range depth {
		v, _ := m.Get("mm")
		m = v.Map()
		secret, _ := m.Get("secret")
		assert.Equal(t, "****", secret.Str(), "at depth %d", i+1)
	}
}

func TestChangesAreCounted(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	cfg := createDefaultConfig().(*Config)
	cfg.HashKey = hashKey
	cfg.Rules = []Rule{{Preset: PresetEmail, Action: ActionHash}, {Name: "names", Keys: []string{"user.name"}, Action: ActionDrop}, {Values: []string{"never"}, Action: ActionMask}}
	p, err := newPrivacy(processor.Settings{
		ID: component.NewIDWithName(metadata.Type, "partner"), TelemetrySettings: telemetry.NewTelemetrySettings(),
	}, cfg)
	require.NoError(t, err)
	for range 2 {
		logs := plog.NewLogs()
		record := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		record.Body().SetStr(address + " and " + address)
		record.Attributes().PutStr("user.name", "Ada")
		_, err = p.logs(t.Context(), logs)
		require.NoError(t, err)
	}
	of := func(rule, action string) attribute.Set {
		return attribute.NewSet(attribute.String("processor", "privacy/partner"), attribute.String("rule", rule), attribute.String("action", action))
	}
	metadatatest.AssertEqualFanoutPrivacyValues(t, telemetry, []metricdata.DataPoint[int64]{
		{Attributes: of("email", "hash"), Value: 4}, {Attributes: of("names", "drop"), Value: 2},
	}, metricdatatest.IgnoreTimestamp())
}

func TestNamesAreRememberedUpToALimit(t *testing.T) {
	p := start(t, Rule{Keys: []string{"*_secret"}, Action: ActionMask})
	for i := range maxKnownNames + 10 {
		name := hashOf(string(rune(i))) + "_secret"
		assert.Equal(t, 0, p.rules.nameRule([]byte(name), name).rule)
	}
	assert.Len(t, *p.rules.known.Load(), maxKnownNames)
}

// FuzzText checks that nothing is found in what the processor has changed.
func FuzzText(f *testing.F) {
	f.Add("Ada <ada@example.com> 4111 1111 1111 1111", "note")
	f.Add("https://ada@example.com:secret@192.0.2.7/?phone=+49301234567", "user.email")
	f.Add("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc123", "ada@example.com")
	p, err := newPrivacy(processortest.NewNopSettings(metadata.Type), allPresets(ActionMask))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text, name string) {
		logs := plog.NewLogs()
		record := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		record.Body().SetStr(text)
		record.Attributes().PutStr(name, text)
		_, _ = p.logs(t.Context(), logs)
		w := newWalker(p.rules, hashKey)
		w.change(text)
		for _, m := range w.matches {
			if part := text[m.Start:m.End]; len(part) > 8 && strings.Count(text, part) == 1 && strings.Contains(record.Body().AsString(), part) {
				t.Fatalf("%q is still in %q", part, record.Body().AsString())
			}
		}
	})
}
