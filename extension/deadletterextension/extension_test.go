// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-fanout/otelcol-fanout/extension/deadletterextension/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/extension/deadletterextension/internal/metadatatest"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// started is a running extension on a free port.
type started struct {
	deadletter.Store
	url  string
	tel  *componenttest.Telemetry
	logs *observer.ObservedLogs
}

func start(t *testing.T, directory string, configure ...func(*Config)) *started {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Directory = directory
	cfg.ServerConfig.NetAddr.Endpoint = "localhost:0"
	for _, c := range configure {
		c(cfg)
	}
	require.NoError(t, cfg.Validate())
	core, logs := observer.New(zap.DebugLevel)
	e := &started{tel: componenttest.NewTelemetry(), logs: logs}
	set := extensiontest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = e.tel.NewTelemetrySettings()
	set.Logger = zap.New(core)
	created, err := NewFactory().Create(t.Context(), set, cfg)
	require.NoError(t, err)
	e.Store = created.(deadletter.Store)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		assert.NoError(t, e.Shutdown(context.Background()))
		assert.NoError(t, e.tel.Shutdown(context.Background()))
	})
	listening := logs.FilterMessage("Listening for dead letter requests").All()
	require.Len(t, listening, 1)
	e.url = "http://" + listening[0].ContextMap()["endpoint"].(string) + apiPath
	return e
}

func (e *started) ask(t *testing.T, method, path string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, e.url+path, http.NoBody)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

// send posts a body.
func (e *started) send(t *testing.T, path, text string) (int, string) {
	t.Helper()
	response, err := http.Post(e.url+path, "application/json", strings.NewReader(text))
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

func TestRestartKeepsDeadLetters(t *testing.T) {
	directory := t.TempDir()
	for range 2 {
		e := start(t, directory)
		require.NoError(t, e.Put(audit, lettersOf("e1")))
		require.NoError(t, e.Shutdown(t.Context()))
		assert.ErrorIs(t, e.Put(audit, lettersOf("e1")), errClosed)
	}
	e := start(t, directory)
	_, body := e.ask(t, "GET", "")
	assert.Contains(t, body, `"events":2`)
	listening := e.logs.FilterMessage("Listening for dead letter requests").All()[0].ContextMap()
	assert.Equal(t, int64(2), listening["events"])
}

func TestExtensionBeforeStart(t *testing.T) {
	created, err := NewFactory().Create(t.Context(), extensiontest.NewNopSettings(metadata.Type), createDefaultConfig())
	require.NoError(t, err)
	assert.ErrorIs(t, created.(deadletter.Store).Put(audit, lettersOf("e1")), errClosed)
	created.(deadletter.Store).Register(audit, "logs", &fakeBackend{})()
	assert.NoError(t, created.Shutdown(t.Context()))
}

func TestFailedStartReleasesDirectoryAndPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for name, tt := range map[string]struct {
		configure func(*Config)
		want      string
	}{
		"the port is in use": {
			func(cfg *Config) { cfg.ServerConfig.NetAddr.Endpoint = taken.Addr().String() },
			"listening on endpoint " + taken.Addr().String(),
		},
		"the certificate is missing": {
			func(cfg *Config) {
				cfg.ServerConfig.TLS = configoptional.Some(configtls.ServerConfig{Config: configtls.Config{CertFile: "no-such-file", KeyFile: "no-such-file"}})
			},
			"no-such-file",
		},
		"the auth extension is missing": {
			func(cfg *Config) {
				cfg.ServerConfig.Auth = configoptional.Some(confighttp.AuthConfig{Config: configauth.Config{AuthenticatorID: component.MustNewID("missing")}})
			},
			"failed to resolve authenticator",
		},
	} {
		t.Run(name, func(t *testing.T) {
			free, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			require.NoError(t, free.Close())
			cfg := createDefaultConfig().(*Config)
			cfg.Directory = t.TempDir()
			cfg.ServerConfig.NetAddr.Endpoint = free.Addr().String()
			tt.configure(cfg)
			created, err := NewFactory().Create(t.Context(), extensiontest.NewNopSettings(metadata.Type), cfg)
			require.NoError(t, err)
			require.ErrorContains(t, created.Start(t.Context(), componenttest.NewNopHost()), tt.want)
			require.NoError(t, created.Shutdown(t.Context()))
			require.NoError(t, created.Shutdown(t.Context()), "a second shutdown does nothing")
			start(t, cfg.Directory)
			again, err := net.Listen("tcp", free.Addr().String())
			require.NoError(t, err, "the port is released")
			require.NoError(t, again.Close())
		})
	}
}

func TestPutThenReplay(t *testing.T) {
	e := start(t, t.TempDir())
	require.NoError(t, e.Put(audit, lettersOf("e1", "e2")))
	backend := &fakeBackend{}
	unregister := e.Register(audit, "logs", backend)
	status, body := e.ask(t, "POST", "/webhook%2Faudit/replay")
	assert.Equal(t, 200, status)
	assert.JSONEq(t, `{"replayed":2,"delivered":2,"refused":0,"kept":0,"unreadable":0}`, body)
	assert.Equal(t, []string{"e1", "e2"}, backend.ids())
	unregister()
	status, _ = e.ask(t, "GET", "/webhook/audit")
	assert.Equal(t, 404, status)
}

