// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otelcol-fanout/otelcol-fanout/exporter/posthogexporter/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	posthogintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/posthog"
)

// ofSizes returns events whose payloads have these sizes, each at least 60.
func ofSizes(protocol Protocol, sizes ...int) []delivery.Event {
	var all []delivery.Event
	for i, size := range sizes {
		id := uuidOf(strconv.Itoa(i))
		payload := append(append([]byte(`{"uuid":"`), id[:]...), `","x":"`...)
		payload = append(payload, slices.Repeat([]byte("x"), size-len(payload)-2)...)
		meta := delivery.Meta{ID: strconv.Itoa(i), VendorID: string(id[:]), Category: string(protocol)}
		all = append(all, delivery.Event{Meta: meta, Payload: append(payload, `"}`...)})
	}
	return all
}

// buildRequests checks every request against the limits and returns the number of events in each.
func buildRequests(t testing.TB, b *backend, events []delivery.Event) []int {
	t.Helper()
	requests, refusals := b.BuildRequests(events)
	n := len(refusals)
	var counts []int
	for i := range requests {
		req := &requests[i]
		n += len(req.Events)
		counts = append(counts, len(req.Events))
		body := req.AppendBody(nil)
		assert.Len(t, body, req.Size())
		assert.True(t, json.Valid(body), "%.500s", body)
		if req.URL == b.v1.url {
			assert.LessOrEqual(t, len(body), maxV1Body)
			assert.LessOrEqual(t, len(req.Events), maxV1Events)
		} else {
			assert.LessOrEqual(t, len(body), maxBatchBody)
		}
	}
	assert.Len(t, events, n, "every event is in a request, or refused")
	return counts
}

func TestRequestsStayWithinTheLimits(t *testing.T) {
	b := benchBackend(t, func(cfg *Config) { cfg.ClientConfig.Endpoint = "https://example.com/path/" })
	assert.Equal(t, "https://example.com/path/batch/", b.batch.url)
	assert.Equal(t, "https://example.com/path/i/v1/analytics/events", b.v1.url)

	t.Run("events", func(t *testing.T) {
		assert.Equal(t, []int{1001}, buildRequests(t, b, ofSizes(ProtocolBatch, slices.Repeat([]int{60}, 1001)...)))
		assert.Equal(t, []int{10_000, 1}, buildRequests(t, b, ofSizes(ProtocolBatch, slices.Repeat([]int{60}, 10_001)...)))
		assert.Equal(t, []int{500, 500, 1}, buildRequests(t, b, ofSizes(ProtocolV1, slices.Repeat([]int{60}, 1001)...)))
	})
	t.Run("bytes", func(t *testing.T) {
		assert.Equal(t, []int{22, 1}, buildRequests(t, b, ofSizes(ProtocolBatch, slices.Repeat([]int{maxEvent}, 23)...)))
		assert.Equal(t, []int{11, 1}, buildRequests(t, b, ofSizes(ProtocolV1, slices.Repeat([]int{maxEvent}, 12)...)))
	})
	t.Run("exact bytes", func(t *testing.T) {
		b.batch.maxBody = 1000
		defer func() { b.batch.maxBody = maxBatchBody }()
		requests, _ := b.BuildRequests(ofSizes(ProtocolBatch, 60))
		around := requests[0].Size() - 60
		assert.Equal(t, []int{2, 1}, buildRequests(t, b, ofSizes(ProtocolBatch, 400, 1000-1-400-around, 60)))
		assert.Equal(t, []int{1, 2}, buildRequests(t, b, ofSizes(ProtocolBatch, 400, 1000-400-around, 60)))
	})
	t.Run("refused events", func(t *testing.T) {
		huge := ofSizes(ProtocolBatch, maxEvent+1, 60, maxEvent+1, maxEvent+1, 61, maxEvent, maxEvent+1)
		requests, refusals := b.BuildRequests(huge)
		require.Len(t, requests, 1)
		assert.Len(t, requests[0].Events, 3)
		assert.Len(t, refusals, 4)
	})
	t.Run("protocol and age", func(t *testing.T) {
		old := pcommon.NewTimestampFromTime(time.Now().Add(-historicalAge - time.Minute))
		events := slices.Concat(ofSizes(ProtocolBatch, 60, 60), ofSizes(ProtocolV1, 60), ofSizes("", 60), ofSizes(ProtocolV1, 60, 60, 60))
		for _, i := range []int{1, 4, 5} {
			events[i].Time = old
		}
		assert.Equal(t, []int{2, 1, 2, 2}, buildRequests(t, b, events), "batch, old batch, v1, old v1")
	})
}

