// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

func TestWriteKey(t *testing.T) {
	for body, want := range map[string]string{
		`{"write_key":"k","name":"a"}`:              "k",
		`{"events":[{"a":1}],"writeKey":"k\u0031"}`: "k1",
		`{"api_key":"k"`:                            "k",
		`{"api_key":7,"write_key":"k"}`:             "k",
		`{"properties":{"write_key":"k"}}`:          "",
		`[{"write_key":"k"}]`:                       "",
		`{"name":"a"}`:                              "",
		`{"name":`:                                  "",
		``:                                          "",
		`"write_key"`:                               "",
	} {
		assert.Equal(t, want, WriteKey([]byte(body)), body)
	}
}

func TestParseTraceparent(t *testing.T) {
	const valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	trace, ok := ParseTraceparent(valid)
	require.True(t, ok)
	assert.Equal(t, "0af7651916cd43dd8448eb211c80319c", trace.TraceID.String())
	assert.Equal(t, "b7ad6b7169203331", trace.SpanID.String())
	assert.Equal(t, plog.LogRecordFlags(1), trace.Flags)
	_, ok = ParseTraceparent("01" + valid[2:] + "-future-field")
	assert.True(t, ok, "a later version")

	for name, s := range map[string]string{
		"empty":                             "",
		"truncated":                         valid[:54],
		"longer":                            valid + "-00",
		"later version without a separator": "01" + valid[2:] + "0",
		"invalid version":                   "ff" + valid[2:],
		"version in capitals":               "0A" + valid[2:],
		"in capitals":                       strings.ToUpper(valid),
		"not hex":                           strings.Replace(valid, "0af", "0ag", 1),
		"with other separators":             strings.ReplaceAll(valid, "-", "_"),
		"without a trace":                   "00-00000000000000000000000000000000-b7ad6b7169203331-01",
		"without a span":                    "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
	} {
		_, ok := ParseTraceparent(s)
		assert.False(t, ok, name)
	}
}

func TestRecordsKeepTheOrderOfTheBody(t *testing.T) {
	result, err := NewDecoder(10).Decode([]byte(`[{"id":"a","name":"x","source":"s1"},5,{"id":"b","name":"x","source":"s2"},{"id":"c","name":"x","source":"s1"},{"name":"x"}]`), received)
	require.NoError(t, err)
	var ids []string
	var indexes []int
	for _, accepted := range result.Records {
		id, _ := accepted.Record.Attributes().Get(appevent.AttrID)
		ids, indexes = append(ids, id.Str()), append(indexes, accepted.Index)
		assert.Equal(t, accepted.Index == 4, accepted.RandomID)
	}
	assert.Equal(t, []string{"a", "b", "c"}, ids[:3])
	assert.Equal(t, []int{0, 2, 3, 4}, indexes)
}

func TestLimitsHoldInEveryFormat(t *testing.T) {
	deep := strings.Repeat(`{"a":`, MaxDepth) + "1" + strings.Repeat("}", MaxDepth)
	deeper := `{"a":` + deep + "}"
	const head = `{"specversion":"1.0","id":"1","source":"/s","type":"t","data":`
	for name, decode := range map[string]func(d *Decoder, data string) (Result, error){
		"structured": func(d *Decoder, data string) (Result, error) {
			return d.DecodeCloudEvents([]byte(head+data+"}"), false, received)
		},
		"binary": func(d *Decoder, data string) (Result, error) {
			return d.DecodeCloudEvent(pairs("specversion", "1.0", "id", "1", "source", "/s", "type", "t"), "application/json", []byte(data), received)
		},
		"payload": func(d *Decoder, data string) (Result, error) {
			return d.DecodePayload([]byte(data), &Payload{Name: "x"}, received)
		},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := decode(NewDecoder(1), deep)
			require.NoError(t, err)
			assert.Equal(t, 1, result.Accepted, "%v", result.Rejected)
			result, err = decode(NewDecoder(1), deeper)
			require.NoError(t, err)
			require.Len(t, result.Rejected, 1)
			assert.Contains(t, result.Rejected[0].Err.Error(), "nested more than 32 deep")
		})
	}
	t.Run("too many values", func(t *testing.T) {
		data := "[" + strings.Repeat("0,", MaxValues) + "0]"
		_, err := NewDecoder(1).DecodeCloudEvent(pairs("specversion", "1.0", "id", "1", "source", "/s", "type", "t"), "application/json", []byte(data), received)
		assert.True(t, isTooMany(err), "%v", err)
	})
	for name, decode := range map[string]func(d *Decoder) (Result, error){
		"cloudevents": func(d *Decoder) (Result, error) {
			return d.DecodeCloudEvents([]byte("["+head+"1},"+head+"1}]"), true, received)
		},
		"payload": func(d *Decoder) (Result, error) { return d.DecodePayload([]byte(`[{},{}]`), &Payload{}, received) },
		"envelope": func(d *Decoder) (Result, error) {
			return d.Decode([]byte(`{"events":[{"name":"a"},{"name":"b"}]}`), received)
		},
	} {
		t.Run(name+" counts events", func(t *testing.T) {
			_, err := decode(NewDecoder(1))
			assert.True(t, isTooMany(err), "%v", err)
			result, err := decode(NewDecoder(2))
			require.NoError(t, err)
			assert.Equal(t, 2, result.Accepted)
		})
	}
}

