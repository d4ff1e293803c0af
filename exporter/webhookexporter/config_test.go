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

func TestConfigurations(t *testing.T) {
	const endpoint = "https://example.com/hook?token=hunter2"
	for name, tt := range map[string]struct {
		conf map[string]any
		want string // part of the error; empty for none
	}{
		"an endpoint will do":                 {conf: map[string]any{"endpoint": endpoint}},
		"an array":                            {conf: map[string]any{"endpoint": endpoint, "batching": "array"}},
		"no queue where callers wait":         {conf: map[string]any{"endpoint": endpoint, "dispatch": "sync", "sending_queue": map[string]any{"enabled": false}}},
		"no queue where they do not":          {conf: map[string]any{"endpoint": endpoint, "sending_queue": map[string]any{"enabled": false}}, want: "sending_queue: is off, but dispatch async needs a queue"},
		"callers that wait for room":          {conf: map[string]any{"endpoint": endpoint, "sending_queue": map[string]any{"block_on_overflow": true}}, want: "sending_queue::block_on_overflow"},
		"another dispatch":                    {conf: map[string]any{"endpoint": endpoint, "dispatch": "later"}, want: `dispatch: "later" is not a way of dispatching`},
		"nothing in flight":                   {conf: map[string]any{"endpoint": endpoint, "max_in_flight": 0}, want: "max_in_flight: 0 is not positive"},
		"empty words are as good as none":     {conf: map[string]any{"endpoint": endpoint, "format": "", "batching": ""}},
		"a proxy is a URL":                    {conf: map[string]any{"endpoint": endpoint, "proxy_url": "http://u:hunter2@ bad"}, want: "proxy_url: is not a URL"},
		"an endpoint is needed":               {conf: map[string]any{}, want: "endpoint: is missing; write the URL"},
		"an unset variable is no URL":         {conf: map[string]any{"endpoint": nil}, want: "is an environment variable unset?"},
		"an endpoint has a scheme":            {conf: map[string]any{"endpoint": "example.com/hunter2"}, want: "endpoint: has no scheme; write a URL that begins with https://"},
		"an endpoint is no host and port":     {conf: map[string]any{"endpoint": "localhost:9001"}, want: "endpoint: localhost:9001 has no scheme; write http://localhost:9001"},
		"an endpoint has a port":              {conf: map[string]any{"endpoint": "http://localhost:99999/hunter2"}, want: "endpoint: port 99999 is out of range; write 1 to 65535"},
		"an endpoint has no space":            {conf: map[string]any{"endpoint": "https://example.com/hunter2 b"}, want: "endpoint: contains a space or a line feed"},
		"ftp is no scheme":                    {conf: map[string]any{"endpoint": "ftp://hunter2"}, want: `endpoint: has the scheme "ftp"`},
		"an endpoint has a host":              {conf: map[string]any{"endpoint": "https:///hunter2"}, want: "endpoint: has no host"},
		"an endpoint parses":                  {conf: map[string]any{"endpoint": "https://%zz/hunter2"}, want: "endpoint: is not a URL"},
		"another format":                      {conf: map[string]any{"endpoint": endpoint, "format": "xml"}, want: `format: "xml" is not valid; write event, standard, cloudevents, sink, otlp_json, template, slack, discord, teams or pagerduty`},
		"another batching":                    {conf: map[string]any{"endpoint": endpoint, "batching": "some"}, want: `batching: "some" is not valid; write single, array or ndjson`},
		"an unknown key":                      {conf: map[string]any{"endpoint": endpoint, "batchng": "array"}, want: `unknown key "batchng"; did you mean "batching"?`},
		"an unknown key inside another":       {conf: map[string]any{"endpoint": endpoint, "retry_on_failure": map[string]any{"max_intervall": "1s"}}, want: `unknown key "retry_on_failure::max_intervall"; did you mean "max_interval"?`},
		"a mode of CloudEvents":               {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "cloudevents": map[string]any{"mode": "binary"}}},
		"another mode":                        {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "cloudevents": map[string]any{"mode": "both"}}, want: `cloudevents::mode: "both" is not valid; write structured, binary or batched`},
		"batched CloudEvents are an array":    {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "batching": "ndjson", "cloudevents": map[string]any{"mode": "batched"}}, want: "batching: cloudevents::mode batched is an array"},
		"structured CloudEvents are not":      {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "batching": "array"}, want: "for several write cloudevents::mode: batched"},
		"CloudEvents of another format":       {conf: map[string]any{"endpoint": endpoint, "cloudevents": map[string]any{"type_prefix": "com."}}, want: "cloudevents: is for format: cloudevents, but the format is event"},
		"a source that is no URI":             {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "cloudevents": map[string]any{"source": "a\nb"}}, want: "cloudevents::source: is not a URI"},
		"a source with a space":               {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "cloudevents": map[string]any{"source": "my shop"}}, want: "cloudevents::source: is not a URI"},
		"a source that is a URN":              {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "cloudevents": map[string]any{"source": "urn:shop:eu-1"}}},
		"a type with a control":               {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "cloudevents": map[string]any{"type_prefix": "a\nb"}}, want: "cloudevents::type_prefix: has a character"},
		"a handshake without an origin":       {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "cloudevents": map[string]any{"handshake": map[string]any{"enabled": true}}}, want: `cloudevents::handshake::origin: "" is not a DNS name`},
		"a handshake of several URLs":         {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "request": map[string]any{"path": "/a"}, "cloudevents": map[string]any{"handshake": map[string]any{"enabled": true, "origin": "a.example"}}}, want: "asks for the consent of one URL"},
		"a handshake of a negative rate":      {conf: map[string]any{"endpoint": endpoint, "format": "cloudevents", "cloudevents": map[string]any{"handshake": map[string]any{"enabled": true, "origin": "a.example", "rate": -1}}}, want: "cloudevents::handshake::rate: -1 is negative"},
		"another content":                     {conf: map[string]any{"endpoint": endpoint, "content": "some"}, want: `content: "some" is not valid; write full or summary`},
		"an array for a chat":                 {conf: map[string]any{"endpoint": endpoint, "format": "slack", "batching": "array"}, want: "batching: slack takes one event a request"},
		"a template":                          {conf: map[string]any{"endpoint": endpoint, "format": "template", "template": map[string]any{"text": "{{ .name }}"}}},
		"a number of a variable":              {conf: map[string]any{"endpoint": endpoint, "format": "template", "template": map[string]any{"n": []any{xconfmap.ExpandedValue{Value: 5, Original: "5"}}}}},
		"a template that is missing":          {conf: map[string]any{"endpoint": endpoint, "format": "template"}, want: "template: is missing"},
		"a template of another format":        {conf: map[string]any{"endpoint": endpoint, "template": "x"}, want: "template: is for format: template, but the format is event"},
		"a template with a mistake":           {conf: map[string]any{"endpoint": endpoint, "format": "template", "template": map[string]any{"blocks": []any{map[string]any{"text": "one\n{{ .name | uper }}"}}}}, want: `template::blocks::0::text: line 2: function "uper" not defined`},
		"a template that fails when tried":    {conf: map[string]any{"endpoint": endpoint, "format": "template", "template": map[string]any{"a": map[string]any{"b": "\n\n{{ if .name }}{{ truncate .name .name }}{{ end }}"}}}, want: "template::a::b: line 3: cannot be rendered"},
		"a path with a mistake":               {conf: map[string]any{"endpoint": endpoint, "request": map[string]any{"path": "/a/{{ .b"}}, want: "request::path: line 1:"},
		"a path with an empty part":           {conf: map[string]any{"endpoint": endpoint, "request": map[string]any{"path": "/a//{{ .name }}"}}, want: "request::path: part 2 of it is empty, . or .."},
		"a path that leads up":                {conf: map[string]any{"endpoint": endpoint, "request": map[string]any{"path": "../{{ .name }}/"}}, want: "request::path: part 1 of it is empty, . or .."},
		"a query with a mistake":              {conf: map[string]any{"endpoint": endpoint, "request": map[string]any{"query": map[string]any{"q": "{{ end }}"}}}, want: "request::query::q: line 1:"},
		"a header with a mistake":             {conf: map[string]any{"endpoint": endpoint, "request": map[string]any{"headers": map[string]any{"X-A": "{{ x }}"}}}, want: `request::headers::X-A: line 1: function "x" not defined`},
		"PagerDuty has its own endpoint":      {conf: map[string]any{"format": "pagerduty", "pagerduty": map[string]any{"routing_key": "hunter2"}}},
		"PagerDuty needs a key":               {conf: map[string]any{"format": "pagerduty"}, want: "pagerduty::routing_key: is missing"},
		"an action that is none":              {conf: map[string]any{"format": "pagerduty", "pagerduty": map[string]any{"routing_key": "hunter2", "event_action": "{{ .level }}"}}, want: "pagerduty::event_action: does not become trigger, acknowledge or resolve"},
		"a key of another format":             {conf: map[string]any{"endpoint": endpoint, "pagerduty": map[string]any{"routing_key": "hunter2"}}, want: "pagerduty: is for format: pagerduty, but the format is event"},
		"a scheme":                            {conf: map[string]any{"endpoint": endpoint, "signing": map[string]any{"scheme": "github", "secrets": []any{"hunter2"}}}},
		"an algorithm without a scheme":       {conf: map[string]any{"endpoint": endpoint, "signing": map[string]any{"algorithm": "sha512"}}, want: `signing::s`},
		"a secret without a scheme":           {conf: map[string]any{"endpoint": endpoint, "signing": map[string]any{"secrets": []any{"hunter2"}}}, want: `signing::scheme: "" is not a scheme`},
		"a scheme without a secret":           {conf: map[string]any{"endpoint": endpoint, "signing": map[string]any{"scheme": "standard"}}, want: "signing::secrets: are missing"},
		"a secret that is none":               {conf: map[string]any{"endpoint": endpoint, "signing": map[string]any{"scheme": "standard", "secrets": []any{"hunter2"}}}, want: "signing::secrets::0: is not a key of Standard Webhooks"},
		"a signature in a reserved header":    {conf: map[string]any{"endpoint": endpoint, "signing": map[string]any{"scheme": "hmac", "secrets": []any{"hunter2"}, "header": "content-type"}}, want: `signing::header: "Content-Type" cannot be the header of a signature`},
		"a header of our own":                 {conf: map[string]any{"endpoint": endpoint, "headers": map[string]any{"content-type": "hunter2"}}, want: "headers::content-type: is set by the exporter itself"},
		"the header of the connection":        {conf: map[string]any{"endpoint": endpoint, "request": map[string]any{"headers": map[string]any{"transfer-Encoding": "hunter2"}}}, want: "request::headers::transfer-Encoding: is set by the exporter itself"},
		"the header of the signature":         {conf: map[string]any{"endpoint": endpoint, "headers": map[string]any{"webhook-id": "hunter2"}, "signing": map[string]any{"scheme": "standard", "secrets": []any{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}}, want: "headers::webhook-id: is set by the exporter itself"},
		"an attribute of a CloudEvent":        {conf: map[string]any{"endpoint": endpoint, "headers": map[string]any{"ce-id": "hunter2"}, "format": "cloudevents"}, want: "headers::ce-id: is an attribute of a CloudEvent"},
		"a header that is none":               {conf: map[string]any{"endpoint": endpoint, "headers": map[string]any{"X Key": "hunter2"}}, want: `headers: "X Key" is not the name of a header`},
		"a line feed in a header":             {conf: map[string]any{"endpoint": endpoint, "headers": map[string]any{"X-Key": "hunter2\n"}}, want: "headers::X-Key: holds a character that no header takes"},
		"a status that is none":               {conf: map[string]any{"endpoint": endpoint, "success_codes": []any{99}}, want: "success_codes: 99 is not a status"},
		"a status of both":                    {conf: map[string]any{"endpoint": endpoint, "success_codes": []any{200, 409}, "retry_codes": []any{409}}, want: "retry_codes: 409 is one of success_codes too"},
		"a schedule":                          {conf: map[string]any{"endpoint": endpoint, "retry_schedule": []any{"1s", "5s", "30s", "2m"}, "max_retries": 10}},
		"a wait that is none":                 {conf: map[string]any{"endpoint": endpoint, "retry_schedule": []any{"1s", "0s"}}, want: "retry_schedule::1: 0s is not a wait"},
		"a schedule without retries":          {conf: map[string]any{"endpoint": endpoint, "retry_schedule": []any{"1s"}, "retry_on_failure": map[string]any{"enabled": false}}, want: "retry_on_failure::enabled: is false"},
		"negative retries":                    {conf: map[string]any{"endpoint": endpoint, "max_retries": -1}, want: "max_retries: -1 is negative"},
		"a negative limit":                    {conf: map[string]any{"endpoint": endpoint, "rate_limit": -1}, want: "rate_limit: -1 is negative"},
		"the address of cloud metadata":       {conf: map[string]any{"endpoint": "http://169.254.169.254/hunter2"}, want: "endpoint: the address 169.254.169.254 is link-local or of cloud metadata"},
		"the same, within IPv6":               {conf: map[string]any{"endpoint": "http://[::ffff:169.254.169.254]/hunter2"}, want: "endpoint: the address 169.254.169.254 is link-local"},
		"a private address":                   {conf: map[string]any{"endpoint": "http://10.0.0.1/hook"}},
		"a private address that is not to be": {conf: map[string]any{"endpoint": "http://10.0.0.1/hunter2", "block_private_networks": true}, want: "endpoint: the address 10.0.0.1 is not of the public internet"},
		"a batch larger than the queue's":     {conf: map[string]any{"endpoint": endpoint, "sending_queue": map[string]any{"batch": map[string]any{"max_size": 5}}}, want: "max_size"},
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
