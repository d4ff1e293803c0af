// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// secretsOfWebhook must not appear anywhere, and secretsOfEvent not in logs and metrics.
var (
	secretsOfWebhook = []string{"planted-header", "planted-authorization", "planted-path", "planted-query", "planted-user", "planted-password", "planted-location"}
	secretsOfEvent   = []string{"planted-name", "planted-message", "planted-property", "planted-value", "planted-actor", "planted-service"}
)

const secretEvent = `{"id": "e1", "name": "planted-name", "message": "planted-message", "user": {"id": "planted-actor"},
	"source": {"name": "planted-service"}, "properties": {"planted-property": "planted-value"}}`

// quoting responds with a status and echoes the request.
func quoting(status int) behavior {
	return func(w http.ResponseWriter, _ *http.Request, _ []event, body []byte) bool {
		w.Header().Set("Location", "http://planted-location.example.com/planted-location?planted-location")
		w.WriteHeader(status)
		_, _ = w.Write(body)
		return false
	}
}

// raw responds with bytes, and echoes the request.
func raw(text string) behavior {
	return func(w http.ResponseWriter, _ *http.Request, _ []event, body []byte) bool {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return false
		}
		_, _ = fmt.Fprintf(connection, "%s%s\r\n\r\n", text, body)
		_ = connection.Close()
		return false
	}
}

// hangs is the failure of a backend that does not respond.
const hangs = "hang"

// failures are the kinds of failure, each with the reason of its dead letters.
var failures = []struct {
	name   string
	behave behavior
	reason string
}{
	{hangs, hanging, "exhausted"},
	{"redirect", quoting(http.StatusFound), "redirected"},
	{"bad", quoting(http.StatusBadRequest), "refused"},
	{"unauthorized", quoting(http.StatusUnauthorized), "unauthorized"},
	{"forbidden", quoting(http.StatusForbidden), "unauthorized"},
	{"missing", quoting(http.StatusNotFound), "refused"},
	{"large", quoting(http.StatusRequestEntityTooLarge), "too_large"},
	{"limited", quoting(http.StatusTooManyRequests), "exhausted"},
	{"broken", quoting(http.StatusInternalServerError), "exhausted"},
	{"busy", quoting(http.StatusServiceUnavailable), "exhausted"},
	{"reset", resetting, "exhausted"},
	{"garbage", raw(""), "exhausted"},
	{"garbage_status", raw("HTTP/1.1 "), "exhausted"},
	{"garbage_header", raw("HTTP/1.1 200 OK\r\n"), "exhausted"},
	{"garbage_body", raw("HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n"), "exhausted"},
	{"garbage_encoding", raw("HTTP/1.1 500 Oh\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"), "exhausted"},
}

// secretWebhooks returns one webhook for each failure.
func secretWebhooks(t *testing.T, settings string) []webhook {
	t.Helper()
	const secret = `headers: {X-Api-Key: planted-header, Authorization: Bearer planted-authorization}, ` +
		`retry_on_failure: {initial_interval: 20ms, max_interval: 50ms, max_elapsed_time: 100ms}, `
	var webhooks []webhook
	for _, f := range failures {
		b := newBackend(t, f.behave)
		url := strings.Replace(b.URL, "http://", "http://planted-user:planted-password@", 1) + "/planted-path?key=planted-query"
		// A generous timeout: the response must decide the reason, even on a slow machine.
		timeout := "timeout: 30s, "
		if f.name == hangs {
			timeout = "timeout: 200ms, "
		}
		webhooks = append(webhooks, webhook{f.name, url, secret + timeout + settings})
	}
	// Nothing listens there.
	webhooks = append(webhooks, webhook{"refused", aURL + "/planted-path?key=planted-query", secret + settings})
	return webhooks
}

