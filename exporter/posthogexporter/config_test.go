// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-fanout/otelcol-fanout/internal/analyticsconf"
)

const testKey = "phc_hunter2"

func load(conf map[string]any) (*Config, error) {
	cfg := createDefaultConfig().(*Config)
	if err := confmap.NewFromStringMap(conf).Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

func TestOnlyAPIKeyIsRequired(t *testing.T) {
	cfg, err := load(map[string]any{"api_key": testKey})
	require.NoError(t, err)
	assert.Equal(t, "https://us.i.posthog.com", cfg.ClientConfig.Endpoint)
	assert.Equal(t, 30*time.Second, cfg.ClientConfig.Timeout)
	assert.Equal(t, configcompression.TypeGzip, cfg.ClientConfig.Compression)
	assert.Equal(t, int64(500), cfg.Delivery.QueueConfig.Get().Batch.Get().MaxSize)
	assert.Equal(t, ProtocolBatch, cfg.Protocol)
	assert.Equal(t, []string{"posthog.distinct_id", "user.id", "enduser.id", "enduser.pseudo.id"}, cfg.DistinctID.From)
	assert.Equal(t, ProfilesAlways, cfg.PersonProfiles)
	assert.Empty(t, cfg.EventNames.Map)
	assert.Equal(t, analyticsconf.LogsSkip, cfg.Logs)
	assert.Equal(t, analyticsconf.ResourceAttributes{"service.name", "service.namespace", "service.version", "deployment.environment.name"}, cfg.ResourceAttributes)
	assert.Empty(t, cfg.IPAttribute)
	assert.Equal(t, ExceptionsConfig{Enabled: true}, cfg.Exceptions)
	assert.Equal(t, AIConfig{Enabled: true, Content: ContentFull, OperationDetails: DetailsEvent}, cfg.AI)
	assert.Equal(t, HistoricalAuto, cfg.HistoricalMigration)
}

func TestConfigValidation(t *testing.T) {
	with := func(key string, value any) map[string]any {
		return map[string]any{"api_key": testKey, key: value}
	}
	for name, tt := range map[string]struct {
		conf map[string]any
		want string // the error, or empty
	}{
		"the EU cloud":                     {conf: with("endpoint", "https://eu.i.posthog.com/")},
		"a self-hosted server":             {conf: with("endpoint", "http://localhost:8000/posthog")},
		"no compression":                   {conf: with("compression", "none")},
		"a key of an old server":           {conf: map[string]any{"api_key": "sTMFPsFhdP1Ssg"}},
		"no key":                           {conf: map[string]any{}, want: "api_key: "},
		"an unset variable":                {conf: map[string]any{"api_key": nil}, want: "write the project API key, which begins with phc_"},
		"an unresolved variable":           {conf: map[string]any{"api_key": "${POSTHOG_API_KEY"}, want: "${env:POSTHOG_API_KEY}"},
		"a key with a line feed":           {conf: map[string]any{"api_key": testKey + "\n"}, want: "api_key: "},
		"a personal key":                   {conf: map[string]any{"api_key": "phx_hunter2"}, want: "api_key: is a personal API key (phx_), which PostHog refuses for events; write the project API key"},
		"the private host":                 {conf: with("endpoint", "https://us.posthog.com"), want: "endpoint: does not accept events; write https://us.i.posthog.com"},
		"the private host in capitals":     {conf: with("endpoint", "https://APP.posthog.com:443/"), want: "endpoint: does not accept events; write https://us.i.posthog.com"},
		"the private EU host":              {conf: with("endpoint", "https://eu.posthog.com"), want: "endpoint: does not accept events; write https://eu.i.posthog.com"},
		"the assets host":                  {conf: with("endpoint", "https://eu-assets.i.posthog.com"), want: "endpoint: does not accept events; write https://eu.i.posthog.com"},
		"an endpoint without a scheme":     {conf: with("endpoint", "us.i.posthog.com"), want: "endpoint: "},
		"an endpoint without a host":       {conf: with("endpoint", "https:///"), want: "endpoint: "},
		"an endpoint with an invalid port": {conf: with("endpoint", "http://localhost:99999"), want: "99999"},
		"an endpoint with a query":         {conf: with("endpoint", "https://us.i.posthog.com?token="+testKey), want: "endpoint: has a user, a query or a fragment; write the address only, such as https://us.i.posthog.com"},
		"an endpoint with the batch path":  {conf: with("endpoint", "https://us.i.posthog.com/batch/"), want: "endpoint: remove /batch; the exporter appends the path itself"},
		"an endpoint with the v1 path":     {conf: with("endpoint", "https://us.i.posthog.com/i/v1/analytics/events"), want: "endpoint: remove /i/v1/analytics/events"},
		"an OTLP endpoint":                 {conf: with("endpoint", "https://us.i.posthog.com/i/v1/logs"), want: "endpoint: remove /i/v1/logs"},
		"a pattern of a shell":             {conf: with("resource_attributes", []any{"service.?"}), want: `resource_attributes: "service.?": only * is special in a pattern`},
		"an invalid protocol":              {conf: with("protocol", "v2"), want: `protocol: "v2"`},
		"invalid person_profiles":          {conf: with("person_profiles", "yes"), want: `person_profiles: "yes"`},
		"invalid logs":                     {conf: with("logs", "all"), want: `logs: "all"`},
		"invalid operation_details":        {conf: with("ai", map[string]any{"operation_details": "span"}), want: `ai::operation_details: "span"`},
		"invalid content":                  {conf: with("ai", map[string]any{"content": "some"}), want: `ai::content: "some"`},
		"invalid historical_migration":     {conf: with("historical_migration", "always"), want: `historical_migration: "always"`},
		"zstd with batch":                  {conf: with("compression", "zstd"), want: "compression: PostHog's batch protocol, which protocol: v1 also uses for some events, does not accept zstd; write gzip or none"},
		"zstd with v1":                     {conf: map[string]any{"api_key": testKey, "protocol": "v1", "compression": "zstd"}, want: "does not accept zstd; write gzip or none"},
		"deflate with v1":                  {conf: map[string]any{"api_key": testKey, "protocol": "v1", "compression": "deflate"}, want: "does not accept deflate; write gzip or none"},
		"no ID attributes":                 {conf: with("distinct_id", map[string]any{"from": []any{}}), want: "distinct_id::from: "},
		"an empty ID attribute":            {conf: with("distinct_id", map[string]any{"from": []any{""}}), want: "distinct_id::from: "},
		"an empty name":                    {conf: with("event_names", map[string]any{"map": map[string]any{"a": ""}}), want: "event_names::map::a: the name has 0 bytes; PostHog requires 1 to 200"},
		"a long name":                      {conf: with("event_names", map[string]any{"map": map[string]any{"a": strings.Repeat("x", 201)}}), want: "event_names::map::a: the name has 201 bytes"},
		"an invalid proxy":                 {conf: with("proxy_url", "http://u:"+testKey+"@ bad"), want: "proxy_url: "},
		"an invalid delivery key":          {conf: with("max_in_flight", 0), want: "max_in_flight: "},
		"an unknown key":                   {conf: map[string]any{"apikey": testKey}, want: `"apikey"`},
		"an unknown nested key":            {conf: with("exceptions", map[string]any{"enable": true}), want: `"exceptions::enable"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(tt.conf)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestEmptyValueSelectsTheDefault(t *testing.T) {
	cfg, err := load(map[string]any{
		"api_key": testKey, "endpoint": "", "protocol": "", "person_profiles": "", "logs": "", "historical_migration": "", "ai": map[string]any{"content": "", "operation_details": ""},
	})
	require.NoError(t, err)
	want, err := load(map[string]any{"api_key": testKey})
	require.NoError(t, err)
	assert.Equal(t, want, cfg)
}

func TestPrintedConfigHidesTheKey(t *testing.T) {
	cfg, err := load(map[string]any{"api_key": testKey})
	require.NoError(t, err)
	printed := confmap.New()
	require.NoError(t, printed.Marshal(cfg))
	assert.NotContains(t, fmt.Sprint(printed.ToStringMap()), testKey)
	assert.NotContains(t, fmt.Sprintf("%+v", cfg), testKey)
}

func TestReadmeConfigurationIsValid(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, example, _ := strings.Cut(string(readme), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	var conf struct{ Exporters map[string]map[string]any }
	require.NoError(t, yaml.Unmarshal([]byte(strings.Replace(example, "${env:POSTHOG_API_KEY}", testKey, 1)), &conf))
	_, err = load(conf.Exporters["posthog"])
	require.NoError(t, err)
}

func TestReadmeListsEveryNotice(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, n := range []notice{noticeDuplicate, noticeIllegalID, noticeNoPerson, noticeWarning} {
		assert.Contains(t, string(readme), "`"+string(n)+"`")
	}
}

func TestReadmeListsEveryKey(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	cfg, err := load(map[string]any{"api_key": testKey})
	require.NoError(t, err)
	printed := confmap.New()
	require.NoError(t, printed.Marshal(cfg))
	for key := range printed.ToStringMap() {
		switch key {
		case "http2_ping_timeout", "http2_read_idle_timeout", "idle_conn_timeout", "max_idle_conns", "read_buffer_size", "write_buffer_size",
			"max_conns_per_host", "max_idle_conns_per_host", "disable_keep_alives", "force_attempt_http2", "cookies", "middlewares",
			"compression_params", "keepalive":
			continue // other keys of confighttp
		}
		assert.Contains(t, string(readme), "`"+key, key)
	}
}
