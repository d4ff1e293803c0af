// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

func TestTheSampleRateIsThatOfTheTraceState(t *testing.T) {
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
	} {
		assert.InDelta(t, want, sampleRate(state), want*1e-9, state)
	}
}

func TestATraceHeaderLeavesOutLongTexts(t *testing.T) {
	const ids = `{"trace_id":"5b8efff798038103d269b633813fc60c","span_id":"00000000000000a1"`
	of := func(release string) string {
		payload := ids + `,"attributes":{"sentry.release":{"value":"` + release + `","type":"string"}}}`
		return string(appendTraceHeader(nil, &project{publicKey: "key"}, []delivery.Event{{Payload: []byte(payload)}}))
	}
	const head = `"trace":{"trace_id":"5b8efff798038103d269b633813fc60c","public_key":"key","sampled":"true","sample_rate":"1"`
	assert.Equal(t, head+`,"release":"a \"b\""},`, of(`a \"b\"`))
	assert.Equal(t, head+"},", of(strings.Repeat("x", maxTraceText+1)))
}

func TestTheRootDescribesTheTraceWhereverItStands(t *testing.T) {
	span := func(parent, release string) delivery.Event {
		return delivery.Event{Payload: []byte(`{"trace_id":"5b8efff798038103d269b633813fc60c","span_id":"00000000000000a1",` + parent +
			`"name":"n","attributes":{"sentry.release":{"value":"` + release + `","type":"string"}}}`)}
	}
	const parent = `"parent_span_id":"00000000000000a0",`
	for release, events := range map[string][]delivery.Event{
		"root":  {span(parent, "first"), span("", "root"), span("", "another")},
		"first": {span(parent, "first"), span(parent, "second")},
	} {
		header := string(appendTraceHeader(nil, &project{publicKey: "key"}, events))
		assert.Contains(t, header, `"release":"`+release+`"`)
	}
}
