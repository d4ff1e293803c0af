// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

func TestSampleRateComesFromTraceState(t *testing.T) {
	for state, want := range map[string]float64{
		"":                               1,
		"other=th:8":                     1,
		"ot=rv:123456789abcde":           1,
		"ot=th:0":                        1,
		"ot=th:":                         1,
		"ot=th:8":                        0.5,
		"ot=th:c;rv:ffffffffffffff":      0.25,
		"other=1, ot=rv:1;th:fd70a3d70a": 0.010000000000218279,
		"ot=th:ffffffffffffff":           1.0 / (1 << 56),
		"ot=th:fffffffffffffff":          1, // too long
		"ot=th:xyz":                      1,
		"ot=th:xyz;th:8":                 0.5,
	} {
		assert.InDelta(t, want, sampleRate([]byte(state)), want*1e-9, state)
	}
}

// encodedSpans encodes one span for each change, all of one trace and resource.
func encodedSpans(t *testing.T, b *backend, resource pcommon.Map, changes ...func(ptrace.Span)) []delivery.Event {
	t.Helper()
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	resource.CopyTo(rs.Resource().Attributes())
	ss := rs.ScopeSpans().AppendEmpty()
	for i, change := range changes {
		span := ss.Spans().AppendEmpty()
		span.SetTraceID([16]byte{1})
		span.SetSpanID([8]byte{byte(i + 1)})
		change(span)
	}
	var w delivery.Writer
	enc := newSpanEncoder(b)
	enc.Prepare(td)
	source := appevent.NewSource(rs.Resource(), ss.Scope())
	for _, span := range ss.Spans().All() {
		require.NoError(t, enc.EncodeSpan(&w, source, span))
	}
	enc.Reset()
	return w.Take().Events()
}

// resourceOf returns a resource with attributes: names and values in turn.
func resourceOf(attributes ...string) pcommon.Map {
	m := pcommon.NewMap()
	for i := 0; i < len(attributes); i += 2 {
		m.PutStr(attributes[i], attributes[i+1])
	}
	return m
}

func TestTraceHeaderRepeatsSpanAttributes(t *testing.T) {
	const head = `"trace":{"trace_id":"01000000000000000000000000000000","public_key":"key","sampled":"true","sample_rate":`
	resource := resourceOf("service.version", `1 "b"`, "deployment.environment.name", "prod")
	for name, c := range map[string]struct {
		resource pcommon.Map
		change   func(ptrace.Span)
		want     string
	}{
		"resource and name": {resource, func(s ptrace.Span) { s.SetName("GET /") }, `"1","release":"1 \"b\"","environment":"prod","transaction":"GET /"}`},
		"nothing":           {resourceOf(), func(s ptrace.Span) { s.SetParentSpanID([8]byte{9}) }, `"1"}`},
		"trace state":       {resourceOf(), func(s ptrace.Span) { s.SetName("n"); s.TraceState().FromRaw("a=b,ot=th:8") }, `"0.5","transaction":"n"}`},
		"own attributes win": {resource, func(s ptrace.Span) {
			s.SetName("n")
			s.Attributes().PutStr("sentry.release", "own")
			s.Attributes().PutEmptyMap("sentry").PutStr("environment", "flattened")
			s.Attributes().PutStr("otel.trace_state", "ot=th:c")
		}, `"0.25","release":"own","environment":"flattened","transaction":"n"}`},
		"not texts": {resource, func(s ptrace.Span) {
			s.SetName("n")
			s.Attributes().PutInt("sentry.release", 7)
			s.Attributes().PutBool("sentry.environment", true)
		}, `"1","transaction":"n"}`},
		"not those of links": {resourceOf(), func(s ptrace.Span) {
			s.SetName("n")
			link := s.Links().AppendEmpty()
			link.SetTraceID([16]byte{2})
			link.SetSpanID([8]byte{2})
			link.Attributes().PutStr("sentry.release", "of the link")
		}, `"1","transaction":"n"}`},
		"long texts are left out": {resource, func(s ptrace.Span) { s.SetName(strings.Repeat("x", maxTraceText+1)) }, `"1","release":"1 \"b\"","environment":"prod"}`},
		"trimmed": {resource, func(s ptrace.Span) {
			s.SetName("n")
			for _, name := range []string{"a", "b", "c", "d"} {
				s.Attributes().PutStr(name+strings.Repeat("x", minEventBytes), "v")
			}
		}, `"1","environment":"prod","transaction":"n"}`},
	} {
		t.Run(name, func(t *testing.T) {
			b := benchBackend(func(cfg *Config) { cfg.MaxEventBytes = minEventBytes })
			events := encodedSpans(t, b, c.resource, c.change)
			assert.Equal(t, head+c.want, string(appendTraceHeader(nil, &project{publicKey: "key"}, events)))
		})
	}
}

func TestRootDescribesTheTrace(t *testing.T) {
	span := func(release string, parent byte) func(ptrace.Span) {
		return func(s ptrace.Span) {
			s.SetParentSpanID([8]byte{parent})
			s.Attributes().PutStr("sentry.release", release)
		}
	}
	for release, spans := range map[string][]func(ptrace.Span){
		"root":  {span("first", 99), span("root", 0), span("another", 0)},
		"first": {span("first", 99), span("second", 99)},
	} {
		events := encodedSpans(t, benchBackend(func(*Config) {}), resourceOf(), spans...)
		header := string(appendTraceHeader(nil, &project{publicKey: "key"}, events))
		assert.Contains(t, header, `"release":"`+release+`"`)
	}
}
