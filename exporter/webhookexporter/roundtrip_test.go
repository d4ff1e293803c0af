// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/eventjson"
	"github.com/otelcol-fanout/otelcol-fanout/receiver/eventreceiver"
)

// TestOneInstanceFeedsAnotherWithoutLoss connects an event receiver, this exporter and a second
// event receiver. Both receivers make the same records, except for the observed time.
func TestOneInstanceFeedsAnotherWithoutLoss(t *testing.T) {
	for _, batching := range []Batching{BatchingSingle, BatchingArray, BatchingNDJSON} {
		t.Run(string(batching), func(t *testing.T) {
			last := &consumertest.LogsSink{}
			cfg := testConfig("http://"+startReceiver(t, last)+"/v1/events", batching)
			e := start(t, cfg)
			first := &consumertest.LogsSink{}
			url := "http://" + startReceiver(t, both{first, e.Consume}) + "/v1/events"

			const requests, events = 60, 5
			for seed := range uint64(requests) {
				postRandom(t, url, rand.New(rand.NewPCG(seed, 7)), events)
			}
			sent, arrived := eventsByID(t, first), eventsByID(t, last)
			assert.Len(t, sent, requests*events)
			require.Len(t, arrived, len(sent))
			for id, want := range sent {
				require.Equal(t, want, arrived[id], "the record of %s", id)
			}
		})
	}
}

// both is the consumer of the first receiver: it records events, and passes them on to the
// exporter.
type both struct {
	*consumertest.LogsSink
	next func(context.Context, plog.Logs) error
}

// ConsumeLogs implements consumer.Logs.
func (b both) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	recorded := plog.NewLogs()
	ld.CopyTo(recorded)
	if err := b.LogsSink.ConsumeLogs(ctx, recorded); err != nil {
		return err
	}
	return b.next(ctx, ld)
}

func startReceiver(t *testing.T, next consumer.Logs) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address = listener.Addr().String()
	require.NoError(t, listener.Close())
	factory := eventreceiver.NewFactory()
	cfg := factory.CreateDefaultConfig().(*eventreceiver.Config)
	cfg.ServerConfig.NetAddr.Endpoint = address
	set := receivertest.NewNopSettings(component.MustNewType("event"))
	receiver, err := factory.CreateLogs(t.Context(), set, cfg, next)
	require.NoError(t, err)
	require.NoError(t, receiver.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, receiver.Shutdown(context.Background())) })
	return address
}

// postRandom posts random records as event JSON.
func postRandom(t *testing.T, url string, r *rand.Rand, events int) {
	t.Helper()
	var encoder eventjson.Encoder
	body := []byte{'['}
	for i := range events {
		for e := range appevent.Logs(randomRecord(r, i)) {
			if i > 0 {
				body = append(body, ',')
			}
			body = encoder.Append(body, e)
		}
	}
	response, err := http.Post(url, "application/json", bytes.NewReader(append(body, ']')))
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusAccepted, response.StatusCode, "%s", body)
}

// eventsByID returns the records as event JSON, which is lossless (see internal/eventjson).
func eventsByID(t *testing.T, sink *consumertest.LogsSink) map[string]string {
	t.Helper()
	var encoder eventjson.Encoder
	all := map[string]string{}
	for _, ld := range sink.AllLogs() {
		for e := range appevent.Logs(ld) {
			require.NotContains(t, all, e.ID())
			all[e.ID()] = string(encoder.Append(nil, e))
		}
	}
	return all
}

// TestOTLPIsTheUnchangedRecord compares an OTLP body with the output of the collector's own
// marshaler for the same record with this project's attributes and an ID.
func TestOTLPIsTheUnchangedRecord(t *testing.T) {
	b := testBackend(t, map[string]any{"format": "otlp_json"})
	for seed := range uint64(300) {
		ld := randomRecord(rand.New(rand.NewPCG(seed, 11)), 0)
		record := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		record.SetObservedTimestamp(1700000000000000000)
		record.SetDroppedAttributesCount(uint32(seed % 3))
		record.Attributes().PutStr("fanout.of_a_later_version", "x")
		switch seed % 3 {
		case 0:
			record.Attributes().Clear()
		case 1:
			record.Attributes().Remove(appevent.AttrID)
		}
		requests, _ := b.BuildRequests(encodeWith(t, b, ld))
		got := plogotlp.NewExportRequest()
		require.NoError(t, got.UnmarshalJSON(requests[0].AppendBody(nil)))
		appevent.StampIDs(ld)
		want, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
		require.NoError(t, err)
		arrived, err := got.MarshalProto()
		require.NoError(t, err)
		require.Equal(t, want, arrived, "%s", requests[0].AppendBody(nil))
		text, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
		require.NoError(t, err)
		require.Equal(t, string(text), string(requests[0].AppendBody(nil)))
	}
}

