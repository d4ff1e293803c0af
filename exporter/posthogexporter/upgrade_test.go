// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	posthogintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/posthog"
)

// stripped returns an event as earlier versions and dead letters store it.
func stripped(e delivery.Event) delivery.Event {
	e.VendorID, e.Key = "", ""
	return e
}

// requireCompleted requires that completeMeta sets what the encoder has set.
func requireCompleted(t *testing.T, e *delivery.Event) {
	t.Helper()
	completed := stripped(*e)
	for range 2 {
		completeMeta(&completed)
		require.Equal(t, *e, completed)
	}
}

// everyKind returns encoded events of every kind of ID and resource. The first two are duplicates.
func everyKind(t *testing.T, b *backend) []delivery.Event {
	t.Helper()
	ld := events("a", "a", "survey sent", "$ai_feedback")
	record(ld, "uuid", "0198c0de-0000-7000-8000-00000000000f")
	record(ld, "uuid in capitals", "0198C0DE-ABCD-7000-8000-00000000000F")
	record(ld, `"quoted" \ é`, "")
	record(ld, "checkout_failed", "0198c0de-0000-7000-8000-00000000000e").Attributes().PutStr("exception.type", "E")
	groups := kind(record(ld, "", "id-g"), "group").PutEmptyMap("fanout.groups")
	groups.PutStr("company", "acme")
	groups.PutStr("team", "red")
	kind(record(ld, "", "id-p"), "page")
	record(ld, "old", "id-old").SetTimestamp(1700000000000000000)
	encoded := encodeAll(t, b, ld)

	span := ptrace.NewSpan()
	span.SetTraceID([16]byte{1})
	span.SetSpanID([8]byte{1})
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(b.now()))
	span.Attributes().PutStr("gen_ai.operation.name", "chat")
	span.Events().AppendEmpty().Attributes().PutStr("exception.type", "E")
	var w delivery.Writer
	require.NoError(t, newSpanEncoder(b).EncodeSpan(&w, appevent.NewSource(pcommon.NewResource(), pcommon.NewInstrumentationScope()), span))
	return append(encoded, w.Take().Events()...)
}

func TestEarlierEventsAreCompleted(t *testing.T) {
	for _, protocol := range []Protocol{ProtocolBatch, ProtocolV1} {
		b := benchBackend(t, func(cfg *Config) { cfg.Protocol = protocol })
		now := time.Now()
		b.now = func() time.Time { return now }
		today := everyKind(t, b)
		keys := map[string]int{}
		earlier := slices.Clone(today)
		for i := range earlier {
			requireCompleted(t, &today[i])
			keys[today[i].Key]++
			earlier[i] = stripped(earlier[i])
			completeMeta(&earlier[i])
		}
		assert.Equal(t, map[string]int{"": 10, "exceptions": 2, "llm_events": 2, "surveys": 1}, keys)
		assert.Equal(t, outline(t, b, today), outline(t, b, earlier))
	}
}

// outline describes the requests of events and the outcomes of their responses, without the parts
// that vary.
func outline(t *testing.T, b *backend, events []delivery.Event) string {
	t.Helper()
	requests, refusals := b.BuildRequests(events)
	require.Empty(t, refusals)
	var text strings.Builder
	for i := range requests {
		req := &requests[i]
		fmt.Fprintf(&text, "%s %s\n%s\n", req.URL, req.Header.Get(headerAttempt), req.AppendBody(nil))
		var body struct{ Batch []struct{ UUID string } }
		require.NoError(t, json.Unmarshal(req.AppendBody(nil), &body))
		response := delivery.Response{Status: 200, Body: []byte(`{"status":1,"quota_limited":["exceptions","surveys"]}`)}
		if req.URL == b.v1.url {
			results := map[string]result{}
			for i, e := range body.Batch {
				results[e.UUID] = result{Result: []string{"ok", "retry", "drop"}[i%3]}
			}
			text, err := json.Marshal(map[string]any{"results": results})
			require.NoError(t, err)
			response.Body = text
		}
		c := b.ClassifyResponse(req, &response)
		fmt.Fprintf(&text, "%+v\n", c)
		for j := range c.Events {
			assert.NotContains(t, c.Events[j].Message, "without a result")
		}
	}
	pending := b.tries.take(events)
	fmt.Fprintln(&text, len(pending), "pending")
	return text.String()
}

func TestForeignPayloadsStayUnchanged(t *testing.T) {
	for _, payload := range []string{
		"", "{", "null", "[]", `"text"`, "\xff", `{}`, `{"uuid":7}`, `{"uuid":"x"}`, `{"uuid":null,"event":"$exception"}`,
		`{"uuid":"0198c0de-0000-7000-8000-00000000000f","event":["$exception"]}`, `{"uuid":"0198c0de-0000-7000-8000-00000000000f","event":"$exc`,
	} {
		want := delivery.Event{Meta: delivery.Meta{ID: "i", Name: "n"}, Payload: []byte(payload)}
		e := want
		completeMeta(&e)
		assert.Equal(t, want, e, payload)
	}
}

func FuzzCompleteMeta(f *testing.F) {
	f.Add("i", []byte(`{"uuid":"0198c0de-0000-7000-8000-00000000000f","event":"$exception","properties":{}}`))
	f.Add("0198c0de-0000-7000-8000-00000000000f", []byte(`{"uuid":"0198C0DE-0000-7000-8000-00000000000F","event":"\u0024ai_x"}`))
	f.Fuzz(func(t *testing.T, id string, payload []byte) {
		once := delivery.Event{Meta: delivery.Meta{ID: id}, Payload: payload}
		completeMeta(&once)
		twice := once
		completeMeta(&twice)
		require.Equal(t, once, twice)
		if once.VendorID != "" {
			_, ok := parseUUID(once.VendorID)
			require.True(t, ok)
		}
	})
}

func TestReplayedDeadLettersHaveTheirOwnOutcome(t *testing.T) {
	for name, mend := range map[string]func(*testing.T, []byte) []byte{
		"as stored": func(_ *testing.T, payload []byte) []byte { return payload },
		"indented": func(t *testing.T, payload []byte) []byte {
			var indented bytes.Buffer
			require.NoError(t, json.Indent(&indented, payload, "", "  "))
			return indented.Bytes()
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachProtocol(t, func(t *testing.T, in *posthogintake.Intake, cfg *Config) {
				in.ReplyWith(func(posthogintake.Request) posthogintake.Reply { return posthogintake.Failure(401, "unauthorized") })
				e := setup(cfg).StartLogs(t)
				e.Send(events("a", "survey sent"))
				letters := e.Letters.All()
				require.Len(t, letters, 2)
				for i := range letters {
					letters[i].Payload = mend(t, letters[i].Payload)
				}

				in.ReplyWith(func(r posthogintake.Request) posthogintake.Reply {
					if r.Protocol == posthogintake.Batch {
						return posthogintake.QuotaLimited("surveys")
					}
					return posthogintake.OK()
				})
				in.Plan("survey sent", posthogintake.Result{Result: "limited"})
				replayed := e.Letters.Replay(t.Context(), letters...)
				require.Len(t, replayed, 2)
				assert.Equal(t, deadletter.OutcomeDelivered, replayed[0].Outcome)
				assert.Equal(t, deadletter.OutcomeRefused, replayed[1].Outcome)
				require.Len(t, replayed[1].Letters, 1)
				assert.Equal(t, deadletter.ReasonRateLimited, replayed[1].Letters[0].Reason)
			})
		})
	}
}
