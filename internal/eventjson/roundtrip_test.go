// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// Encoding and decoding are inverse, for generated records.
func TestGeneratedRecordsRoundTrip(t *testing.T) {
	for seed := range uint64(3000) {
		ld := randomLogs(rand.New(rand.NewPCG(seed, 1)))
		appevent.StampIDs(ld)
		requireRoundTrip(t, ld)
	}
}

// requireRoundTrip encodes the one record of ld, decodes it, and compares.
func requireRoundTrip(t *testing.T, ld plog.Logs) {
	t.Helper()
	var enc Encoder
	for e := range appevent.Logs(ld) {
		body := enc.Append(nil, e)
		require.True(t, jsontext.Value(body).IsValid(), "%s", body)
		require.NotContains(t, string(body), "\n")
		result, err := NewDecoder(1).Decode(body, received)
		require.NoError(t, err, "%s", body)
		require.Empty(t, result.Rejected, "%s", body)

		rl, got := ld.ResourceLogs().At(0), result.Logs.ResourceLogs().At(0)
		requireEqualMaps(t, body, rl.Resource().Attributes(), got.Resource().Attributes())
		requireEqualScopes(t, body, rl.ScopeLogs().At(0).Scope(), got.ScopeLogs().At(0).Scope())
		requireEqualRecords(t, body, rl.ScopeLogs().At(0).LogRecords().At(0), got.ScopeLogs().At(0).LogRecords().At(0))
	}
}

func requireEqualScopes(t *testing.T, body []byte, want, got pcommon.InstrumentationScope) {
	t.Helper()
	require.Equal(t, want.Name(), got.Name(), "%s", body)
	require.Equal(t, want.Version(), got.Version(), "%s", body)
	requireEqualMaps(t, body, want.Attributes(), got.Attributes())
}

func requireEqualRecords(t *testing.T, body []byte, want, got plog.LogRecord) {
	t.Helper()
	require.Equal(t, want.EventName(), got.EventName(), "%s", body)
	require.Equal(t, want.Timestamp(), got.Timestamp(), "%s", body)
	require.Equal(t, want.SeverityNumber(), got.SeverityNumber(), "%s", body)
	require.Equal(t, want.SeverityText(), got.SeverityText(), "%s", body)
	require.Equal(t, want.TraceID(), got.TraceID(), "%s", body)
	require.Equal(t, want.SpanID(), got.SpanID(), "%s", body)
	require.Equal(t, want.Flags(), got.Flags(), "%s", body)
	require.True(t, equalValues(want.Body(), got.Body()), "body of %s", body)
	requireEqualMaps(t, body, want.Attributes(), got.Attributes())
}

func requireEqualMaps(t *testing.T, body []byte, want, got pcommon.Map) {
	t.Helper()
	require.True(t, equalMaps(want, got), "%s\nwant %v\ngot  %v", body, want.AsRaw(), got.AsRaw())
}

func equalMaps(a, b pcommon.Map) bool {
	if a.Len() != b.Len() {
		return false
	}
	for k, v := range a.All() {
		other, ok := b.Get(k)
		if !ok || !equalValues(v, other) {
			return false
		}
	}
	return true
}

// equalValues is Value.Equal, except that NaN equals NaN and -0 does not equal 0.
func equalValues(a, b pcommon.Value) bool {
	if a.Type() != b.Type() {
		return false
	}
	switch a.Type() {
	case pcommon.ValueTypeDouble:
		x, y := a.Double(), b.Double()
		return math.IsNaN(x) && math.IsNaN(y) || math.Float64bits(x) == math.Float64bits(y)
	case pcommon.ValueTypeMap:
		return equalMaps(a.Map(), b.Map())
	case pcommon.ValueTypeSlice:
		if a.Slice().Len() != b.Slice().Len() {
			return false
		}
		for i, item := range a.Slice().All() {
			if !equalValues(item, b.Slice().At(i)) {
				return false
			}
		}
		return true
	default:
		return a.Equal(b)
	}
}