func TestCloudEventDataGivenTwiceIsRejected(t *testing.T) {
	const head = `{"specversion":"1.0","id":"1","source":"/s","type":"t","datacontenttype":"text/plain",`
	for members, want := range map[string]string{
		`"data":"a","data":"b"`:                   "data: given twice",
		`"data_base64":"YQ==","data_base64":""`:   "data_base64: given twice",
		`"data_base64":"","data_base64":"YQ=="`:   "data_base64: given twice",
		`"data_base64":"","data":"a"`:             "data: given twice, as data and as data_base64",
		`"data":"a","data_base64":null`:           "",
		`"data_base64":null,"data_base64":"YQ=="`: "",
	} {
		result, err := NewDecoder(1).DecodeCloudEvents([]byte(head+members+"}"), false, received)
		require.NoError(t, err)
		if want == "" {
			require.Equal(t, 1, result.Accepted, "%s: %v", members, result.Rejected)
			assert.Equal(t, "a", result.Records[0].Record.Body().Str())
			continue
		}
		require.Len(t, result.Rejected, 1, members)
		assert.EqualError(t, result.Rejected[0].Err, want)
	}
}

// Different members must not share a bit in pending.seen, except synonyms.
func TestMemberBitsAreUnique(t *testing.T) {
	bits := map[uint64]string{}
	for name, field := range fields {
		bits[field.bit] = name
	}
	for name, field := range trackFields {
		other, taken := bits[field.bit]
		assert.Equal(t, map[string]string{
			"event": fieldName, "messageId": fieldID, "originalTimestamp": fieldTimestamp, "previousId": fieldPreviousID,
			"groupId": fieldGroups, "integrations": fieldDestinations,
		}[name], other, name)
		if !taken {
			bits[field.bit] = name
		}
	}
	for name, field := range exceptionFields {
		assert.Empty(t, bits[field.bit], name)
	}
	assert.Len(t, bits, len(fields)+len(trackFields)-6)
}

// pairs yields consecutive texts as name and value.
func pairs(texts ...string) func(func(string, string) bool) {
	return func(yield func(string, string) bool) {
		for i := 0; i+1 < len(texts); i += 2 {
			if !yield(texts[i], texts[i+1]) {
				return
			}
		}
	}
}

// FuzzForms checks that events in any format either become records that can be encoded as events,
// or are rejected.
func FuzzForms(f *testing.F) {
	const cloudEvent = `{"specversion":"1.0","id":"1","source":"/s","type":"t","time":"2026-01-31T12:00:00Z","ext":true,"data":{"a":[1,"b"]}}`
	for _, seed := range []struct {
		form byte
		body string
	}{
		{0, `{"events":[{"name":"a"}],"write_key":"k"}`}, {1, `{"batch":[{"event":"a","userId":"u","integrations":{"All":false,"X":{}}}]}`},
		{2, `{"userId":1,"traits":{"a":1},"context":{"ip":"::1"}}`}, {5, `{"groupId":"g","anonymousId":"a"}`}, {7, `{"type":"E","stack":"s","handled":true}`},
		{8, cloudEvent}, {9, "[" + cloudEvent + `,{"specversion":"1.0","id":"2","source":"/s","type":"t","data_base64":"eyJhIjoxfQ=="}]`},
		{10, "id\n1\nsource\n/s\ntype\nt\nspecversion\n1.0\ntraceparent\nx\n"}, {11, `{"type":"t","id":7,"at":1700000000,"data":null}`}, {11, `[{"type":"t"},"x"]`},
		{1, `{"event":"a","rudderId":"r","properties":[],"context":{"device":{"id":"d","model":"m"},"os":[],"groupId":"g"}}`}, {2, `{"userId":1,"context":{"traits":{"a":1}}}`},
		{9, `[]`}, {8, strings.Replace(cloudEvent, `"ext":true`, `"datacontenttype":"application/atom+xml","dataschema":""`, 1)},
		{8, strings.Replace(cloudEvent, "12:00:00Z", "23:59:60", 1)}, {1, `{"event":"a","timestamp":"2016-12-31 15:59:60.5 -0800"}`},
	} {
		f.Add(seed.form, []byte(seed.body))
	}
	d := NewDecoder(50)
	f.Fuzz(func(t *testing.T, form byte, body []byte) {
		result, err := decodeForm(d, form%12, body)
		if err != nil {
			return
		}
		if n := result.Logs.LogRecordCount(); n != result.Accepted || n != len(result.Records) {
			t.Fatalf("accepted %d, but got %d records, %d in order", result.Accepted, n, len(result.Records))
		}
		var enc Encoder
		for e := range appevent.Logs(result.Logs) {
			written := enc.Append(nil, e)
			if !jsontext.Value(written).IsValid() {
				t.Fatalf("%s\nis written as\n%s", body, written)
			}
			if again, err := NewDecoder(1).Decode(written, received); err != nil || again.Accepted != 1 {
				t.Fatalf("%s\nis written as\n%s\nwhich is not an event: %v %v", body, written, err, again.Rejected)
			}
		}
	})
}

