// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/extensionauth"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/receiver/eventreceiver/internal/metadata"
)

// running is a receiver that listens on a free port.
type running struct {
	url  string
	sink *consumertest.LogsSink
	tel  *componenttest.Telemetry
}

type setup struct {
	configure func(*Config)
	next      consumer.Logs
	host      component.Host
}

func start(t *testing.T, s setup) *running {
	t.Helper()
	r := &running{sink: new(consumertest.LogsSink), tel: componenttest.NewTelemetry()}
	cfg := createDefaultConfig().(*Config)
	cfg.ServerConfig.NetAddr.Endpoint = freeAddress(t)
	if s.configure != nil {
		s.configure(cfg)
	}
	require.NoError(t, cfg.Validate())
	set := receivertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = r.tel.NewTelemetrySettings()
	if s.next == nil {
		s.next = r.sink
	}
	if s.host == nil {
		s.host = componenttest.NewNopHost()
	}
	receiver, err := NewFactory().CreateLogs(t.Context(), set, cfg, s.next)
	require.NoError(t, err)
	require.NoError(t, receiver.Start(t.Context(), s.host))
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		assert.NoError(t, receiver.Shutdown(context.Background()))
		assert.NoError(t, r.tel.Shutdown(context.Background()))
	})
	r.url = "http://" + cfg.ServerConfig.NetAddr.Endpoint + eventsPath
	return r
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	return address
}

// reply is a response as a client sees it.
type reply struct {
	responseBody
	status int
	header http.Header
}

func send(t *testing.T, req *http.Request) reply {
	t.Helper()
	response, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	r := reply{status: response.StatusCode, header: response.Header}
	require.Equal(t, "application/json", response.Header.Get("Content-Type"), "%s", body)
	require.NoError(t, json.Unmarshal(body, &r.responseBody), "%s", body)
	require.Contains(t, string(body), `"rejected":[`, "rejected is a list even if empty")
	return r
}

func post(t *testing.T, url, contentType, body string, headers ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return send(t, req)
}

const (
	jsonType   = "application/json"
	ndjsonType = "application/x-ndjson"
)

func (r *running) names() []string {
	var names []string
	for _, ld := range r.sink.AllLogs() {
		for e := range appevent.Logs(ld) {
			names = append(names, e.Name)
		}
	}
	return names
}

func TestResponses(t *testing.T) {
	for name, tt := range map[string]struct {
		contentType, body string
		want              int
		wantAccepted      int
		wantRejected      []rejected
		wantError         string
	}{
		"one event": {contentType: jsonType, body: `{"name":"a"}`, want: 202, wantAccepted: 1},
		"array":     {contentType: jsonType + "; charset=utf-8", body: `[{"name":"a"},{"name":"b"}]`, want: 202, wantAccepted: 2},
		"lines":     {contentType: ndjsonType, body: "{\"name\":\"a\"}\n{\"name\":\"b\"}\n", want: 202, wantAccepted: 2},
		"array with an invalid event": {
			contentType: jsonType, body: `[{"name":"a"},{"nam":"b","id":"x"},{"name":"c"}]`, want: 202, wantAccepted: 2,
			wantRejected: []rejected{{Index: 1, ID: "x", Error: `nam: unknown field; data of your own goes under "properties"`}},
		},
		"lines with an invalid line": {
			contentType: ndjsonType, body: "{\"name\":\"a\"}\nnonsense\n", want: 202, wantAccepted: 1,
			wantRejected: []rejected{{Index: 1, Error: "not JSON: at byte 1: want null, true or false"}},
		},
		"no valid event": {
			contentType: jsonType, body: `{"name":5}`, want: 400,
			wantRejected: []rejected{{Index: 0, Error: "name: want a string, got a number"}},
		},
		"empty body":               {contentType: jsonType, want: 400, wantError: "the body is empty"},
		"empty array":              {contentType: jsonType, body: `[]`, want: 400, wantError: "the body has no events"},
		"only blank lines":         {contentType: ndjsonType, body: "\n\n", want: 400, wantError: "the body has no events"},
		"not JSON":                 {contentType: jsonType, body: `{"name":`, want: 400, wantError: "not JSON"},
		"no content type":          {body: `{"name":"a"}`, want: 415, wantError: "content type is missing"},
		"unsupported content type": {contentType: "text/csv", body: `{"name":"a"}`, want: 415, wantError: `unsupported content type "text/csv"; send application/json`},
		"content type of curl -d":  {contentType: "application/x-www-form-urlencoded", body: `{"name":"a"}`, want: 415, wantError: "application/json"},
		"invalid content type":     {contentType: ";;;", body: `{"name":"a"}`, want: 415, wantError: "application/json"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, setup{})
			got := post(t, r.url, tt.contentType, tt.body)
			assert.Equal(t, tt.want, got.status)
			assert.Equal(t, tt.wantAccepted, got.Accepted)
			assert.Equal(t, tt.wantAccepted, r.sink.LogRecordCount())
			if tt.wantRejected == nil {
				tt.wantRejected = []rejected{}
			}
			assert.Equal(t, tt.wantRejected, got.Rejected)
			if tt.wantError == "" {
				assert.Empty(t, got.Error)
			}
			assert.Contains(t, got.Error, tt.wantError)
		})
	}
}

