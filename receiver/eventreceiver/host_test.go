// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-fanout/otelcol-fanout/receiver/eventreceiver/internal/metadata"
)

func TestHostHeaderIsChecked(t *testing.T) {
	loopback, everywhere := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, &net.TCPAddr{IP: net.IPv4zero}
	allowed := map[string]any{"allowed_hosts": []any{"events.example.com", "*.shop.example"}}
	for _, tt := range []struct {
		name      string
		conf      map[string]any
		listening net.Addr
		host      string
		want      int
	}{
		{"localhost", nil, loopback, "localhost:4319", 202},
		{"a loopback address", nil, loopback, "127.0.0.1:4319", 202},
		{"an address of a port that is forwarded", nil, loopback, "192.0.2.1:4319", 202},
		{"the endpoint's host", map[string]any{"endpoint": "myhost:4319"}, loopback, "myhost:4319", 202},
		{"a rebound name", nil, loopback, "evil.example:4319", 403},
		{"a public name that is not listed", allowed, loopback, "evil.example", 403},
		{"a public name", allowed, loopback, "events.example.com", 202},
		{"a public name by pattern", allowed, loopback, "eu.shop.example", 202},
		{"any name on all interfaces", nil, everywhere, "collector.internal:4319", 202},
		{"a name on all interfaces with a list", allowed, everywhere, "collector.internal:4319", 403},
		{"a listed name on all interfaces", allowed, everywhere, "events.example.com", 202},
		{"an address on all interfaces with a list", allowed, everywhere, "10.0.0.7:4319", 202},
		{"any name on a Unix socket", nil, &net.UnixAddr{Name: "/tmp/s", Net: "unix"}, "anything", 202},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := newReceiver(receivertest.NewNopSettings(metadata.Type), newConfig(t, tt.conf), consumertest.NewNop())
			require.NoError(t, err)
			require.NoError(t, r.buildServer(t.Context(), componenttest.NewNopHost(), tt.listening))
			got := ask(t, r.server.Handler, "http://"+tt.host+"/v1/events", jsonType, `{"name":"a"}`)
			assert.Equal(t, tt.want, got.status)
			if tt.want == http.StatusForbidden {
				assert.Contains(t, got.Error, "allowed_hosts")
			}
		})
	}
}

func TestWebhooksNeedNoKnownHost(t *testing.T) {
	cfg := newConfig(t, map[string]any{"webhooks": map[string]any{"github": map[string]any{"scheme": "github", "secrets": []any{"s"}}}})
	r, err := newReceiver(receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, r.buildServer(t.Context(), componenttest.NewNopHost(), &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}))
	got := ask(t, r.server.Handler, "http://tunnel.example/v1/webhooks/github", jsonType, "{}")
	assert.Equal(t, http.StatusUnauthorized, got.status, "the signature decides")
}

func TestRefusedHostsAreLoggedAndCounted(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	tel := componenttest.NewTelemetry()
	set := receivertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	set.Logger = zap.New(core)
	r, err := newReceiver(set, newConfig(t, nil), consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, r.buildServer(t.Context(), componenttest.NewNopHost(), &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}))
	for range 3 {
		request := httptest.NewRequest(http.MethodPost, "/v1/events", strings.NewReader(`{"name":"a"}`))
		request.Host = "events.example.com" + strings.Repeat("x", 1000)
		r.server.Handler.ServeHTTP(httptest.NewRecorder(), request)
	}
	assert.Equal(t, int64(3), total(t, tel, "otelcol_fanout_receiver_refused_requests_total"))
	require.NoError(t, r.Shutdown(t.Context()))
	require.Equal(t, 2, logs.Len())
	assert.Contains(t, logs.All()[0].Message, "allowed_hosts")
	assert.Equal(t, int64(1), logs.All()[0].ContextMap()["requests"])
	assert.Equal(t, int64(2), logs.All()[1].ContextMap()["requests"])
	assert.Len(t, logs.All()[1].ContextMap()["host"], maxHeaderLength)
	require.NoError(t, tel.Shutdown(t.Context()))
}
