// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// everyAnswer returns what each path of the status extension responds, by path, except the stream.
func (p *instrumentedCollector) everyAnswer(exporters []string, eventIDs []string) map[string]string {
	p.t.Helper()
	paths := []string{"/", "/v1/backends", "/v1/events?limit=1000", "/v1/routes", "/v1/dead_letters", "/v1/drained?timeout=1ms", "/v1/ready", "/v1/openapi.yaml"}
	for _, id := range eventIDs {
		paths = append(paths, "/v1/events/"+id)
	}
	for _, exporter := range exporters {
		paths = append(paths, letters(exporter)+"?payload=true", letters(exporter), letters(exporter)+"/replay")
		if keys := p.keys(exporter); len(keys) > 0 {
			paths = append(paths, letters(exporter)+"/"+keys[0])
		}
	}
	answers := map[string]string{}
	for _, path := range paths {
		status, text := p.ask(http.MethodGet, path, "")
		assert.NotEqual(p.t, http.StatusInternalServerError, status, path)
		answers[path] = text
	}
	return answers
}

// streamed returns what a stream sends until so many events have an outcome.
func streamed(t *testing.T, stream *statusStream, events int) string {
	t.Helper()
	var all strings.Builder
	for ended := 0; ended < events; {
		e, err := stream.next()
		require.NoError(t, err)
		all.WriteString(e.data)
		if e.event != "events" {
			continue
		}
		var changes struct{ Events []statusEvent }
		require.NoError(t, json.Unmarshal([]byte(e.data), &changes))
		for i := range changes.Events {
			if changes.Events[i].Outcome != "" {
				ended++
			}
		}
	}
	return all.String()
}