func TestUnsupportedMethodsAndPaths(t *testing.T) {
	r := start(t, setup{})
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		req, err := http.NewRequestWithContext(t.Context(), method, r.url, http.NoBody)
		require.NoError(t, err)
		got := send(t, req)
		assert.Equal(t, http.StatusMethodNotAllowed, got.status)
		assert.Equal(t, http.MethodPost, got.header.Get("Allow"))
	}
	got := post(t, strings.TrimSuffix(r.url, eventsPath)+"/events", jsonType, `{"name":"a"}`)
	assert.Equal(t, http.StatusNotFound, got.status)
	assert.Contains(t, got.Error, eventsPath)
}

func TestBodySizeIsLimitedCompressedAndDecompressed(t *testing.T) {
	const limit = 1000
	event := func(size int) string {
		const empty = `{"name":"a","message":""}`
		return `{"name":"a","message":"` + strings.Repeat("x", size-len(empty)) + `"}`
	}
	r := start(t, setup{configure: func(cfg *Config) { cfg.ServerConfig.MaxRequestBodySize = limit }})

	assert.Equal(t, http.StatusAccepted, post(t, r.url, jsonType, event(limit)).status)
	tooLarge := post(t, r.url, jsonType, event(limit+1))
	assert.Equal(t, http.StatusRequestEntityTooLarge, tooLarge.status)
	assert.Contains(t, tooLarge.Error, "too large")

	assert.Equal(t, http.StatusAccepted, post(t, r.url, jsonType, zip(t, event(limit)), "Content-Encoding", "gzip").status)
	bomb := zip(t, event(10_000_000))
	assert.Equal(t, http.StatusRequestEntityTooLarge, post(t, r.url, jsonType, bomb, "Content-Encoding", "gzip").status)
	assert.Equal(t, 2, r.sink.LogRecordCount())
}

func zip(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(s))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

func TestContentEncodings(t *testing.T) {
	r := start(t, setup{})
	unknown := post(t, r.url, jsonType, `{"name":"a"}`, "Content-Encoding", "br")
	assert.Equal(t, http.StatusUnsupportedMediaType, unknown.status)
	assert.Contains(t, unknown.Error, "gzip")

	for _, encoding := range []string{"GZIP", "Gzip"} {
		assert.Equal(t, http.StatusAccepted, post(t, r.url, jsonType, zip(t, `{"name":"a"}`), "Content-Encoding", encoding).status)
	}
	assert.Equal(t, http.StatusAccepted, post(t, r.url, jsonType, `{"name":"a"}`, "Content-Encoding", "identity").status)
	r.sink.Reset()

	broken := post(t, r.url, jsonType, `{"name":"a"}`, "Content-Encoding", "gzip")
	assert.Equal(t, http.StatusBadRequest, broken.status)
	cut := zip(t, `{"name":"a","message":"`+strings.Repeat("x", 5000)+`"}`)
	assert.Equal(t, http.StatusBadRequest, post(t, r.url, jsonType, cut[:len(cut)-9], "Content-Encoding", "gzip").status)
	assert.Zero(t, r.sink.LogRecordCount())
}

