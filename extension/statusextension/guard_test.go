// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHostHeadersOfOtherNamesAreRefused(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.AllowedHosts = []string{"status.example.com"} })
	for host, want := range map[string]int{
		"localhost:13135": 200, "127.0.0.1:13135": 200, "[::1]:13135": 200, "localhost": 200, "LOCALHOST.:13135": 200,
		"status.example.com": 200, "status.example.com:13135": 200,
		"evil.example": 403, "localhost.evil.example": 403, "127.0.0.1.nip.io:13135": 403, "evil.example:13135": 403, "": 403,
		"192.0.2.1:13135": 403, "localhost@evil.example": 403, "0.0.0.0:13135": 403, "a.status.example.com": 403,
	} {
		r := newRequest("GET", "/v1/backends", "")
		r.Host = host
		got := w.send(r)
		assert.Equal(t, want, got.status, host)
		if want == 403 {
			got.fails(403, "the Host header does not name this server; use localhost or an address, or add the name to allowed_hosts")
		}
	}
}

func TestAddressesAreAcceptedAsHostsWhereAllMachinesMayConnect(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.ServerConfig.NetAddr.Endpoint = "0.0.0.0:13135" })
	w.handler = guard(w.api, w.cfg, &net.TCPAddr{IP: net.IPv4zero, Port: 13135})
	for host, want := range map[string]int{"192.0.2.1:13135": 200, "[2001:db8::1]": 200, "localhost": 200, "evil.example": 403} {
		r := newRequest("GET", "/v1/backends", "")
		r.Host = host
		assert.Equal(t, want, w.send(r).status, host)
	}
}

// changes are requests that change something.
func changes() []*http.Request {
	return []*http.Request{
		newRequest("POST", "/v1/backends/webhook/pause", ""),
		newRequest("POST", "/v1/backends/webhook/resume", ""),
		newRequest("POST", "/v1/dead_letters/webhook/replay", ""),
		newRequest("DELETE", "/v1/dead_letters/webhook/replay", ""),
		newRequest("POST", "/v1/dead_letters/webhook/1-0/replay", ""),
		newRequest("DELETE", "/v1/dead_letters/webhook/1-0", ""),
		newRequest("DELETE", "/v1/dead_letters/webhook", ""),
	}
}

// TestChangesOfWebPagesAreRefused sends what a browser sends for pages of other origins.
func TestChangesOfWebPagesAreRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		attack func(*http.Request)
		want   string
	}{
		"a form of another site": {func(r *http.Request) {
			r.Header.Del(changeHeader)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Origin", "https://evil.example")
		}, "cross-origin request refused"},
		"a sandboxed frame":               {func(r *http.Request) { r.Header.Set("Origin", "null") }, "cross-origin request refused"},
		"a page of another port":          {func(r *http.Request) { r.Header.Set("Origin", "http://localhost:8080") }, "cross-origin request refused"},
		"a page that says it is the same": {func(r *http.Request) { r.Header.Set("Origin", "http://localhost:13135.evil.example") }, "cross-origin request refused"},
		"a new browser": {func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Mode", "no-cors")
		}, "pages of other origins may not load this"},
		"a form that navigates": {func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Mode", "navigate")
			r.Header.Set("Sec-Fetch-Dest", "document")
		}, "cross-origin request refused"},
		"no header":      {func(r *http.Request) { r.Header.Del(changeHeader) }, "a change needs the header X-Fanout-Request: 1"},
		"another value":  {func(r *http.Request) { r.Header.Set(changeHeader, "0") }, "a change needs the header X-Fanout-Request: 1"},
		"DNS rebinding":  {func(r *http.Request) { r.Host = "evil.example:13135" }, "the Host header does not name this server"},
		"a plain client": {func(r *http.Request) { r.Header.Del(changeHeader) }, "which shows that no web page of another origin sends it"},
	} {
		t.Run(name, func(t *testing.T) {
			w, keeper := newLetters(t)
			e := w.add("webhook")
			for _, r := range changes() {
				tt.attack(r)
				w.send(r).fails(403, tt.want)
			}
			assert.False(t, e.paused.Load())
			assert.Len(t, keeper.letters, 4)
			assert.Empty(t, keeper.filters)
		})
	}
}

func TestChangesOfTheOwnPageAreAccepted(t *testing.T) {
	w := newWorld(t)
	e := w.add("webhook")
	r := newRequest("POST", "/v1/backends/webhook/pause", "")
	r.Header.Set("Origin", "http://localhost:13135")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	assert.Equal(t, 200, w.send(r).status)
	assert.True(t, e.paused.Load())
}

