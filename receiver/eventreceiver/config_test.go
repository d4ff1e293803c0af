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

func TestConfigurations(t *testing.T) {
	for name, tt := range map[string]struct {
		conf map[string]any
		want string // the error; none where empty
	}{
		"the defaults are valid":         {},
		"all interfaces, when asked for": {conf: map[string]any{"endpoint": "0.0.0.0:80"}},
		"a unix socket needs no port":    {conf: map[string]any{"endpoint": "/tmp/events.sock", "transport": "unix"}},
		"an endpoint is needed":          {conf: map[string]any{"endpoint": ""}, want: "endpoint: is missing; write the address to listen on as host:port, such as localhost:4319"},
		"an endpoint has a port":         {conf: map[string]any{"endpoint": "localhost"}, want: `endpoint: "localhost" is not host:port, such as localhost:4319`},
		"HTTP runs over TCP":             {conf: map[string]any{"transport": "udp"}, want: `transport: "udp"`},
		"an encoding exists":             {conf: map[string]any{"compression_algorithms": []any{"br"}}, want: `compression_algorithms: "br" is not an encoding that is taken; there are gzip`},
		"max_events is positive":         {conf: map[string]any{"max_events": 0}, want: "max_events: 0 is not positive"},
		"keys are valid":                 {conf: map[string]any{"keys": []any{map[string]any{"key": "k", "resource": map[string]any{"service.name": "shop"}}}}},
		"a key is there":                 {conf: map[string]any{"keys": []any{map[string]any{"key": ""}}}, want: "keys::0::key: is missing"},
		"a key is a word":                {conf: map[string]any{"keys": []any{map[string]any{"key": "hunter2\n"}}}, want: "keys::0::key: contains a character that is not allowed"},
		"keys differ":                    {conf: map[string]any{"keys": []any{map[string]any{"key": "hunter2"}, map[string]any{"key": "hunter2"}}}, want: "keys::1::key: is the key of another entry too"},
		"a resource is told":             {conf: map[string]any{"keys": []any{map[string]any{"key": "hunter2", "resource": map[string]any{"service.name": ""}}}}, want: "keys::0::resource::service.name: is empty"},
		"keys have known keys":           {conf: map[string]any{"keys": []any{map[string]any{"key": "k", "resorce": map[string]any{}}}}, want: "resorce"},

		"a window is valid":        {conf: map[string]any{"deduplication": map[string]any{"window": "10m", "max_ids": 5}}},
		"a window is not negative": {conf: map[string]any{"deduplication": map[string]any{"window": "-1s"}}, want: "deduplication::window: -1s is negative"},
		"something is remembered":  {conf: map[string]any{"deduplication": map[string]any{"max_ids": 0}}, want: "deduplication::max_ids: 0 is not positive"},
		"proxies are valid":        {conf: map[string]any{"include_metadata": true, "trusted_proxies": []any{"10.0.0.0/8", "::1", "192.0.2.1"}}},
		"proxies are addresses":    {conf: map[string]any{"include_metadata": true, "trusted_proxies": []any{"::1", "proxy"}}, want: `trusted_proxies::1: "proxy" is not an address`},
		"proxies are of use":       {conf: map[string]any{"trusted_proxies": []any{"::1"}}, want: "trusted_proxies: has no use without include_metadata"},

		"a webhook is valid":           {conf: webhookConf("github", nil)},
		"a webhook has a path":         {conf: map[string]any{"webhooks": map[string]any{"a/b": map[string]any{}}}, want: "webhooks::a/b: the name is part of a path"},
		"a webhook has a scheme":       {conf: webhookConf("gitlab", nil), want: `webhooks::hook: scheme: "gitlab" is not a scheme; there are github, stripe`},
		"a webhook has secrets":        {conf: webhookConf("github", map[string]any{"secrets": []any{}}), want: "webhooks::hook: secrets: are missing"},
		"a webhook's secret is there":  {conf: webhookConf("github", map[string]any{"secrets": []any{""}}), want: "webhooks::hook: secrets::0: is empty"},
		"an HMAC has a header":         {conf: webhookConf("hmac", nil), want: "webhooks::hook: header: is missing"},
		"a window of a webhook":        {conf: webhookConf("github", map[string]any{"tolerance": "-1s"}), want: "webhooks::hook: tolerance: -1s is not positive"},
		"paths are pointers":           {conf: webhookConf("github", map[string]any{"event": map[string]any{"id_path": "id"}}), want: `webhooks::hook: event::id_path: "id" is not a JSON pointer`},
		"a name is in one place":       {conf: webhookConf("github", map[string]any{"event": map[string]any{"name_path": "/a", "name_header": "x"}}), want: "event::name_path: goes not together with name_header"},
		"an id is in one place":        {conf: webhookConf("github", map[string]any{"event": map[string]any{"id_path": "/a", "id_header": "x"}}), want: "event::id_path: goes not together with id_header"},
		"webhooks have known keys":     {conf: webhookConf("github", map[string]any{"secret": "x"}), want: "secret"},
		"events of webhooks have too":  {conf: webhookConf("github", map[string]any{"event": map[string]any{"path": "/a"}}), want: "path"},
		"a webhook's resource is told": {conf: webhookConf("github", map[string]any{"resource": map[string]any{"a": ""}}), want: "webhooks::hook: resource::a: is empty"},

		"an unknown key is refused":           {conf: map[string]any{"endpont": "x"}, want: "endpont"},
		"an unknown key beside known is also": {conf: map[string]any{"endpoint": "localhost:1", "max_event": 5}, want: "max_event"},
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

func TestKeysBesideThoseOfTheServerAreRead(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"endpoint": "localhost:1", "max_events": 5, "read_timeout": "3s"}).Unmarshal(cfg))
	assert.Equal(t, 5, cfg.MaxEvents)
	assert.Equal(t, "localhost:1", cfg.ServerConfig.NetAddr.Endpoint)
	assert.Equal(t, 3*time.Second, cfg.ServerConfig.ReadTimeout)
}

func TestTheDefaultsListenOnTheLoopbackOnly(t *testing.T) {
	assert.Equal(t, "localhost:4319", createDefaultConfig().(*Config).ServerConfig.NetAddr.Endpoint)
}
