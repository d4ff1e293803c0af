// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-fanout/otelcol-fanout/receiver/eventreceiver/internal/metadata"
)

// eventOf returns an event of the given size in bytes.
func eventOf(size int) string {
	const empty = `{"name":"a","message":""}`
	return `{"name":"a","message":"` + strings.Repeat("x", size-len(empty)) + `"}`
}

// counted is a body without a length that reports how much of it was read.
type counted struct {
	io.Reader
	bytes int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.bytes += n
	return n, err
}

func keyedConf(more map[string]any) map[string]any {
	conf := map[string]any{"keys": []any{map[string]any{"key": "k1"}}}
	maps.Copy(conf, more)
	return conf
}

func TestBodyIsNotReadWithoutKey(t *testing.T) {
	h := newHandler(t, keyedConf(nil), consumertest.NewNop())
	for name, tt := range map[string]struct {
		headers []string
		most    int
		want    string
	}{
		"no key":                   {nil, maxBodyWithoutKey + 64<<10, keyNeededBeforeBody},
		"a wrong key":              {[]string{"X-Write-Key", "wrong"}, 0, invalidCredentials},
		"a wrong bearer token":     {[]string{"Authorization", "Bearer wrong"}, 0, invalidCredentials},
		"no key, zstd":             {[]string{"Content-Encoding", "zstd"}, 0, keyNeededBeforeBody},
		"no key, snappy":           {[]string{"Content-Encoding", "snappy"}, 0, keyNeededBeforeBody},
		"no key, lz4":              {[]string{"Content-Encoding", "lz4"}, 0, keyNeededBeforeBody},
		"no key, snappy in frames": {[]string{"Content-Encoding", "x-snappy-framed"}, 0, keyNeededBeforeBody},
		"a wrong key, compressed":  {[]string{"X-Write-Key", "wrong", "Content-Encoding", "zstd"}, 0, invalidCredentials},
	} {
		t.Run(name, func(t *testing.T) {
			body := &counted{Reader: strings.NewReader(eventOf(10 << 20))}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/events", body)
			r.Header.Set("Content-Type", jsonType)
			for i := 0; i < len(tt.headers); i += 2 {
				r.Header.Set(tt.headers[i], tt.headers[i+1])
			}
			recorder := httptest.NewRecorder()
			h.ServeHTTP(recorder, r)
			assert.Equal(t, http.StatusUnauthorized, recorder.Code)
			assert.Contains(t, recorder.Body.String(), tt.want)
			assert.LessOrEqual(t, body.bytes, tt.most)
		})
	}
}

func TestKeyInBodyNeedsSmallBody(t *testing.T) {
	h := newHandler(t, keyedConf(nil), consumertest.NewNop())
	body := func(size int) string {
		const empty = `{"write_key":"k1","events":[{"name":"a","message":""}]}`
		return `{"write_key":"k1","events":[{"name":"a","message":"` + strings.Repeat("x", size-len(empty)) + `"}]}`
	}
	for name, tt := range map[string]struct {
		body    string
		headers []string
		want    int
	}{
		"64 KiB":                         {body(maxBodyWithoutKey), nil, 202},
		"64 KiB and a byte":              {body(maxBodyWithoutKey + 1), nil, 401},
		"64 KiB and a byte, with header": {body(maxBodyWithoutKey + 1), []string{"X-Write-Key", "k1"}, 202},
		"64 KiB and a byte, with query":  {body(maxBodyWithoutKey + 1), []string{"query", "?write_key=k1"}, 202},
		"gzip":                           {zip(t, body(60_000)), []string{"Content-Encoding", "gzip"}, 202},
		"gzip of more than 64 KiB":       {zip(t, body(maxBodyWithoutKey+1)), []string{"Content-Encoding", "gzip"}, 401},
		"gzip of more, with header":      {zip(t, body(maxBodyWithoutKey+1)), []string{"Content-Encoding", "gzip", "X-Write-Key", "k1"}, 202},
		"zstd":                           {zstdOf(t, body(1000)), []string{"Content-Encoding", "zstd"}, 401},
		"zstd, with header":              {zstdOf(t, body(1000)), []string{"Content-Encoding", "zstd", "X-Write-Key", "k1"}, 202},
	} {
		t.Run(name, func(t *testing.T) {
			query := ""
			if len(tt.headers) > 0 && tt.headers[0] == "query" {
				query, tt.headers = tt.headers[1], nil
			}
			got := ask(t, h, "/v1/events"+query, jsonType, tt.body, tt.headers...)
			assert.Equal(t, tt.want, got.status, got.Error)
			if tt.want == http.StatusUnauthorized {
				assert.Equal(t, keyNeededBeforeBody, got.Error)
			}
		})
	}
}

func zstdOf(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b)
	require.NoError(t, err)
	_, err = w.Write([]byte(s))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

