// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package jsonappend

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

func TestStringsAreEscaped(t *testing.T) {
	for in, want := range map[string]string{
		"":                      `""`,
		"plain":                 `"plain"`,
		"quote\" back\\ slash/": `"quote\" back\\ slash/"`,
		"line\nfeed\x00\x1f":    `"line\nfeed\u0000\u001f"`,
		"日本 😀":                  `"日本 😀"`,
		"bad \xff\xfe end":      `"bad ` + "\uFFFD\uFFFD" + ` end"`,
		"\u2028":                "\"\u2028\"",
		"<b>&":                  `"<b>&"`,
	} {
		assert.Equal(t, want, string(String(nil, in)))
	}
}

func TestSpecialByteIsFoundAtEveryOffset(t *testing.T) {
	for c := range 256 {
		for length := 1; length < 20; length++ {
			for at := range length {
				s := strings.Repeat("a", at) + string([]byte{byte(c)}) + strings.Repeat("~", length-at-1)
				want := c >= ' ' && c != '"' && c != '\\' && c < 0x80
				if got := isPlain(s); got && !want {
					t.Fatalf("%q is treated as plain", s)
				}
				var back string
				require.NoError(t, json.Unmarshal(String(nil, s), &back))
				if c < 0x80 {
					require.Equal(t, s, back)
				}
			}
		}
	}
	assert.True(t, isPlain("The quick brown fox jumps over the lazy dog 0123456789 ~!#"))
}

func TestDoublesKeepADecimalPoint(t *testing.T) {
	for in, want := range map[float64]string{
		1: "1.0", -1: "-1.0", 0: "0.0", 0.1: "0.1", 1e21: "1e+21", 1e20: "100000000000000000000.0", 1e-7: "1e-07",
		math.MaxFloat64: "1.7976931348623157e+308", math.SmallestNonzeroFloat64: "5e-324",
		math.Inf(1): `"Infinity"`, math.Inf(-1): `"-Infinity"`,
	} {
		assert.Equal(t, want, string(Double(nil, in)))
	}
	assert.Equal(t, `"NaN"`, string(Double(nil, math.NaN())))
	assert.Equal(t, "-0.0", string(Double(nil, math.Copysign(0, -1))))
}

func TestIntsMatchStrconv(t *testing.T) {
	for i := int64(-10_100); i < 10_100; i++ {
		require.Equal(t, strconv.FormatInt(i, 10), string(Int(nil, i)))
	}
}

func TestIntBoolAndTimeLimits(t *testing.T) {
	assert.Equal(t, "9223372036854775807", string(Int(nil, math.MaxInt64)))
	assert.Equal(t, "-9223372036854775808", string(Int(nil, math.MinInt64)))
	assert.Equal(t, "true", string(Bool(nil, true)))
	assert.Equal(t, `"2023-11-14T22:13:20.123456789Z"`, string(Time(nil, 1700000000123456789)))
	assert.Equal(t, `"2023-11-14T22:13:20Z"`, string(Time(nil, 1700000000000000000)))
	assert.Equal(t, `"2262-04-11T23:47:16.854775807Z"`, string(Time(nil, math.MaxInt64)))
	assert.Equal(t, `"2262-04-11T23:47:16.854775807Z"`, string(Time(nil, math.MaxUint64)))
}

func TestBytesOfAnyLengthAreBase64(t *testing.T) {
	for n := range 400 {
		raw := []byte(strings.Repeat("\x00\xffab", 100)[:n])
		b := pcommon.NewByteSlice()
		b.FromRaw(raw)
		require.Equal(t, strconv.Quote(base64.StdEncoding.EncodeToString(raw)), string(Bytes(nil, b)))
	}
}

