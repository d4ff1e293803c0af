// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEndpointsHaveNoSecrets(t *testing.T) {
	for endpoint, want := range map[string]string{
		"localhost:4317": "localhost:4317",
		"https://user:hunter2@example.com/x?y=z#a": "https://example.com",
		"https://example.com:8443":                 "https://example.com:8443",
		"[REDACTED]":                               "",
		"":                                         "",
		"hunter2":                                  "",
		"://":                                      "",
		"https://%zz":                              "",
		"unix:///run/otlp.sock":                    "",
	} {
		assert.Equal(t, want, withoutSecrets(endpoint), endpoint)
	}
}

func TestNopIsNoBackend(t *testing.T) {
	w := newWorld(t)
	w.configure(`{receivers: {otlp: }, exporters: {nop: , otlp_http: }, service: {pipelines: {logs: {receivers: [otlp], exporters: [nop]}, logs/a: {receivers: [otlp], exporters: [otlp_http]}}}}`)
	assert.Equal(t, []string{"otlp_http"}, w.api.backendIDs())
}

func TestAddressOfTheMetrics(t *testing.T) {
	for yaml, want := range map[string]string{
		`{readers: [{pull: {exporter: {prometheus: {host: localhost, port: 8888}}}}]}`:              "http://localhost:8888/metrics",
		`{readers: [{pull: {exporter: {prometheus/development: {host: "::1", port: 8888}}}}]}`:      "http://[::1]:8888/metrics",
		`{readers: [{periodic: {}}, {pull: {exporter: {prometheus: {host: 127.0.0.1, port: 1}}}}]}`: "http://127.0.0.1:1/metrics",
		`{readers: []}`: "", `{}`: "", `{level: none}`: "", `{readers: [{pull: {exporter: {prometheus: {host: localhost}}}}]}`: "",
	} {
		w := newWorld(t)
		w.configure(`service: {telemetry: {metrics: ` + yaml + `}}`)
		assert.Equal(t, want, w.api.configuration().metrics, yaml)
	}
}

func TestOnlyMetricsOfThisMachineAreRead(t *testing.T) {
	for url, want := range map[string]bool{
		"http://localhost:8888/metrics": true, "http://127.0.0.1:8888/metrics": true, "http://[::1]:8888/metrics": true,
		"http://0.0.0.0:8888/metrics": false, "http://metadata.internal/metrics": false, "http://169.254.169.254:80/metrics": false, "": false, "http://%zz": false,
	} {
		assert.Equal(t, want, isLoopbackURL(url), url)
	}
}

func TestOddConfigurationsAreRead(t *testing.T) {
	for _, yaml := range []string{
		`{}`, `{receivers: 1, exporters: [a], service: x}`, `{receivers: {otlp: }, service: {pipelines: {logs: }}}`,
		`{receivers: {otlp: {endpoint: 5}}, service: {telemetry: {metrics: {readers: [1, {pull: 2}]}}, pipelines: {logs: {receivers: [otlp, 5], exporters: 7}}}}`,
	} {
		w := newWorld(t)
		w.configure(yaml)
		assert.Equal(t, 200, w.ask("GET", "/v1/routes").status, yaml)
		assert.Equal(t, 200, w.ask("GET", "/v1/backends").status, yaml)
	}
}
