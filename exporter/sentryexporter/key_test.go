// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

func TestSpanKeysSurviveARoundTrip(t *testing.T) {
	for text, key := range map[string]spanKey{
		"\t\t\t\t":                              {sampleRate: 1},
		"root\t\t\t\t":                          {root: true, sampleRate: 1},
		"root\t0.5\t1.2.3\tprod\tGET /":         {true, 0.5, []byte("1.2.3"), []byte("prod"), []byte("GET /")},
		"\t1e-17\t\\\"\\\\\t\\u00e9 \xc3\xa9\t": {false, 1e-17, []byte(`\"\\`), []byte(`\u00e9 é`), nil},
	} {
		assert.Equal(t, text, string(key.append(nil)))
		assert.Equal(t, key, parseSpanKey(text))
		assert.Equal(t, key.root, isRootKey(text))
	}
	long := []byte(strings.Repeat("x", maxTraceText+1))
	key := spanKey{sampleRate: 1, release: long, environment: long[1:]}
	assert.Equal(t, spanKey{sampleRate: 1, environment: long[1:]}, parseSpanKey(string(key.append(nil))))
}

func TestInvalidFieldsOfSpanKeysAreIgnored(t *testing.T) {
	for _, text := range []string{
		"", "\t", "\x00", "Root\tx", "\t0\t", "\t-1\t", "\t2\t", "\tNaN\t", "\tInf\t", `		"	"	"`, `		\	\x	\u12g4`, "\t\t\xff\t\n\t\x1f", `		a\	\u12	\`,
		"\t\t" + strings.Repeat("x", maxTraceText+1),
	} {
		assert.Equal(t, spanKey{sampleRate: 1}, parseSpanKey(text), "%q", text)
	}
	assert.Equal(t, "later", string(parseSpanKey("\t\tlater\t\t\tof a later version").release))
}

func TestTransactionKeysSurviveARoundTrip(t *testing.T) {
	for text, key := range map[string]transactionKey{
		"0000000000000000\t\t\t0\t0\t0\t0":                                {},
		"0100000000000000\t\tsegment\t12\t2\t300\t4000":                   {span: pcommon.SpanID{1}, segment: true, sizes: sectionSizes{12, 2, 300, 4000}},
		"0100000000000000\t0200000000000000\t\t1048576\t2147483647\t1\t2": {span: pcommon.SpanID{1}, parent: pcommon.SpanID{2}, sizes: sectionSizes{1 << 20, 1<<31 - 1, 1, 2}},
	} {
		assert.Equal(t, text, string(key.append(nil)))
		assert.Equal(t, key, parseTransactionKey(text))
	}
	for _, text := range []string{
		"", "\t\t\t\t", "01\t02\tno", "g100000000000000\t0200000000000000 \tSegment\t-1\t1.5\tx\t99999999999999999999",
	} {
		assert.Equal(t, transactionKey{}, parseTransactionKey(text), "%q", text)
	}
}

func TestSectionSizesMustMatchThePayload(t *testing.T) {
	const payload = `{"trace_id":"x","context":{"a":1},"span":{"c":[]},"event":{"b":"}"},"otel":{}}`
	right := sectionSizes{7, 8, 9, 2}
	all, ok := right.of([]byte(payload))
	require.True(t, ok)
	assert.Equal(t, sections{[]byte(`{"a":1}`), []byte(`{"c":[]}`), []byte(`{"b":"}"}`), []byte(`{}`)}, all)
	for s := range right {
		for _, size := range []int{-1, 0, 1, right[s] - 1, right[s] + 1, 1 << 40} {
			wrong := right
			wrong[s] = size
			_, ok := wrong.of([]byte(payload))
			assert.False(t, ok, "%v", wrong)
		}
	}
	_, ok = (&sectionSizes{2, 7, 7, 7}).of([]byte(`{"trace_id":"x","context":{},"span":{"c":1},"event":{"c":1},"otel":{"c":1}}`))
	assert.False(t, ok, "a transaction would have no context")
	for n := range payload {
		_, ok := right.of([]byte(payload[:n]))
		assert.False(t, ok, payload[:n])
	}
}

func TestMetaHasVendorIDAndKeyByCategory(t *testing.T) {
	metaOf := func(events []delivery.Event) (all [][3]string) {
		for i := range events {
			all = append(all, [3]string{events[i].Category, events[i].VendorID, events[i].Key})
		}
		return all
	}
	var w delivery.Writer
	enc := newEncoder(benchBackend(func(*Config) {}))
	encodeLogs(t, enc, &w, resourceWith(func(pcommon.Map, pcommon.InstrumentationScope) {}))
	assert.Equal(t, [][3]string{{"error", "7d9f3c1e5a2b4c3d8e4f0123456789ab", ""}, {"log_item", "", ""}}, metaOf(w.Take().Events()))

	root := func(s ptrace.Span) { s.SetName("GET /") }
	child := func(s ptrace.Span) { s.SetParentSpanID([8]byte{1}) }
	events := encodedSpans(t, benchBackend(func(*Config) {}), resourceOf("service.version", "7"), root, child)
	const trace = "01000000000000000000000000000000"
	assert.Equal(t, [][3]string{{"span", trace, "root\t\t7\t\tGET /"}, {"span", trace, "\t\t7\t\tGET /"}}, metaOf(events))
	assert.Equal(t, "0200000000000000", events[1].ID)

	events = encodedSpans(t, benchBackend(func(cfg *Config) { cfg.Traces.Format = TracesTransactions }), resourceOf(), root, child)
	for i, want := range []transactionKey{{span: pcommon.SpanID{1}, segment: true}, {span: pcommon.SpanID{2}, parent: pcommon.SpanID{1}}} {
		assert.Equal(t, trace, events[i].VendorID)
		got := parseTransactionKey(events[i].Key)
		_, ok := got.sizes.of(events[i].Payload)
		assert.True(t, ok)
		got.sizes = sectionSizes{}
		assert.Equal(t, want, got)
	}
}

// FuzzKeys checks that any string parses to a valid key that survives a round trip.
func FuzzKeys(f *testing.F) {
	f.Add("root\t0.5\t1.2.3\tprod\tGET /", `{"context":{},"span":{},"event":{},"otel":{}}`)
	f.Add("\t1\t\\u00e9\t\\\t\"\t", "{}")
	f.Add("0100000000000000\t0200000000000000\tsegment\t2\t2\t2\t2", `{"context":{},"span":{},"event":{},"otel":{}}`)
	f.Fuzz(func(t *testing.T, text, payload string) {
		span := parseSpanKey(text)
		if span.root != isRootKey(text) || !(span.sampleRate > 0 && span.sampleRate <= 1) {
			t.Fatalf("%q: %+v", text, span)
		}
		for _, value := range [][]byte{span.release, span.environment, span.transaction} {
			if !json.Valid([]byte(`"`+string(value)+`"`)) || len(value) > maxTraceText {
				t.Fatalf("%q: %q", text, value)
			}
		}
		require.Equal(t, span, parseSpanKey(string(span.append(nil))))

		transaction := parseTransactionKey(text)
		require.Equal(t, transaction, parseTransactionKey(string(transaction.append(nil))))
		all, ok := transaction.sizes.of([]byte(payload))
		for s := range all {
			if ok && len(all[s]) != transaction.sizes[s] {
				t.Fatalf("%q %q: %q", text, payload, all[s])
			}
		}
	})
}