var (
	someStrings = []string{"", "a", "order_placed", "NaN", "AAEC", "日本 😀", "quote\"\\/\n\u2028", "~0/~1", "true", strings.Repeat("long ", 50)}
	someNames   = []string{"a", "b", "order_id", "with/slash", "with~tilde", "日本", "", "id", "name", "properties", "service.name", "event.kind", "0"}
	someEvents  = []string{"", "order_placed", "login"}
)

func pick[T any](r *rand.Rand, items []T) T { return items[r.IntN(len(items))] }

// randomLogs returns logs with one random record.
func randomLogs(r *rand.Rand) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	sl := rl.ScopeLogs().AppendEmpty()
	record := sl.LogRecords().AppendEmpty()
	randomMap(r, rl.Resource().Attributes(), 1)
	if r.IntN(2) == 0 {
		rl.Resource().Attributes().PutStr(appevent.AttrServiceName, "shop")
		rl.Resource().Attributes().PutStr(appevent.AttrEnvironment, pick(r, someStrings))
	}
	if r.IntN(2) == 0 {
		sl.Scope().SetName(pick(r, someStrings))
		sl.Scope().SetVersion(pick(r, someStrings))
		randomMap(r, sl.Scope().Attributes(), 1)
	}
	record.SetEventName(pick(r, someEvents))
	record.SetTimestamp(pcommon.Timestamp(1 + r.Int64N(math.MaxInt64-1)))
	record.SetSeverityText(pick(r, []string{"", "INFO", "Blau"}))
	record.SetSeverityNumber(plog.SeverityNumber(r.IntN(25)))
	if r.IntN(2) == 0 {
		record.SetTraceID(pcommon.TraceID{byte(r.IntN(256)), 15: 1})
		record.SetSpanID(pcommon.SpanID{byte(r.IntN(256)), 7: 1})
		record.SetFlags(plog.LogRecordFlags(r.Uint32()))
	}
	randomValue(r, record.Body(), 1)
	randomMap(r, record.Attributes(), 1)
	randomFields(r, record.Attributes())
	return ld
}

// randomFields sets some of the attributes that map to fields of an event.
func randomFields(r *rand.Rand, attributes pcommon.Map) {
	for _, name := range []string{
		appevent.AttrUserID, appevent.AttrUserEmail, appevent.AttrUserName, appevent.AttrUserFullName, appevent.AttrAnonymousID,
		appevent.AttrSessionID, appevent.AttrSubject, appevent.AttrPreviousID, appevent.AttrID,
		appevent.AttrExceptionType, appevent.AttrExceptionMessage, appevent.AttrExceptionStacktrace, appevent.AttrClientAddress,
	} {
		if r.IntN(4) == 0 {
			attributes.PutStr(name, pick(r, someStrings[1:]))
		}
	}
	for _, name := range []string{appevent.AttrTraits, appevent.AttrTraitsOnce} {
		if r.IntN(4) == 0 {
			m := attributes.PutEmptyMap(name)
			randomMap(r, m, 2)
			m.PutBool("at least one", true)
		}
	}
	if r.IntN(4) == 0 {
		attributes.PutEmptyMap(appevent.AttrGroups).PutStr("company", "acme")
	}
	if r.IntN(4) == 0 {
		attributes.PutEmptyMap(appevent.AttrDestinations).PutBool("sentry", r.IntN(2) == 0)
	}
	if r.IntN(4) == 0 {
		roles := attributes.PutEmptySlice(appevent.AttrUserRoles)
		roles.AppendEmpty().SetStr("admin")
	}
	if kind := r.IntN(12); kind > 0 && kind < len(appevent.Kinds()) {
		attributes.PutStr(appevent.AttrKind, appevent.Kinds()[kind])
	}
	if _, ok := attributes.Get(appevent.AttrExceptionType); ok && r.IntN(2) == 0 {
		attributes.PutBool(appevent.AttrHandled, r.IntN(2) == 0)
	}
}

func randomMap(r *rand.Rand, m pcommon.Map, depth int) {
	for range r.IntN(4) {
		randomValue(r, m.PutEmpty(pick(r, someNames)), depth+1)
	}
}