func atDebug(t *testing.T) func(string) string {
	t.Helper()
	return func(configuration string) string {
		return replace(t, configuration, "  telemetry:\n", "  telemetry:\n    logs: {level: debug}\n")
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	s := newDataFolders(t)
	webhooks := secretWebhooks(t, "batching: array, shutdown_timeout: 500ms")
	// One has a queue too small for a single event, and one is stopped while its backend hangs.
	url := newBackend(t, hanging).URL + "/planted-path?key=planted-query"
	webhooks = append(webhooks,
		webhook{"full", url, "headers: {X-Api-Key: planted-header}, sending_queue: {queue_size: 10B}"},
		webhook{"stopped", url, "headers: {X-Api-Key: planted-header}, shutdown_timeout: 500ms"})
	p := startInstrumentedWith(t, s, atDebug(t), webhooks)
	newClient(t).mustAccept(t, p.eventURL(), jsonType, secretEvent, 1)

	want := map[string]string{"full": "queue_full", "refused": "exhausted"}
	for _, f := range failures {
		want[f.name] = f.reason
	}
	for name, reason := range want {
		assert.Equal(t, map[string]int{"dead_lettered/" + reason: 1}, p.settled("webhook/"+name, 1).reasons, name)
	}
	_, metrics, err := p.get(p.metrics)
	require.NoError(t, err)
	_, list, err := p.get(p.deadLettersURL())
	require.NoError(t, err)
	var newest strings.Builder
	for name := range want {
		_, text, err := p.get(p.deadLettersURL() + "/webhook%2F" + name + "?payload=true")
		require.NoError(t, err)
		newest.WriteString(text)
	}
	p.replay("webhook/broken", nil)
	p.stop()

	assertNoSecrets(t, "the log", p.stdout.String()+p.stderr.String(), secretsOfWebhook, secretsOfEvent)
	assertNoSecrets(t, "the metrics", metrics, secretsOfWebhook, secretsOfEvent)
	assertNoSecrets(t, "the list of dead letters", list, secretsOfWebhook, secretsOfEvent)
	assertNoSecrets(t, "the dead letters over HTTP", newest.String(), secretsOfWebhook)
	assertNoSecrets(t, "the dead letters on disk", s.text(t), secretsOfWebhook)

	assert.Contains(t, p.stderr.String(), "\tdebug\t", "debug messages in the log")
	onDisk := s.onDisk(t)
	want["stopped"] = "shutdown"
	for name, reason := range want {
		deadLetters := onDisk["webhook/"+name]
		require.Len(t, deadLetters, 1, name)
		assert.Equal(t, reason, deadLetters[0].Reason, name)
		for _, secret := range secretsOfEvent {
			assert.Contains(t, string(deadLetters[0].Payload), secret, "the event in the dead letter of %s", name)
		}
	}
}

func TestSyncCallersNeverGetSecrets(t *testing.T) {
	t.Parallel()
	for _, w := range secretWebhooks(t, "dispatch: sync") {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			s := newDataFolders(t)
			p := startInstrumentedWith(t, s, atDebug(t), []webhook{w})
			r, err := newClient(t).post(p.eventURL(), jsonType, secretEvent)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, r.status, 400)
			logs := records(0, 1)
			logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().SetStr("planted-message")
			status, said, err := newSDK(p).post(logs)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, status, 400)
			err = exportOverGRPC(t, p.collector, 0, 1)
			require.Error(t, err)
			assert.Equal(t, map[string]int{"returned": 3}, p.settled("webhook/"+w.name, 3).outcomes)
			p.stop()

			assertNoSecrets(t, "the log", p.stdout.String()+p.stderr.String(), secretsOfWebhook, secretsOfEvent)
			assertNoSecrets(t, "the responses", fmt.Sprintf("%+v\n%s\n%v", r.body, said, err), secretsOfWebhook)
		})
	}
}

// assertNoSecrets checks that a text contains none of the secrets, and prints the lines that do.
func assertNoSecrets(t *testing.T, what, text string, secrets ...[]string) {
	t.Helper()
	for _, some := range secrets {
		for _, secret := range some {
			if !strings.Contains(text, secret) {
				continue
			}
			for line := range strings.Lines(text) {
				if strings.Contains(line, secret) {
					assert.Fail(t, secret+" is shown", "in %s: %.600s", what, line)
					break
				}
			}
		}
	}
}