func TestNestedValues(t *testing.T) {
	m := pcommon.NewMap()
	require.NoError(t, m.FromRaw(map[string]any{"outer": map[string]any{"list": []any{int64(1), "b", nil, 2.0, false, map[string]any{}, []any{}}}}))
	w := &Writer{}
	assert.Equal(t, `{"outer":{"list":[1,"b",null,2.0,false,{},[]]}}`, string(w.Map(nil, m)))
	assert.Equal(t, `"[\"b\",\"a\\\\b\",\"\\n\"]"`, string(Quoted(nil, []byte(`["b","a\\b","\n"]`))))
}

func TestFirstOfRepeatedNamesWins(t *testing.T) {
	// OTLP on the wire can repeat a name; the setters of pcommon.Map cannot.
	const otlp = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[
		{"key":"a","value":{"intValue":"1"}},{"key":"b","value":{"intValue":"2"}},{"key":"a","value":{"intValue":"3"}}]}]}]}]}`
	ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(otlp))
	require.NoError(t, err)
	m := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes()
	w := &Writer{}
	assert.Equal(t, `{"a":1,"b":2}`, string(w.Map(nil, m)))
}

func TestHashCollisionsAreNotRepeats(t *testing.T) {
	m := pcommon.NewMap()
	for i := range 500 {
		m.PutInt(fmt.Sprintf("key%03d", i), int64(i))
	}
	var got map[string]int64
	require.NoError(t, json.Unmarshal((&Writer{}).Map(nil, m), &got))
	assert.Len(t, got, 500)
}

func TestObserverIsCalledForUnrepresentableTypes(t *testing.T) {
	m := pcommon.NewMap()
	m.PutEmptyBytes("b").Append(1)
	m.PutDouble("finite", 1)
	list := m.PutEmptySlice("list")
	list.AppendEmpty().SetStr("x")
	list.AppendEmpty().SetEmptyMap().PutDouble("nan", math.NaN())
	m.PutStr("s", "not observed")

	var observed []string
	w := &Writer{Observe: func(path []Step, vt pcommon.ValueType) { observed = append(observed, fmt.Sprint(path, vt)) }}
	w.At("properties")
	w.Map(nil, m)
	assert.Equal(t, []string{
		"[{properties -1} {b -1}] Bytes",
		"[{properties -1} {list -1} { 1} {nan -1}] Double",
	}, observed)
}

// valueOf turns fuzz input into nested pdata.
func valueOf(v pcommon.Value, data []byte, depth int) []byte {
	if len(data) == 0 {
		return nil
	}
	kind, data := data[0]%8, data[1:]
	switch kind {
	case 0:
		n := min(len(data), 9)
		v.SetStr(string(data[:n]))
		return data[n:]
	case 1:
		v.SetInt(int64(len(data)) << 40)
	case 2:
		v.SetDouble(math.Float64frombits(uint64(len(data)) * 0x0123456789abcdef))
	case 3:
		v.SetBool(len(data)%2 == 0)
	case 4:
		n := min(len(data), 5)
		v.SetEmptyBytes().FromRaw(data[:n])
		return data[n:]
	case 5:
		s := v.SetEmptySlice()
		for range 3 {
			if depth < 6 && len(data) > 0 {
				data = valueOf(s.AppendEmpty(), data, depth+1)
			}
		}
	case 6:
		m := v.SetEmptyMap()
		for range 3 {
			if depth < 6 && len(data) > 1 {
				data = valueOf(m.PutEmpty(string(data[:1])), data[1:], depth+1)
			}
		}
	}
	return data
}

// FuzzValue checks that any value becomes valid JSON without repeated names, and that valid strings
// round-trip.
func FuzzValue(f *testing.F) {
	f.Add([]byte{6, 'a', 5, 1, 2, 3, 'b', 0, 'x', '"', 0xff})
	f.Add([]byte{5, 4, 1, 2, 3, 4, 5, 6, 'k', 2})
	f.Fuzz(func(t *testing.T, data []byte) {
		v := pcommon.NewValueEmpty()
		valueOf(v, data, 0)
		got := (&Writer{}).Value(nil, v)
		if !jsontext.Value(got).IsValid() { // it refuses repeated names and bad UTF-8
			t.Fatalf("not valid: %s", got)
		}
		if quoted, want := Quoted(nil, got), String(nil, string(got)); !bytes.Equal(quoted, want) {
			t.Fatalf("%s is not %s", quoted, want)
		}
		s := string(data)
		var back string
		if err := json.Unmarshal(String(nil, s), &back); err != nil {
			t.Fatal(err)
		}
		if utf8.ValidString(s) && back != s {
			t.Fatalf("%q came back as %q", s, back)
		}
	})
}

func TestThousandthsMatchStrconv(t *testing.T) {
	for n := range 2_000_000 {
		f := float64(n-1_000_000) / 1000
		want := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(want, ".") {
			want += ".0"
		}
		require.Equal(t, want, string(Double(nil, f)))
	}
	for _, f := range []float64{0.0005, 1e-6, 999999999999.999, 1e12, 1e12 + 0.125, -999999999999.5, 4503599627370.4967, 0.1 + 0.2, 1.0005} {
		var back float64
		require.NoError(t, json.Unmarshal(Double(nil, f), &back))
		require.Equal(t, math.Float64bits(f), math.Float64bits(back))
		want := strconv.FormatFloat(f, 'f', -1, 64)
		require.Equal(t, strings.TrimSuffix(want, ".0"), strings.TrimSuffix(string(Double(nil, f)), ".0"))
	}
}

func FuzzDouble(f *testing.F) {
	f.Add(1.5)
	f.Fuzz(func(t *testing.T, in float64) {
		if math.IsNaN(in) || math.IsInf(in, 0) {
			return
		}
		text := string(Double(nil, in))
		out, err := strconv.ParseFloat(text, 64)
		if err != nil || out != in || !strings.ContainsAny(text, ".e") || !json.Valid([]byte(text)) {
			t.Fatalf("%v became %s: %v", in, text, err)
		}
	})
}

func TestDatesMatchTimeFormat(t *testing.T) {
	for day := range int64(math.MaxInt64) / 1e9 / 86400 {
		at := time.Unix(day*86400+day%86400, day%1e9).UTC()
		require.Equal(t, at.Format(`"`+time.RFC3339Nano+`"`), string(Time(nil, pcommon.NewTimestampFromTime(at))))
	}
}

func TestClockMatchesTimeInAnyOrder(t *testing.T) {
	var clock Clock
	for _, at := range []pcommon.Timestamp{0, 1, 999_999_999, 1e9, 1700000000120000000, 1700000000000000001, 1700000001000000000, 1, math.MaxInt64, math.MaxUint64, 0} {
		assert.Equal(t, string(Time([]byte("x"), at)), string(clock.Time([]byte("x"), at)))
		whole := min(at, math.MaxInt64) / 1e9 * 1e9
		assert.Equal(t, string(Time(nil, whole)), string(clock.Second(nil, at))+`Z"`)
	}
}

func FuzzTime(f *testing.F) {
	f.Add(int64(1700000000123456789))
	f.Fuzz(func(t *testing.T, ns int64) {
		if ns < 0 {
			return
		}
		text := string(Time(nil, pcommon.Timestamp(ns)))
		back, err := time.Parse(`"`+time.RFC3339Nano+`"`, text)
		if err != nil || back.UnixNano() != ns {
			t.Fatalf("%d became %s: %v", ns, text, err)
		}
	})
}

func BenchmarkValue(b *testing.B) {
	m := pcommon.NewMap()
	require.NoError(b, m.FromRaw(map[string]any{
		"order_id": int64(7), "total": 12.5, "currency": "EUR", "gift": true, "note": "leave at the door",
		"items": []any{"a", "b"}, "shipping": map[string]any{"city": "Rīga", "zip": "LV-1010"},
	}))
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		w, buf := &Writer{}, make([]byte, 0, 1024)
		for b.Loop() {
			buf = w.Map(buf[:0], m)
		}
	})
	b.Run("reference_encoding_json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = json.Marshal(m.AsRaw())
		}
	})
}