func decodeForm(d *Decoder, form byte, body []byte) (Result, error) {
	switch form {
	case 8, 9:
		return d.DecodeCloudEvents(body, form == 9, received)
	case 10:
		return d.DecodeCloudEvent(pairs(strings.Split(string(body), "\n")...), "application/json", body, received)
	case 11:
		return d.DecodePayload(body, &Payload{Name: "x", NamePath: "/type", ID: "i", IDPath: "/id", TimePath: "/at"}, received)
	default:
		d.SetRoute(Route(form))
		defer d.SetRoute(RouteEvents)
		return d.Decode(body, received)
	}
}

func TestEventLeaksNothingIntoTheNext(t *testing.T) {
	first := []string{
		`{"id":"v","name":"login","type":"page","user":"victim","message":"private","severity_number":21,"trace":{"trace_id":"0102030405060708090a0b0c0d0e0f10"},"source":"bank","scope":{"name":"lib"},"resource":{"a":1},"properties":{"card":"QQ=="},"value_types":{"/properties/card":"bytes"}}`,
		`{"exception":{"type":"E"},"name":null,"body":1}`,
		`{"name":"a"}`,
		`{"name":"a","severity":7}`,
		`{"name":"a","severity_number":21,"oops":1}`,
	}
	second := []string{
		`{"id":"c","name":"click"}`, `{"id":"c","type":"identify"}`, `{"id":"c"}`, `{"id":"c","name":"click","severity":"warn"}`, `{"id":"c","exception":{"type":"F"}}`,
		`{"name":"click","timestamp":5}`, `{"id":"c","name":"click","message":"m"}`, `{"id":"c","name":"click","source":"shop"}`,
	}
	for _, one := range first {
		for _, next := range second {
			alone, err := NewDecoder(2).DecodeLines([]byte(next), received)
			require.NoError(t, err)
			both, err := NewDecoder(2).DecodeLines([]byte(one+"\n"+next), received)
			require.NoError(t, err)
			if alone.Accepted == 0 {
				assert.Equal(t, alone.Rejected[0].Err.Error(), both.Rejected[len(both.Rejected)-1].Err.Error(), "%s\n%s", one, next)
				continue
			}
			want, got := alone.Records[0], both.Records[len(both.Records)-1]
			assert.Equal(t, want.RandomID, got.RandomID, "%s\n%s", one, next)
			assert.Equal(t, recordText(t, want.Record), recordText(t, got.Record), "%s\n%s", one, next)
			assert.Equal(t, lastResource(alone), lastResource(both), "%s\n%s", one, next)
		}
	}
}

func recordText(t *testing.T, record plog.LogRecord) string {
	t.Helper()
	ld := plog.NewLogs()
	record.CopyTo(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	return otlpJSON(t, ld)
}

// lastResource returns the resource of the last event.
func lastResource(result Result) map[string]any {
	resources := result.Logs.ResourceLogs()
	for i := resources.Len() - 1; i >= 0; i-- {
		records := resources.At(i).ScopeLogs().At(0).LogRecords()
		if records.At(records.Len()-1) == result.Records[len(result.Records)-1].Record {
			return resources.At(i).Resource().Attributes().AsRaw()
		}
	}
	return nil
}
