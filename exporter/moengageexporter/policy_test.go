// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

func TestNamesAreMadeValid(t *testing.T) {
	for name, want := range map[string]struct {
		name        string
		corrections tally
	}{
		"order_placed":                    {name: "order_placed"},
		"Order placed":                    {name: "Order placed"},
		"order.placed":                    {name: "order_placed", corrections: tally{correctedPeriod: 1}},
		"...":                             {name: "___", corrections: tally{correctedPeriod: 1}},
		"moe_x":                           {name: "_moe_x", corrections: tally{correctedReserved: 1}},
		"moe.x":                           {name: "_moe_x", corrections: tally{correctedPeriod: 1, correctedReserved: 1}},
		"Moe_x":                           {name: "Moe_x"},
		"a\xff.b":                         {name: "a\uFFFD_b", corrections: tally{correctedPeriod: 1}},
		strings.Repeat("é", 201):          {name: strings.Repeat("é", 200), corrections: tally{correctedName: 1}},
		strings.Repeat("é", 200):          {name: strings.Repeat("é", 200)},
		strings.Repeat("a", 201):          {name: strings.Repeat("a", 200), corrections: tally{correctedName: 1}},
		"moe_" + strings.Repeat("a", 196): {name: "_moe_" + strings.Repeat("a", 195), corrections: tally{correctedReserved: 1, correctedName: 1}},
	} {
		enc := newEncoder(newTestBackend(t, validConfig()))
		assert.Equal(t, want.name, enc.validEventName(name), name)
		assert.Equal(t, want.corrections, enc.noted, name)
		for n := range 2 { // the second time from the cache
			enc.noted = tally{}
			assert.Equal(t, want.name, writtenName(t, enc, name), name)
			assert.Equal(t, want.corrections, enc.noted, "%s, time %d", name, n)
		}
	}
	enc := newEncoder(newTestBackend(t, validConfig()))
	assert.Equal(t, "moe_unsubscribe", writtenName(t, enc, "moe_unsubscribe"), "one of theirs may be set")
	assert.Equal(t, "_moe_unsubscribe", enc.validEventName("moe_unsubscribe"), "but no event may have this name")
}

// writtenName returns the name of an attribute as it is written.
func writtenName(t *testing.T, enc *encoder, name string) string {
	t.Helper()
	a := enc.object(anyNumber, nil)
	dst, ok := a.name(nil, enc.known.of(name))
	a.end()
	require.True(t, ok)
	var written string
	require.NoError(t, json.Unmarshal(bytes.TrimSuffix(dst, []byte(":")), &written))
	return written
}

func TestCachedNamesAreKeptApart(t *testing.T) {
	enc := newEncoder(newTestBackend(t, validConfig()))
	for range 2 {
		for i := range 3 * len(enc.known) { // so that they evict each other
			assert.Equal(t, fmt.Sprint("a_", i), writtenName(t, enc, fmt.Sprint("a.", i)))
		}
		assert.Equal(t, tally{correctedPeriod: 3 * len(enc.known)}, enc.noted)
		enc.noted = tally{}
	}
}

func TestLongNamesAreNotCached(t *testing.T) {
	enc := newEncoder(newTestBackend(t, validConfig()))
	for i := range len(enc.known) {
		writtenName(t, enc, strings.Repeat(".", maxName)+fmt.Sprint(i))
	}
	assert.Equal(t, knownNames{}, enc.known)
}

func TestResetDropsReferencesToPdata(t *testing.T) {
	b := newTestBackend(t, validConfig())
	enc := newEncoder(b)
	ld := events("a")
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().PutStr("device.id", "d1")
	var w delivery.Writer
	for e := range appevent.Logs(ld) {
		require.NoError(t, enc.Encode(&w, e))
	}
	require.NotZero(t, enc.hints)
	enc.Reset()
	assert.Equal(t, source{}, enc.source)
	assert.Zero(t, enc.hints)
}

func TestSharedIDsAreNotCustomers(t *testing.T) {
	for _, id := range []string{"", " ", "x", "é", "0", "1", "NULL", " null ", "Guest", "unknown", "true", "False", "USER_ATTRIBUTE_UNIQUE_ID", "undefined", "[object Object]"} {
		assert.True(t, isSharedID(id), "%q", id)
	}
	for _, id := range []string{"u1", "10", "nullable", "guest-7", "日本", "a@example.com"} {
		assert.False(t, isSharedID(id), "%q", id)
	}
}

// attributesOf encodes one event, and returns its attributes and corrections.
func attributesOf(t *testing.T, change func(pcommon.Map)) (map[string]any, tally) {
	t.Helper()
	return attributesBy(t, validConfig(), change)
}