func TestUncompressedBodyIsAlwaysAccepted(t *testing.T) {
	r := start(t, setup{configure: func(cfg *Config) { cfg.ServerConfig.CompressionAlgorithms = []string{"gzip"} }})
	assert.Equal(t, http.StatusAccepted, post(t, r.url, jsonType, `{"name":"a"}`).status)
	assert.Equal(t, http.StatusAccepted, post(t, r.url, jsonType, zip(t, `{"name":"a"}`), "Content-Encoding", "gzip").status)
	assert.Equal(t, http.StatusUnsupportedMediaType, post(t, r.url, jsonType, `{"name":"a"}`, "Content-Encoding", "zstd").status)
}

func TestSlowPipelineOutlastsWriteTimeout(t *testing.T) {
	slow, err := consumer.NewLogs(func(context.Context, plog.Logs) error {
		time.Sleep(150 * time.Millisecond)
		return nil
	})
	require.NoError(t, err)
	r := start(t, setup{next: slow, configure: func(cfg *Config) { cfg.ServerConfig.WriteTimeout = 50 * time.Millisecond }})
	assert.Equal(t, http.StatusAccepted, post(t, r.url, jsonType, `{"name":"a"}`).status)
}

func TestEventsDoNotLeakBetweenClients(t *testing.T) {
	r := start(t, setup{})
	for range 20 {
		assert.Equal(t, http.StatusBadRequest, post(t, r.url, jsonType, `{"name":"login","user":"victim","properties":{"card":"4111"}, oops`).status)
		assert.Equal(t, http.StatusAccepted, post(t, r.url, jsonType, `{"name":"click"}`).status)
	}
	for _, ld := range r.sink.AllLogs() {
		for e := range appevent.Logs(ld) {
			assert.Equal(t, "click", e.Name)
			assert.Empty(t, e.User.ID)
			for name := range e.Properties() {
				t.Errorf("unexpected property %s", name)
			}
		}
	}
}

func TestMaxEventsIsEnforced(t *testing.T) {
	r := start(t, setup{configure: func(cfg *Config) { cfg.MaxEvents = 2 }})
	got := post(t, r.url, jsonType, `[{"name":"a"},{"name":"b"},{"name":"c"}]`)
	assert.Equal(t, http.StatusRequestEntityTooLarge, got.status)
	assert.Contains(t, got.Error, "more than 2 events")
	assert.Zero(t, r.sink.LogRecordCount())
}

func TestPipelineErrors(t *testing.T) {
	t.Run("transient error is 503 with Retry-After", func(t *testing.T) {
		r := start(t, setup{next: consumertest.NewErr(errors.New("data refused due to high memory usage"))})
		waits := map[int]bool{}
		for range 50 {
			got := post(t, r.url, jsonType, `{"name":"a"}`)
			assert.Equal(t, http.StatusServiceUnavailable, got.status)
			assert.Contains(t, got.Error, "high memory usage")
			assert.Zero(t, got.Accepted)
			wait, err := strconv.Atoi(got.header.Get("Retry-After"))
			require.NoError(t, err)
			waits[wait] = true
		}
		for wait := range waits {
			assert.True(t, wait >= 1 && wait <= 5, wait)
		}
		assert.Greater(t, len(waits), 1, "the delays vary")
	})
	t.Run("permanent error is 400 without Retry-After", func(t *testing.T) {
		r := start(t, setup{next: consumertest.NewErr(consumererror.NewPermanent(errors.New("no such index")))})
		got := post(t, r.url, jsonType, `{"name":"a"}`)
		assert.Equal(t, http.StatusBadRequest, got.status)
		assert.Contains(t, got.Error, "no such index")
		assert.Empty(t, got.header.Get("Retry-After"))
	})
}