func TestReadOnlyRefusesEveryChange(t *testing.T) {
	w, keeper := newLetters(t, func(cfg *Config) { cfg.ReadOnly = true })
	e := w.add("webhook")
	for _, r := range changes() {
		w.send(r).fails(403, "read_only: true refuses every change")
	}
	assert.False(t, e.paused.Load())
	assert.Len(t, keeper.letters, 4)
	assert.Equal(t, true, w.ask("GET", "/v1/backends").json(200)["read_only"])
}

// TestEveryOtherMethodIsAChange: a method that is added to the API later is guarded, too.
func TestEveryOtherMethodIsAChange(t *testing.T) {
	w := newWorld(t)
	for _, method := range []string{"PUT", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "X"} {
		r := httptest.NewRequest(http.MethodPost, "/v1/backends", nil)
		r.Method, r.Host = method, "localhost"
		recorder := httptest.NewRecorder()
		w.handler.ServeHTTP(recorder, r)
		assert.Equal(t, 403, recorder.Code, method)
	}
}

func TestPagesOfOtherOriginsCannotReadOrEmbed(t *testing.T) {
	w := newWorld(t)
	r := newRequest("GET", "/v1/backends", "")
	r.Header.Set("Origin", "https://evil.example")
	got := w.send(r)
	for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Headers", "Access-Control-Allow-Credentials"} {
		assert.Empty(t, got.header.Get(name))
	}
	assert.Equal(t, "no-store", got.header.Get("Cache-Control"))
	assert.Equal(t, "nosniff", got.header.Get("X-Content-Type-Options"))
	assert.Equal(t, "same-origin", got.header.Get("Cross-Origin-Resource-Policy"))
	assert.Contains(t, got.header.Get("Content-Security-Policy"), "frame-ancestors 'none'")

	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Header.Set("Sec-Fetch-Mode", "no-cors")
	w.send(r).fails(403, "pages of other origins may not load this")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
	assert.Equal(t, 200, w.send(r).status, "a link may be followed")

	preflight := newRequest("OPTIONS", "/v1/backends/webhook/pause", "")
	preflight.Header.Set("Origin", "https://evil.example")
	preflight.Header.Set("Access-Control-Request-Method", "POST")
	preflight.Header.Set("Access-Control-Request-Headers", changeHeader)
	preflight.Header.Del(changeHeader)
	got = w.send(preflight)
	assert.Equal(t, 403, got.status)
	assert.Empty(t, got.header.Get("Access-Control-Allow-Origin"))
}

// TestFramesOfOtherPagesHoldNoStreamsAndWaits: a browser does not show such a frame, but it would hold
// the few streams and waits open.
func TestFramesOfOtherPagesHoldNoStreamsAndWaits(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/v1/stream", "/v1/drained?timeout=5m", "/v1/backends"} {
		for _, kind := range []string{"iframe", "frame", "fencedframe", "object", "embed", ""} {
			for _, site := range []string{"cross-site", "same-site"} {
				r := newRequest("GET", path, "")
				r.Header.Set("Sec-Fetch-Site", site)
				r.Header.Set("Sec-Fetch-Mode", "navigate")
				r.Header.Set("Sec-Fetch-Dest", kind)
				w.send(r).fails(403, "pages of other origins may not load this")
			}
		}
	}
}

func TestChangesAreLogged(t *testing.T) {
	w := newWorld(t)
	w.add("webhook/audit")
	w.ask("POST", "/v1/backends/webhook/audit/pause").json(200)
	w.ask("POST", "/v1/backends/webhook%2Faudit/resume").json(200)
	entries := w.log.All()
	require.Len(t, entries, 2)
	assert.Equal(t, "Paused a backend on request", entries[0].Message)
	assert.Equal(t, "Resumed a backend on request", entries[1].Message)
	assert.Equal(t, map[string]any{"backend": "webhook/audit", "peer": "192.0.2.1:1234"}, entries[0].ContextMap())
}

func TestSecurityHeadersAreOnErrorsToo(t *testing.T) {
	got := newWorld(t).ask("GET", "/nothing")
	got.fails(404, "not found; GET / lists the paths")
	assert.Equal(t, "no-store", got.header.Get("Cache-Control"))
	assert.NotContains(t, got.text, "<")
}