func randomValue(r *rand.Rand, v pcommon.Value, depth int) {
	kinds := 8
	if depth > 5 {
		kinds = 6
	}
	switch r.IntN(kinds) {
	case 0:
		v.SetStr(pick(r, someStrings))
	case 1:
		v.SetInt(pick(r, []int64{0, -1, 7, math.MaxInt64, math.MinInt64, 9007199254740993}))
	case 2:
		v.SetDouble(pick(r, []float64{0, 1, -0.5, 0.1, 1e300, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1)}))
	case 3:
		v.SetBool(r.IntN(2) == 0)
	case 4:
		v.SetEmptyBytes().FromRaw([]byte(pick(r, someStrings[1:])))
	case 6:
		randomMap(r, v.SetEmptyMap(), depth)
	case 7:
		s := v.SetEmptySlice()
		for range r.IntN(4) {
			randomValue(r, s.AppendEmpty(), depth+1)
		}
	}
}

// FuzzDecode checks that any body is either refused, or decoded into records that round-trip.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"name":"order_placed","user":{"id":"u1"},"properties":{"order_id":7}}`,
		`[{"name":"a","timestamp":1700000000123},{"nme":1},{"type":"identify","user":5,"traits":{"a":[1,2.5,null]}}]`,
		`{"exception":{"type":"E","handled":false},"severity":"fatal","trace":{"trace_id":"0102030405060708090a0b0c0d0e0f10"}}`,
		"{\"name\":\"a\"}\n{bad\n{\"name\":\"b\",\"value_types\":{\"/properties/x\":\"bytes\"},\"properties\":{\"x\":\"AAEC\"}}",
		`{"body":null,"resource":{"a":1},"scope":{"name":"n","attributes":{"b":"NaN"}},"value_types":{"/scope/attributes/b":"double"}}`,
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	d := NewDecoder(100)
	f.Fuzz(func(t *testing.T, body []byte, lines bool) {
		decode := (*Decoder).Decode
		if lines {
			decode = (*Decoder).DecodeLines
		}
		result, err := decode(d, body, received)
		want, wantErr := decode(NewDecoder(100), body, received)
		if outcome(result, err) != outcome(want, wantErr) || err == nil && !sameEvents(want.Logs, result.Logs) {
			t.Fatalf("an earlier body affected %s", body)
		}
		if err != nil {
			return
		}
		if result.Accepted != result.Logs.LogRecordCount() {
			t.Fatalf("accepted %d, but got %d records", result.Accepted, result.Logs.LogRecordCount())
		}
		var enc Encoder
		for e := range appevent.Logs(result.Logs) {
			written := enc.Append(nil, e)
			again, err := NewDecoder(1).Decode(written, received)
			if err != nil || len(again.Rejected) > 0 {
				t.Fatalf("%s\nwas accepted, but encoded as\n%s\nwhich is not: %v %v", body, written, err, again.Rejected)
			}
			for f := range appevent.Logs(again.Logs) {
				if twice := new(Encoder).Append(nil, f); !bytes.Equal(twice, written) {
					t.Fatalf("%s\nchanges in a second round trip:\n%s", written, twice)
				}
			}
		}
	})
}

// sameEvents compares everything except ids, which may be random.
func sameEvents(a, b plog.Logs) bool {
	strip := func(ld plog.Logs) string {
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, record := range sl.LogRecords().All() {
					if record.Timestamp() == record.ObservedTimestamp() {
						record.Attributes().Remove(appevent.AttrID)
					}
				}
			}
		}
		text, _ := (&plog.JSONMarshaler{}).MarshalLogs(ld)
		return string(text)
	}
	left, right := plog.NewLogs(), plog.NewLogs()
	a.CopyTo(left)
	b.CopyTo(right)
	return strip(left) == strip(right)
}

// FuzzEncode checks that any OTLP record becomes one valid JSON object.
func FuzzEncode(f *testing.F) {
	for seed := range uint64(5) {
		b, err := (&plog.ProtoMarshaler{}).MarshalLogs(randomLogs(rand.New(rand.NewPCG(seed, 1))))
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
		if err != nil {
			return
		}
		var enc Encoder
		for e := range appevent.Logs(ld) {
			if body := enc.Append(nil, e); !jsontext.Value(body).IsValid() || body[0] != '{' {
				t.Fatalf("not a valid object: %s", body)
			}
		}
	})
}
