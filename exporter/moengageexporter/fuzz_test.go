// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/analyticsconf"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// FuzzEncode checks that any records become requests that MoEngage accepts unchanged, and that each
// encoded event is in one of them, in its user's order.
func FuzzEncode(f *testing.F) {
	inputs, err := filepath.Glob("testdata/*/logs.yaml")
	require.NoError(f, err)
	for _, input := range inputs {
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(readYAML(f, input))
		require.NoError(f, err)
		f.Add(proto(f, ld))
	}
	f.Add(proto(f, odd()))
	f.Fuzz(func(t *testing.T, data []byte) {
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
		if err != nil {
			return
		}
		for _, change := range []func(*Config){
			func(*Config) {},
			func(cfg *Config) {
				cfg.Logs, cfg.WithoutCustomer, cfg.Verify = analyticsconf.LogsAsEvents, WithoutCustomerDeviceID, 0.3
				cfg.ResourceAttributes, cfg.EventNames.Max, cfg.MaxUserAttributes = []string{"*"}, 3, 3
				cfg.RateLimits.Events = 40
			},
		} {
			cfg := validConfig()
			change(cfg)
			b := newTestBackend(t, cfg)
			events := encodeAll(t, b, ld)
			requests, refusals := b.BuildRequests(events)
			checkRequests(t, b, without(events, refusals), requests)
		}
	})
}

func proto(t testing.TB, ld plog.Logs) []byte {
	raw, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	return raw
}

// without returns the events that are not refused.
func without(events []delivery.Event, refusals []delivery.Refusal) []delivery.Event {
	refused := map[*byte]bool{}
	for i := range refusals {
		refused[&refusals[i].Event.Payload[0]] = true
	}
	var others []delivery.Event
	for i := range events {
		if !refused[&events[i].Payload[0]] {
			others = append(others, events[i])
		}
	}
	return others
}

// odd returns records that no producer should send.
func odd() plog.Logs {
	ld := plog.NewLogs()
	record(ld, "", "", "")
	record(ld, "\xff", "\xff\x00\xff", "x").SetTimestamp(math.MaxUint64)
	record(ld, `,"actions":[`, `,"actions":[`, "x").Attributes().PutStr("device.id", `"]}`)
	alias := record(ld, "a", "b\x00c", "x")
	alias.Attributes().PutStr("fanout.type", "alias")
	alias.Attributes().PutStr("fanout.previous_id", "d\x00e\xff")
	attributes := record(ld, "a", "b\x00c", "x").Attributes()
	attributes.PutDouble("nan", math.NaN())
	attributes.PutEmptyBytes("bytes").FromRaw([]byte{0, 255})
	attributes.PutEmptyMap("\xfe").PutEmptySlice("\xfe").AppendEmpty()
	attributes.PutEmptySlice("urls").AppendEmpty().SetStr("https://" + strings.Repeat("x", maxValue))
	nested := attributes.PutEmptySlice("s")
	for range 60 {
		nested = nested.AppendEmpty().SetEmptySlice()
	}
	return ld
}

// FuzzClassifyResponse checks that only a response that reports success counts as delivered.
func FuzzClassifyResponse(f *testing.F) {
	for _, body := range []string{`{"status":"success"}`, `{"status":"fail","error":{}}`, `{"status":1}`, `<html>`, ``} {
		f.Add(200, []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		b := newTestBackend(t, validConfig())
		c := b.ClassifyResponse(&delivery.Request{Events: make([]delivery.Event, 2)}, &delivery.Response{Status: status, Body: body})
		var parsed responseBody
		_ = json.Unmarshal(body, &parsed)
		success := status/100 == 2 && parsed.Status == "success"
		if (c.Kind == delivery.Delivered) != success || len(c.Events) > 0 {
			t.Fatalf("%d %q: %+v", status, body, c)
		}
	})
}
