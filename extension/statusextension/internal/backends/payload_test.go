// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

func TestSecretsOfPayloadsAreRedacted(t *testing.T) {
	for text, want := range map[string]string{
		`{"password":"correct horse battery","a":1}`:          `{"password":"[redacted]","a":1}`,
		`{"user":{"Access_Token" : "x y","b":"c"}}`:           `{"user":{"Access_Token" : "[redacted]","b":"c"}}`,
		`{"apiKey":12345,"b":1}`:                              `{"apiKey":"[redacted]","b":1}`,
		`{"secret":[1,"a]"],"b":1}`:                           `{"secret":"[redacted]","b":1}`,
		`{"secret":{"a":{"b":"}"}},"b":1}`:                    `{"secret":"[redacted]","b":1}`,
		`{"secret":"a\"b","c":1}`:                             `{"secret":"[redacted]","c":1}`,
		`{"secret":"a\\","c":1}`:                              `{"secret":"[redacted]","c":1}`,
		`{"secret":null,"token":true,"cookie":false}`:         `{"secret":null,"token":true,"cookie":false}`,
		`{"secret":"","c":1}`:                                 `{"secret":"","c":1}`,
		`{"cookie":"a=b; c=d","c":1}`:                         `{"cookie":"[redacted]","c":1}`,
		`{"body":"{\"password\":\"correct horse\",\"a\":1}"}`: `{"body":"{\"password\":\"[redacted]\",\"a\":1}"}`,
		`{"url":"https://me:hunter2@example.com/"}`:           `{"url":"https://[redacted]@example.com/"}`,
		`{"header":"Bearer abc123DEF"}`:                       `{"header":"Bearer [redacted]"}`,
		`{"password":"is cut off`:                             `{"password":"[redacted]`,
		`{"secret":{"a":"is cut off`:                          `{"secret":"[redacted]"`,
		`{"secret":`:                                          `{"secret":`,
		`{"secret"`:                                           `{"secret"`,
		`token=abcdef123&a=1`:                                 `token=[redacted]&a=1`,
		`{"name":"token","value":"x"}`:                        `{"name":"token","value":"x"}`,
		`{"max_tokens":100}`:                                  `{"max_tokens":100}`,
		"":                                                    "",
	} {
		assert.Equal(t, want, redact(text))
	}
}

// FuzzRedact checks that a secret is not in the result, whatever surrounds it.
func FuzzRedact(f *testing.F) {
	f.Add(`{"a":[1,{"b":"c"}],`, `,"d":null}`)
	f.Add("\\\"", "\"")
	f.Fuzz(func(t *testing.T, before, after string) {
		const secret = "hunter2hunter2"
		if strings.Contains(before+after, "hunter") {
			return
		}
		got := redact(before + `"password":"` + secret + `"` + after)
		if strings.Contains(got, secret) {
			t.Fatal(got)
		}
	})
}

func TestPayloadsAreKeptAsConfigured(t *testing.T) {
	for payloads, want := range map[Payloads]string{
		"": "", PayloadsNone: "", PayloadsFailures: "retrying dead_lettered", PayloadsAll: "retrying delivered dead_lettered recovered",
	} {
		r, f := newReporter(t, Settings{RecentEvents: 10, Payloads: payloads}, "webhook")
		sent := f.accept(eventWith("retrying"), eventWith("delivered"), eventWith("dead_lettered"), eventWith("recovered"))
		f.attempt(503, "busy", sent[0], sent[3])
		f.attempt(200, "", sent[1], sent[3])
		f.settle(statusfeed.Delivered, "", 200, "", sent[1], sent[3])
		f.settle(statusfeed.DeadLettered, "refused", 400, "bad", sent[2])
		f.settle(statusfeed.Skipped, "plain_log", 0, "", eventWith("skipped"))
		for _, id := range []string{"retrying", "delivered", "dead_lettered", "recovered", "skipped"} {
			assert.Equal(t, strings.Contains(want, id), r.Event(id)[0].Payload == "{}", "%s: %s", payloads, id)
		}
	}
}

