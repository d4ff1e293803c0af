// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package acmeexporter

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/confmap"
)

func load(conf map[string]any) (*Config, error) {
	cfg := createDefaultConfig().(*Config)
	if err := confmap.NewFromStringMap(conf).Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

func TestValidation(t *testing.T) {
	for name, tt := range map[string]struct {
		conf map[string]any
		want string // the error, if any
	}{
		"a key is enough":              {conf: map[string]any{"api_key": testKey}},
		"another endpoint":             {conf: map[string]any{"api_key": testKey, "endpoint": "http://localhost:9000"}},
		"no key":                       {conf: map[string]any{}, want: "api_key: is missing"},
		"an unset variable as key":     {conf: map[string]any{"api_key": nil}, want: "is an environment variable unset?"},
		"a line feed in a key":         {conf: map[string]any{"api_key": testKey + "\n"}, want: "api_key: contains a character that is not allowed"},
		"an endpoint without a scheme": {conf: map[string]any{"api_key": testKey, "endpoint": "localhost:9000"}, want: "endpoint: localhost:9000 has no scheme"},
		"an endpoint without a host":   {conf: map[string]any{"api_key": testKey, "endpoint": "https:///"}, want: "endpoint: has no host; write a URL such as https://api.acme.example"},
		"a proxy that is not a URL":    {conf: map[string]any{"api_key": testKey, "proxy_url": "http://u:" + testKey + "@ bad"}, want: "proxy_url: is not a URL"},
		"a bad delivery key":           {conf: map[string]any{"api_key": testKey, "max_in_flight": 0}, want: "max_in_flight: 0 is not positive"},
		"an unknown key":               {conf: map[string]any{"apikey": testKey}, want: `unknown key "apikey"; did you mean "api_key"?`},
		"an unknown nested key":        {conf: map[string]any{"api_key": testKey, "tls": map[string]any{"insecur": true}}, want: `unknown key "tls::insecur"; did you mean "insecure"?`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(tt.conf)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), testKey)
		})
	}
}

func TestPrintedConfigurationHidesKey(t *testing.T) {
	cfg, err := load(map[string]any{"api_key": testKey})
	require.NoError(t, err)
	printed := confmap.New()
	require.NoError(t, printed.Marshal(cfg))
	assert.NotContains(t, fmt.Sprint(printed.ToStringMap()), testKey)
	assert.NotContains(t, fmt.Sprintf("%+v", cfg), testKey)
}

func TestDefaults(t *testing.T) {
	cfg, err := load(map[string]any{"api_key": testKey})
	require.NoError(t, err)
	assert.Equal(t, "https://api.acme.example", cfg.ClientConfig.Endpoint)
	assert.Equal(t, configcompression.TypeGzip, cfg.ClientConfig.Compression)
	assert.Equal(t, int64(maxEvents), cfg.Delivery.QueueConfig.Get().Batch.Get().MaxSize)
}
