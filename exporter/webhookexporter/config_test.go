// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"fmt"
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

func load(conf map[string]any) (*Config, error) {
	cfg := createDefaultConfig().(*Config)
	if err := confmap.NewFromStringMap(conf).Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

func TestConfigurationIsChecked(t *testing.T) {
	const endpoint = "https://example.com/hook?token=hunter2"
	for name, tt := range map[string]struct {
		conf map[string]any
		want string // part of the error; empty for none
	}{
		"only an endpoint":                         {conf: map[string]any{"endpoint": endpoint}},
		"an array":                                 {conf: map[string]any{"endpoint": endpoint, "batching": "array"}},
		"sync without a queue":                     {conf: map[string]any{"endpoint": endpoint, "dispatch": "sync", "sending_queue": map[string]any{"enabled": false}}},
		"async without a queue":                    {conf: map[string]any{"endpoint": endpoint, "sending_queue": map[string]any{"enabled": false}}, want: "sending_queue: is off, but dispatch: async needs a queue"},
		"queue that blocks callers":                {conf: map[string]any{"endpoint": endpoint, "sending_queue": map[string]any{"block_on_overflow": true}}, want: "sending_queue::block_on_overflow"},
		"unknown dispatch":                         {conf: map[string]any{"endpoint": endpoint, "dispatch": "later"}, want: `dispatch: "later" is not supported`},
		"no requests in flight":                    {conf: map[string]any{"endpoint": endpoint, "max_in_flight": 0}, want: "max_in_flight: 0 is not positive"},
		"empty values select defaults":             {conf: map[string]any{"endpoint": endpoint, "format": "", "batching": ""}},
		"proxy that is not a URL":                  {conf: map[string]any{"endpoint": endpoint, "proxy_url": "http://u:hunter2@ bad"}, want: "proxy_url: is not a URL"},
		"missing endpoint":                         {conf: map[string]any{}, want: "endpoint: is missing; write the URL"},
		"endpoint of an unset variable":            {conf: map[string]any{"endpoint": nil}, want: "is an environment variable unset?"},
		"endpoint without a scheme":                {conf: map[string]any{"endpoint": "example.com/hunter2"}, want: "endpoint: has no scheme; write a URL that begins with https://"},
		"host and port as endpoint":                {conf: map[string]any{"endpoint": "localhost:9001"}, want: "endpoint: localhost:9001 has no scheme; write http://localhost:9001"},
		"endpoint with an invalid port":            {conf: map[string]any{"endpoint": "http://localhost:99999/hunter2"}, want: "endpoint: port 99999 is out of range; write 1 to 65535"},
		"space in the endpoint":                    {conf: map[string]any{"endpoint": "https://example.com/hunter2 b"}, want: "endpoint: contains a space or a line feed"},
		"unsupported scheme":                       {conf: map[string]any{"endpoint": "ftp://hunter2"}, want: `endpoint: has the scheme "ftp"`},
		"endpoint without a host":                  {conf: map[string]any{"endpoint": "https:///hunter2"}, want: "endpoint: has no host"},
		"malformed endpoint":                       {conf: map[string]any{"endpoint": "https://%zz/hunter2"}, want: "endpoint: is not a URL"},
		"unknown format":                           {conf: map[string]any{"endpoint": endpoint, "format": "xml"}, want: `format: "xml" is not valid; write event, standard, cloudevents, sink, otlp_json, template, slack, discord, teams or pagerduty`},
		"unknown batching":                         {conf: map[string]any{"endpoint": endpoint, "batching": "some"}, want: `batching: "some" is not valid; write single, array or ndjson`},
		"unknown key":                              {conf: map[string]any{"endpoint": endpoint, "batchng": "array"}, want: `unknown key "batchng"; did you mean "batching"?`},
		"unknown nested key":                       {conf: map[string]any{"endpoint": endpoint, "retry_on_failure": map[string]any{"max_intervall": "1s"}}, want: `unknown key "retry_on_failure::max_intervall"; did you mean "max_interval"?`},
		"CloudEvents mode":                         {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "cloudevents": map[string]any{"mode": "binary"}}},
		"unknown CloudEvents mode":                 {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "cloudevents": map[string]any{"mode": "both"}}, want: `cloudevents::mode: "both" is not valid; write structured, binary or batched`},
		"batched CloudEvents as ndjson":            {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "batching": "ndjson", "cloudevents": map[string]any{"mode": "batched"}}, want: "batching: cloudevents::mode batched sends an array"},
		"structured CloudEvents as array":          {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "batching": "array"}, want: "for several, write cloudevents::mode: batched"},
		"CloudEvents settings with another format": {conf: map[string]any{"endpoint": endpoint, "cloudevents": map[string]any{"type_prefix": "com."}}, want: "cloudevents: only for format: cloudevents; the format is event"},
		"control character in the source":          {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "cloudevents": map[string]any{"source": "a\nb"}}, want: "cloudevents::source: is not a URI"},
		"space in the source":                      {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "cloudevents": map[string]any{"source": "my shop"}}, want: "cloudevents::source: is not a URI"},
		"URN as source":                            {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "cloudevents": map[string]any{"source": "urn:shop:eu-1"}}},
		"control character in the type prefix":     {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "cloudevents": map[string]any{"type_prefix": "a\nb"}}, want: "cloudevents::type_prefix: contains a character"},
		"handshake without an origin":              {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "cloudevents": map[string]any{"handshake": map[string]any{"enabled": true}}}, want: `cloudevents::handshake::origin: "" is not a DNS name`},
		"handshake with several URLs":              {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "request": map[string]any{"path": "/a"}, "cloudevents": map[string]any{"handshake": map[string]any{"enabled": true, "origin": "a.example"}}}, want: "covers only one URL"},
		"handshake with a negative rate":           {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "cloudevents": map[string]any{"handshake": map[string]any{"enabled": true, "origin": "a.example", "rate": -1}}}, want: "cloudevents::handshake::rate: -1 is negative"},
		"unknown content":                          {conf: map[string]any{"endpoint": endpoint, "content": "some"}, want: `content: "some" is not valid; write full or summary`},
		"array for Slack":                          {conf: map[string]any{"endpoint": endpoint, "format": "slack", "batching": "array"}, want: "batching: slack accepts one event per request"},
		"template":                                 {conf: map[string]any{"endpoint": endpoint, "format": "template", "template": map[string]any{"text": "{{ .name }}"}}},
		"number from a variable in a template":     {conf: map[string]any{"endpoint": endpoint, "format": "template", "template": map[string]any{"n": []any{xconfmap.ExpandedValue{Value: 5, Original: "5"}}}}},
		"missing template":                         {conf: map[string]any{"endpoint": endpoint, "format": "template"}, want: "template: is missing"},
		"template with another format":             {conf: map[string]any{"endpoint": endpoint, "template": "x"}, want: "template: only for format: template; the format is event"},
		"invalid template":                         {conf: map[string]any{"endpoint": endpoint, "format": "template", "template": map[string]any{"blocks": []any{map[string]any{"text": "one\n{{ .name | uper }}"}}}}, want: `template::blocks::0::text: line 2: function "uper" not defined`},
		"template that fails for samples":          {conf: map[string]any{"endpoint": endpoint, "format": "template", "template": map[string]any{"a": map[string]any{"b": "\n\n{{ if .name }}{{ truncate .name .name }}{{ end }}"}}}, want: "template::a::b: line 3: cannot be rendered"},
		"invalid path template":                    {conf: map[string]any{"endpoint": endpoint, "request": map[string]any{"path": "/a/{{ .b"}}, want: "request::path: line 1:"},
		"empty path segment":                       {conf: map[string]any{"endpoint": endpoint, "request": map[string]any{"path": "/a//{{ .name }}"}}, want: "request::path: segment 2 is empty, . or .."},
		"path with ..":                             {conf: map[string]any{"endpoint": endpoint, "request": map[string]any{"path": "../{{ .name }}/"}}, want: "request::path: segment 1 is empty, . or .."},
		"invalid query template":                   {conf: map[string]any{"endpoint": endpoint, "request": map[string]any{"query": map[string]any{"q": "{{ end }}"}}}, want: "request::query::q: line 1:"},
		"invalid header template":                  {conf: map[string]any{"endpoint": endpoint, "request": map[string]any{"headers": map[string]any{"X-A": "{{ x }}"}}}, want: `request::headers::X-A: line 1: function "x" not defined`},
		"PagerDuty without an endpoint":            {conf: map[string]any{"format": "pagerduty", "pagerduty": map[string]any{"routing_key": "hunter2"}}},
		"PagerDuty without a key":                  {conf: map[string]any{"format": "pagerduty"}, want: "pagerduty::routing_key: is missing"},
		"unknown PagerDuty action":                 {conf: map[string]any{"format": "pagerduty", "pagerduty": map[string]any{"routing_key": "hunter2", "event_action": "{{ .level }}"}}, want: "pagerduty::event_action: must render trigger, acknowledge or resolve, but renders something else"},
		"PagerDuty settings with another format":   {conf: map[string]any{"endpoint": endpoint, "pagerduty": map[string]any{"routing_key": "hunter2"}}, want: "pagerduty: only for format: pagerduty; the format is event"},
		"signature scheme":                         {conf: map[string]any{"endpoint": endpoint, "signing": map[string]any{"scheme": "github", "secrets": []any{"hunter2"}}}},
		"algorithm without a scheme":               {conf: map[string]any{"endpoint": endpoint, "signing": map[string]any{"algorithm": "sha512"}}, want: `signing::s`},
		"secret without a scheme":                  {conf: map[string]any{"endpoint": endpoint, "signing": map[string]any{"secrets": []any{"hunter2"}}}, want: `signing::scheme: "" is not a scheme`},
		"scheme without a secret":                  {conf: map[string]any{"endpoint": endpoint, "signing": map[string]any{"scheme": "standard"}}, want: "signing::secrets: are missing"},
		"invalid secret":                           {conf: map[string]any{"endpoint": endpoint, "signing": map[string]any{"scheme": "standard", "secrets": []any{"hunter2"}}}, want: "signing::secrets::0: is not a key of Standard Webhooks"},
		"signature in a reserved header":           {conf: map[string]any{"endpoint": endpoint, "signing": map[string]any{"scheme": "hmac", "secrets": []any{"hunter2"}, "header": "content-type"}}, want: `signing::header: "Content-Type" cannot be the header of a signature`},
		"header that the exporter sets":            {conf: map[string]any{"endpoint": endpoint, "headers": map[string]any{"content-type": "hunter2"}}, want: "headers::content-type: is set by the exporter itself"},
		"header of the connection":                 {conf: map[string]any{"endpoint": endpoint, "request": map[string]any{"headers": map[string]any{"transfer-Encoding": "hunter2"}}}, want: "request::headers::transfer-Encoding: is set by the exporter itself"},
		"header of the signature":                  {conf: map[string]any{"endpoint": endpoint, "headers": map[string]any{"webhook-id": "hunter2"}, "signing": map[string]any{"scheme": "standard", "secrets": []any{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}}, want: "headers::webhook-id: is set by the exporter itself"},
		"header of a CloudEvents attribute":        {conf: map[string]any{"endpoint": endpoint, "headers": map[string]any{"ce-id": "hunter2"}, "format": "cloudevents"}, want: "headers::ce-id: is an attribute of a CloudEvent"},
		"invalid header name":                      {conf: map[string]any{"endpoint": endpoint, "headers": map[string]any{"X Key": "hunter2"}}, want: `headers: "X Key" is not a valid header name`},
		"line feed in a header":                    {conf: map[string]any{"endpoint": endpoint, "headers": map[string]any{"X-Key": "hunter2\n"}}, want: "headers::X-Key: contains a character that is not allowed in a header"},
		"invalid status":                           {conf: map[string]any{"endpoint": endpoint, "success_codes": []any{99}}, want: "success_codes: 99 is not the status of a response"},
		"status in both lists":                     {conf: map[string]any{"endpoint": endpoint, "success_codes": []any{200, 409}, "retry_codes": []any{409}}, want: "retry_codes: 409 is in success_codes too"},
		"schedule":                                 {conf: map[string]any{"endpoint": endpoint, "retry_schedule": []any{"1s", "5s", "30s", "2m"}, "max_retries": 10}},
		"wait of 0":                                {conf: map[string]any{"endpoint": endpoint, "retry_schedule": []any{"1s", "0s"}}, want: "retry_schedule::1: 0s is not a wait"},
		"schedule without retries":                 {conf: map[string]any{"endpoint": endpoint, "retry_schedule": []any{"1s"}, "retry_on_failure": map[string]any{"enabled": false}}, want: "retry_schedule: has no effect, because retry_on_failure::enabled is false"},
		"negative retries":                         {conf: map[string]any{"endpoint": endpoint, "max_retries": -1}, want: "max_retries: -1 is negative"},
		"negative rate limit":                      {conf: map[string]any{"endpoint": endpoint, "rate_limit": -1}, want: "rate_limit: -1 is negative"},
		"cloud metadata address":                   {conf: map[string]any{"endpoint": "http://169.254.169.254/hunter2"}, want: "endpoint: 169.254.169.254 is a link-local or cloud-metadata address"},
		"cloud metadata address in IPv6":           {conf: map[string]any{"endpoint": "http://[::ffff:169.254.169.254]/hunter2"}, want: "endpoint: 169.254.169.254 is a link-local or cloud-metadata address"},
		"private address":                          {conf: map[string]any{"endpoint": "http://10.0.0.1/hook"}},
		"blocked private address":                  {conf: map[string]any{"endpoint": "http://10.0.0.1/hunter2", "block_private_networks": true}, want: "endpoint: 10.0.0.1 is not a public address"},
		"batch smaller than min_size":              {conf: map[string]any{"endpoint": endpoint, "sending_queue": map[string]any{"batch": map[string]any{"max_size": 5}}}, want: "max_size"},
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

func TestPrintedConfigurationHidesTheEndpoint(t *testing.T) {
	cfg, err := load(map[string]any{"endpoint": "https://example.com/hunter2"})
	require.NoError(t, err)
	assert.Equal(t, "https://example.com/hunter2", cfg.ClientConfig.Endpoint)
	printed := confmap.New()
	require.NoError(t, printed.Marshal(cfg))
	assert.NotContains(t, fmt.Sprint(printed.ToStringMap()), "hunter2")
	assert.Contains(t, printed.ToStringMap(), "endpoint")
}

func TestDefaults(t *testing.T) {
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

func TestBatchesAreLargerWhenEventsShareRequests(t *testing.T) {
	batch := func(conf map[string]any) map[string]any {
		return map[string]any{"batching": "array", "sending_queue": map[string]any{"batch": conf}}
	}
	for name, tt := range map[string]struct {
		conf     map[string]any
		min, max int64
	}{
		"a request an event":       {map[string]any{}, 100, 100},
		"an array":                 {map[string]any{"batching": "array"}, 500, 500},
		"lines":                    {map[string]any{"batching": "ndjson"}, 500, 500},
		"batched CloudEvents":      {map[string]any{"format": "cloudevents", "cloudevents": map[string]any{"mode": "batched"}}, 500, 500},
		"another key of the batch": {batch(map[string]any{"flush_timeout": "1s"}), 500, 500},
		"a size that is written":   {batch(map[string]any{"min_size": 50}), 50, 100},
		"the other size":           {batch(map[string]any{"max_size": 700}), 100, 700},
		"both sizes":               {batch(map[string]any{"min_size": 7, "max_size": 70}), 7, 70},
	} {
		t.Run(name, func(t *testing.T) {
			tt.conf["endpoint"] = "http://x"
			cfg, err := load(tt.conf)
			require.NoError(t, err)
			got := cfg.Delivery.QueueConfig.Get().Batch.Get()
			assert.Equal(t, [2]int64{tt.min, tt.max}, [2]int64{got.MinSize, got.MaxSize})
		})
	}
	cfg, err := load(map[string]any{"endpoint": "http://x", "batching": "array", "dispatch": "sync", "sending_queue": map[string]any{"enabled": false}})
	require.NoError(t, err)
	assert.False(t, cfg.Delivery.QueueConfig.HasValue())
}

func TestServicesHaveDefaultRateLimits(t *testing.T) {
	for format, want := range map[Format]float64{FormatEvent: 0, FormatSlack: 1, FormatDiscord: 0.5, FormatTeams: 4, FormatPagerDuty: 0} {
		assert.InDelta(t, want, (&Config{Format: format}).rateLimit(), 0, format)
		assert.InDelta(t, 0.1, (&Config{Format: format, RateLimit: 0.1}).rateLimit(), 0, "the configuration overrides the default")
	}
}

// testBackend returns the backend of a configuration, to which it adds an endpoint.
func testBackend(t testing.TB, conf map[string]any) *backend {
	t.Helper()
	with := map[string]any{"endpoint": "https://example.com/hook"}
	maps.Copy(with, conf)
	cfg, err := load(with)
	require.NoError(t, err)
	b, err := newBackend(cfg, "webhook/audit")
	require.NoError(t, err)
	return b
}
