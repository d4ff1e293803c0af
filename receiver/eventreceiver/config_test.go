// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func TestConfigValidation(t *testing.T) {
	for name, tt := range map[string]struct {
		conf map[string]any
		want string // the error; empty if valid
	}{
		"defaults":       {},
		"all interfaces": {conf: map[string]any{"endpoint": "0.0.0.0:80"}},
		"unix socket":    {conf: map[string]any{"endpoint": "/tmp/events.sock", "transport": "unix"}},
		"empty endpoint": {conf: map[string]any{"endpoint": ""}, want: "endpoint: is missing; write the address to listen on as host:port, such as localhost:4319"},
		"endpoint with a port that does not exist": {conf: map[string]any{"endpoint": "localhost:431999"}, want: `endpoint: port 431999 is out of range; write 1 to 65535`},
		"endpoint without a port":                  {conf: map[string]any{"endpoint": "localhost"}, want: `endpoint: "localhost" is not host:port, such as localhost:4319`},
		"unsupported transport":                    {conf: map[string]any{"transport": "udp"}, want: `transport: "udp"`},
		"unsupported encoding":                     {conf: map[string]any{"compression_algorithms": []any{"br"}}, want: `compression_algorithms: unsupported encoding "br"; use gzip`},
		"max_events of 0":                          {conf: map[string]any{"max_events": 0}, want: "max_events: 0 is not positive"},
		"max_inflight_bytes":                       {conf: map[string]any{"max_inflight_bytes": "64KiB"}},
		"small inflight bytes":                     {conf: map[string]any{"max_inflight_bytes": 65535}, want: "max_inflight_bytes: 65535 is too small; it is for the bodies of all requests together, so use at least 65536 (default 64MiB)"},
		"invalid inflight bytes":                   {conf: map[string]any{"max_inflight_bytes": "64 apples"}, want: `"64 apples" is not a size; write a number of bytes, or a size with a unit, such as 64MiB`},
		"valid hosts":                              {conf: map[string]any{"allowed_hosts": []any{"events.example.com", "*.example.com"}}},
		"host that is a URL":                       {conf: map[string]any{"allowed_hosts": []any{"https://events.example.com"}}, want: `allowed_hosts::0: "https://events.example.com" is not a host name`},
		"valid key":                                {conf: map[string]any{"keys": []any{map[string]any{"key": "k", "resource": map[string]any{"service.name": "shop"}}}}},
		"empty key":                                {conf: map[string]any{"keys": []any{map[string]any{"key": ""}}}, want: "keys::0::key: is missing"},
		"key with a line feed":                     {conf: map[string]any{"keys": []any{map[string]any{"key": "hunter2\n"}}}, want: "keys::0::key: contains a character that is not allowed"},
		"repeated key":                             {conf: map[string]any{"keys": []any{map[string]any{"key": "hunter2"}, map[string]any{"key": "hunter2"}}}, want: "keys::1::key: is used by another entry as well"},
		"empty resource value":                     {conf: map[string]any{"keys": []any{map[string]any{"key": "hunter2", "resource": map[string]any{"service.name": ""}}}}, want: "keys::0::resource::service.name: is empty"},
		"unknown key in a key":                     {conf: map[string]any{"keys": []any{map[string]any{"key": "k", "resorce": map[string]any{}}}}, want: "resorce"},

		"valid window":                     {conf: map[string]any{"deduplication": map[string]any{"window": "10m", "max_ids": 5}}},
		"negative window":                  {conf: map[string]any{"deduplication": map[string]any{"window": "-1s"}}, want: "deduplication::window: -1s is negative"},
		"max_ids of 0":                     {conf: map[string]any{"deduplication": map[string]any{"max_ids": 0}}, want: "deduplication::max_ids: 0 is not positive"},
		"valid proxies":                    {conf: map[string]any{"include_metadata": true, "trusted_proxies": []any{"10.0.0.0/8", "::1", "192.0.2.1"}}},
		"invalid proxy":                    {conf: map[string]any{"include_metadata": true, "trusted_proxies": []any{"::1", "proxy"}}, want: `trusted_proxies::1: "proxy" is not an IP address`},
		"proxies without include_metadata": {conf: map[string]any{"trusted_proxies": []any{"::1"}}, want: "trusted_proxies: has no effect without include_metadata"},

		"valid webhook":                  {conf: webhookConf("github", nil)},
		"webhook name with a slash":      {conf: map[string]any{"webhooks": map[string]any{"a/b": map[string]any{}}}, want: "webhooks::a/b: the name is part of a path"},
		"unknown webhook scheme":         {conf: webhookConf("gitlab", nil), want: `webhooks::hook::scheme: "gitlab" is not a scheme; write one of github, stripe`},
		"webhook without secrets":        {conf: webhookConf("github", map[string]any{"secrets": []any{}}), want: "webhooks::hook::secrets: are missing"},
		"empty webhook secret":           {conf: webhookConf("github", map[string]any{"secrets": []any{""}}), want: "webhooks::hook::secrets::0: is empty"},
		"hmac without a header":          {conf: webhookConf("hmac", nil), want: "webhooks::hook::header: is missing"},
		"negative tolerance":             {conf: webhookConf("github", map[string]any{"tolerance": "-1s"}), want: "webhooks::hook::tolerance: -1s is not positive"},
		"path that is not a pointer":     {conf: webhookConf("github", map[string]any{"event": map[string]any{"id_path": "id"}}), want: `webhooks::hook::event::id_path: "id" is not a JSON pointer`},
		"name_path and name_header":      {conf: webhookConf("github", map[string]any{"event": map[string]any{"name_path": "/a", "name_header": "x"}}), want: "event::name_path: set either name_path or name_header, not both"},
		"id_path and id_header":          {conf: webhookConf("github", map[string]any{"event": map[string]any{"id_path": "/a", "id_header": "x"}}), want: "event::id_path: set either id_path or id_header, not both"},
		"unknown key in a webhook":       {conf: webhookConf("github", map[string]any{"secret": "x"}), want: "secret"},
		"unknown key in a webhook event": {conf: webhookConf("github", map[string]any{"event": map[string]any{"path": "/a"}}), want: "path"},
		"empty webhook resource value":   {conf: webhookConf("github", map[string]any{"resource": map[string]any{"a": ""}}), want: "webhooks::hook::resource::a: is empty"},

		"known handshake":               {conf: webhookConf("hmac", map[string]any{"header": "X-Sig", "handshake": "zoom"})},
		"no handshake":                  {conf: webhookConf("hmac", map[string]any{"header": "X-Slack-Signature", "handshake": "none"})},
		"unknown handshake":             {conf: webhookConf("github", map[string]any{"handshake": "slak"}), want: `webhooks::hook::handshake: "slak" is not a handshake; write one of slack, zoom, twitch, meta, x, dropbox, microsoft_graph, or none`},
		"verify token":                  {conf: webhookConf("github", map[string]any{"verify_token": "hunter2"})},
		"meta without a verify token":   {conf: webhookConf("github", map[string]any{"handshake": "meta"}), want: "webhooks::hook::verify_token: is missing; handshake meta compares it, so write the text that you entered at Meta"},
		"verify token of another":       {conf: webhookConf("github", map[string]any{"handshake": "slack", "verify_token": "hunter2"}), want: `webhooks::hook::verify_token: has no effect with handshake "slack"; it is for handshake meta`},
		"microsoft_graph with a header": {conf: webhookConf("microsoft_graph", map[string]any{"header": "X-Sig"}), want: `webhooks::hook::scheme: "microsoft_graph" has a fixed form`},

		"unknown key":                {conf: map[string]any{"endpont": "x"}, want: "endpont"},
		"unknown key beside a known": {conf: map[string]any{"endpoint": "localhost:1", "max_event": 5}, want: "max_event"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := createDefaultConfig()
			err := confmap.NewFromStringMap(tt.conf).Unmarshal(cfg)
			if err == nil {
				err = confmap.Validate(cfg)
			}
			if tt.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func webhookConf(scheme string, more map[string]any) map[string]any {
	webhook := map[string]any{"scheme": scheme, "secrets": []any{"hunter2"}}
	maps.Copy(webhook, more)
	return map[string]any{"webhooks": map[string]any{"hook": webhook}}
}

func TestServerKeysAndOwnKeysAreRead(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"endpoint": "localhost:1", "max_events": 5, "read_timeout": "3s"}).Unmarshal(cfg))
	assert.Equal(t, 5, cfg.MaxEvents)
	assert.Equal(t, "localhost:1", cfg.ServerConfig.NetAddr.Endpoint)
	assert.Equal(t, 3*time.Second, cfg.ServerConfig.ReadTimeout)
}

func TestDefaultEndpointIsLocalhost(t *testing.T) {
	assert.Equal(t, "localhost:4319", createDefaultConfig().(*Config).ServerConfig.NetAddr.Endpoint)
}