func TestDuplicateSharesItsTwinsOutcome(t *testing.T) {
	eachProtocol(t, func(t *testing.T, in *posthogintake.Intake, cfg *Config) {
		in.Plan("bad", posthogintake.Result{Result: "drop"})
		in.ReplyWith(func(r posthogintake.Request) posthogintake.Reply {
			if slices.Contains(names(r.Events), "bad") && r.Protocol == posthogintake.Batch {
				return posthogintake.Failure(400, "bad")
			}
			return posthogintake.OK()
		})
		ld := events("bad", "good")
		for _, i := range []int{0, 1, 0} {
			records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
			records.At(i).CopyTo(records.AppendEmpty())
		}
		e := setup(cfg).StartLogs(t)
		if cfg.Protocol == ProtocolBatch {
			in.AllowResending() // halves may have twins
		}
		e.Send(ld)
		assert.Equal(t, []string{"good"}, names(in.Events()))
		assert.Equal(t, map[string]int64{"delivered": 2, "dead_lettered/refused": 3}, e.Outcomes())
	})
}

func TestRetriesKeepTheirRequestIDs(t *testing.T) {
	b := benchBackend(t, func(cfg *Config) { cfg.Protocol = ProtocolV1 })
	events := ofSizes(ProtocolV1, slices.Repeat([]int{60}, 1100)...)
	before, _ := b.BuildRequests(events)
	require.Len(t, before, 3)
	before[0].OnNoResponse()
	b.ClassifyResponse(&before[1], &delivery.Response{Status: 503})
	b.ClassifyResponse(&before[2], &delivery.Response{Status: 200, Body: []byte(`{"results":{"` + eventUUID(&before[2].Events[0]) + `":{"result":"retry"},"` + eventUUID(&before[2].Events[1]) + `":{"result":"ok"}}}`)})

	fresh := ofSizes(ProtocolV1, slices.Repeat([]int{60}, 1101)...)[1100:]
	after, _ := b.BuildRequests(slices.Concat(before[2].Events[:1], fresh, events[:1000]))
	require.Len(t, after, 4)
	assert.Equal(t, []string{before[2].Header.Get(headerRequestID), "2"}, idAndAttempt(after[0]))
	assert.Equal(t, "1", after[1].Header.Get(headerAttempt))
	assert.Equal(t, []string{before[0].Header.Get(headerRequestID), "2"}, idAndAttempt(after[2]))
	assert.Equal(t, []string{before[1].Header.Get(headerRequestID), "2"}, idAndAttempt(after[3]))
	assert.Equal(t, before[0].AppendBody(nil), after[2].AppendBody(nil))
	b.tries.mu.Lock()
	defer b.tries.mu.Unlock()
	assert.Len(t, b.tries.pending, 98, "the events of the third request without a result are still pending")
}

func idAndAttempt(req delivery.Request) []string {
	return []string{req.Header.Get(headerRequestID), req.Header.Get(headerAttempt)}
}

func TestPendingTriesAreBounded(t *testing.T) {
	var ts tries
	for i := range 3 * maxPending / 1000 {
		var events []delivery.Event
		for n := range 1000 {
			events = append(events, delivery.Event{Meta: delivery.Meta{ID: fmt.Sprint(i, n)}})
		}
		ts.remember(events, try{id: "x", attempt: 1})
		assert.LessOrEqual(t, len(ts.pending), maxPending)
	}
}