func TestAcceptedEventsHaveIDs(t *testing.T) {
	r := start(t, setup{})
	post(t, r.url, jsonType, `[{"name":"a"},{"name":"a"},{"name":"b","timestamp":1700000000},{"name":"c","id":"own"}]`)
	post(t, r.url, jsonType, `{"timestamp":1700000000000,"name":"b"}`)
	ids := map[string]string{}
	for _, ld := range r.sink.AllLogs() {
		for e := range appevent.Logs(ld) {
			require.NotEmpty(t, e.UID)
			ids[e.UID] += e.Name
		}
	}
	assert.Len(t, ids, 4)
	assert.Equal(t, "c", ids["own"])
	assert.Contains(t, ids, idOf(ids, "bb"), "the same event sent twice has one id")
}

// A derived id covers the source that a write key sets. Otherwise a backend would drop the second
// application's event as a duplicate.
func TestEqualEventsOfTwoApplicationsAreDistinct(t *testing.T) {
	h := newHandler(t, map[string]any{"keys": []any{
		map[string]any{"key": "k1", "resource": map[string]any{"service.name": "shop"}},
		map[string]any{"key": "k2", "resource": map[string]any{"service.name": "blog"}},
	}}, consumertest.NewNop())
	id := func(key string) string {
		got := ask(t, h, "/v1/events?ids=1", jsonType, `{"name":"tick","timestamp":1700000000}`, "X-Write-Key", key)
		require.Len(t, got.IDs, 1)
		return got.IDs[0]
	}
	shop, blog := id("k1"), id("k2")
	assert.NotEqual(t, shop, blog)
	assert.Equal(t, shop, id("k1"), "the id is the same when it is sent again")
}

func idOf(ids map[string]string, names string) string {
	for id, n := range ids {
		if n == names {
			return id
		}
	}
	return "none"
}

func TestConcurrentClients(t *testing.T) {
	r := start(t, setup{})
	const clients, requests = 8, 20
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := range requests {
				name := fmt.Sprintf("e-%d-%d", c, i)
				assert.Equal(t, http.StatusAccepted, post(t, r.url, jsonType, `[{"name":"`+name+`"},{"nope":1}]`).status)
			}
		})
	}
	wg.Wait()
	names := map[string]bool{}
	for _, name := range r.names() {
		names[name] = true
	}
	assert.Len(t, names, clients*requests)
}

func TestAcceptedEventsAreCounted(t *testing.T) {
	r := start(t, setup{})
	post(t, r.url, jsonType, `[{"name":"a"},{"name":"b"},{"nope":1}]`)
	got, err := r.tel.GetMetric("otelcol_receiver_accepted_log_records")
	require.NoError(t, err)
	sum, err := json.Marshal(got.Data)
	require.NoError(t, err)
	assert.Contains(t, string(sum), `"Value":2`)
}

// keyAuth accepts one bearer token.
type keyAuth struct {
	component.StartFunc
	component.ShutdownFunc
}

var _ extensionauth.Server = keyAuth{}

func (keyAuth) Authenticate(ctx context.Context, headers map[string][]string) (context.Context, error) {
	if v := headers["Authorization"]; len(v) == 1 && v[0] == "Bearer key" {
		return ctx, nil
	}
	return ctx, errors.New("a secret detail")
}

type hostWith struct {
	component.Host
	extensions map[component.ID]component.Component
}

func (h hostWith) GetExtensions() map[component.ID]component.Component { return h.extensions }

func TestInvalidCredentialsGet401WithFixedText(t *testing.T) {
	id := component.MustNewID("key")
	r := start(t, setup{
		configure: func(cfg *Config) {
			cfg.ServerConfig.Auth = configoptional.Some(confighttp.AuthConfig{Config: configauth.Config{AuthenticatorID: id}})
		},
		host: hostWith{componenttest.NewNopHost(), map[component.ID]component.Component{id: keyAuth{}}},
	})
	got := post(t, r.url, jsonType, `{"name":"a"}`)
	assert.Equal(t, http.StatusUnauthorized, got.status)
	assert.Equal(t, "the credentials are missing or wrong", got.Error)
	assert.Equal(t, http.StatusAccepted, post(t, r.url, jsonType, `{"name":"a"}`, "Authorization", "Bearer key").status)
}

