// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"golang.org/x/net/http/httpguts"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// makeLong makes each text of the records very long, of characters that grow when they are escaped.
func makeLong(ld plog.Logs) {
	long := strings.Repeat("<&*😀\"\n\x01日", 3_000)
	for _, rl := range ld.ResourceLogs().All() {
		rl.Resource().Attributes().PutStr(appevent.AttrServiceName, long)
		rl.Resource().Attributes().PutStr(appevent.AttrEnvironment, long)
		for _, record := range rl.ScopeLogs().At(0).LogRecords().All() {
			record.SetEventName(long)
			record.Body().SetStr(long)
			for _, name := range []string{appevent.AttrID, appevent.AttrUserID, appevent.AttrSubject, "a", "b", long, long + "2"} {
				record.Attributes().PutStr(name, long)
			}
			for i := range 60 {
				record.Attributes().PutStr(long[:100+i], long[:10_000])
			}
		}
	}
}

func TestServiceMessagesAreWithinTheirLimits(t *testing.T) {
	long := formatLogs(t)
	makeLong(long)
	for _, format := range []Format{FormatSlack, FormatDiscord, FormatTeams, FormatPagerDuty} {
		for _, content := range []Content{ContentFull, ContentSummary} {
			conf := map[string]any{"format": string(format), "content": string(content)}
			if format == FormatPagerDuty {
				conf["pagerduty"] = map[string]any{"routing_key": "k"}
			}
			b := testBackend(t, conf)
			for _, ld := range []plog.Logs{long, formatLogs(t)} {
				events := encodeWith(t, b, ld)
				require.Len(t, events, ld.LogRecordCount())
				checkRequests(t, b, events)
			}
		}
	}
}

func encodeWith(t testing.TB, b *backend, ld plog.Logs) []delivery.Event {
	t.Helper()
	enc := newEncoder(b)
	var w delivery.Writer
	for e := range appevent.Logs(ld) {
		var one delivery.Writer
		if err := enc.Encode(&one, e); err != nil {
			if b.cfg.Format != FormatTemplate && !b.templates.hasTarget() && !isBinary(b) && b.cfg.PagerDuty.DedupKey == "" {
				t.Fatalf("%s: %v", b.cfg.Format, err)
			}
			continue
		}
		_ = enc.Encode(&w, e)
	}
	return w.Take().Events()
}

// isBinary reports whether headers, which may be too long, hold the attributes.
func isBinary(b *backend) bool { return b.cfg.CloudEvents.Mode == ModeBinary }

func encodeSpansWith(b *backend, td ptrace.Traces) []delivery.Event {
	enc, err := b.newTracesEncoder()
	if err != nil {
		return nil // templates that need an event
	}
	var w delivery.Writer
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			source := appevent.NewSource(rs.Resource(), ss.Scope())
			for _, span := range ss.Spans().All() {
				var one delivery.Writer
				if enc.EncodeSpan(&one, source, span) == nil {
					_ = enc.EncodeSpan(&w, source, span)
				}
			}
		}
	}
	return w.Take().Events()
}

// checkRequests checks the requests of the events against what any receiver relies on, and against
// the limits of services.
func checkRequests(t testing.TB, b *backend, events []delivery.Event) {
	t.Helper()
	requests, refusals := b.BuildRequests(events)
	require.Empty(t, refusals)
	built := 0
	for i := range requests {
		req := &requests[i]
		built += len(req.Events)
		req.Prepare(time.Unix(1700000000, 0))
		body := req.AppendBody(nil)
		if len(body) != req.Size() {
			t.Fatalf("a body of %d bytes has a Size of %d", len(body), req.Size())
		}
		lines := [][]byte{body}
		if b.batching == BatchingNDJSON {
			lines = bytes.Split(bytes.TrimSuffix(body, []byte("\n")), []byte("\n"))
			if len(lines) != len(req.Events) {
				t.Fatalf("%d lines of %d events", len(lines), len(req.Events))
			}
		}
		for _, line := range lines {
			if !json.Valid(line) || !utf8.Valid(line) {
				t.Fatalf("not JSON: %s", line)
			}
		}
		for name, values := range req.Header {
			if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(values[0]) {
				t.Fatalf("not a header: %q: %q", name, values)
			}
		}
		parsed, err := http.NewRequest(http.MethodPost, req.URL, nil)
		if err != nil || parsed.URL.Host != "example.com" && parsed.URL.Host != "events.pagerduty.com" {
			t.Fatalf("not the endpoint's host: %s", req.URL)
		}
		checkLimits(t, b.cfg.Format, body)
	}
	if built != len(events) {
		t.Fatalf("%d of %d events are in requests", built, len(events))
	}
}

