// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/nopexporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensionauth"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-fanout/otelcol-fanout/extension/statusextension/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// host is a host with extensions.
type host struct {
	component.Host
	extensions map[component.ID]component.Component
}

func (h *host) GetExtensions() map[component.ID]component.Component { return h.extensions }

func newHost(extensions ...component.Component) *host {
	h := &host{componenttest.NewNopHost(), map[component.ID]component.Component{}}
	for i, e := range extensions {
		h.extensions[component.MustNewIDWithName("x", fmt.Sprint(i))] = e
	}
	return h
}

// start starts the extension on a free port, and returns it with its URL.
func start(t *testing.T, h component.Host, change ...func(*Config)) (*status, string) {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.ServerConfig.NetAddr.Endpoint = "localhost:0"
	for _, c := range change {
		c(cfg)
	}
	set := extensiontest.NewNopSettings(metadata.Type)
	core, log := observer.New(zap.InfoLevel)
	set.Logger = zap.New(core)
	s, err := newExtension(set, cfg, nil)
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context(), h))
	address := log.FilterMessage("Listening for status requests").All()[0].ContextMap()["endpoint"].(string)
	return s, "http://" + address
}

func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(text)
}

func TestAPIAnswersFromStartToShutdown(t *testing.T) {
	s, url := start(t, newHost())
	assert.Same(t, s, statusfeed.Find(newHost(s)), "exporters find the extension")
	code, text := fetch(t, url+"/v1/ready")
	assert.Equal(t, 503, code)
	assert.JSONEq(t, `{"ready":false,"reasons":["the pipelines are starting"]}`, text)
	code, text = fetch(t, url+"/v1/backends")
	assert.Equal(t, 200, code, text)

	feed := s.AddExporter(&statusfeed.Exporter{ID: component.MustNewID("webhook"), Signal: "logs", SetPaused: func(bool) {}})
	require.NoError(t, s.Ready())
	code, text = fetch(t, url+"/v1/ready")
	assert.Equal(t, 200, code, text)
	s.Changed(componentstatus.NewInstanceID(component.MustNewID("otlp"), component.KindReceiver), componentstatus.NewEvent(componentstatus.StatusPermanentError))
	_, text = fetch(t, url+"/v1/ready")
	assert.Contains(t, text, "receiver otlp has a permanent error")
	require.NoError(t, s.NotReady())
	_, text = fetch(t, url+"/v1/ready")
	assert.Contains(t, text, "the collector is stopping")

	feed.Close()
	require.NoError(t, s.Shutdown(t.Context()))
	_, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	assert.Error(t, err, "it listens no longer")
}

// TestShutdownEndsStreamsAndWaits: otherwise the server would wait for them.
func TestShutdownEndsStreamsAndWaits(t *testing.T) {
	s, url := start(t, newHost())
	feed := s.AddExporter(&statusfeed.Exporter{ID: component.MustNewID("webhook"), Signal: "logs", Queue: func() statusfeed.Queue {
		return statusfeed.Queue{Events: 1, Size: 1, Capacity: 10, Sizer: "requests"}
	}})
	defer feed.Close()
	feed.Accepted(1)
	ended := make(chan string, 2)
	for _, path := range []string{"/v1/stream", "/v1/drained?timeout=5m"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
		require.NoError(t, err)
		go func() {
			text := ""
			if response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r); assert.NoError(t, err) {
				body, _ := io.ReadAll(response.Body)
				text = string(body)
				_ = response.Body.Close()
			}
			ended <- text
		}()
	}
	require.Eventually(t, func() bool { return len(s.api.readers) == 1 && len(s.api.waiters) == 1 }, time.Minute, time.Millisecond)
	require.NoError(t, s.Shutdown(t.Context()))
	got := <-ended + <-ended
	assert.Contains(t, got, "event: hello")
	assert.Contains(t, got, `{"error":"the collector is stopping"}`)
}

func TestShutdownWithoutStart(t *testing.T) {
	s, err := newExtension(extensiontest.NewNopSettings(metadata.Type), createDefaultConfig().(*Config), nil)
	require.NoError(t, err)
	assert.NoError(t, s.Shutdown(t.Context()))
}