func TestNoticesAreCounted(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	set := exportertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	cfg := createDefaultConfig().(*Config)
	cfg.APIKey, cfg.Protocol = posthogintake.Key, ProtocolV1
	b, err := newBackend(cfg, set)
	require.NoError(t, err)
	ld := events("a", "a", "b", "c", "d")
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	records.At(3).Attributes().PutStr("user.id", "null")
	kind(records.At(4), "identify").PutStr("fanout.previous_id", "guest")
	requests, _ := b.BuildRequests(encodeAll(t, b, ld))
	require.Len(t, requests, 1)
	b.ClassifyResponse(&requests[0], &delivery.Response{Status: 200, Body: []byte(`{"results":{` +
		`"` + eventUUID(&requests[0].Events[0]) + `":{"result":"warning","details":"person_processing_disabled"},` +
		`"` + eventUUID(&requests[0].Events[2]) + `":{"result":"warning","details":"other"}}}`)})
	span := ptrace.NewSpan()
	span.SetTraceID([16]byte{1})
	span.SetSpanID([8]byte{1})
	span.Attributes().PutStr(attrVercelDistinctID, "undefined")
	var w delivery.Writer
	require.NoError(t, newSpanEncoder(b).EncodeSpan(&w, appevent.NewSource(pcommon.NewResource(), pcommon.NewInstrumentationScope()), span))
	assert.Equal(t, map[string]int64{"duplicate": 1, "illegal_distinct_id": 3, "person_processing_disabled": 1, "warning": 1}, noticesOf(t, telemetry))
	require.NoError(t, telemetry.Shutdown(t.Context()))
}

// A group event has no person, so an illegal ID of the user does not matter. Nor does an empty ID.
func TestOnlyIllegalPersonIDsAreCounted(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	set := exportertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	cfg := createDefaultConfig().(*Config)
	cfg.APIKey = posthogintake.Key
	b, err := newBackend(cfg, set)
	require.NoError(t, err)
	ld := events("a")
	groups := kind(ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0), "group")
	groups.PutStr("user.id", "null")
	groups.PutEmptyMap("fanout.groups").PutStr("company", "acme")
	require.Len(t, encodeAll(t, b, ld), 1)

	span := ptrace.NewSpan()
	span.SetTraceID([16]byte{1})
	span.SetSpanID([8]byte{1})
	span.Attributes().PutStr(attrVercelDistinctID, "")
	var w delivery.Writer
	enc := newSpanEncoder(b)
	source := appevent.NewSource(pcommon.NewResource(), pcommon.NewInstrumentationScope())
	require.NoError(t, enc.EncodeSpan(&w, source, span))
	_, err = telemetry.GetMetric("otelcol_fanout_posthog_notices_total")
	require.Error(t, err, "nothing is counted")

	span.Attributes().PutStr(attrVercelDistinctID, "null")
	require.NoError(t, enc.EncodeSpan(&w, source, span))
	span.Attributes().PutStr(propProcessPerson, "yes")
	span.Attributes().PutStr(propIgnoreSentAt, "true")
	require.NoError(t, enc.EncodeSpan(&w, source, span))
	assert.Equal(t, map[string]int64{"illegal_distinct_id": 2, "invalid_option": 1}, noticesOf(t, telemetry))
	require.NoError(t, telemetry.Shutdown(t.Context()))
}

func noticesOf(t *testing.T, telemetry *componenttest.Telemetry) map[string]int64 {
	t.Helper()
	metric, err := telemetry.GetMetric("otelcol_fanout_posthog_notices_total")
	require.NoError(t, err)
	counts := map[string]int64{}
	for _, point := range metric.Data.(metricdata.Sum[int64]).DataPoints {
		notice, _ := point.Attributes.Value("notice")
		id, _ := point.Attributes.Value("exporter")
		assert.Contains(t, id.AsString(), "posthog")
		counts[notice.AsString()] = point.Value
	}
	return counts
}

func encodeAll(t testing.TB, b *backend, ld plog.Logs) []delivery.Event {
	t.Helper()
	enc := newEncoder(b)
	var w delivery.Writer
	for e := range appevent.Logs(ld) {
		_ = enc.Encode(&w, e) // writes nothing if it fails
	}
	return w.Take().Events()
}