func units(text string) int { return len(utf16.Encode([]rune(text))) }

func checkLimits(t testing.TB, format Format, body []byte) {
	t.Helper()
	most := func(what, text string, n int) {
		if units(text) > n {
			t.Fatalf("%s has %d characters, and %d are taken", what, units(text), n)
		}
	}
	switch format {
	case FormatSlack:
		checkSlack(t, body, most)
	case FormatDiscord:
		checkDiscord(t, body, most)
	case FormatTeams:
		if len(body) > 28_000 {
			t.Fatalf("a card of %d bytes", len(body))
		}
	case FormatPagerDuty:
		checkPagerDuty(t, body, most)
	}
}

// checkSlack: https://docs.slack.dev/reference/block-kit/blocks
func checkSlack(t testing.TB, body []byte, most func(string, string, int)) {
	var message struct {
		Text   string
		Blocks []struct {
			Text     struct{ Text string }
			Elements []struct{ Text string }
		}
	}
	require.NoError(t, json.Unmarshal(body, &message))
	most("the text", message.Text, 40_000)
	require.LessOrEqual(t, len(message.Blocks), 50)
	require.NotEmpty(t, message.Text)
	for _, block := range message.Blocks {
		most("a section", block.Text.Text, 3000)
		require.LessOrEqual(t, len(block.Elements), 10)
		require.True(t, block.Text.Text != "" || len(block.Elements) > 0)
	}
	for _, token := range []string{"<!", "<@", "<#", "<http"} {
		require.NotContains(t, string(body), token)
	}
}

// checkDiscord: https://discord.com/developers/docs/resources/message#embed-object-embed-limits
func checkDiscord(t testing.TB, body []byte, most func(string, string, int)) {
	var message struct {
		Embeds []struct {
			Title, Description string
			Fields             []struct{ Name, Value string }
			Footer             struct{ Text string }
		}
		AllowedMentions *struct{ Parse []string } `json:"allowed_mentions"`
	}
	require.NoError(t, json.Unmarshal(body, &message))
	require.Len(t, message.Embeds, 1)
	require.NotNil(t, message.AllowedMentions)
	require.Empty(t, message.AllowedMentions.Parse)
	embed := message.Embeds[0]
	all := embed.Title + embed.Description + embed.Footer.Text
	most("the title", embed.Title, 256)
	most("the description", embed.Description, 4096)
	most("the footer", embed.Footer.Text, 2048)
	require.LessOrEqual(t, len(embed.Fields), 25)
	for _, field := range embed.Fields {
		most("a field's name", field.Name, 256)
		most("a field's value", field.Value, 1024)
		require.NotEmpty(t, field.Name)
		require.NotEmpty(t, field.Value)
		all += field.Name + field.Value
	}
	most("the embed", all, 6000)
}

// checkPagerDuty: https://developer.pagerduty.com/docs/send-alert-event
func checkPagerDuty(t testing.TB, body []byte, most func(string, string, int)) {
	if len(body) > 512_000 {
		t.Fatalf("an event of %d bytes", len(body))
	}
	var event struct {
		RoutingKey  string `json:"routing_key"`
		EventAction string `json:"event_action"`
		DedupKey    string `json:"dedup_key"`
		Payload     struct {
			Summary, Source, Severity, Timestamp, Component, Group, Class string
			CustomDetails                                                 map[string]any `json:"custom_details"`
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&event))
	require.NotEmpty(t, event.RoutingKey)
	require.Contains(t, []string{"trigger", "acknowledge", "resolve"}, event.EventAction)
	most("the dedup_key", event.DedupKey, 255)
	most("the summary", event.Payload.Summary, 1024)
	require.NotEmpty(t, event.Payload.Summary)
	require.NotEmpty(t, event.Payload.Source)
	require.Contains(t, []string{"critical", "error", "warning", "info"}, event.Payload.Severity)
	assert.NotNil(t, event.Payload.CustomDetails)
}
