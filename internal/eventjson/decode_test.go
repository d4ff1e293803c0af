// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// received is when the tests receive their events.
var received = time.Unix(1700000000, 5).UTC()

// TestDecodeGolden decodes testdata/decode/*/input.* and compares the result with want.json (the
// logs) and want.txt (the counts and rejections).
func TestDecodeGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/decode/*/input.*")
	require.NoError(t, err)
	require.NotEmpty(t, inputs)
	for _, input := range inputs {
		dir := filepath.Dir(input)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			body, err := os.ReadFile(input)
			require.NoError(t, err)
			decode := NewDecoder(100).Decode
			if filepath.Ext(input) == ".ndjson" {
				decode = NewDecoder(100).DecodeLines
			}
			result, err := decode(body, received)
			checkText(t, filepath.Join(dir, "want.txt"), outcome(result, err))
			if result.Accepted > 0 {
				assert.Equal(t, result.Accepted, result.Logs.LogRecordCount())
				checkText(t, filepath.Join(dir, "want.json"), otlpJSON(t, result.Logs))
			}
		})
	}
}

func outcome(result Result, err error) string {
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "accepted: %d\n", result.Accepted)
	for _, r := range result.Rejected {
		fmt.Fprintf(&b, "rejected: %d %q %v\n", r.Index, r.ID, r.Err)
	}
	return b.String()
}

func checkText(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
		return
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

// otlpJSON returns the logs as indented OTLP JSON, which shows every type.
func otlpJSON(t *testing.T, ld plog.Logs) string {
	t.Helper()
	b, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	var indented bytes.Buffer
	require.NoError(t, json.Indent(&indented, b, "", "  "))
	return indented.String() + "\n"
}

func decodeOne(t testing.TB, body string) plog.LogRecord {
	t.Helper()
	result, err := NewDecoder(1).Decode([]byte(body), received)
	require.NoError(t, err)
	require.Empty(t, result.Rejected)
	return result.Logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
}

func TestTimestamps(t *testing.T) {
	for in, want := range map[string]string{
		`"2026-01-31T12:00:00Z"`:                "2026-01-31T12:00:00Z",
		`"2026-01-31T12:00:00.123456789+02:00"`: "2026-01-31T10:00:00.123456789Z",
		`"2026-01-31t12:00:00z"`:                "2026-01-31T12:00:00Z",
		`"2026-01-31 12:00:00Z"`:                "2026-01-31T12:00:00Z",
		`"2026-01-31T12:00:00+0800"`:            "2026-01-31T04:00:00Z",
		`"2026-01-31T12:00:00.5-0330"`:          "2026-01-31T15:30:00.5Z",
		`"2026-01-31 12:00:00 +0800"`:           "2026-01-31T04:00:00Z",
		`"2026-01-31T12:00:00+08"`:              "2026-01-31T04:00:00Z",
		`"2026-01-31T12:00:00.25"`:              "2026-01-31T12:00:00.25Z",
		`"2016-12-31T23:59:60Z"`:                "2017-01-01T00:00:00Z",
		`"2017-01-01t05:29:60.5+0530"`:          "2017-01-01T00:00:00.5Z",
		`1700000000`:                            "2023-11-14T22:13:20Z",
		`1700000000.5`:                          "2023-11-14T22:13:20.5Z",
		`1700000000.123456789`:                  "2023-11-14T22:13:20.123456789Z",
		`1700000000123`:                         "2023-11-14T22:13:20.123Z",
		`1700000000123.25`:                      "2023-11-14T22:13:20.12325Z",
		`1700000000123456`:                      "2023-11-14T22:13:20.123456Z",
		`1700000000123456789`:                   "2023-11-14T22:13:20.123456789Z",
		`"1700000000123"`:                       "2023-11-14T22:13:20.123Z",
		`1.7e9`:                                 "2023-11-14T22:13:20Z",
		`1`:                                     "1970-01-01T00:00:01Z",
		`9223372036`:                            "2262-04-11T23:47:16Z",
		`null`:                                  "2023-11-14T22:13:20.000000005Z",
		`0`:                                     "2023-11-14T22:13:20.000000005Z",
	} {
		t.Run(in, func(t *testing.T) {
			record := decodeOne(t, `{"name":"x","timestamp":`+in+`}`)
			assert.Equal(t, want, record.Timestamp().AsTime().Format(time.RFC3339Nano))
			assert.Equal(t, received, record.ObservedTimestamp().AsTime())
		})
	}
	for _, in := range []string{
		`"yesterday"`, `""`, `-1`, `"2026-01-31"`, `1e999999999`, `1e99`, `9223372037`, `"1969-12-31T23:59:59Z"`, `"2263-01-01T00:00:00Z"`, `true`, `{}`,
		`99999999999999999999`, `"1.2.3"`, `"` + strings.Repeat("9", 1000) + `"`, `"2026-13-01T00:00:00Z"`,
	} {
		t.Run(in, func(t *testing.T) {
			result, err := NewDecoder(1).Decode([]byte(`{"name":"x","timestamp":`+in+`}`), received)
			require.NoError(t, err)
			require.Len(t, result.Rejected, 1)
			assert.Regexp(t, `^timestamp: (want|is not between)`, result.Rejected[0].Err.Error())
		})
	}
}

func TestSeverities(t *testing.T) {
	for in, want := range map[string]struct {
		number plog.SeverityNumber
		text   string
	}{
		`"severity":"INFO"`:                           {plog.SeverityNumberInfo, "INFO"},
		`"severity":"warning"`:                        {plog.SeverityNumberWarn, "warning"},
		`"severity":"Critical"`:                       {plog.SeverityNumberError2, "Critical"},
		`"severity":17`:                               {plog.SeverityNumberError, ""},
		`"severity_number":9`:                         {plog.SeverityNumberInfo, ""},
		`"severity":"Blau","severity_number":13`:      {plog.SeverityNumberWarn, "Blau"},
		`"severity_number":0,"severity":"INFO"`:       {plog.SeverityNumberUnspecified, "INFO"},
		`"severity":null`:                             {plog.SeverityNumberUnspecified, ""},
		`"severity":""`:                               {plog.SeverityNumberUnspecified, ""},
		`"severity":"EMERGENCY","severity_number":24`: {plog.SeverityNumberFatal4, "EMERGENCY"},
	} {
		t.Run(in, func(t *testing.T) {
			record := decodeOne(t, `{"name":"x",`+in+`}`)
			assert.Equal(t, want.number, record.SeverityNumber())
			assert.Equal(t, want.text, record.SeverityText())
		})
	}
}

func TestEventsWithoutIDAndTimeAreDistinct(t *testing.T) {
	result, err := NewDecoder(3).Decode([]byte(`[{"name":"click"},{"name":"click"},{"name":"click","timestamp":1}]`), received)
	require.NoError(t, err)
	ids := map[string]bool{}
	for e := range appevent.Logs(result.Logs) {
		ids[e.ID()] = true
	}
	assert.Len(t, ids, 3)

	again, err := NewDecoder(3).Decode([]byte(`{"timestamp":1,"name":"click"}`), received.Add(time.Hour))
	require.NoError(t, err)
	for e := range appevent.Logs(again.Logs) {
		assert.True(t, ids[e.ID()], "an event with a time keeps its id when it is sent again")
	}
}

func TestLimits(t *testing.T) {
	nested := func(n int) string {
		return `{"name":"x","properties":{"p":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}}`
	}
	object := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"k%d":%d`, i, i)
		}
		return `{"name":"x","properties":{` + b.String()[1:] + `}}`
	}
	for name, tt := range map[string]struct{ body, want string }{
		"maximum depth":          {body: nested(MaxDepth - 1)},
		"one level too deep":     {body: nested(MaxDepth), want: "is nested more than 32 deep"},
		"maximum depth in array": {body: "[" + nested(MaxDepth-1) + "]"},
		"10,000 deep":            {body: nested(9_000), want: "is nested more than 32 deep"},
		"maximum members":        {body: object(MaxMembers)},
		"one member too many":    {body: object(MaxMembers + 1), want: "properties: has more than 1024 members"},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := NewDecoder(1).Decode([]byte(tt.body), received)
			require.NoError(t, err)
			if tt.want == "" {
				assert.Empty(t, result.Rejected)
				return
			}
			require.Len(t, result.Rejected, 1)
			assert.Contains(t, result.Rejected[0].Err.Error(), tt.want)
		})
	}

	for name, decode := range map[string]func(d *Decoder, n int) (Result, error){
		"array": func(d *Decoder, n int) (Result, error) {
			return d.Decode([]byte("["+strings.Repeat(`{"name":"x"},`, n-1)+`{"name":"x"}]`), received)
		},
		"lines": func(d *Decoder, n int) (Result, error) {
			return d.DecodeLines(bytes.Repeat([]byte("{\"name\":\"x\"}\n\n"), n), received)
		},
	} {
		t.Run(name+" of the maximum number of events and one more", func(t *testing.T) {
			d := NewDecoder(7)
			result, err := decode(d, 7)
			require.NoError(t, err)
			assert.Equal(t, 7, result.Accepted)

			_, err = decode(d, 8)
			tooMany, ok := errors.AsType[*TooManyError](err)
			require.True(t, ok)
			assert.Equal(t, 7, tooMany.Limit)
		})
	}
}

func TestMaxValues(t *testing.T) {
	const each = 40
	list := func(n int, item string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, item, i)
		}
		return b.String()[1:]
	}
	many := func(n int, event, last string) string { return "[" + strings.Repeat(event+",", n) + last + "]" }
	groups := `{"name":"x","groups":{` + list(each, `,"k%d":"g"`) + `}}`
	large := `{"name":"x","properties":{` + list(MaxMembers, `,"k%d":0`) + `}}`
	for name, tt := range map[string]struct {
		body    string
		tooMany bool
	}{
		"an array and its items":         {body: `{"name":"x","body":[` + strings.Repeat("0,", MaxValues-2) + `0]}`},
		"one value too many":             {body: many(MaxValues/each, groups, `{"name":"x","user":"u"}`), tooMany: true},
		"large objects, which cost more": {body: many(MaxValues/8/MaxMembers, large, large), tooMany: true},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewDecoder(MaxValues).Decode([]byte(tt.body), received)
			if !tt.tooMany {
				require.NoError(t, err)
				return
			}
			assert.EqualError(t, err, "the body has more than 1000000 values; split it into several requests")
		})
	}
}

// An idle decoder must not hold the memory of large bodies it has seen.
func TestIdleDecoderReleasesLargeBodies(t *testing.T) {
	const size = 4 * largeBody
	long := strings.Repeat("x", size)
	for name, body := range map[string]string{
		"a long name":      `{"name":"` + long + `"}`,
		"a long id":        `{"name":"x","id":"` + long + `"}`,
		"a long source":    `{"name":"x","source":"` + long + `"}`,
		"a long pointer":   `{"name":"x","properties":{"` + long + `":"QQ=="},"value_types":{"/properties/` + long + `":"bytes"}}`,
		"escapes":          `{"name":"x","message":"\n` + long + `"}`,
		"a rejected event": `{"name":"x","id":"` + long + `","oops":1}`,
		"a broken body":    `{"name":"x","id":"` + long + `","message":"\n` + long,
	} {
		t.Run(name, func(t *testing.T) {
			heap := func() int64 {
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				return int64(m.HeapAlloc)
			}
			d := NewDecoder(1)
			before := heap()
			_, _ = d.Decode([]byte(body), received)
			assert.Less(t, heap()-before, int64(size/8), "bytes")
			runtime.KeepAlive(d)
		})
	}
}

func TestRefusedBodyLeaksNothingIntoTheNext(t *testing.T) {
	const victim = `{"id":"v","name":"login","type":"page","user":{"id":"victim"},"message":"private","severity":"fatal","trace":{"trace_id":"0102030405060708090a0b0c0d0e0f10"},` +
		`"source":"bank","scope":{"name":"lib"},"properties":{"card":"4111"},"value_types":{"/properties/card":"bytes"}`
	want, err := NewDecoder(2).Decode([]byte(`{"name":"click","id":"c"}`), received)
	require.NoError(t, err)
	for name, body := range map[string]string{
		"cut off":             victim,
		"not JSON":            victim + `, oops`,
		"more after it":       victim + `} {}`,
		"too many":            "[" + victim + `},{"name":"b"},{"name":"c"}]`,
		"too many values":     victim + `,"traits":{"a":[` + strings.Repeat("0,", MaxValues) + `0]}}`,
		"an invalid neighbor": "[" + victim + `},{"name":]`,
		"rejected, then more": "[" + victim + `,"oops":1},{"name":]`,
	} {
		t.Run(name, func(t *testing.T) {
			d := NewDecoder(2)
			_, err := d.Decode([]byte(body), received)
			require.Error(t, err)
			_, err = d.DecodeLines([]byte(strings.ReplaceAll(body, "\n", " ")), received)
			if name == "too many values" {
				require.Error(t, err)
			}
			got, err := d.Decode([]byte(`{"name":"click","id":"c"}`), received)
			require.NoError(t, err)
			assert.Equal(t, otlpJSON(t, want.Logs), otlpJSON(t, got.Logs))
		})
	}
}

func TestErrorsNeverRepeatValues(t *testing.T) {
	const secret = "hunter2-hunter2"
	for _, body := range []string{
		`{"name":"x","user":["` + secret + `"]}`,
		`{"name":"x","type":"` + secret + `"}`,
		`{"name":"x","severity":"` + secret + `"}`,
		`{"name":"x","timestamp":"` + secret + `"}`,
		`{"name":"x","trace":{"trace_id":"` + secret + `"}}`,
		`{"name":"x","value_types":{"/properties/a":"` + secret + `"}}`,
		`{"name":"x","destinations":{"a":"` + secret + `"}}`,
		`{"name":"x","properties":"` + secret + `"}`,
	} {
		result, err := NewDecoder(1).Decode([]byte(body), received)
		require.NoError(t, err)
		require.Len(t, result.Rejected, 1, body)
		assert.NotContains(t, result.Rejected[0].Err.Error(), secret)
	}
	_, err := NewDecoder(1).Decode([]byte(`{"name":"`+secret+`" "`+secret+`"}`), received)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), secret)
}

func TestEventsAreGroupedBySource(t *testing.T) {
	body := `[{"name":"a","source":"s1"},{"name":"b","source":"s2"},{"name":"c","source":{"name":"s1"}},
		{"name":"d","source":"s1","scope":{"name":"lib"}},{"name":"e","source":"s1"}]`
	result, err := NewDecoder(100).Decode([]byte(body), received)
	require.NoError(t, err)
	require.Empty(t, result.Rejected)
	require.Equal(t, 3, result.Logs.ResourceLogs().Len(), "one per source and scope")
	assert.Equal(t, 3, result.Logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().Len())
}

func TestSourcesWithDifferentValueTypesAreDistinct(t *testing.T) {
	const event = `{"name":"a","resource":{"k":"AAEC"}`
	result, err := NewDecoder(100).Decode([]byte("["+event+`,"value_types":{"/resource/k":"bytes"}},`+event+"},"+event+`,"value_types":{"/resource/k":"bytes"}}]`), received)
	require.NoError(t, err)
	require.Empty(t, result.Rejected)
	require.Equal(t, 2, result.Logs.ResourceLogs().Len())
	for i, want := range []pcommon.ValueType{pcommon.ValueTypeBytes, pcommon.ValueTypeStr} {
		v, ok := result.Logs.ResourceLogs().At(i).Resource().Attributes().Get("k")
		require.True(t, ok)
		assert.Equal(t, want, v.Type())
	}
	assert.Equal(t, 2, result.Logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().Len())
}
