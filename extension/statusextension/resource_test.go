// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestIDsWithSlashesAreFound(t *testing.T) {
	w := newWorld(t)
	w.add("webhook/audit")
	w.add("webhook/pause")
	for target, want := range map[string]string{
		"/v1/backends/webhook/audit/pause":    "webhook/audit",
		"/v1/backends/webhook%2Faudit/pause":  "webhook/audit",
		"/v1/backends/webhook%2faudit/pause":  "webhook/audit",
		"/v1/backends/%77ebhook/audit/pause":  "webhook/audit",
		"/v1/backends/webhook/pause/pause":    "webhook/pause",
		"/v1/backends/webhook%2Fpause/resume": "webhook/pause",
	} {
		assert.Equal(t, want, w.ask("POST", target).json(200)["id"], target)
	}
}

func TestTricksInPathsFindNothing(t *testing.T) {
	w := newWorld(t)
	e := w.add("webhook")
	for _, target := range []string{
		"/v1/backends//pause", "/v1/backends/%2F/pause", "/v1/backends/../backends/webhook/pause", "/v1/backends/./webhook/pause",
		"/v1/backends/webhook//pause", "/v1/backends/webhook/pause/", "/v1//backends/webhook/pause", "//v1/backends/webhook/pause",
		"/v1/backends/webhook%00/pause", "/v1/backends/WEBHOOK/pause", "/v1/backends/webhook%2Fpause", "/v1/backends/webhook%252F/pause",
		"/v1/backends/webhook;a=b/pause", "/v1/backends/webhook/pause%0d%0aX-Evil:%201", "/v1/backends/%0d%0aSet-Cookie:%20a=b/pause",
		"/v1/backends/webhook/%2e%2e/webhook/pause",
	} {
		got := w.ask("POST", target)
		assert.Equal(t, 404, got.status, target)
		assert.Empty(t, got.header.Get("Location"), "no redirect")
		assert.Empty(t, got.header.Get("Set-Cookie"))
		assert.Empty(t, got.header.Get("X-Evil"))
		assert.False(t, e.paused.Load(), target)
	}
}

func TestEndlessPathsAreRefused(t *testing.T) {
	w := newWorld(t)
	w.ask("GET", "/v1/events/"+strings.Repeat("x", 5000)).fails(414, "the path is longer than 4096 bytes")
	w.ask("GET", "/v1/dead_letters"+strings.Repeat("/x", 2000)).fails(404, "not found")
	r := newRequest("GET", "/", "")
	r.URL = &url.URL{Path: "/v1/\xff", RawPath: "/v1/%zz"}
	assert.Equal(t, 404, w.send(r).status)
}

func TestOtherMethodsAreRefusedWithTheAllowedOnes(t *testing.T) {
	w, _ := newLetters(t)
	for target, want := range map[string]string{
		"/": "GET, HEAD", "/v1/backends": "GET, HEAD", "/v1/backends/webhook/pause": "POST", "/v1/events": "GET, HEAD", "/v1/events/e1": "GET, HEAD",
		"/v1/stream": "GET, HEAD", "/v1/routes": "GET, HEAD", "/v1/drained": "GET, HEAD", "/v1/ready": "GET, HEAD", "/v1/openapi.yaml": "GET, HEAD",
		"/v1/dead_letters": "GET, HEAD", "/v1/dead_letters/webhook": "DELETE, GET, HEAD", "/v1/dead_letters/webhook/replay": "DELETE, GET, HEAD, POST",
		"/v1/dead_letters/webhook/1-0": "DELETE, GET, HEAD", "/v1/dead_letters/webhook/1-0/replay": "POST",
	} {
		got := w.ask("PATCH", target)
		got.fails(405, "use "+want)
		assert.Equal(t, want, got.header.Get("Allow"), target)
	}
}

func TestHeadHasTheHeadersOfGet(t *testing.T) {
	w, _ := newLetters(t)
	for _, target := range []string{"/", "/v1/backends", "/v1/events", "/v1/routes", "/v1/dead_letters", "/v1/ready", "/v1/stream", "/v1/openapi.yaml"} {
		server := httptest.NewServer(w.handler)
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodHead, server.URL+target, nil)
		response, err := server.Client().Do(r)
		if assert.NoError(t, err) {
			assert.Equal(t, 200, response.StatusCode, target)
			assert.NotEmpty(t, response.Header.Get("Content-Type"))
			_ = response.Body.Close()
		}
		server.Close()
	}
}