func TestPreflightFromAllowedOriginSucceeds(t *testing.T) {
	r := start(t, setup{configure: func(cfg *Config) {
		cfg.ServerConfig.CORS = configoptional.Some(confighttp.CORSConfig{AllowedOrigins: []string{"https://shop.example"}, AllowedHeaders: []string{"content-type"}})
	}})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, r.url, http.NoBody)
	require.NoError(t, err)
	req.Header.Set("Origin", "https://shop.example")
	req.Header.Set("Access-Control-Request-Method", "POST")
	req.Header.Set("Access-Control-Request-Headers", "content-type")
	response, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, "https://shop.example", response.Header.Get("Access-Control-Allow-Origin"))
}

func TestSlowBodyTimesOut(t *testing.T) {
	r := start(t, setup{configure: func(cfg *Config) { cfg.ServerConfig.ReadTimeout = 50 * time.Millisecond }})
	conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(r.url, "http://"), eventsPath))
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", eventsPath)
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	got, err := io.ReadAll(conn)
	require.NoError(t, err, "the receiver closes the connection")
	assert.Contains(t, string(got), "400 Bad Request")
}

func TestFailedStartShutsDownCleanly(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	notACertificate := filepath.Join(t.TempDir(), "cert.pem")
	require.NoError(t, os.WriteFile(notACertificate, []byte("wrong"), 0o600))
	for name, tt := range map[string]struct {
		configure func(*Config)
		want      []string
	}{
		"the port is in use": {
			func(cfg *Config) { cfg.ServerConfig.NetAddr.Endpoint = taken.Addr().String() },
			[]string{"listening on endpoint " + taken.Addr().String(), "address already in use"},
		},
		"the certificate is missing": {
			func(cfg *Config) { cfg.ServerConfig.TLS = certificate("no-such-file") },
			[]string{"no-such-file"},
		},
		"the certificate is invalid": {
			func(cfg *Config) { cfg.ServerConfig.TLS = certificate(notACertificate) },
			[]string{"failed to load TLS"},
		},
		"the auth extension is missing": {
			func(cfg *Config) {
				cfg.ServerConfig.Auth = configoptional.Some(confighttp.AuthConfig{Config: configauth.Config{AuthenticatorID: component.MustNewID("missing")}})
			},
			[]string{"missing"},
		},
		"a webhook is invalid": {
			func(cfg *Config) {
				cfg.Webhooks = map[string]WebhookConfig{"hook": {Scheme: "unknown", Secrets: []configopaque.String{"s"}}}
			},
			[]string{"unknown"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			cfg.ServerConfig.NetAddr.Endpoint = freeAddress(t)
			tt.configure(cfg)
			receiver, err := NewFactory().CreateLogs(t.Context(), receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
			require.NoError(t, err)
			err = receiver.Start(t.Context(), hostWith{componenttest.NewNopHost(), map[component.ID]component.Component{}})
			for _, text := range tt.want {
				require.ErrorContains(t, err, text)
			}
			require.NoError(t, receiver.Shutdown(t.Context()))
			require.NoError(t, receiver.Shutdown(t.Context()), "a second shutdown does nothing")
			if cfg.ServerConfig.NetAddr.Endpoint != taken.Addr().String() {
				free, err := net.Listen("tcp", cfg.ServerConfig.NetAddr.Endpoint)
				require.NoError(t, err, "the port is released")
				require.NoError(t, free.Close())
			}
		})
	}
}

func certificate(path string) configoptional.Optional[configtls.ServerConfig] {
	return configoptional.Some(configtls.ServerConfig{Config: configtls.Config{CertFile: path, KeyFile: path}})
}