func pick[T any](r *rand.Rand, items ...T) T { return items[r.IntN(len(items))] }

func randomText(r *rand.Rand) string {
	return pick(r, "", "a", "NaN", "日本 😀", "quote\"\\/\n\u2028\x00", "~0/~1", "true", strings.Repeat("long ", 50), fmt.Sprint(r.Int64()))
}

// randomRecord returns a record of anything that the data model can hold.
func randomRecord(r *rand.Rand, place int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	for _, name := range []string{appevent.AttrServiceName, appevent.AttrEnvironment, "host.name"} {
		if r.IntN(2) == 0 {
			rl.Resource().Attributes().PutStr(name, randomText(r))
		}
	}
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(pick(r, "", "lib"))
	record := sl.LogRecords().AppendEmpty()
	record.SetEventName(pick(r, "", "order_placed", "日本"))
	record.SetTimestamp(pcommon.Timestamp(1 + r.Int64N(math.MaxInt64-1)))
	record.SetSeverityNumber(plog.SeverityNumber(r.IntN(25)))
	record.SetSeverityText(pick(r, "", "INFO", "blau"))
	randomValue(r, record.Body(), 2)
	if r.IntN(2) == 0 {
		record.SetTraceID(pcommon.TraceID{byte(r.IntN(256)), 15: 1})
		record.SetSpanID(pcommon.SpanID{byte(r.IntN(256)), 7: 1})
		record.SetFlags(plog.LogRecordFlags(r.Uint32()))
	}
	attributes := record.Attributes()
	attributes.PutStr(appevent.AttrID, fmt.Sprintf("%d-%d", r.Uint64(), place))
	for _, name := range []string{
		appevent.AttrUserID, appevent.AttrUserEmail, appevent.AttrAnonymousID, appevent.AttrSessionID, appevent.AttrSubject, appevent.AttrPreviousID,
		appevent.AttrExceptionType, appevent.AttrExceptionMessage,
	} {
		if r.IntN(3) == 0 {
			attributes.PutStr(name, "x"+randomText(r))
		}
	}
	if r.IntN(3) == 0 {
		attributes.PutStr(appevent.AttrKind, pick(r, appevent.Kinds()...))
	}
	for _, name := range []string{appevent.AttrTraits, "properties", "with/slash~", "http.route", "n"} {
		if r.IntN(2) == 0 {
			randomMap(r, attributes.PutEmptyMap(name), 2)
		} else if !strings.HasPrefix(name, appevent.FanoutPrefix) {
			randomValue(r, attributes.PutEmpty(name), 2)
		}
	}
	return ld
}

func randomMap(r *rand.Rand, m pcommon.Map, depth int) {
	for _, name := range []string{"a", "b", "", "日本"} {
		if r.IntN(2) == 0 {
			randomValue(r, m.PutEmpty(name), depth-1)
		}
	}
}

func randomValue(r *rand.Rand, v pcommon.Value, depth int) {
	switch kind := r.IntN(8); {
	case kind == 0:
		v.SetStr(randomText(r))
	case kind == 1:
		v.SetInt(pick(r, 0, -1, math.MaxInt64, math.MinInt64, 1<<53+1, r.Int64()))
	case kind == 2:
		v.SetDouble(pick(r, 0, 1, 0.1, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 1e300, r.Float64()))
	case kind == 3:
		v.SetBool(r.IntN(2) == 0)
	case kind == 4:
		v.SetEmptyBytes().FromRaw([]byte(randomText(r)))
	case kind == 5 && depth > 0:
		randomMap(r, v.SetEmptyMap(), depth)
	case kind == 6 && depth > 0:
		s := v.SetEmptySlice()
		for range r.IntN(3) {
			randomValue(r, s.AppendEmpty(), depth-1)
		}
	}
}