func TestPayloadIsCut(t *testing.T) {
	for name, test := range map[string]struct {
		payload   string
		truncated bool
	}{
		"short":                       {strings.Repeat("a", maxPayload), false},
		"long":                        {strings.Repeat("a", maxPayload+1), true},
		"very long":                   {strings.Repeat("界", 1<<20), true},
		"secret over the end":         {strings.Repeat(" ", maxPayload-20) + `{"password":"` + strings.Repeat("x", 2000) + `"}`, true},
		"token over the end":          {strings.Repeat(" ", maxPayload-20) + "ghp_" + strings.Repeat("Ab1", 200), true},
		"short after it was redacted": {`{"password":"` + strings.Repeat("x", maxPayload-20) + `"}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			r, f := newReporter(t, Settings{RecentEvents: 1, Payloads: PayloadsAll}, "webhook")
			e := eventWith("a")
			e.Payload = []byte(test.payload)
			f.settle(statusfeed.Delivered, "", 200, "", e)
			shown := r.Event("a")[0]
			require.LessOrEqual(t, len(shown.Payload), maxPayload)
			assert.Equal(t, test.truncated, shown.PayloadTruncated)
			assert.NotContains(t, shown.Payload, "xxx")
			assert.NotContains(t, shown.Payload, "Ab1Ab1")
		})
	}
}

func TestReportedPayloadMayBeReused(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 1, Payloads: PayloadsAll}, "webhook")
	e := eventWith("a")
	e.Payload = []byte("first")
	f.settle(statusfeed.Delivered, "", 200, "", e)
	copy(e.Payload, "other")
	assert.Equal(t, "first", r.Event("a")[0].Payload)
}

func TestPayloadsAreBoundedTogether(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 10_000, Payloads: PayloadsFailures}, "webhook")
	large := batch.Event{Meta: batch.Meta{ID: "large"}, Payload: bytes.Repeat([]byte("x"), maxPayload+payloadMargin)}
	const fit = maxPayloads / (maxPayload + payloadMargin)
	for range fit + 100 {
		f.settle(statusfeed.Dropped, "refused", 400, "bad", f.accept(large)...)
	}
	entries := r.backend("webhook").ring.entries
	assert.Len(t, entries, fit+100, "the events are remembered")
	for i := range entries {
		require.Equal(t, i >= 100, entries[i].payload != nil, "entry %d; the newest have payloads", i)
	}
}

func TestSizesOfPayloadsAreForgottenWithTheirEntries(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 10, Payloads: PayloadsAll}, "webhook")
	for i := range 1000 {
		sent := f.accept(eventWith(fmt.Sprint(i)))
		f.settle(statusfeed.Delivered, "", 200, "", sent...)
	}
	b := r.backend("webhook")
	assert.LessOrEqual(t, len(b.kept.queue), 10)
	assert.Equal(t, 10*len("{}"), b.kept.bytes)
	events, _ := r.Find(Filter{})
	assert.False(t, slices.ContainsFunc(events, func(e Event) bool { return e.Payload != "{}" }))
}

func TestPayloadsOfAStreamAreBounded(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 100, Payloads: PayloadsAll}, "webhook")
	subscription := r.Subscribe(Filter{})
	large := batch.Event{Meta: batch.Meta{ID: "large"}, Payload: bytes.Repeat([]byte("x"), maxPayload)}
	for range 50 {
		f.settle(statusfeed.Delivered, "", 200, "", f.accept(large)...)
	}
	events, lost := subscription.Read()
	assert.Len(t, events, 50)
	assert.Zero(t, lost)
	const fit = maxReadPayloads / maxPayload
	for i := range events {
		newest := i >= 50-fit
		assert.Equal(t, newest, events[i].Payload != "", i)
		assert.Equal(t, !newest, events[i].PayloadTruncated, i)
	}
	events, _ = r.Find(Filter{})
	assert.False(t, slices.ContainsFunc(events, func(e Event) bool { return len(e.Payload) != maxPayload }), "a query has them all")
}
