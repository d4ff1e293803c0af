// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/pprofextension"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/zpagesextension"
)

func TestHostRebindingIsRefused(t *testing.T) {
	t.Parallel()
	in := newInbox(t, singleEvents)
	c := start(t, configure("webhooks: {github: {scheme: github, secrets: [s]}}", webhook{"shop", in.URL, ""}))
	listed := start(t, configure("allowed_hosts: [events.example.com, '*.shop.example']", webhook{"shop", in.URL, ""}))
	everywhere := start(t, replace(t, configure("", webhook{"shop", in.URL, ""}), `event: {endpoint: "127.0.0.1:0"`, `event: {endpoint: "0.0.0.0:0"`))
	_, port, err := net.SplitHostPort(strings.TrimSuffix(strings.TrimPrefix(everywhere.eventURL(), "http://"), "/v1/events"))
	require.NoError(t, err)

	for _, tt := range []struct {
		name, url, host string
		headers         []string
		want            int
	}{
		{"localhost", c.eventURL(), "localhost:4319", nil, 202},
		{"a loopback address", c.eventURL(), "127.0.0.1", nil, 202},
		{"an address, as kubelet sends", c.eventURL(), "10.1.2.3:4319", nil, 202},
		{"a rebound name", c.eventURL(), "evil.example:4319", nil, 403},
		{"a page with a rebound name", c.eventURL(), "evil.example", []string{"Origin", "http://evil.example", "Content-Type", "text/plain"}, 403},
		{"a webhook through a tunnel", strings.Replace(c.eventURL(), "/events", "/webhooks/github", 1), "tunnel.example", nil, 401},
		{"a listed name", listed.eventURL(), "events.example.com", nil, 202},
		{"a name of a listed domain", listed.eventURL(), "eu.shop.example:443", nil, 202},
		{"a name that is not listed", listed.eventURL(), "evil.example", nil, 403},
		{"any name where the receiver listens on all interfaces", "http://127.0.0.1:" + port + "/v1/events", "collector.internal", nil, 202},
	} {
		t.Run(tt.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, tt.url, strings.NewReader(`{"name": "order_placed"}`))
			require.NoError(t, err)
			request.Host = tt.host
			request.Header.Set("Content-Type", jsonType)
			for i := 0; i < len(tt.headers); i += 2 {
				request.Header.Set(tt.headers[i], tt.headers[i+1])
			}
			response, err := newClient(t).http.Do(request)
			require.NoError(t, err)
			defer response.Body.Close()
			text, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			assert.Equal(t, tt.want, response.StatusCode, "%s", text)
			if tt.want == http.StatusForbidden {
				assert.Contains(t, string(text), "allowed_hosts")
			}
		})
	}
	c.waitForLog("Refused requests whose Host header does not name this receiver")
}

func TestDebugExtensionsListenOnLocalhostByDefault(t *testing.T) {
	t.Parallel()
	profiles := pprofextension.NewFactory().CreateDefaultConfig().(*pprofextension.Config)
	assert.Equal(t, "localhost:1777", profiles.TCPAddr.Endpoint)
	pages := zpagesextension.NewFactory().CreateDefaultConfig().(*zpagesextension.Config)
	assert.Equal(t, "localhost:55679", pages.ServerConfig.NetAddr.Endpoint)
}
