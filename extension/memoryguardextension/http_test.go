// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package memoryguardextension

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

// serve serves a handler behind the guard.
func serve(t *testing.T, g *guard, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	wrap, err := g.GetHTTPHandler(t.Context())
	require.NoError(t, err)
	guarded, err := wrap(t.Context(), handler)
	require.NoError(t, err)
	server := httptest.NewServer(guarded)
	t.Cleanup(server.Close)
	return server
}

// readingAll reads the body as the OTLP receiver does.
func readingAll(w http.ResponseWriter, r *http.Request) {
	if _, err := io.ReadAll(r.Body); err != nil {
		w.Header().Set("X-Handler", "failed")
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("X-Handler", "succeeded")
	w.WriteHeader(http.StatusNoContent)
}

// post posts a body, of unknown length if it is chunked.
func post(t *testing.T, url, contentType string, size int, chunked bool) (*http.Response, []byte) {
	t.Helper()
	var body io.Reader = bytes.NewReader(make([]byte, size))
	if chunked {
		body = struct{ io.Reader }{body}
	}
	response, err := http.Post(url, contentType, body)
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, content
}

func assertRefusal(t *testing.T, response *http.Response, status int) {
	t.Helper()
	assert.Equal(t, status, response.StatusCode)
	assert.Empty(t, response.Header.Get("X-Handler"))
	if status != http.StatusServiceUnavailable {
		assert.Empty(t, response.Header.Get("Retry-After"), "sending it again is useless")
		return
	}
	wait, err := strconv.Atoi(response.Header.Get("Retry-After"))
	require.NoError(t, err)
	assert.GreaterOrEqual(t, wait, 1)
	assert.LessOrEqual(t, wait, 5)
}

func TestHTTPRequestsWithinBudgetPass(t *testing.T) {
	g, _ := startGuard(t, func(cfg *Config) { cfg.MaxInflightBytes = 1000 })
	server := serve(t, g, readingAll)
	for _, chunked := range []bool{false, true} {
		response, _ := post(t, server.URL, "application/json", 1000, chunked)
		assert.Equal(t, http.StatusNoContent, response.StatusCode)
		assert.Equal(t, "succeeded", response.Header.Get("X-Handler"))
	}
	assert.Eventually(t, func() bool { return g.inflight.used.Load() == 0 }, time.Minute, time.Millisecond)
}

func TestShortHeapRefusesHTTPBeforeReading(t *testing.T) {
	g, telemetry := startGuard(t, func(*Config) {})
	g.heap.short.Store(true)
	server := serve(t, g, func(http.ResponseWriter, *http.Request) { t.Error("the request reached the handler") })
	t.Run("protobuf", func(t *testing.T) {
		response, content := post(t, server.URL, "application/x-protobuf", 5<<20, false)
		assertRefusal(t, response, http.StatusServiceUnavailable)
		assert.Equal(t, "application/x-protobuf", response.Header.Get("Content-Type"))
		var status spb.Status
		require.NoError(t, proto.Unmarshal(content, &status))
		assert.Equal(t, int32(codes.Unavailable), status.GetCode())
		assert.Equal(t, "the collector is short of memory; send again later", status.GetMessage())
	})
	t.Run("json", func(t *testing.T) {
		response, content := post(t, server.URL, "application/json; charset=utf-8", 10, false)
		assertRefusal(t, response, http.StatusServiceUnavailable)
		assert.Equal(t, "application/json", response.Header.Get("Content-Type"))
		var status struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
			Details []struct {
				Type       string `json:"@type"`
				RetryDelay string `json:"retryDelay"`
			} `json:"details"`
		}
		require.NoError(t, json.Unmarshal(content, &status))
		assert.Equal(t, 14, status.Code)
		require.Len(t, status.Details, 1)
		assert.Equal(t, response.Header.Get("Retry-After")+"s", status.Details[0].RetryDelay)
	})
	assertRefused(t, telemetry, reasonHeap, "http", 2)
}

func TestRequestLargerThanBudgetIsNotRetried(t *testing.T) {
	g, telemetry := startGuard(t, func(cfg *Config) { cfg.MaxInflightBytes = 1000 })
	server := serve(t, g, readingAll)
	for _, chunked := range []bool{false, true} {
		response, content := post(t, server.URL, "application/json", 1001, chunked)
		assertRefusal(t, response, http.StatusRequestEntityTooLarge)
		assert.Contains(t, string(content), "max_inflight_bytes")
	}
	assertRefused(t, telemetry, reasonTooLarge, "http", 2)
}

func TestFullBudgetRefusesHTTPWhileItLasts(t *testing.T) {
	g, telemetry := startGuard(t, func(cfg *Config) { cfg.MaxInflightBytes = 1000 })
	server := serve(t, g, readingAll)
	require.Empty(t, g.admit(0, 600))

	for _, chunked := range []bool{false, true} {
		response, _ := post(t, server.URL, "application/json", 500, chunked)
		assertRefusal(t, response, http.StatusServiceUnavailable)
	}
	assert.Eventually(t, func() bool { return g.inflight.used.Load() == 600 }, time.Minute, time.Millisecond)
	assertRefused(t, telemetry, reasonInflight, "http", 2)

	g.inflight.release(600)
	response, _ := post(t, server.URL, "application/json", 500, false)
	assert.Equal(t, http.StatusNoContent, response.StatusCode)
}

func TestStalledBodiesHoldOnlyWhatHasArrived(t *testing.T) {
	g, _ := startGuard(t, func(cfg *Config) { cfg.MaxInflightBytes = 1000 })
	server := serve(t, g, readingAll)
	body, send := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, body)
	require.NoError(t, err)
	request.ContentLength = 900
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = http.DefaultClient.Do(request)
	}()
	_, err = io.WriteString(send, strings.Repeat("x", 100))
	require.NoError(t, err)
	assert.Eventually(t, func() bool { return g.inflight.used.Load() == 100 }, time.Minute, time.Millisecond)

	response, _ := post(t, server.URL, "application/json", 900, false)
	assert.Equal(t, http.StatusNoContent, response.StatusCode)
	cancel()
	_ = send.Close()
	<-ended
	assert.Eventually(t, func() bool { return g.inflight.used.Load() == 0 }, time.Minute, time.Millisecond)
	http.DefaultClient.CloseIdleConnections()
}
