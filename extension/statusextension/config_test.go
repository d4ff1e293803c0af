// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

func load(t *testing.T, yaml string) (*Config, error) {
	t.Helper()
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	if err := conf.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

func TestDefaultsAreSafe(t *testing.T) {
	cfg, err := load(t, "{}")
	require.NoError(t, err)
	assert.Equal(t, "localhost:13135", cfg.ServerConfig.NetAddr.Endpoint)
	assert.Equal(t, 1000, cfg.RecentEvents)
	assert.Equal(t, "none", string(cfg.Payloads))
	assert.True(t, cfg.Answers)
	assert.False(t, cfg.AllowAnonymous)
	assert.False(t, cfg.ReadOnly)
}

func TestValidConfigurationsAreAccepted(t *testing.T) {
	for _, yaml := range []string{
		`endpoint: 127.0.0.1:13135`, `endpoint: "[::1]:13135"`, `endpoint: localhost:0`, `endpoint: LOCALHOST:1`, `endpoint: 127.9.9.9:1`,
		`{endpoint: 0.0.0.0:13135, allow_anonymous: true}`,
		`{endpoint: 0.0.0.0:13135, auth: {authenticator: basicauth}}`,
		`{endpoint: 0.0.0.0:13135, tls: {cert_file: c.pem, key_file: k.pem, client_ca_file: ca.pem}}`,
		`{endpoint: /run/status.sock, transport: unix}`,
		`recent_events: 0`, `recent_events: 10000`, `payloads: failures`, `payloads: all`, `{read_only: true, answers: false, directory: /data, allowed_hosts: [a.example.com]}`,
	} {
		_, err := load(t, yaml)
		assert.NoError(t, err, yaml)
	}
}

func TestInvalidConfigurationsAreRefused(t *testing.T) {
	const open = "is not a loopback address, so anyone in the network could read about events and pause backends; use localhost:13135, set auth or tls::client_ca_file, or set allow_anonymous: true"
	for yaml, want := range map[string]string{
		`endpoint: 0.0.0.0:13135`:                                             "endpoint: 0.0.0.0:13135 " + open,
		`endpoint: "[::]:13135"`:                                              "endpoint: [::]:13135 " + open,
		`endpoint: ":13135"`:                                                  "endpoint: :13135 " + open,
		`endpoint: 192.0.2.1:13135`:                                           "endpoint: 192.0.2.1:13135 " + open,
		`endpoint: localhost.evil.example:13135`:                              open,
		`endpoint: 127.0.0.1.nip.io:1`:                                        open,
		`endpoint: "[::ffff:192.0.2.1]:1"`:                                    open,
		`{endpoint: 0.0.0.0:13135, tls: {cert_file: c.pem, key_file: k.pem}}`: open,
		`endpoint: ""`:                                                        "endpoint: is missing; set the address to listen on as host:port, such as localhost:13135",
		`endpoint: "13135"`:                                                   `endpoint: "13135" is not host:port`,
		`endpoint: localhost:99999`:                                           "endpoint: port 99999 is out of range",
		`cors: {allowed_origins: ["*"]}`:                                      "cors: is not allowed; pages of other origins may not read this API, so remove the key",
		`recent_events: -1`:                                                   "recent_events: -1 is not possible; set how many of the last events to remember for each backend, from 0 to 10000 (default 1000)",
		`recent_events: 10001`:                                                "recent_events: 10001 is not possible",
		`payloads: some`:                                                      `payloads: "some" is not a choice; use none, failures or all`,
		`allowed_hosts: ["http://a"]`:                                         "allowed_hosts::0: \"http://a\" is not a host name",
		`recent_event: 1`:                                                     "recent_event",
	} {
		_, err := load(t, yaml)
		assert.ErrorContains(t, err, want, yaml)
	}
}

func TestSwitchedOffIsReadAsTheConverterWritesIt(t *testing.T) {
	cfg, err := load(t, `{switched_off: {exporters/webhook/audit: {switch: "exporters::webhook/audit::enabled", variable: AUDIT, needs: [URL], pipelines: [logs/a]}, receivers/kafka: {switch: "receivers::kafka::enabled"}}}`)
	require.NoError(t, err)
	assert.Equal(t, map[string]statusfeed.SwitchedOff{
		"webhook/audit": {Switch: "exporters::webhook/audit::enabled", Variable: "AUDIT", Needs: []string{"URL"}, Pipelines: []string{"logs/a"}},
	}, cfg.exportersOff())
}
