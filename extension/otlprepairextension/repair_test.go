// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package otlprepairextension

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// The requests of each signal around a %, with a good neighbor.
const (
	recordRequest = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[%,{"body":{"stringValue":"good"}}]}]}]}`
	spanRequest   = `{"resourceSpans":[{"scopeSpans":[{"spans":[%,{"name":"good"}]}]}]}`
	metricRequest = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[%,{"name":"good"}]}]}]}`
	valueRequest  = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[{"key":"a","value":%}]},{"body":{"stringValue":"good"}}]}]}]}`
)

// decode returns what the OTLP receiver reads, as JSON of the first record, span or metric.
func decode(t testing.TB, body []byte) string {
	t.Helper()
	var written []byte
	var err error
	switch {
	case strings.Contains(string(body), `"resourceLogs"`):
		request := plogotlp.NewExportRequest()
		require.NoError(t, request.UnmarshalJSON(body), string(body))
		require.Equal(t, 2, request.Logs().LogRecordCount(), "the neighbor arrives too")
		written, err = (&plog.JSONMarshaler{}).MarshalLogs(request.Logs())
	case strings.Contains(string(body), `"resourceSpans"`):
		request := ptraceotlp.NewExportRequest()
		require.NoError(t, request.UnmarshalJSON(body), string(body))
		require.Equal(t, 2, request.Traces().SpanCount(), "the neighbor arrives too")
		written, err = (&ptrace.JSONMarshaler{}).MarshalTraces(request.Traces())
	default:
		request := pmetricotlp.NewExportRequest()
		require.NoError(t, request.UnmarshalJSON(body), string(body))
		require.Equal(t, 2, request.Metrics().MetricCount(), "the neighbor arrives too")
		written, err = (&pmetric.JSONMarshaler{}).MarshalMetrics(request.Metrics())
	}
	require.NoError(t, err)
	text := string(written)
	for _, list := range []string{`"logRecords":[`, `"spans":[`, `"metrics":[`} {
		if _, after, ok := strings.Cut(text, list); ok {
			var first json.RawMessage
			require.NoError(t, json.NewDecoder(strings.NewReader(after)).Decode(&first))
			return string(first)
		}
	}
	return text
}

func total(findings map[finding]int) map[fault]int {
	faults := map[fault]int{}
	for found, n := range findings {
		faults[found.fault] += n
	}
	return faults
}

func TestValuesAreRepaired(t *testing.T) {
	for _, tt := range []struct {
		bad, want string
		fault     fault
	}{
		{`{"doubleValue":null}`, `{}`, faultNull},
		{`{"doubleValue":undefined}`, `{}`, faultNull},
		{`{"doubleValue":""}`, `{}`, faultNull},
		{`{"intValue":null}`, `{}`, faultNull},
		{`{"intValue":""}`, `{}`, faultNull},
		{`{"intValue":" "}`, `{}`, faultNull},
		{`{"boolValue":null}`, `{}`, faultNull},
		{`{"boolValue":None}`, `{}`, faultNull},
		{`{"bytesValue":null}`, `{}`, faultNull},
		{`{"stringValue":undefined}`, `{}`, faultNull},
		{`{"doubleValue":1.5,"intValue":null,"stringValue":null,"arrayValue":null}`, `{"doubleValue":1.5}`, faultNull},
		{`{"intValue":null,"stringValue":null}`, `{"stringValue":""}`, faultNull},
		{`undefined`, `{}`, faultNull},
		{`{"arrayValue":{"values":[{"intValue":null},null,{"stringValue":null}]}}`, `{"arrayValue":{"values":[{},{},{"stringValue":""}]}}`, faultNull},
		{`{"kvlistValue":{"values":[{"key":"a","value":{"doubleValue":null}}]}}`, `{"kvlistValue":{"values":[{"key":"a","value":{}}]}}`, faultNull},

		{`{"doubleValue":NaN}`, `{"doubleValue":"NaN"}`, faultNotFinite},
		{`{"doubleValue":Infinity}`, `{"doubleValue":"Infinity"}`, faultNotFinite},
		{`{"doubleValue":-Infinity}`, `{"doubleValue":"-Infinity"}`, faultNotFinite},
		{`{"doubleValue":-inf}`, `{"doubleValue":"-Infinity"}`, faultNotFinite},
		{`{"doubleValue":-nan}`, `{"doubleValue":"NaN"}`, faultNotFinite},
		{`{"doubleValue":+Inf}`, `{"doubleValue":"Infinity"}`, faultNotFinite},
		{`{"intValue":NaN}`, `{"doubleValue":"NaN"}`, faultNotFinite},
		{`{"intValue":"NaN"}`, `{"doubleValue":"NaN"}`, faultNotFinite},

		{`{"intValue":1.5}`, `{"doubleValue":1.5}`, faultRange},
		{`{"intValue":"1.5"}`, `{"doubleValue":1.5}`, faultRange},
		{`{"intValue":1.0}`, `{"intValue":"1"}`, faultRange},
		{`{"intValue":1e3}`, `{"intValue":"1000"}`, faultRange},
		{`{"intValue":9007199254740993.0}`, `{"intValue":"9007199254740993"}`, faultRange},
		{`{"intValue":1e30}`, `{"doubleValue":1e+30}`, faultRange},
		{`{"intValue":9223372036854775808}`, `{"stringValue":"9223372036854775808"}`, faultRange},
		{`{"intValue":"-9223372036854775809"}`, `{"stringValue":"-9223372036854775809"}`, faultRange},
		{`{"intValue":123456789012345678901234567890}`, `{"stringValue":"123456789012345678901234567890"}`, faultRange},
		{`{"doubleValue":1e400}`, `{"stringValue":"1e400"}`, faultRange},

		{`{"intValue":true}`, `{"boolValue":true}`, faultType},
		{`{"intValue":"x"}`, `{"stringValue":"x"}`, faultType},
		{`{"intValue":{"low":1}}`, `{"stringValue":"{\"low\":1}"}`, faultType},
		{`{"doubleValue":"x"}`, `{"stringValue":"x"}`, faultType},
		{`{"doubleValue":false}`, `{"boolValue":false}`, faultType},
		{`{"boolValue":"true"}`, `{"boolValue":true}`, faultType},
		{`{"boolValue":"False"}`, `{"boolValue":false}`, faultType},
		{`{"boolValue":True}`, `{"boolValue":true}`, faultType},
		{`{"boolValue":0}`, `{"boolValue":false}`, faultType},
		{`{"boolValue":5}`, `{"intValue":"5"}`, faultType},
		{`{"boolValue":"x"}`, `{"stringValue":"x"}`, faultType},
		{`{"stringValue":5}`, `{"stringValue":"5"}`, faultType},
		{`{"stringValue":5.50}`, `{"stringValue":"5.50"}`, faultType},
		{`{"stringValue":true}`, `{"stringValue":"true"}`, faultType},
		{`{"stringValue":NaN}`, `{"stringValue":"NaN"}`, faultType},
		{`{"stringValue":{"a": [1, "]}"]}}`, `{"stringValue":"{\"a\": [1, \"]}\"]}"}`, faultType},
		{`{"bytesValue":"YQ"}`, `{"bytesValue":"YQ=="}`, faultType},
		{`{"bytesValue":"_-8="}`, `{"bytesValue":"/+8="}`, faultType},
		{`{"bytesValue":"!!"}`, `{"stringValue":"!!"}`, faultType},
		{`{"bytesValue":5}`, `{"intValue":"5"}`, faultType},
		{`"a"`, `{"stringValue":"a"}`, faultType},
		{`5`, `{"intValue":"5"}`, faultType},
		{`5.5`, `{"doubleValue":5.5}`, faultType},
		{`true`, `{"boolValue":true}`, faultType},
		{`NaN`, `{"doubleValue":"NaN"}`, faultType},
		{`["a",1]`, `{"arrayValue":{"values":[{"stringValue":"a"},{"intValue":"1"}]}}`, faultType},
		{`{"arrayValue":[]}`, `{"arrayValue":{}}`, faultType},
		{`{"arrayValue":[{"intValue":1}]}`, `{"arrayValue":{"values":[{"intValue":"1"}]}}`, faultType},
		{`{"arrayValue":{"values":["a",{"intValue":1}]}}`, `{"arrayValue":{"values":[{"stringValue":"a"},{"intValue":"1"}]}}`, faultType},
		{`{"kvlistValue":[]}`, `{"kvlistValue":{}}`, faultType},
		{`{"kvlistValue":{"a":1},"intValue":null}`, `{"kvlistValue":{"values":[{"key":"a","value":{"intValue":"1"}}]}}`, faultType},
		{`{"kvlistValue":[{"key":"a","value":{"intValue":1}}]}`, `{"kvlistValue":{"values":[{"key":"a","value":{"intValue":"1"}}]}}`, faultType},
		{`{"kvlistValue":{"values":{"a":1}}}`, `{"kvlistValue":{"values":[{"key":"a","value":{"intValue":"1"}}]}}`, faultType},

		{`{"doubleValue":.5}`, `{"doubleValue":0.5}`, faultSyntax},
		{`{"doubleValue":5.}`, `{"doubleValue":5}`, faultSyntax},
		{`{"doubleValue":+5}`, `{"doubleValue":5}`, faultSyntax},
		{`{"doubleValue":01}`, `{"doubleValue":1}`, faultSyntax},
		{`{"stringValue":"a",}`, `{"stringValue":"a"}`, faultSyntax},
		{`{"stringValue":hello}`, `{"stringValue":"hello"}`, faultType},
		{`{"intValue":0x10}`, `{"stringValue":"0x10"}`, faultSyntax},
		{"{\"stringValue\":\"a\nb\x01\"}", `{"stringValue":"a\nb\u0001"}`, faultSyntax},
		{`{"stringValue":"C:\dir\u00zz\n"}`, `{"stringValue":"C:\\dir\\u00zz\n"}`, faultSyntax},
		{`{"unknown":NaN,"intValue":1}`, `{"intValue":"1"}`, faultSyntax},
		{`{"unknown":{"a":[undefined]},"intValue":1}`, `{"intValue":"1"}`, faultSyntax},
	} {
		body := []byte(strings.Replace(valueRequest, "%", tt.bad, 1))
		assert.False(t, accepts("resourceLogs", body), "the receiver refuses %s", tt.bad)
		repaired, findings := repairBody(body)
		if assert.NotNil(t, repaired, tt.bad) {
			assert.Equal(t, `{"body":{},"attributes":[{"key":"a","value":`+tt.want+`}]}`, decode(t, repaired), tt.bad)
			assert.Contains(t, total(findings), tt.fault, tt.bad)
		}
	}
}

func TestMembersAreRepaired(t *testing.T) {
	const trace, span = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
	for _, tt := range []struct{ request, bad, want string }{
		{recordRequest, `{"timeUnixNano":null}`, `{"body":{}}`},
		{recordRequest, `{"timeUnixNano":-1}`, `{"body":{}}`},
		{recordRequest, `{"timeUnixNano":"-1"}`, `{"body":{}}`},
		{recordRequest, `{"timeUnixNano":1544712660300000000.25}`, `{"timeUnixNano":"1544712660300000000","body":{}}`},
		{recordRequest, `{"timeUnixNano":"1.7e18"}`, `{"timeUnixNano":"1700000000000000000","body":{}}`},
		{recordRequest, `{"time_unix_nano":"2023-11-14T22:13:20Z"}`, `{"timeUnixNano":"1700000000000000000","body":{}}`},
		{recordRequest, `{"timeUnixNano":"yesterday"}`, `{"body":{}}`},
		{recordRequest, `{"timeUnixNano":18446744073709551616}`, `{"body":{}}`},
		{recordRequest, `{"timeUnixNano":[1544712660,3000]}`, `{"body":{}}`},
		{recordRequest, `{"observedTimeUnixNano":NaN,"timeUnixNano":"5"}`, `{"timeUnixNano":"5","body":{}}`},
		{recordRequest, `{"severityNumber":null}`, `{"body":{}}`},
		{recordRequest, `{"severityNumber":"9"}`, `{"severityNumber":9,"body":{}}`},
		{recordRequest, `{"severityNumber":9.0}`, `{"severityNumber":9,"body":{}}`},
		{recordRequest, `{"severityNumber":"info"}`, `{"severityNumber":9,"body":{}}`},
		{recordRequest, `{"severityNumber":"WARNING"}`, `{"severityNumber":13,"body":{}}`},
		{recordRequest, `{"severityNumber":"SEVERITY_NUMBER_WARNING"}`, `{"severityNumber":13,"body":{}}`},
		{recordRequest, `{"severityNumber":"loud","severityText":"loud"}`, `{"severityText":"loud","body":{}}`},
		{recordRequest, `{"severityNumber":1e10}`, `{"body":{}}`},
		{recordRequest, `{"severityText":5}`, `{"severityText":"5","body":{}}`},
		{recordRequest, `{"body":"text"}`, `{"body":{"stringValue":"text"}}`},
		{recordRequest, `{"body":undefined}`, `{"body":{}}`},
		{recordRequest, `{"traceId":null,"spanId":null}`, `{"body":{}}`},
		{recordRequest, `{"traceId":"W47/95gDgQPSabYzgT/GDA==","spanId":"7uGbfsPBsXQ="}`, `{"body":{},"traceId":"` + trace + `","spanId":"` + span + `"}`},
		{recordRequest, `{"traceId":"5b8efff7-9803-8103-d269-b633813fc60c"}`, `{"body":{},"traceId":"` + trace + `"}`},
		{recordRequest, `{"traceId":"undefined","spanId":"abc"}`, `{"body":{}}`},
		{recordRequest, `{"flags":-1}`, `{"body":{}}`},
		{recordRequest, `{"droppedAttributesCount":null}`, `{"body":{}}`},
		{recordRequest, `{"eventName":5}`, `{"body":{},"eventName":"5"}`},
		{recordRequest, `{"attributes":{}}`, `{"body":{}}`},
		{recordRequest, `{"attributes":{"a":1,"b":[true]}}`, `{"body":{},"attributes":[{"key":"a","value":{"intValue":"1"}},{"key":"b","value":{"arrayValue":{"values":[{"boolValue":true}]}}}]}`},
		{recordRequest, `{"attributes":{"a":{"id":5,"b":{"c":"d"},"e":{}}}}`, `{"body":{},"attributes":[{"key":"a","value":{"kvlistValue":{"values":[{"key":"id","value":{"intValue":"5"}},{"key":"b","value":{"kvlistValue":{"values":[{"key":"c","value":{"stringValue":"d"}}]}}},{"key":"e","value":{}}]}}}]}`},
		{recordRequest, `{"body":{"message":"a","n":1},"flags":null}`, `{"body":{"kvlistValue":{"values":[{"key":"message","value":{"stringValue":"a"}},{"key":"n","value":{"intValue":"1"}}]}}}`},
		{recordRequest, `{"body":{"string_value":"a","extra":1},"flags":null}`, `{"body":{"stringValue":"a"}}`},
		{recordRequest, `{"attributes":undefined}`, `{"body":{}}`},
		{recordRequest, `{"attributes":[{"key":5,"value":{"intValue":1}},]}`, `{"body":{},"attributes":[{"key":"5","value":{"intValue":"1"}}]}`},
		{recordRequest, `{"flags":1,}`, `{"body":{},"flags":1}`},

		{spanRequest, `{"name":"a","kind":null}`, `{"name":"a","status":{}}`},
		{spanRequest, `{"name":"a","kind":"server"}`, `{"name":"a","kind":2,"status":{}}`},
		{spanRequest, `{"name":"a","status":{"code":"ERROR","message":null}}`, `{"name":"a","status":{"code":2}}`},
		{spanRequest, `{"name":"a","status":[]}`, `{"name":"a","status":{}}`},
		{spanRequest, `{"name":"a","parentSpanId":null}`, `{"name":"a","status":{}}`},
		{spanRequest, `{"name":"a","events":[{"name":"e","timeUnixNano":1.5}]}`, `{"name":"a","events":[{"timeUnixNano":"1","name":"e"}],"status":{}}`},
		{spanRequest, `{"name":"a","links":[{"spanId":null,"attributes":[{"key":"k","value":{"doubleValue":NaN}}]}]}`, `{"name":"a","links":[{"attributes":[{"key":"k","value":{"doubleValue":"NaN"}}]}],"status":{}}`},

		{metricRequest, `{"name":"a","gauge":{"dataPoints":[{"asDouble":null}]}}`, `{"name":"a","gauge":{"dataPoints":[{}]}}`},
		{metricRequest, `{"name":"a","gauge":{"dataPoints":[{"asDouble":NaN}]}}`, `{"name":"a","gauge":{"dataPoints":[{"asDouble":"NaN"}]}}`},
		{metricRequest, `{"name":"a","gauge":{"dataPoints":[{"asInt":1.5}]}}`, `{"name":"a","gauge":{"dataPoints":[{"asDouble":1.5}]}}`},
		{metricRequest, `{"name":"a","gauge":{"dataPoints":[{"asDouble":"x"}]}}`, `{"name":"a","gauge":{"dataPoints":[{}]}}`},
		{metricRequest, `{"name":"a","sum":{"aggregationTemporality":"cumulative","isMonotonic":"true"}}`, `{"name":"a","sum":{"aggregationTemporality":2,"isMonotonic":true}}`},
		{metricRequest, `{"name":"a","histogram":{"dataPoints":[{"count":null,"sum":NaN,"bucketCounts":[1,null,"2"],"explicitBounds":[1,Infinity]}]}}`, `{"name":"a","histogram":{"dataPoints":[{"sum":"NaN","bucketCounts":["1","0","2"],"explicitBounds":[1,"Infinity"]}]}}`},
		{metricRequest, `{"name":"a","exponentialHistogram":{"dataPoints":[{"scale":1.0,"positive":{"offset":-3.0}}]}}`, `{"name":"a","exponentialHistogram":{"dataPoints":[{"scale":1,"positive":{"offset":-3},"negative":{}}]}}`},
		{metricRequest, `{"name":"a","summary":{"dataPoints":[{"quantileValues":[{"quantile":0.5,"value":null}]}]}}`, `{"name":"a","summary":{"dataPoints":[{"quantileValues":[{"quantile":0.5}]}]}}`},
	} {
		repaired, findings := repairBody([]byte(strings.Replace(tt.request, "%", tt.bad, 1)))
		if assert.NotNil(t, repaired, tt.bad) {
			assert.Equal(t, tt.want, decode(t, repaired), tt.bad)
			assert.NotEmpty(t, findings, tt.bad)
		}
	}
}

func TestValuesMayBeNested500Deep(t *testing.T) {
	nested := strings.Repeat(`{"kvlistValue":{"values":[{"key":"a","value":`, 500) + `{"intValue":null}` + strings.Repeat(`}]}}`, 500)
	repaired, findings := repairBody([]byte(strings.Replace(valueRequest, "%", nested, 1)))
	require.NotNil(t, repaired)
	assert.Equal(t, map[fault]int{faultNull: 1}, total(findings))
}

// Each of these objects is in the one before, so that reading them in advance would take a time that
// is quadratic in the depth.
func TestObjectsAreReadInAdvanceWithinALimit(t *testing.T) {
	const depth = 2000
	nested := strings.Repeat(`{"a":`, depth) + `"` + strings.Repeat("b", 1<<20) + `"` + strings.Repeat("}", depth)
	w := &walker{in: []byte(strings.Replace(valueRequest, "%", nested, 1)), found: map[finding]int{}}
	w.message(request)
	assert.True(t, w.failed)
	assert.Less(t, w.ahead, 4*len(w.in)+extraAhead)
}

func TestByteOrderMarkIsRemoved(t *testing.T) {
	body := strings.Replace(valueRequest, "%", `{"intValue":1}`, 1)
	repaired, findings := repairBody([]byte("\xef\xbb\xbf" + body))
	require.NotNil(t, repaired)
	decode(t, repaired)
	assert.Equal(t, map[finding]int{{fault: faultSyntax}: 1}, findings)
}

func TestBodiesThatCannotBeRepaired(t *testing.T) {
	for name, body := range map[string]string{
		"accepted":                       strings.Replace(valueRequest, "%", `{"intValue":1}`, 1),
		"accepted with null":             strings.Replace(valueRequest, "%", `{"stringValue":null}`, 1),
		"nothing":                        ``,
		"null":                           `null`,
		"an array":                       `[]`,
		"a record that is a string":      strings.Replace(recordRequest, "%", `"a"`, 1),
		"records in an object":           `{"resourceLogs":[{"scopeLogs":[{"logRecords":{"a":1}}]}]}`,
		"an array of values for a scope": `{"resourceLogs":[{"scopeLogs":[{"scope":[1],"logRecords":[{"flags":null}]}]}]}`,
		"a body that ends early":         strings.Replace(valueRequest, "%", `{"doubleValue":null}`, 1)[:90],
		"a string that ends early":       `{"resourceLogs":[{"schemaUrl":"a`,
		"a missing comma":                strings.Replace(valueRequest, "%", `{"doubleValue":null "intValue":1}`, 1),
		"a missing colon":                strings.Replace(valueRequest, "%", `{"doubleValue" null}`, 1),
		"single quotes":                  `{'resourceLogs':[]}`,
		"another request":                `{"resourceProfiles":[{"schemaUrl":NaN}]}`,
		"too deep":                       strings.Replace(valueRequest, "%", strings.Repeat(`[`, 3000)+strings.Repeat(`]`, 3000), 1),
		"too large when it is repaired":  strings.Replace(valueRequest, "%", `{"stringValue":"`+strings.Repeat("\x01", 100_000)+`"},"value":[]`, 1),
	} {
		repaired, findings := repairBody([]byte(body))
		assert.Nil(t, repaired, name)
		assert.Nil(t, findings, name)
	}
}

func TestPathsNameMembersOfOTLPOnly(t *testing.T) {
	_, findings := repairBody([]byte(strings.Replace(recordRequest, "%",
		`{"secret":NaN,"attributes":[{"key":"secret","value":{"arrayValue":{"values":[{"doubleValue":null,"secret":undefined}]}}}]}`, 1)))
	assert.Equal(t, map[finding]int{
		{faultSyntax, "resourceLogs.scopeLogs.logRecords"}:                                              1,
		{faultNull, "resourceLogs.scopeLogs.logRecords.attributes.value.arrayValue.values.doubleValue"}: 1,
		{faultSyntax, "resourceLogs.scopeLogs.logRecords.attributes.value.arrayValue.values"}:           1,
	}, findings)
}

func TestPathsAndFindingsAreLimited(t *testing.T) {
	var nested strings.Builder
	for range 100 {
		nested.WriteString(`{"arrayValue":{"values":[{"doubleValue":null},`)
	}
	nested.WriteString(`{}` + strings.Repeat(`]}}`, 100))
	_, findings := repairBody([]byte(strings.Replace(valueRequest, "%", nested.String(), 1)))
	assert.Equal(t, map[finding]int{
		{faultNull, "resourceLogs.scopeLogs.logRecords.attributes.value.arrayValue.values.doubleValue"}:                   1,
		{faultNull, "resourceLogs.scopeLogs.logRecords.attributes.value.arrayValue.values.arrayValue.values.doubleValue"}: 1,
		{faultNull, "resourceLogs.scopeLogs.logRecords.attributes.value.arrayValue.values.arrayValue.values.arrayValue"}:  98,
	}, findings)

	set := map[finding]int{}
	for i := range 100 {
		finding{faultNull, strings.Repeat("a", i)}.addTo(set, 1)
	}
	assert.Len(t, set, maxFindings+1)
	assert.Equal(t, 80, set[finding{faultNull, "other places"}])
}