// vendorEchoing is a backend that responds with everything it was sent: path, headers and body.
func vendorEchoing(t *testing.T, status int) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"error":"no","url":%q,"headers":%q,"body":%q}`, r.URL, fmt.Sprint(r.Header), body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestStatusNeverShowsSecrets(t *testing.T) {
	t.Parallel()
	const signing = "planted-signing-secret-0123456789"
	secrets := slices.Concat(secretsOfWebhook, []string{signing, "planted-dsn", "planted-posthog", "planted-moengage", "planted-otlp"})
	const quick = ", dead_letter: dead_letter, retry_on_failure: {enabled: false}"
	branches := []branch{
		{"logs/sentry", "sentry", fmt.Sprintf("dsn: %q", strings.Replace(vendorEchoing(t, http.StatusBadRequest), "http://", "http://planted-dsn@", 1)+"/42") + quick},
		{"logs/posthog", "posthog", fmt.Sprintf("api_key: phc_planted-posthog, endpoint: %q", vendorEchoing(t, http.StatusUnauthorized)) + quick},
		{"logs/moengage", "moengage", fmt.Sprintf("workspace_id: w, data_center: 2, api_key: planted-moengage, endpoint: %q", vendorEchoing(t, http.StatusForbidden)) + quick},
		{"logs/signed", "webhook/signed", fmt.Sprintf("endpoint: %q, signing: {scheme: github, secrets: [%s]}", vendorEchoing(t, http.StatusBadRequest)+"/planted-path?key=planted-query", signing) + quick},
		{"logs/core", "otlp_http", fmt.Sprintf("endpoint: %q, headers: {api-key: planted-otlp}", "http://core-user:core-password@127.0.0.1:9/core-path?key=core-query")},
	}
	for _, w := range secretWebhooks(t, "batching: array, shutdown_timeout: 500ms, dead_letter: dead_letter") {
		branches = append(branches, branch{"logs/" + w.name, "webhook/" + w.name, fmt.Sprintf("endpoint: %q, %s", w.url, w.settings)})
	}
	var pipelines, exporters []string
	for _, b := range branches {
		pipelines = append(pipelines, b.pipeline)
		if b.exporter != "otlp_http" {
			exporters = append(exporters, b.exporter)
		}
	}
	p := startInstrumentedWith(t, newDataFolders(t), both(both(throughFanout(t, "default_pipelines: ["+strings.Join(pipelines, ", ")+"]", branches...), withStatus(t, "payloads: all")), atDebug(t)), nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream := p.openStream(ctx, "", false)
	p.post(secretEvent)
	for _, id := range exporters {
		p.settled(id, 1)
	}
	shown := streamed(t, stream, len(exporters))
	for _, id := range exporters {
		p.setPaused(id, "pause")
		p.setPaused(id, "resume")
		if keys := p.keys(id); len(keys) > 0 {
			_, text := p.ask(http.MethodPost, letters(id)+"/"+keys[0]+"/replay", "")
			shown += text
		}
	}
	// The collector's own exporter logs its URL, but the status extension does not show it.
	secretsOfCore := []string{"core-user", "core-password", "core-path", "core-query"}
	answers := p.everyAnswer(exporters, []string{"e1"})
	assert.Contains(t, answers["/v1/events/e1"], "planted-value", "the event itself is shown")
	for path, text := range answers {
		assertNoSecrets(t, path, text, secrets, secretsOfCore)
	}
	_, metrics, err := p.get(p.metrics)
	require.NoError(t, err)
	cancel()
	p.stop()
	assertNoSecrets(t, "the stream and replays", shown, secrets, secretsOfCore)
	assertNoSecrets(t, "the metrics", metrics, secrets)
	assertNoSecrets(t, "the log", p.stdout.String()+p.stderr.String(), secrets, secretsOfEvent)
}

// hostileTexts are texts that could break an answer or a terminal.
var hostileTexts = map[string]string{
	"control characters": "a\x00\x1b[31m\x07\r\nb\x7f\u0085",
	"large":              strings.Repeat("x", 1<<20),
	"large and quoted":   strings.Repeat("\"\\<", 20_000),
	"bidi":               "abc\u202e\u2066gpj.exe\u2069\u200f",
	"invalid UTF-8":      "a\xff\xfe\xc3(\xed\xa0\x80b",
	"script":             "</script><img src=x onerror=alert(1)>",
	"path":               "../../v1/backends?x=1#y%2F%2e%2e//",
	"json":               `","outcome":"delivered","x":"`,
	"stream":             "\n\nevent: lost\ndata: {\"events\":1}\n\n",
}

func TestStatusShowsHostileTextsWithinBounds(t *testing.T) {
	t.Parallel()
	hostile := func(w http.ResponseWriter, _ *http.Request, events []event, body []byte) bool {
		w.WriteHeader(http.StatusBadRequest)
		properties, _ := events[0]["properties"].(map[string]any)
		if text, ok := hostileTexts[text(properties["which"])]; ok {
			_, _ = io.WriteString(w, text)
		} else {
			_, _ = w.Write(body)
		}
		return false
	}
	b := newBackend(t, hostile)
	p := startInstrumentedWith(t, newDataFolders(t), withStatus(t, "payloads: all"), []webhook{{"b", b.URL, "batching: single"}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream := p.openStream(ctx, "", false)

	for which, text := range hostileTexts {
		logs := records(0, 1)
		edit(logs, 0, func(r plog.LogRecord) {
			r.SetEventName(text)
			r.Attributes().PutStr("which", which)
			r.Attributes().PutStr("hostile", text)
			short := text[:min(len(text), 4<<10)]
			r.Attributes().PutStr(short, "hostile")
			r.Attributes().PutStr("log.record.uid", which+short)
		})
		newSDK(p).mustExport(t, logs)
	}
	events := len(hostileTexts)
	p.settled("webhook/b", events)
	shown := streamed(t, stream, events)
	assert.Less(t, len(shown), 4<<20)
	assert.True(t, utf8.ValidString(shown))

	for path, text := range p.everyAnswer([]string{"webhook/b"}, nil) {
		assert.True(t, utf8.ValidString(text), path)
		if path == "/" || path == "/v1/openapi.yaml" {
			continue
		}
		assert.True(t, json.Valid([]byte(text)), path)
		assert.False(t, strings.ContainsAny(text, "\x00\x07\x1b"), path)
		if !strings.Contains(path, "payload=true") && !strings.Contains(path, "/1-") {
			assert.Less(t, len(text), 3<<20, path)
		}
	}
	remembered := p.recent("?limit=1000")
	require.Len(t, remembered, events)
	for _, e := range remembered {
		const more = len("…")
		assert.LessOrEqual(t, len(e.ID), 128+more)
		assert.LessOrEqual(t, len(e.Name), 128+more)
		assert.LessOrEqual(t, len(e.Message), 240+more)
		assert.LessOrEqual(t, len(e.Payload), 16<<10+more)
		for _, try := range e.Tries {
			assert.LessOrEqual(t, len(try.Message), 240+more)
		}
		// The id in the list leads to the event, whatever is in it.
		assert.Equal(t, "dead_lettered", e.Outcome)
		status, text := p.ask(http.MethodGet, "/v1/events?id="+url.QueryEscape(e.ID), "")
		assert.Equal(t, http.StatusOK, status, text)
		status, text = p.ask(http.MethodGet, "/v1/events/"+url.PathEscape(e.ID), "")
		assert.Equal(t, http.StatusOK, status, "%.300s", text)
		assert.True(t, json.Valid([]byte(text)))
	}
	last := p.backends()["webhook/b"].LastError
	require.NotNil(t, last)
	assert.LessOrEqual(t, len(last.Message), 2<<10+len("…"))
}
