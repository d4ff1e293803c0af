// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	sentryintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/sentry"
)

// fuzzBackends returns backends with different configurations.
func fuzzBackends() []*backend {
	var all []*backend
	for _, change := range []func(*Config){
		func(*Config) {},
		func(cfg *Config) {
			cfg.SendDefaultPII, cfg.MaskSecrets, cfg.MaxEventBytes = true, false, minEventBytes
			cfg.Traces.Format, cfg.ReleaseFormat, cfg.Issues.MinSeverity = TracesTransactions, ReleaseNameVersion, "trace"
		},
	} {
		all = append(all, benchBackend(change))
	}
	return all
}

// FuzzLogs checks that any records become valid envelopes, with each encoded event in one of them.
func FuzzLogs(f *testing.F) {
	seed(f, "logs.yaml")
	f.Fuzz(func(t *testing.T, raw []byte) {
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(raw)
		if err != nil {
			return
		}
		for _, b := range fuzzBackends() {
			events := eventsOfLogs(b, ld)
			checkEnvelopes(t, b, events)
			checkUpgrade(t, b, events)
		}
	})
}

// eventsOfLogs returns the encoded events of records.
func eventsOfLogs(b *backend, ld plog.Logs) []delivery.Event {
	var w delivery.Writer
	enc := newEncoder(b)
	enc.Prepare(ld)
	for e := range appevent.Logs(ld) {
		_ = enc.Encode(&w, e)
	}
	return w.Take().Events()
}

// FuzzTraces is FuzzLogs for spans.
func FuzzTraces(f *testing.F) {
	seed(f, "traces.yaml")
	f.Fuzz(func(t *testing.T, raw []byte) {
		td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(raw)
		if err != nil {
			return
		}
		for _, b := range fuzzBackends() {
			events := eventsOfTraces(b, td)
			checkEnvelopes(t, b, events)
			checkUpgrade(t, b, events)
		}
	})
}

// eventsOfTraces returns the encoded events of spans.
func eventsOfTraces(b *backend, td ptrace.Traces) []delivery.Event {
	var w delivery.Writer
	enc := newSpanEncoder(b)
	enc.Prepare(td)
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			source := appevent.NewSource(rs.Resource(), ss.Scope())
			for _, span := range ss.Spans().All() {
				_ = enc.EncodeSpan(&w, source, span)
			}
		}
	}
	return w.Take().Events()
}

func seed(f *testing.F, name string) {
	for _, input := range inputs(f, name) {
		raw, _ := readYAML(f, filepath.Dir(input), name)
		f.Add(raw)
	}
}

// inputs returns the files of this name in testdata.
func inputs(t testing.TB, name string) []string {
	all, err := filepath.Glob("testdata/*/" + name)
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all
}

func checkEnvelopes(t *testing.T, b *backend, events []delivery.Event) {
	t.Helper()
	for i := range events {
		if len(events[i].Payload) > b.cfg.MaxEventBytes {
			t.Fatalf("an item of %d bytes", len(events[i].Payload))
		}
	}
	requests, refusals := b.BuildRequests(events)
	if len(refusals) > 0 {
		t.Fatalf("refused: %s", refusals[0].Message)
	}
	built := 0
	for i := range requests {
		built += len(requests[i].Events)
		requests[i].Prepare(time.Now())
		body := requests[i].AppendBody(nil)
		envelope, err := sentryintake.ParseEnvelope(body)
		if err != nil {
			t.Fatalf("%v\n%s", err, body)
		}
		envelope.Arrived = time.Now()
		for _, violation := range sentryintake.Check(envelope) {
			t.Fatalf("%s\n%s", violation.Error(), body)
		}
	}
	if built != len(events) {
		t.Fatalf("%d of %d events are in requests", built, len(events))
	}
}

// FuzzLimits checks that no header blocks a project for longer than a day, or panics.
func FuzzLimits(f *testing.F) {
	for _, header := range []string{"60:error;log_item:organization:quota:", "2.5::key, 1e9:span", "NaN:error", "-1:", ":", "a,b;c:::,"} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		now := time.Now()
		for category, until := range parseLimits(header, now) {
			if !until.After(now) || until.Sub(now) > maxLimit {
				t.Fatalf("%q: %q until %v", header, category, until.Sub(now))
			}
		}
	})
}

// FuzzWithoutSecrets checks that masking a masked URL changes nothing.
func FuzzWithoutSecrets(f *testing.F) {
	for _, url := range []string{"https://a:b@h/p?token=x&y=z#password=q", "api_key=1;b=2", "?=&=", "a@b=c"} {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, url string) {
		once := withoutSecrets(url)
		if twice := withoutSecrets(once); twice != once {
			t.Fatalf("%q: %q, then %q", url, once, twice)
		}
	})
}
