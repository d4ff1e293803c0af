// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package sentryexporter

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// times returns the times in a payload by member, in seconds.
func times(t *testing.T, payload string) map[string]float64 {
	t.Helper()
	var members map[string]any
	require.NoError(t, json.Unmarshal([]byte(payload), &members))
	all := map[string]float64{}
	for _, name := range []string{"timestamp", "start_timestamp", "end_timestamp"} {
		switch at := members[name].(type) {
		case float64:
			all[name] = at
		case string: // in transactions
			parsed, err := time.Parse(time.RFC3339Nano, at)
			require.NoError(t, err)
			all[name] = float64(parsed.UnixMicro()) / 1e6
		}
	}
	return all
}

func assertNow(t *testing.T, seconds float64) {
	t.Helper()
	assert.InDelta(t, float64(time.Now().Unix()), seconds, 60)
}

func TestTooEarlyRecordTimesBecomeNow(t *testing.T) {
	for at, isTime := range map[pcommon.Timestamp]bool{0: false, 1: false, 999: false, 1000: true, 1999: true} {
		ld := resourceWith(func(pcommon.Map, pcommon.InstrumentationScope) {})
		for _, r := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
			r.SetTimestamp(at)
		}
		payloads := encoded(t, newEncoder(benchBackend(func(*Config) {})), ld)
		require.Len(t, payloads, 2, "an Issue and a log")
		for _, payload := range payloads {
			if isTime {
				assert.Equal(t, map[string]float64{"timestamp": 1e-6}, times(t, payload))
			} else {
				assertNow(t, times(t, payload)["timestamp"])
			}
		}
	}
}

func TestTooEarlyRecordsAreNotBreadcrumbs(t *testing.T) {
	for at, want := range map[pcommon.Timestamp]int{0: 0, 1: 0, 999: 0, 1000: 1} {
		ld := plog.NewLogs()
		earlier, thrown := record(ld, "earlier"), record(ld, "thrown")
		earlier.SetTimestamp(at)
		thrown.Attributes().PutStr("exception.type", "Boom")
		for _, r := range []plog.LogRecord{earlier, thrown} {
			r.SetTraceID([16]byte{1})
		}
		var issue struct {
			Breadcrumbs struct {
				Values []struct {
					Timestamp float64 `json:"timestamp"`
				} `json:"values"`
			} `json:"breadcrumbs"`
		}
		require.NoError(t, json.Unmarshal([]byte(encoded(t, newEncoder(benchBackend(func(*Config) {})), ld)[1]), &issue))
		require.Len(t, issue.Breadcrumbs.Values, want, "%d ns", at)
		for _, crumb := range issue.Breadcrumbs.Values {
			assert.InDelta(t, 1e-6, crumb.Timestamp, 1e-9)
		}
	}
}

func TestTooEarlySpanTimesAreReplaced(t *testing.T) {
	const late = 1_700_000_000_000_000_000
	for name, c := range map[string]struct {
		start, end  pcommon.Timestamp
		began, took float64 // a beginning of 0 is now
	}{
		"neither":  {1, 999, 0, 0},
		"no end":   {late, 1, 1.7e9, 0},
		"no start": {999, late, 1.7e9, 0},
		"both":     {1000, late, 1e-6, 1.7e9},
		"last":     {math.MaxUint64 - 1e9, math.MaxUint64, 18446744072.709551, 1},
	} {
		t.Run(name, func(t *testing.T) {
			for format, end := range map[TracesFormat]string{TracesSpans: "end_timestamp", TracesTransactions: "timestamp"} {
				b := benchBackend(func(cfg *Config) { cfg.Traces.Format = format })
				events := encodedSpans(t, b, resourceOf(), func(s ptrace.Span) {
					s.SetStartTimestamp(c.start)
					s.SetEndTimestamp(c.end)
				})
				got := times(t, spanPayload(t, &events[0]))
				if c.began == 0 {
					assertNow(t, got["start_timestamp"])
				} else {
					assert.InDelta(t, c.began, got["start_timestamp"], c.began*1e-12+1e-9)
				}
				assert.InDelta(t, c.took, got[end]-got["start_timestamp"], 1e-3)
			}
		})
	}
}

func TestTooEarlySpanEventTimesBecomeNow(t *testing.T) {
	events := encodedSpans(t, benchBackend(func(*Config) {}), resourceOf(), func(s ptrace.Span) {
		event := s.Events().AppendEmpty()
		event.SetName("exception")
		event.SetTimestamp(1)
		event.Attributes().PutStr("exception.type", "Boom")
	})
	require.Len(t, events, 2)
	assertNow(t, times(t, string(events[1].Payload))["timestamp"])
}

// spanPayload returns the payload of a span, or of its transaction.
func spanPayload(t *testing.T, e *delivery.Event) string {
	t.Helper()
	if e.Category != categoryTransaction {
		return string(e.Payload)
	}
	spans, refusals := transactionSpans([]delivery.Event{*e})
	require.Empty(t, refusals)
	_, payload := transaction(spans, []int{0})
	return string(payload)
}
