// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	sentryintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/sentry"
)

// stored returns the events without VendorID and Key, as in dead letters and in queues of earlier
// versions.
func stored(events []delivery.Event) []delivery.Event {
	events = slices.Clone(events)
	for i := range events {
		events[i].VendorID, events[i].Key = "", ""
	}
	return events
}

// bodies returns the URLs and bodies of the requests, all sent at the same time.
func bodies(requests []delivery.Request) []string {
	var all []string
	for i := range requests {
		requests[i].Prepare(time.Unix(1700000000, 0))
		all = append(all, requests[i].URL+"\n"+string(requests[i].AppendBody(nil)))
	}
	return all
}

// checkUpgrade checks that events without VendorID and Key become the same requests.
func checkUpgrade(t *testing.T, b *backend, events []delivery.Event) {
	t.Helper()
	upgraded := stored(events)
	for i := range upgraded {
		completeMeta(&upgraded[i])
		require.Equal(t, events[i].Meta, upgraded[i].Meta)
		completeMeta(&upgraded[i])
		require.Equal(t, events[i].Meta, upgraded[i].Meta, "completed twice")
	}
	want, _ := b.BuildRequests(events)
	got, refusals := b.BuildRequests(upgraded)
	require.Empty(t, refusals)
	require.Equal(t, bodies(want), bodies(got))
}

func TestEventsWithoutKeysBecomeTheSameRequests(t *testing.T) {
	for _, b := range fuzzBackends() {
		for _, input := range inputs(t, "logs.yaml") {
			raw, _ := readYAML(t, filepath.Dir(input), "logs.yaml")
			ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(raw)
			require.NoError(t, err)
			checkUpgrade(t, b, eventsOfLogs(b, ld))
		}
		for _, input := range inputs(t, "traces.yaml") {
			raw, _ := readYAML(t, filepath.Dir(input), "traces.yaml")
			td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(raw)
			require.NoError(t, err)
			checkUpgrade(t, b, eventsOfTraces(b, td))
		}
	}
}

func TestReplayedDeadLettersBecomeTheSameRequests(t *testing.T) {
	for _, format := range []TracesFormat{TracesSpans, TracesTransactions} {
		in := sentryintake.New(t)
		in.ReplyWith(func(sentryintake.Envelope) sentryintake.Reply { return sentryintake.Forbidden() })
		cfg := testConfig(in)
		cfg.Traces.Format = format
		e := setup(cfg).StartTraces(t)
		e.Send(spanWithException("boom"))
		require.Len(t, e.Letters.All(), 2)
		in.ReplyWith(nil)
		e.Letters.Replay(t.Context())
		var envelopes []string
		for _, r := range in.Requests() {
			envelopes = append(envelopes, sentAt.ReplaceAllString(string(r.Envelope.Raw), ""))
		}
		require.Len(t, envelopes, 4)
		assert.ElementsMatch(t, envelopes[:2], envelopes[2:])
	}
}

func TestEditedDeadLettersAreReplayed(t *testing.T) {
	for format, want := range map[TracesFormat]string{
		TracesSpans:        `"trace":{"trace_id":"02000000000000000000000000000000","public_key":"key","sampled":"true","sample_rate":"1","transaction":"fixed"}`,
		TracesTransactions: `"trace":{"trace_id":"02000000000000000000000000000000","span_id":"0100000000000000","op":"default"`,
	} {
		b := benchBackend(func(cfg *Config) { cfg.Traces.Format = format })
		event := stored(encodedSpans(t, b, resourceOf(), func(s ptrace.Span) { s.SetName("broken") }))[0]
		var edited bytes.Buffer
		require.NoError(t, json.Indent(&edited, event.Payload, "", "  "))
		event.Payload = []byte(strings.NewReplacer(`"broken"`, `"fixed"`, `"01000000000000000000000000000000"`, `"02000000000000000000000000000000"`).Replace(edited.String()))
		completeMeta(&event)
		requests, refusals := b.BuildRequests([]delivery.Event{event})
		require.Empty(t, refusals)
		body := bodies(requests)[0]
		assert.Contains(t, body, want)
		assert.Contains(t, body, "fixed")
		assert.NotContains(t, body, "broken")
	}
}

func TestCorruptEventsDoNotPanic(t *testing.T) {
	var events []delivery.Event
	for _, b := range fuzzBackends() {
		events = append(events, eventsOfTraces(b, spanWithException("boom"))...)
	}
	require.Len(t, events, 4)
	for i := range events {
		whole := events[i].Payload
		for n := range whole {
			checkCorrupt(t, events[i].Category, whole[:n])
			checkCorrupt(t, events[i].Category, slices.Concat(whole[:n], []byte{'"'}, whole[n+1:]))
		}
	}
	for _, category := range []string{"", categoryError, categoryLog, categorySpan, categoryTransaction, "other"} {
		for _, payload := range []string{
			"", "null", "[]", "7", `{}`, `{"event_id":7}`, `{"event_id":"\"\u0000"}`, `{"trace_id":null,"attributes":[]}`,
			`{"trace_id":"\"","attributes":{"sentry.release":{"value":"` + "\xff" + `"}}}`, `{"trace_id":"x","attributes":{"sentry.release":7}}`,
			`{"context":7,"span":"","event":null,"otel":[]}`, `{"context" : {} ,"span":{},"event":{},"otel":{}}`,
		} {
			checkCorrupt(t, category, []byte(payload))
		}
	}
}

// checkCorrupt checks that an event with any payload is refused, or is in one request with a valid
// header.
func checkCorrupt(t *testing.T, category string, payload []byte) {
	t.Helper()
	b := benchBackend(func(*Config) {})
	event := delivery.Event{Meta: delivery.Meta{Category: category}, Payload: payload}
	completeMeta(&event)
	for _, key := range []string{event.Key, "", "\t\t\t\t", "x"} {
		event.Key = key
		requests, refusals := b.BuildRequests([]delivery.Event{event})
		require.Equal(t, 1, len(requests)+len(refusals), "%q", payload)
		for _, body := range bodies(requests) {
			header := strings.Split(body, "\n")[1]
			require.True(t, json.Valid([]byte(header)), "%q: %s", payload, header)
		}
	}
}

// FuzzStoredEvents is TestCorruptEventsDoNotPanic for any payload.
func FuzzStoredEvents(f *testing.F) {
	categories := []string{categoryError, categoryLog, categorySpan, categoryTransaction, ""}
	for _, b := range fuzzBackends() {
		for _, e := range eventsOfTraces(b, spanWithException("boom")) {
			f.Add(slices.Index(categories, e.Category), e.Payload)
		}
	}
	f.Fuzz(func(t *testing.T, category int, payload []byte) {
		checkCorrupt(t, categories[uint(category)%uint(len(categories))], payload)
	})
}