// TestLongStreamOutlivesTheTimeoutsOfTheServer: read_timeout and write_timeout are for other requests.
func TestLongStreamOutlivesTheTimeoutsOfTheServer(t *testing.T) {
	s, url := start(t, newHost(), func(cfg *Config) {
		cfg.ServerConfig.ReadTimeout, cfg.ServerConfig.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
	})
	s.api.pace.heartbeat = 10 * time.Millisecond
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/v1/stream", nil)
	require.NoError(t, err)
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	begun := time.Now()
	for lines := bufio.NewScanner(response.Body); time.Since(begun) < 500*time.Millisecond; {
		require.True(t, lines.Scan(), "the stream ended after %s: %v", time.Since(begun), lines.Err())
	}
	require.NoError(t, s.Shutdown(t.Context()))
}

func TestOpenAddressIsRefusedEvenBehindALocalName(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.ServerConfig.NetAddr.Endpoint = "0.0.0.0:0" // as if a name stood for this address
	s, err := newExtension(extensiontest.NewNopSettings(metadata.Type), cfg, nil)
	require.NoError(t, err)
	assert.ErrorContains(t, s.Start(t.Context(), newHost()), "is not a loopback address")
	assert.NoError(t, s.Shutdown(t.Context()))
}

func TestAnonymousAccessIsWarnedOf(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.ServerConfig.NetAddr.Endpoint, cfg.AllowAnonymous = "0.0.0.0:0", true
	set := extensiontest.NewNopSettings(metadata.Type)
	core, log := observer.New(zap.WarnLevel)
	set.Logger = zap.New(core)
	s, err := newExtension(set, cfg, nil)
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context(), newHost()))
	assert.Equal(t, 1, log.FilterMessageSnippet("Anyone who reaches the endpoint").Len())
	require.NoError(t, s.Shutdown(t.Context()))
}

func TestDeadLettersNeedAsMuchAuthAsTheirStore(t *testing.T) {
	keeper := newFakeKeeper()
	keeper.requiresAuth = true
	for _, anonymous := range []bool{false, true} {
		cfg := createDefaultConfig().(*Config)
		cfg.ServerConfig.NetAddr.Endpoint, cfg.AllowAnonymous = "localhost:0", anonymous
		s, err := newExtension(extensiontest.NewNopSettings(metadata.Type), cfg, nil)
		require.NoError(t, err)
		assert.ErrorContains(t, s.Start(t.Context(), newHost(keeper)), "auth: is missing; the dead_letter extension requires it")
		assert.NoError(t, s.Shutdown(t.Context()))
	}
	keeper.requiresAuth = false
	s, url := start(t, newHost(keeper))
	_, text := fetch(t, url+"/v1/dead_letters")
	assert.Contains(t, text, `"exporter":"webhook"`)
	require.NoError(t, s.Shutdown(t.Context()))
}

// locked accepts no credentials.
type locked struct {
	component.StartFunc
	component.ShutdownFunc
}

var _ extensionauth.Server = locked{}

func (locked) Authenticate(ctx context.Context, _ map[string][]string) (context.Context, error) {
	return ctx, errors.New("wrong password")
}

// TestCredentialsAreRequiredWithAuth: no resource is without them, and the error is JSON like all others.
func TestCredentialsAreRequiredWithAuth(t *testing.T) {
	id := component.MustNewID("basicauth")
	h := &host{componenttest.NewNopHost(), map[component.ID]component.Component{id: locked{}}}
	s, url := start(t, h, func(cfg *Config) {
		cfg.ServerConfig.Auth = configoptional.Some(confighttp.AuthConfig{Config: configauth.Config{AuthenticatorID: id}})
	})
	response, err := http.Get(url)
	require.NoError(t, err)
	_ = response.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	assert.Equal(t, `Basic realm="otelcol-fanout"`, response.Header.Get("WWW-Authenticate"))
	assert.Equal(t, "no-store", response.Header.Get("Cache-Control"))
	for _, resource := range s.api.resources {
		code, text := fetch(t, url+strings.NewReplacer("{", "", "}", "").Replace(resource.path))
		assert.Equal(t, 401, code, resource.path)
		assert.JSONEq(t, `{"error":"the credentials are missing or wrong"}`, text)
	}
	require.NoError(t, s.Shutdown(t.Context()))
}