func TestServerTimeoutsDoNotApplyToReplay(t *testing.T) {
	const timeout = 200 * time.Millisecond
	e := start(t, t.TempDir(), func(cfg *Config) {
		cfg.ServerConfig.ReadTimeout, cfg.ServerConfig.WriteTimeout = timeout, timeout
	})
	require.NoError(t, e.Put(audit, lettersOf(numbered(200)...)))
	defer e.Register(audit, "logs", &fakeBackend{chunk: func(context.Context, []deadletter.Letter) { time.Sleep(timeout) }})()
	status, body := e.ask(t, "POST", "/webhook/audit/replay")
	assert.Equal(t, 200, status)
	assert.Contains(t, body, `"delivered":200`)
	assert.NotContains(t, body, "stopped")
}

func TestReplayEndsWhenHTTPClientDisconnects(t *testing.T) {
	e := start(t, t.TempDir())
	require.NoError(t, e.Put(audit, lettersOf(numbered(300)...)))
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan struct{})
	defer e.Register(audit, "logs", &fakeBackend{chunk: func(context.Context, []deadletter.Letter) {
		leave()
		select {
		case <-gone:
		case <-time.After(time.Minute):
		}
		time.Sleep(100 * time.Millisecond) // give the server time to notice
	}})()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url+"/webhook/audit/replay", strings.NewReader("a body"))
	require.NoError(t, err)
	_, err = http.DefaultClient.Do(request)
	require.ErrorIs(t, err, context.Canceled)
	close(gone)
	require.Eventually(t, func() bool {
		replayed := e.logs.FilterMessage("Replayed dead letters").All()
		return len(replayed) == 1 && replayed[0].ContextMap()["stopped"] == stoppedClient && replayed[0].ContextMap()["delivered"] == int64(100)
	}, time.Minute, 10*time.Millisecond)
}

func TestShutdownEndsReplay(t *testing.T) {
	e := start(t, t.TempDir())
	require.NoError(t, e.Put(audit, lettersOf("e1")))
	entered := make(chan struct{})
	defer e.Register(audit, "logs", hanging(entered))()
	ended := make(chan error)
	go func() {
		<-entered
		ended <- e.Shutdown(context.Background())
	}()
	_, body := e.ask(t, "POST", "/webhook/audit/replay")
	assert.Contains(t, body, errStopping.Error())
	assert.NoError(t, <-ended)
}

func TestDeadLettersExpireInBackground(t *testing.T) {
	e := start(t, t.TempDir(), func(cfg *Config) { cfg.MaxAge = time.Second })
	letter := letterOf("e1", deadletter.ReasonRefused)
	letter.FailedAt = time.Now()
	require.NoError(t, e.Put(audit, []deadletter.Letter{letter}))
	require.Eventually(t, func() bool {
		_, body := e.ask(t, "GET", "")
		return body == "{\"exporters\":[]}\n"
	}, time.Minute, 50*time.Millisecond)
}

func TestMetrics(t *testing.T) {
	e := start(t, t.TempDir())
	require.NoError(t, e.Put(audit, lettersOf("e1", "e2")))
	info, err := os.Stat(e.Store.(*deadLetters).store.Load().folder(audit.String()).path + "/00000001.jsonl")
	require.NoError(t, err)
	attributes := attribute.NewSet(attribute.String("exporter", "webhook/audit"))
	metadatatest.AssertEqualFanoutDeadLettersStored(t, e.tel,
		[]metricdata.DataPoint[int64]{{Attributes: attributes, Value: 2}}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualFanoutDeadLettersStoredBytes(t, e.tel,
		[]metricdata.DataPoint[int64]{{Attributes: attributes, Value: info.Size()}}, metricdatatest.IgnoreTimestamp())
}

func TestDeadLetterContentIsNeverLogged(t *testing.T) {
	directory := t.TempDir()
	planted := deadletter.Letter{
		Signal: "logs", ID: "planted-id", Name: "planted-name", Message: "planted-message", Destination: "planted-destination", FailedAt: noon,
		Payload: []byte(`{"a":"planted-payload"}`),
	}
	e := start(t, directory)
	require.NoError(t, e.Put(audit, []deadletter.Letter{planted, planted}))
	require.NoError(t, e.Shutdown(t.Context()))
	path := directory + "/webhook%2Faudit/00000001.jsonl"
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, text[:len(text)-10], 0o600))

	again := start(t, directory, small)
	defer again.Register(audit, "logs", &fakeBackend{outcome: refusedAgain})()
	again.ask(t, "POST", "/webhook/audit/replay")
	again.ask(t, "GET", "/webhook/audit?name=planted-name&id=planted-id")
	require.NoError(t, again.keeper().Find(t.Context(), "webhook/audit", deadletter.Filter{Limit: 1}, func(key deadletter.Key, _ *deadletter.Letter) bool {
		again.send(t, "/webhook/audit/"+string(key)+"/replay", `{"payload":{"a":"planted-edit"}}`)
		again.send(t, "/webhook/audit/"+string(key)+"/replay", `{"payload":"planted-edit"}`)
		again.ask(t, "DELETE", "/webhook/audit/"+string(key))
		return true
	}))
	_, err = again.keeper().StartReplay("webhook/audit", deadletter.Filter{Name: "planted-name"})
	require.NoError(t, err)
	planted.Payload = nil
	require.Error(t, again.Put(audit, []deadletter.Letter{planted}))
	again.ask(t, "DELETE", "/webhook/audit")
	for _, entry := range append(e.logs.All(), again.logs.All()...) {
		assert.NotContains(t, fmt.Sprint(entry.Message, entry.ContextMap()), "planted")
	}
}

var _ component.Component = (*deadLetters)(nil)
