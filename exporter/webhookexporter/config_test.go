// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

func load(conf map[string]any) (*Config, error) {
	cfg := createDefaultConfig().(*Config)
	if err := confmap.NewFromStringMap(conf).Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

func TestConfigurations(t *testing.T) {
	const endpoint = "https://example.com/hook?token=hunter2"
	for name, tt := range map[string]struct {
		conf map[string]any
		want string // the error; none where empty
	}{
		"an endpoint will do":             {conf: map[string]any{"endpoint": endpoint}},
		"an array":                        {conf: map[string]any{"endpoint": endpoint, "batching": "array"}},
		"no queue where callers wait":     {conf: map[string]any{"endpoint": endpoint, "dispatch": "sync", "sending_queue": map[string]any{"enabled": false}}},
		"no queue where they do not":      {conf: map[string]any{"endpoint": endpoint, "sending_queue": map[string]any{"enabled": false}}, want: "sending_queue: is off, but dispatch async needs a queue"},
		"callers that wait for room":      {conf: map[string]any{"endpoint": endpoint, "sending_queue": map[string]any{"block_on_overflow": true}}, want: "sending_queue::block_on_overflow"},
		"another dispatch":                {conf: map[string]any{"endpoint": endpoint, "dispatch": "later"}, want: `dispatch: "later" is not a way of dispatching`},
		"nothing in flight":               {conf: map[string]any{"endpoint": endpoint, "max_in_flight": 0}, want: "max_in_flight: 0 is not positive"},
		"empty words are as good as none": {conf: map[string]any{"endpoint": endpoint, "format": "", "batching": ""}},
		"a proxy is a URL":                {conf: map[string]any{"endpoint": endpoint, "proxy_url": "http://u:hunter2@ bad"}, want: "proxy_url: is not a URL"},
		"an endpoint is needed":           {conf: map[string]any{}, want: "endpoint: is missing; write the URL"},
		"an unset variable is no URL":     {conf: map[string]any{"endpoint": nil}, want: "is an environment variable unset?"},
		"an endpoint has a scheme":        {conf: map[string]any{"endpoint": "example.com/hunter2"}, want: `endpoint: has the scheme ""; write a URL that begins with https://`},
		"ftp is no scheme":                {conf: map[string]any{"endpoint": "ftp://hunter2"}, want: `endpoint: has the scheme "ftp"`},
		"an endpoint has a host":          {conf: map[string]any{"endpoint": "https:///hunter2"}, want: "endpoint: is a URL without a host"},
		"an endpoint parses":              {conf: map[string]any{"endpoint": "https://%zz/hunter2"}, want: "endpoint: is not a URL"},
		"another format":                  {conf: map[string]any{"endpoint": endpoint, "format": "xml"}, want: `format: "xml" is not a format; write event`},
		"another batching":                {conf: map[string]any{"endpoint": endpoint, "batching": "some"}, want: `batching: "some" is not a way of batching; write single (one request an event) or array (a JSON array of events)`},
		"an unknown key":                  {conf: map[string]any{"endpoint": endpoint, "batchng": "array"}, want: `unknown key "batchng"; did you mean "batching"?`},
		"an unknown key inside another":   {conf: map[string]any{"endpoint": endpoint, "retry_on_failure": map[string]any{"max_intervall": "1s"}}, want: `unknown key "retry_on_failure::max_intervall"; did you mean "max_interval"?`},
		"a batch larger than the queue's": {conf: map[string]any{"endpoint": endpoint, "sending_queue": map[string]any{"batch": map[string]any{"max_size": 5}}}, want: "max_size"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(tt.conf)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "hunter2", "the endpoint may hold a secret")
		})
	}
}

func TestTheEndpointIsHiddenWhereTheConfigurationIsPrinted(t *testing.T) {
	cfg, err := load(map[string]any{"endpoint": "https://example.com/hunter2"})
	require.NoError(t, err)
	assert.Equal(t, "https://example.com/hunter2", cfg.ClientConfig.Endpoint)
	printed := confmap.New()
	require.NoError(t, printed.Marshal(cfg))
	assert.NotContains(t, fmt.Sprint(printed.ToStringMap()), "hunter2")
	assert.Contains(t, printed.ToStringMap(), "endpoint")
}

func TestTheDefaults(t *testing.T) {
	cfg, err := load(map[string]any{"endpoint": "http://x", "sending_queue": map[string]any{"num_consumers": 3}})
	require.NoError(t, err)
	queue := cfg.Delivery.QueueConfig.Get()
	assert.Equal(t, 3, queue.NumConsumers)
	assert.Equal(t, exporterhelper.RequestSizerTypeBytes, queue.Sizer)
	assert.Equal(t, int64(64<<20), queue.QueueSize)
	assert.Equal(t, int64(100), queue.Batch.Get().MaxSize)
	assert.True(t, cfg.Delivery.RetryConfig.Enabled)
	assert.Empty(t, cfg.ClientConfig.Compression)
}
