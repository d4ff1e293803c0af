// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"

	"github.com/otelcol-fanout/otelcol-fanout/examples/internal/inbox"
	"github.com/otelcol-fanout/otelcol-fanout/exporter/webhookexporter"
	"github.com/otelcol-fanout/otelcol-fanout/receiver/eventreceiver"
)

func TestMissingBinaryIsAnError(t *testing.T) {
	d := &demo{out: io.Discard, binary: "bin/nothing", config: "config.yaml"}
	require.EqualError(t, d.run(t.Context()), "bin/nothing does not exist or is not executable; build it with: make build")
}

func TestMissingConfigurationIsAnError(t *testing.T) {
	d := &demo{out: io.Discard, binary: os.Args[0], config: "nothing.yaml"}
	require.ErrorContains(t, d.run(t.Context()), "run the demo from the root of the repository")
}

func TestDemoEndsWithCollector(t *testing.T) {
	t.Setenv(fakeCollectorVariable, "refuses its configuration")
	d := &demo{out: io.Discard, binary: os.Args[0], config: "config.yaml", log: newCollectorLog()}
	require.EqualError(t, d.run(t.Context()), "the collector ended: exit status 3")
	assert.Contains(t, d.log.tail(), "Error: invalid configuration")
}

func TestSummaryComparesInboxes(t *testing.T) {
	for _, tt := range []struct{ name, audit, analytics, want string }{
		{"the same events", `[{"id":"1"},{"id":"2"}]`, `[{"id":"2"},{"id":"1"}]`, ""},
		{"one arrived twice", `[{"id":"1"},{"id":"2"},{"id":"1"}]`, `[{"id":"1"},{"id":"2"}]`, ""},
		{"one is missing", `[{"id":"1"},{"id":"2"}]`, `[{"id":"1"}]`, "analytics has 1 different events, but 2 were sent"},
		{"one is another", `[{"id":"1"},{"id":"2"}]`, `[{"id":"1"},{"id":"3"}]`, "audit and analytics have events with different ids"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			err := (&demo{out: &out}).summarize(total{events: 2, requests: 1}, filled("audit", tt.audit), filled("analytics", tt.analytics))
			if tt.want != "" {
				require.EqualError(t, err, tt.want)
				return
			}
			require.NoError(t, err)
			assert.Contains(t, out.String(), "All 2 events arrived at both webhooks, with the same ids.")
		})
	}
}

func filled(name, body string) *inbox.Inbox {
	box := inbox.New(name, io.Discard, inbox.Failures{})
	box.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)))
	return box
}

func TestConfigurationIsValidAndLocal(t *testing.T) {
	t.Setenv("AUDIT_URL", "http://127.0.0.1:9001")
	t.Setenv("ANALYTICS_URL", "http://127.0.0.1:9002")
	resolver, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs:              []string{"file:config.yaml"},
		ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory(), envprovider.NewFactory()},
	})
	require.NoError(t, err)
	conf, err := resolver.Resolve(t.Context())
	require.NoError(t, err)

	for path, config := range map[string]component.Config{
		"receivers::event":             eventreceiver.NewFactory().CreateDefaultConfig(),
		"exporters::webhook/audit":     webhookexporter.NewFactory().CreateDefaultConfig(),
		"exporters::webhook/analytics": webhookexporter.NewFactory().CreateDefaultConfig(),
	} {
		sub, err := conf.Sub(path)
		require.NoError(t, err)
		require.NoError(t, sub.Unmarshal(config), path)
		require.NoError(t, confmap.Validate(config), path)
		assert.Contains(t, sub.Get("endpoint"), "127.0.0.1:", path)
	}
	assert.Equal(t, "127.0.0.1:0", conf.Get("receivers::otlp::protocols::http::endpoint"))
}