func TestPausedBackendsAreInTheMetrics(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	set := extensiontest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	cfg := createDefaultConfig().(*Config)
	cfg.ServerConfig.NetAddr.Endpoint = "localhost:0"
	s, err := newExtension(set, cfg, nil)
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context(), newHost()))
	feed := s.AddExporter(&statusfeed.Exporter{ID: component.MustNewID("webhook"), Signal: "logs", SetPaused: func(bool) {}})
	paused := func() int64 {
		got, err := telemetry.GetMetric("otelcol_fanout_paused")
		require.NoError(t, err)
		return got.Data.(metricdata.Gauge[int64]).DataPoints[0].Value
	}
	assert.Equal(t, int64(0), paused())
	require.NoError(t, s.registry.SetPaused("webhook", true))
	assert.Equal(t, int64(1), paused())
	feed.Close()
	require.NoError(t, s.Shutdown(t.Context()))
	require.NoError(t, telemetry.Shutdown(t.Context()))
}

// TestCollectorTellsItsConfiguration runs a collector, which has keys and types of its own for its
// effective configuration.
func TestCollectorTellsItsConfiguration(t *testing.T) {
	core, log := observer.New(zap.InfoLevel)
	free, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	port := free.Addr().(*net.TCPAddr).Port
	require.NoError(t, free.Close())
	collector, err := otelcol.NewCollector(otelcol.CollectorSettings{
		Factories: func() (otelcol.Factories, error) {
			return otelcol.Factories{
				Receivers:  map[component.Type]receiver.Factory{otlpreceiver.NewFactory().Type(): otlpreceiver.NewFactory()},
				Exporters:  map[component.Type]exporter.Factory{nopexporter.NewFactory().Type(): nopexporter.NewFactory()},
				Connectors: map[component.Type]connector.Factory{},
				Extensions: map[component.Type]extension.Factory{metadata.Type: NewFactory()},
				Telemetry:  otelconftelemetry.NewFactory(),
			}, nil
		},
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			URIs: []string{fmt.Sprintf(`yaml:
receivers: {otlp: {protocols: {http: {endpoint: "localhost:0"}}}}
exporters: {nop/a: }
extensions: {status: {endpoint: "localhost:0"}}
service:
  extensions: [status]
  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: localhost, port: %d}}}}]}}
  pipelines: {logs/a: {receivers: [otlp], exporters: [nop/a]}, traces: {receivers: [otlp], exporters: [nop/a]}}`, port)},
			ProviderFactories: []confmap.ProviderFactory{yamlprovider.NewFactory()},
		}},
		DisableGracefulShutdown: true,
		LoggingOptions:          []zap.Option{zap.WrapCore(func(zapcore.Core) zapcore.Core { return core })},
	})
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- collector.Run(context.Background()) }()
	require.Eventually(t, func() bool { return log.FilterMessageSnippet("Everything is ready").Len() > 0 }, time.Minute, time.Millisecond)
	url := "http://" + log.FilterMessage("Listening for status requests").All()[0].ContextMap()["endpoint"].(string)

	code, text := fetch(t, url+"/v1/ready")
	assert.Equal(t, 200, code, text)
	_, text = fetch(t, url+"/v1/routes")
	assert.JSONEq(t, `{"receivers":[{"id":"otlp","pipelines":["logs/a","traces"],"endpoints":["localhost:0"]}],"connectors":[],
		"pipelines":[{"id":"logs/a","receivers":["otlp"],"processors":[],"exporters":["nop/a"]},{"id":"traces","receivers":["otlp"],"processors":[],"exporters":["nop/a"]}]}`, text)
	_, text = fetch(t, url+"/v1/backends")
	var body map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &body))
	assert.Equal(t, map[string]any{
		"id": "nop/a", "kind": "nop", "signals": []any{"logs", "traces"}, "state": "unknown", "enabled": true, "initialized": true, "can_pause": false,
		"metrics": fmt.Sprintf("http://localhost:%d/metrics", port),
	}, backendOf(t, body, "nop/a"))
	collector.Shutdown()
	require.NoError(t, <-done)
}