// waiting is a pipeline that keeps each request until it is released.
type waiting struct {
	consumer.Logs
	entered, leave chan struct{}
}

func newWaiting(t *testing.T) *waiting {
	t.Helper()
	w := &waiting{entered: make(chan struct{}), leave: make(chan struct{})}
	next, err := consumer.NewLogs(func(context.Context, plog.Logs) error {
		w.entered <- struct{}{}
		<-w.leave
		return nil
	})
	require.NoError(t, err)
	w.Logs = next
	return w
}

func TestFullBudgetRefusesFurtherRequests(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { assert.NoError(t, tel.Shutdown(context.Background())) })
	set := receivertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	w := newWaiting(t)
	h := newHandlerOf(t, set, newConfig(t, map[string]any{"max_inflight_bytes": "100KiB"}), w)

	first := make(chan reply)
	go func() { first <- ask(t, h, "/v1/events", jsonType, eventOf(60_000)) }()
	<-w.entered
	refused := ask(t, h, "/v1/events", jsonType, eventOf(60_000))
	assert.Equal(t, http.StatusServiceUnavailable, refused.status)
	assert.Contains(t, refused.Error, "max_inflight_bytes")
	assert.NotEmpty(t, refused.header.Get("Retry-After"))
	compressed := ask(t, h, "/v1/events", jsonType, zip(t, eventOf(60_000)), "Content-Encoding", "gzip")
	assert.Equal(t, http.StatusServiceUnavailable, compressed.status, "decompressed bytes count")

	second := make(chan reply)
	go func() { second <- ask(t, h, "/v1/events", jsonType, eventOf(30_000)) }()
	<-w.entered
	close(w.leave)
	assert.Equal(t, http.StatusAccepted, (<-first).status)
	assert.Equal(t, http.StatusAccepted, (<-second).status, "what fits is accepted meanwhile")
	go func() { <-w.entered }()
	assert.Equal(t, http.StatusAccepted, ask(t, h, "/v1/events", jsonType, eventOf(60_000)).status, "the bytes are released")
	assert.Equal(t, int64(2), total(t, tel, "otelcol_fanout_receiver_refused_requests_total"))
}

func TestBodyLargerThanBudgetIsTooLarge(t *testing.T) {
	h := newHandler(t, map[string]any{"max_inflight_bytes": 100_000}, consumertest.NewNop())
	for name, body := range map[string]io.Reader{"with a length": strings.NewReader(eventOf(100_001)), "without": &counted{Reader: strings.NewReader(eventOf(100_001))}} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/events", body)
		r.Header.Set("Content-Type", jsonType)
		recorder := httptest.NewRecorder()
		h.ServeHTTP(recorder, r)
		assert.Equal(t, http.StatusRequestEntityTooLarge, recorder.Code, name)
		assert.Contains(t, recorder.Body.String(), "max_inflight_bytes allows 100000 bytes", name)
		assert.Empty(t, recorder.Header().Get("Retry-After"), name)
	}
	assert.Equal(t, http.StatusAccepted, ask(t, h, "/v1/events", jsonType, eventOf(100_000)).status)
}

func TestUnverifiedWebhooksShareQuarter(t *testing.T) {
	h := newHandler(t, map[string]any{
		"max_inflight_bytes": 1 << 20,
		"webhooks":           map[string]any{"github": map[string]any{"scheme": "github", "secrets": []any{"s"}}},
	}, consumertest.NewNop())
	unsigned := ask(t, h, "/v1/webhooks/github", jsonType, eventOf(256<<10))
	assert.Equal(t, http.StatusUnauthorized, unsigned.status)
	tooLarge := ask(t, h, "/v1/webhooks/github", jsonType, eventOf(256<<10+1))
	assert.Equal(t, http.StatusRequestEntityTooLarge, tooLarge.status)
	assert.Contains(t, tooLarge.Error, "a quarter of max_inflight_bytes")
}

func TestBudgetIsEmptyAfterRequests(t *testing.T) {
	r, err := newReceiver(receivertest.NewNopSettings(metadata.Type), newConfig(t, keyedConf(map[string]any{
		"webhooks": map[string]any{"github": map[string]any{"scheme": "github", "secrets": []any{"s"}}},
	})), consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, r.buildServer(t.Context(), componenttest.NewNopHost(), nil))
	for _, path := range []string{"/v1/events", "/v1/events?write_key=k1", "/v1/track", "/v1/webhooks/github", "/nowhere"} {
		for _, body := range []string{"", `{"name":"a"}`, `{"write_key":"k1","name":"a"}`, eventOf(100_000), "{"} {
			ask(t, r.server.Handler, path, jsonType, body)
			ask(t, r.server.Handler, path, jsonType, zip(t, body), "Content-Encoding", "gzip")
		}
	}
	assert.Zero(t, r.intake.bodies.all.Used())
	assert.Zero(t, r.intake.bodies.withoutKey.Used())
	assert.Zero(t, r.intake.bodies.webhooks.Used())
}

