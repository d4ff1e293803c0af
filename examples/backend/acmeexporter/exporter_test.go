// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package acmeexporter

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden sends testdata/*/input.json (OTLP JSON) and compares the request with want.http.
func TestGolden(t *testing.T) {
	deliverytest.Golden(t, "want.http", *update, func(t *testing.T, _ string, ld plog.Logs) string {
		a := newAcme(t)
		start(t, testConfig(a.URL)).Send(ld)

		require.Len(t, a.got(), 1)
		req := a.request(0)
		var got strings.Builder
		got.WriteString("POST /ingest\n")
		for _, name := range []string{"Content-Type", "X-Acme-Key", "User-Agent"} {
			fmt.Fprintf(&got, "%s: %s\n", name, req.header.Get(name))
		}
		fmt.Fprintf(&got, "\n%s\n", req.body)
		return got.String()
	})
}

func TestEventsHaveSeparateResults(t *testing.T) {
	a := newAcme(t)
	a.results["again"] = []result{{Status: "retry"}, {Status: "retry"}}
	a.results["bad"] = []result{{Status: "rejected", Error: "no such event in the tracking plan"}}
	a.results["strange"] = []result{{Status: "deferred"}}
	e := start(t, testConfig(a.URL))
	e.Send(events("fine", "again", "bad", "strange", "good"))

	assert.Equal(t, [][]string{{"fine", "again", "bad", "strange", "good"}, {"again"}, {"again"}}, a.got(), "only retryable events are sent again")
	assert.Equal(t, 3, a.tookOnce())
	assert.Equal(t, map[string]int64{"delivered": 3, "dead_lettered/refused": 2}, e.Outcomes())
	letters := e.Letters.All()
	require.Len(t, letters, 2)
	assert.Equal(t, "no such event in the tracking plan", letters[0].Message)
	assert.Equal(t, `the backend answered with the status "deferred"`, letters[1].Message)
	assert.JSONEq(t, `{"id":"id-bad","event":"bad","user":"u1","time":"2023-11-14T22:13:20Z","props":{"note":"`+bodySecret+`"}}`, string(letters[0].Payload))
}

// Delivery reads 64 KiB of a response. The results for a full request have to fit.
func TestLongestResponseIsRead(t *testing.T) {
	a := newAcme(t)
	names := numbered(maxEvents)
	for _, name := range names {
		a.results[name] = []result{{Status: "rejected", Error: strings.Repeat("e", maxError)}}
	}
	e := start(t, testConfig(a.URL))
	e.Send(events(names...))
	assert.Len(t, a.got(), 1)
	assert.Equal(t, map[string]int64{"dead_lettered/refused": maxEvents}, e.Outcomes())
}

func TestTemporaryFailuresAreRetried(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"429":                          deliverytest.Answer(429, `{"error":"slow down"}`),
		"429 with a Retry-After":       deliverytest.Answer(429, ``, "Retry-After", "0.01"),
		"503":                          deliverytest.Answer(503, `<html>`),
		"a 200 that is not JSON":       deliverytest.Answer(200, `OK`),
		"a 200 with too few results":   deliverytest.Answer(200, `{"results":[{"status":"ok"}]}`),
		"a 200 with too many results":  deliverytest.Answer(200, `{"results":[{"status":"ok"},{"status":"ok"},{"status":"ok"}]}`),
		"a 200 without an object":      deliverytest.Answer(200, `[]`),
		"a connection that is cut off": deliverytest.Reset,
	} {
		t.Run(name, func(t *testing.T) {
			a := newAcme(t, handler, handler)
			e := start(t, testConfig(a.URL))
			e.Send(events("a", "b"))
			assert.Equal(t, [][]string{{"a", "b"}, {"a", "b"}, {"a", "b"}}, a.got())
			assert.Equal(t, a.request(0).body, a.request(2).body, "the same bytes, and so the same ids")
			assert.Equal(t, 2, a.tookOnce())
			assert.Equal(t, map[string]int64{"delivered": 2}, e.Outcomes())
		})
	}
}

func TestExhaustedQuotaMakesDeadLetters(t *testing.T) {
	a := newAcme(t, deliverytest.Answer(402, `{"error":"quota of May is used up"}`))
	e := start(t, testConfig(a.URL))
	e.Send(events("a", "b"))
	assert.Len(t, a.got(), 1, "nothing is sent again")
	assert.Equal(t, map[string]int64{"dead_lettered/rate_limited": 2}, e.Outcomes())
	for _, letter := range e.Letters.All() {
		assert.Equal(t, 402, letter.Status)
		assert.Equal(t, `the backend answered 402: {"error":"quota of May is used up"}; raise the project's quota, then replay the dead letters`, letter.Message)
	}
	e.Send(events("c"))
	assert.Equal(t, 1, a.tookOnce(), "later events are sent")
}

func TestUnknownKeyMakesDeadLetters(t *testing.T) {
	a := newAcme(t)
	cfg := testConfig(a.URL)
	cfg.APIKey = "hunter3"
	e := start(t, cfg)
	e.Send(events("a", "b"))
	assert.Len(t, a.got(), 1, "nothing is sent again")
	assert.Equal(t, map[string]int64{"dead_lettered/unauthorized": 2}, e.Outcomes())
	assert.Equal(t, []string{"StatusRecoverableError: the backend answers 401: check the credentials"}, e.Statuses())
}

func Test413BisectsRequest(t *testing.T) {
	a := newAcme(t)
	a.limit = 300 // less than documented
	e := start(t, testConfig(a.URL))
	long := events("a", "b", "c", "d")
	long.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(2).Attributes().PutStr("note", strings.Repeat("x", a.limit))
	e.Send(long)
	assert.Equal(t, 3, a.tookOnce())
	assert.Equal(t, map[string]int64{"delivered": 3, "dead_lettered/too_large": 1}, e.Outcomes())
	letters := e.Letters.All()
	require.Len(t, letters, 1)
	assert.Equal(t, "c", letters[0].Name)
	assert.Contains(t, letters[0].Message, fmt.Sprintf("to a request of %d bytes", len(bodyHead)+len(letters[0].Payload)+len(bodyTail)))
}

func TestUnsuitableEventsAreSkippedOrRefused(t *testing.T) {
	a := newAcme(t)
	e := start(t, testConfig(a.URL))
	ld := events("fine", strings.Repeat("n", maxName), strings.Repeat("é", maxName), strings.Repeat("n", maxName+1), "")
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	identify := records.AppendEmpty()
	identify.Attributes().PutStr(appevent.AttrKind, "identify")
	exception := records.AppendEmpty()
	exception.Attributes().PutStr(appevent.AttrExceptionType, "IOError")
	e.Send(ld)
	assert.Equal(t, 3, a.tookOnce())
	assert.Equal(t, map[string]int64{
		"delivered": 3, "skipped/plain_log": 1, "skipped/kind_identify": 1, "skipped/exception": 1, "dead_lettered/encoding": 1,
	}, e.Outcomes())
	letters := e.Letters.All()
	require.Len(t, letters, 1)
	assert.Equal(t, fmt.Sprintf("the name has %d characters, but Acme accepts %d; shorten it", maxName+1, maxName), letters[0].Message)
	assert.NotEmpty(t, letters[0].OTLP, "the dead letter has the record, since there is no payload")
}

func TestInvalidTimesAreLeftOut(t *testing.T) {
	a := newAcme(t)
	ld := events("never", "in the year 2554")
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	records.At(0).SetTimestamp(0)
	records.At(1).SetTimestamp(math.MaxUint64)
	start(t, testConfig(a.URL)).Send(ld)
	assert.NotContains(t, string(a.request(0).body), `"time"`)
	assert.Equal(t, 2, a.tookOnce())
}

func TestLargeBatchesAreCompressed(t *testing.T) {
	a := newAcme(t)
	e := start(t, testConfig(a.URL))
	e.Send(events(numbered(2 * maxEvents)...))
	assert.Equal(t, 2*maxEvents, a.tookOnce())
	for i := range a.got() {
		assert.Equal(t, "gzip", a.request(i).header.Get("Content-Encoding"))
	}
}

func TestRequestsKeepLimits(t *testing.T) {
	b := newBackend(testConfig("https://example.com/"))
	assert.Equal(t, "https://example.com/ingest", b.url)

	t.Run("count", func(t *testing.T) {
		assert.Equal(t, []int{maxEvents, maxEvents, 1}, build(t, b, encodeAll(t, events(numbered(2*maxEvents+1)...))))
	})
	t.Run("bytes", func(t *testing.T) {
		half := (maxBody - len(bodyHead) - len(bodyTail) - 1) / 2
		assert.Equal(t, []int{2, 1}, build(t, b, ofSizes(half, half, 1)), "both just fit")
		assert.Equal(t, []int{1, 2}, build(t, b, ofSizes(half+1, half+1, 1)))
		assert.Equal(t, []int{1, 1}, build(t, b, ofSizes(maxEvent, maxEvent)))
	})
	t.Run("too_large", func(t *testing.T) {
		huge := ofSizes(1, maxEvent+1, 1)
		requests, refusals := b.BuildRequests(huge)
		assert.Len(t, requests, 2)
		require.Len(t, refusals, 1)
		assert.Equal(t, deadletter.ReasonTooLarge, refusals[0].Reason)
		assert.Equal(t, fmt.Sprintf("the event has %d bytes, but Acme accepts %d", maxEvent+1, maxEvent), refusals[0].Message)
		assert.Len(t, huge[1].Payload, maxEvent+1, "the events are unchanged")
	})
}

// ofSizes returns events with payloads of these sizes.
func ofSizes(sizes ...int) []delivery.Event {
	var all []delivery.Event
	for _, size := range sizes {
		all = append(all, delivery.Event{Payload: slices.Repeat([]byte("1"), size)})
	}
	return all
}

// build checks every request against the limits, and returns the number of events in each.
func build(t testing.TB, b *backend, events []delivery.Event) []int {
	t.Helper()
	requests, refusals := b.BuildRequests(events)
	n := len(refusals)
	var counts []int
	for _, req := range requests {
		n += len(req.Events)
		counts = append(counts, len(req.Events))
		var body struct {
			Events []json.RawMessage `json:"events"`
		}
		text := req.AppendBody(nil)
		require.NoError(t, json.Unmarshal(text, &body), "%s", text)
		assert.Len(t, body.Events, len(req.Events))
		assert.LessOrEqual(t, len(req.Events), maxEvents)
		assert.LessOrEqual(t, len(text), maxBody)
	}
	assert.Len(t, events, n, "every event is in a request or refused")
	return counts
}

func encodeAll(t testing.TB, ld plog.Logs) []delivery.Event {
	t.Helper()
	var enc encoder
	var w delivery.Writer
	for e := range appevent.Logs(ld) {
		_ = enc.Encode(&w, e) // on error it has written nothing
	}
	return w.Take().Events()
}

// FuzzEncode checks that any record becomes a body that Acme can read, or nothing.
func FuzzEncode(f *testing.F) {
	odd := events("a", "\xff", "")
	attributes := odd.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1).Attributes()
	attributes.PutDouble("nan", math.NaN())
	attributes.PutEmptyBytes("bytes").FromRaw([]byte{0, 255})
	attributes.PutEmptyMap("\xfe").PutEmptySlice("\xfe").AppendEmpty()
	odd.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetTimestamp(math.MaxUint64)
	seed, err := (&plog.ProtoMarshaler{}).MarshalLogs(odd)
	require.NoError(f, err)
	f.Add(seed)
	b := newBackend(testConfig("https://example.com"))
	f.Fuzz(func(t *testing.T, data []byte) {
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
		if err != nil {
			return
		}
		encoded := encodeAll(t, ld)
		for _, e := range encoded {
			var decoded event
			require.NoError(t, json.Unmarshal(e.Payload, &decoded), "%s", e.Payload)
			require.NotEmpty(t, decoded.ID)
			require.NotEmpty(t, decoded.Event)
			require.NotNil(t, decoded.Props)
		}
		build(t, b, encoded)
	})
}