func attributesBy(t *testing.T, cfg *Config, change func(pcommon.Map)) (map[string]any, tally) {
	t.Helper()
	enc := newEncoder(newTestBackend(t, cfg))
	ld := plog.NewLogs()
	r := record(ld, "e", "u1", "id")
	r.Attributes().Remove("note")
	change(r.Attributes())
	var w delivery.Writer
	for e := range appevent.Logs(ld) {
		require.NoError(t, enc.Encode(&w, e))
	}
	var event struct {
		Actions []struct{ Attributes map[string]any }
	}
	require.NoError(t, json.Unmarshal(w.Take().Events()[0].Payload, &event))
	delete(event.Actions[0].Attributes, "event_id")
	return event.Actions[0].Attributes, enc.noted
}

// nestDeeply puts maps nested to maxDepth, and one that is nested more deeply.
func nestDeeply(m pcommon.Map) {
	m.PutInt("before", 1)
	inner := m.PutEmptyMap("m")
	for range maxDepth - 1 {
		inner = inner.PutEmptyMap("m")
	}
	inner.PutInt("n", 7)
	inner.PutEmptyMap("m").PutInt("n", 8)
	m.PutInt("after", 2)
}

func TestMapsAreFlattenedToMaxDepth(t *testing.T) {
	cfg := validConfig()
	cfg.Objects = ObjectsFlatten
	got, noted := attributesBy(t, cfg, nestDeeply)
	assert.Equal(t, map[string]any{"before": 1.0, "m_m_m_m_m_m_m_m_n": 7.0, "after": 2.0}, got)
	assert.Equal(t, tally{correctedMap: maxDepth, correctedDepth: 1}, noted)
}

func TestMapsAreSentToMaxDepth(t *testing.T) {
	got, noted := attributesOf(t, nestDeeply)
	var want any = map[string]any{"n": 7.0}
	for range maxDepth {
		want = map[string]any{"m": want}
	}
	want.(map[string]any)["before"], want.(map[string]any)["after"] = 1.0, 2.0
	assert.Equal(t, want, any(got))
	assert.Equal(t, tally{correctedDepth: 1}, noted)
}

func TestMapsWithoutValuesAreLeftOut(t *testing.T) {
	got, noted := attributesOf(t, func(m pcommon.Map) {
		hollow := m.PutEmptyMap("hollow")
		hollow.PutStr("text", "")
		hollow.PutDouble("number", math.NaN())
		hollow.PutStr("url", "https://example.com/"+strings.Repeat("p", maxValue))
		hollow.PutEmptySlice("list")
		hollow.PutEmptyBytes("bytes")
		hollow.PutEmpty("nothing")
		hollow.PutInt("", 1)
		hollow.PutEmptyMap("map").PutEmptyMap("map")
	})
	assert.Empty(t, got)
	assert.Equal(t, tally{correctedEmpty: 1}, noted)
}

func TestAttributeNamedEventIDIsLeftOut(t *testing.T) {
	got, noted := attributesOf(t, func(m pcommon.Map) {
		m.PutStr("event_id", "mine")
		m.PutStr("event.id", "mine")
	})
	assert.Empty(t, got)
	assert.Equal(t, tally{correctedDuplicate: 2, correctedPeriod: 1}, noted)
}

func TestClockIsReadForNewerEvents(t *testing.T) {
	b := newTestBackend(t, validConfig())
	now := b.now()
	b.now = func() time.Time { return now }
	enc := newEncoder(b)
	for range 3 {
		assert.Equal(t, now, enc.timeOf(&appevent.Event{Time: pcommon.NewTimestampFromTime(now)}).AsTime())
		assert.Equal(t, now, enc.timeOf(&appevent.Event{Time: pcommon.NewTimestampFromTime(now.Add(time.Second))}).AsTime(), "not in the future")
		now = now.Add(time.Minute)
		assert.Equal(t, now, enc.timeOf(&appevent.Event{}).AsTime())
	}
	assert.Equal(t, tally{correctedTime: 3}, enc.noted)
}

func TestArraysKeepFiftyItems(t *testing.T) {
	for n, corrected := range map[int]int{50: 0, 51: 1} {
		got, noted := attributesOf(t, func(m pcommon.Map) {
			s := m.PutEmptySlice("s")
			for range n {
				s.AppendEmpty().SetDouble(1.5)
			}
		})
		assert.Len(t, got["s"], 50)
		assert.Equal(t, tally{correctedItems: corrected}, noted)
	}
}

func TestAttributesIdentifyThePlatform(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"os.name", "Android", "ANDROID"},
		{"os.name", "iOS", "iOS"},
		{"os.name", "iPadOS", "iOS"},
		{"os.name", "Ubuntu", ""},
		{"telemetry.sdk.language", "webjs", "web"},
		{"telemetry.sdk.language", "go", ""},
		{"browser.language", "de", "web"},
		{"os.type", "linux", ""},
	} {
		m := pcommon.NewMap()
		m.PutStr(c.name, c.value)
		var got deviceHints
		got.addAll(m)
		assert.Equal(t, c.want, got.device(&device{}).platform, "%s: %s", c.name, c.value)
	}
}