// TestSlowClientWithoutKeyTimesOut checks the deadline of a client without a key where read_timeout
// is off. A client with a key has only read_timeout.
func TestSlowClientWithoutKeyTimesOut(t *testing.T) {
	cfg := newConfig(t, keyedConf(map[string]any{"read_timeout": 0, "webhooks": map[string]any{"github": map[string]any{"scheme": "github", "secrets": []any{"s"}}}}))
	r, err := newReceiver(receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.NoError(t, err)
	assert.Equal(t, readTimeoutWithoutKey, r.intake.bodies.timeout)
	r.intake.bodies.timeout = 100 * time.Millisecond
	require.NoError(t, r.buildServer(t.Context(), componenttest.NewNopHost(), nil))
	server := httptest.NewServer(r.server.Handler)
	defer server.Close()

	send := func(path, headers string) net.Conn {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{", path, headers)
		require.NoError(t, err)
		return conn
	}
	known := send("/v1/events", "X-Write-Key: k1\r\n")
	for _, path := range []string{"/v1/events", "/v1/webhooks/github"} {
		conn := send(path, "")
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
		got, err := io.ReadAll(conn)
		require.NoError(t, err, "the receiver closes the connection")
		assert.Contains(t, string(got), "400 Bad Request")
	}
	_, err = io.WriteString(known, `"name":"a"}`)
	require.NoError(t, err)
	require.NoError(t, known.SetReadDeadline(time.Now().Add(20*time.Second)))
	head := make([]byte, 12)
	_, err = io.ReadFull(known, head)
	require.NoError(t, err)
	assert.Equal(t, "HTTP/1.1 202", string(head))
}

// A pipeline may take longer than a client without a key in its headers has for its body.
func TestSlowPipelineOutlastsReadTimeoutWithoutKey(t *testing.T) {
	slow, err := consumer.NewLogs(func(ctx context.Context, _ plog.Logs) error {
		time.Sleep(300 * time.Millisecond)
		return ctx.Err()
	})
	require.NoError(t, err)
	r := start(t, setup{next: slow, configure: func(cfg *Config) {
		cfg.Keys = []KeyConfig{{Key: "k1"}}
		cfg.ServerConfig.ReadTimeout = 100 * time.Millisecond
	}})
	assert.Equal(t, http.StatusAccepted, post(t, r.url, jsonType, `{"write_key":"k1","name":"a"}`).status)
}

func TestAuthenticatedClientsMaySendLargeBodies(t *testing.T) {
	id := component.MustNewID("key")
	r := start(t, setup{
		configure: func(cfg *Config) {
			cfg.ServerConfig.Auth = configoptional.Some(confighttp.AuthConfig{Config: configauth.Config{AuthenticatorID: id}})
		},
		host: hostWith{componenttest.NewNopHost(), map[component.ID]component.Component{id: keyAuth{}}},
	})
	assert.Equal(t, http.StatusAccepted, post(t, r.url, jsonType, eventOf(1<<20), "Authorization", "Bearer key").status)
	body := &counted{Reader: strings.NewReader(eventOf(1 << 20))}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, r.url, http.NoBody)
	request.Body = io.NopCloser(body)
	request.RequestURI = ""
	response, err := http.DefaultClient.Do(request)
	if err == nil { // the receiver may close the connection while the client still writes
		assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
		assert.NoError(t, response.Body.Close())
	}
}

func TestRefusedBodyHasCORSHeaders(t *testing.T) {
	h := newHandler(t, keyedConf(corsConf()), consumertest.NewNop())
	got := ask(t, h, "/v1/events", jsonType, eventOf(100_000), "Origin", "https://shop.example")
	assert.Equal(t, http.StatusUnauthorized, got.status)
	assert.Equal(t, "https://shop.example", got.header.Get("Access-Control-Allow-Origin"))
	assert.Equal(t, "close", got.header.Get("Connection"))
}

var errBroken = errors.New("broken")

func TestBrokenBodyIsReleased(t *testing.T) {
	h := newHandler(t, map[string]any{"max_inflight_bytes": minMaxInflightBytes}, consumertest.NewNop())
	for range 5 {
		body := io.MultiReader(strings.NewReader(strings.Repeat("x", 60_000)), brokenReader{})
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/events", body)
		r.Header.Set("Content-Type", jsonType)
		recorder := httptest.NewRecorder()
		h.ServeHTTP(recorder, r)
		assert.Equal(t, http.StatusBadRequest, recorder.Code)
		assert.Contains(t, recorder.Body.String(), errBroken.Error())
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errBroken }
