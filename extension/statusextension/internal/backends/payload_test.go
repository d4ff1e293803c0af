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

// TestPayloadsAreBoundedTogether drops so many large events that some of them are remembered only since
// they were not delivered.
func TestPayloadsAreBoundedTogether(t *testing.T) {
	large := batch.Event{Meta: batch.Meta{ID: "large"}, Payload: bytes.Repeat([]byte("x"), maxPayload+payloadMargin)}
	const fit = maxPayloads / (maxPayload + payloadMargin)
	for name, recent := range map[string]int{"among the latest": fit + 100, "among the undelivered, too": fit - 100} {
		t.Run(name, func(t *testing.T) {
			r, f := newReporter(t, Settings{RecentEvents: recent, Payloads: PayloadsFailures}, "webhook")
			for range fit + 100 {
				f.settle(statusfeed.Dropped, "refused", 400, "bad", f.accept(large)...)
			}
			b := r.backend("webhook")
			checkPayloads(t, b)
			assert.Equal(t, fit+100, b.ring.count, "the events are remembered")
			for e := range b.ring.byChange {
				require.Equal(t, e.number > 100, e.payload != nil, "entry %d; the newest have payloads", e.number)
			}
		})
	}
}

// TestPayloadOfAnOldFailureMakesRoom checks that a payload among the undelivered events is the first to
// go, though all others are of later events.
func TestPayloadOfAnOldFailureMakesRoom(t *testing.T) {
	const size = maxPayload + payloadMargin
	r, f := newReporter(t, Settings{RecentEvents: maxPayloads / size, Payloads: PayloadsAll}, "webhook")
	event := func(id string) batch.Event {
		return batch.Event{Meta: batch.Meta{ID: id}, Payload: bytes.Repeat([]byte("x"), size)}
	}
	f.settle(statusfeed.Dropped, "refused", 400, "bad", f.accept(event("old"))...)
	for range maxPayloads/size - 1 {
		f.settle(statusfeed.Delivered, "", 200, "", f.accept(event("new"))...)
	}
	assert.NotEmpty(t, r.Event("old")[0].Payload)
	f.settle(statusfeed.Delivered, "", 200, "", f.accept(event("new"))...)
	assert.Empty(t, r.Event("old")[0].Payload)
	assert.Equal(t, maxPayloads/size, r.backend("webhook").ring.payloads.oldestFirst.Len(), "every other one is kept")
	checkPayloads(t, r.backend("webhook"))
}

// TestSizesOfPayloadsAreForgottenWithTheirEntries checks that an old event, which is remembered since it
// was not delivered, does not keep those of later ones counted.
func TestSizesOfPayloadsAreForgottenWithTheirEntries(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 10, Payloads: PayloadsAll}, "webhook")
	f.settle(statusfeed.Dropped, "refused", 400, "bad", f.accept(eventWith("old"))...)
	for i := range 1000 {
		f.settle(statusfeed.Delivered, "", 200, "", f.accept(eventWith(fmt.Sprint(i)))...)
	}
	b := r.backend("webhook")
	assert.Equal(t, 11, b.ring.payloads.oldestFirst.Len())
	assert.Equal(t, 11*len("{}"), b.ring.payloads.bytes)
	checkPayloads(t, b)
	events, _ := r.Find(Filter{})
	assert.False(t, slices.ContainsFunc(events, func(e Event) bool { return e.Payload != "{}" }))
}

// TestEventThatComesBackHasOnePayload checks an event whose entry was replaced after an attempt, and comes
// back with the same number.
func TestEventThatComesBackHasOnePayload(t *testing.T) {
	r, f := newReporter(t, Settings{RecentEvents: 10, Payloads: PayloadsAll}, "webhook")
	sent := f.accept(eventWith("a"))
	f.attempt(200, "", sent...) // not yet known to be retried
	f.accept(newEvents(10)...)
	require.Empty(t, r.Event("a"))
	f.attempt(503, "busy", sent...)
	b := r.backend("webhook")
	checkPayloads(t, b)
	assert.Equal(t, len("{}"), b.ring.payloads.bytes)
	assert.Equal(t, "{}", r.Event("a")[0].Payload)
}

// checkPayloads checks that exactly the payloads of remembered entries count.
func checkPayloads(t *testing.T, b *backend) {
	t.Helper()
	bytes, kept := 0, map[uint64]*payload{}
	for e := range b.ring.byChange {
		if e.payload != nil {
			bytes += e.payload.size
			kept[e.number] = e.payload
		}
	}
	require.LessOrEqual(t, bytes, maxPayloads)
	require.Equal(t, bytes, b.ring.payloads.bytes)
	require.Equal(t, len(kept), b.ring.payloads.oldestFirst.Len())
	for at := b.ring.payloads.oldestFirst.Front(); at != nil; at = at.Next() {
		p := at.Value.(*payload)
		require.Same(t, kept[p.entry], p)
	}
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
