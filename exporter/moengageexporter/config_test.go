// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/otelcol-fanout/otelcol-fanout/internal/analyticsconf"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

func TestDefaultsMatchTheComments(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, componenttest.CheckConfigStruct(cfg))
	assert.Empty(t, cfg.ClientConfig.Endpoint)
	assert.Equal(t, 30*time.Second, cfg.ClientConfig.Timeout)
	assert.EqualValues(t, "none", cfg.ClientConfig.Compression)
	assert.Equal(t, ModeBulk, cfg.Mode)
	assert.Zero(t, cfg.Verify)
	assert.True(t, cfg.RetryAmbiguous)
	assert.False(t, cfg.TestEnvironment)
	assert.Equal(t, []string{"moengage.customer_id", "user.id", "enduser.id", "enduser.pseudo.id"}, cfg.CustomerID.From)
	assert.Equal(t, WithoutCustomerSkip, cfg.WithoutCustomer)
	assert.Equal(t, EventNamesConfig{Max: 512, Page: "page_viewed", Screen: "screen_viewed"}, cfg.EventNames)
	assert.Equal(t, 256, cfg.MaxUserAttributes)
	assert.Equal(t, analyticsconf.LogsSkip, cfg.Logs)
	assert.Equal(t, RateLimitsConfig{Events: 30_000, Users: 10_000, Devices: 10_000, Merges: 1_000}, cfg.RateLimits)
	assert.Equal(t, 1, cfg.Delivery.QueueConfig.Get().NumConsumers)
	assert.EqualValues(t, 1000, cfg.Delivery.QueueConfig.Get().Batch.Get().MinSize)
	assert.Equal(t, delivery.DispatchAsync, cfg.Delivery.Dispatch)
	assert.NoError(t, confmap.Validate(validConfig()))
}

func TestConfigErrorsNameTheRemedy(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no workspace":              {func(cfg *Config) { cfg.WorkspaceID = "" }, "workspace_id: is missing; write the workspace ID, which MoEngage's dashboard shows under Settings, Account, APIs (is an environment variable unset?)"},
		"a URL as workspace":        {func(cfg *Config) { cfg.WorkspaceID = "https://x" }, "workspace_id: contains a character that is not allowed; write only the ID, which MoEngage's dashboard shows under Settings, Account, APIs"},
		"no key":                    {func(cfg *Config) { cfg.APIKey = "" }, "api_key: is missing; write the key of the tile Data, which MoEngage's dashboard shows under Settings, Account, APIs (is an environment variable unset?)"},
		"a key with a line feed":    {func(cfg *Config) { cfg.APIKey = "s3cr3t\n" }, "api_key: contains a character that is not allowed; is there a space or a line feed at the end?"},
		"an unexpanded variable":    {func(cfg *Config) { cfg.APIKey = "${MOENGAGE_API_KEY}" }, "api_key: contains an unexpanded ${...}; write environment variables as ${env:MOENGAGE_API_KEY}"},
		"no data center":            {func(cfg *Config) { cfg.DataCenter = 0 }, "data_center: is missing; write 1 to 6 or 101, the number in the address of your dashboard: dashboard-02.moengage.com is 2"},
		"unknown data center":       {func(cfg *Config) { cfg.DataCenter = 7 }, "data_center: 7 is not a MoEngage data center; write 1 to 6 or 101, the number in the address of your dashboard: dashboard-02.moengage.com is 2"},
		"a negative data center":    {func(cfg *Config) { cfg.DataCenter = -1 }, "data_center: -1 is not a MoEngage data center; write 1 to 6 or 101, the number in the address of your dashboard: dashboard-02.moengage.com is 2"},
		"an endpoint without host":  {func(cfg *Config) { cfg.ClientConfig.Endpoint = "api-01.moengage.com" }, "endpoint: has no scheme; write a URL that begins with https:// or http://, such as https://api-01.moengage.com, or leave endpoint out, because data_center determines the address"},
		"an endpoint with a path":   {func(cfg *Config) { cfg.ClientConfig.Endpoint = "https://api-01.moengage.com/v1/" }, "endpoint: contains a user, a query, a fragment or /v1; remove it, or leave endpoint out, because data_center determines the address"},
		"a proxy that is not a URL": {func(cfg *Config) { cfg.ClientConfig.ProxyURL = "http://s3cr3t@ x" }, "proxy_url: is not a URL; write one such as http://proxy.example.com:3128"},
		"unknown mode":              {func(cfg *Config) { cfg.Mode = "batch" }, `mode: "batch" is not valid; write bulk or single`},
		"unknown objects":           {func(cfg *Config) { cfg.Objects = "drop" }, `objects: "drop" is not valid; write send or flatten`},
		"unknown without_customer":  {func(cfg *Config) { cfg.WithoutCustomer = "drop" }, `without_customer: "drop" is not valid; write skip or device_id`},
		"unknown logs":              {func(cfg *Config) { cfg.Logs = "send" }, `logs: "send" is not valid; write skip or as_events`},
		"a share above one":         {func(cfg *Config) { cfg.Verify = 1.5 }, "verify: 1.5 is not a share; write a number from 0 to 1, such as 0.01"},
		"a share that is NaN":       {func(cfg *Config) { cfg.Verify = math.NaN() }, "verify: NaN is not a share; write a number from 0 to 1, such as 0.01"},
		"no customer ID attributes": {func(cfg *Config) { cfg.CustomerID.From = nil }, "customer_id::from: is empty or contains an empty name; write the attributes that identify the user, such as [user.id]"},
		"a name with a period":      {func(cfg *Config) { cfg.EventNames.Map = map[string]string{"a": "b.c"} }, `event_names::map::a: "b.c" has a period, after which MoEngage inserts a space; use _ instead`},
		"a reserved name":           {func(cfg *Config) { cfg.EventNames.Page = "moe_page" }, `event_names::page: "moe_page" begins with moe_, which is reserved for MoEngage`},
		"a pattern of a shell":      {func(cfg *Config) { cfg.EventNames.Allow = []string{"order_?"} }, `event_names::allow: "order_?": only * is special in a pattern, so ? matches only itself; write * for any text, such as signup_*`},
		"an anchored pattern":       {func(cfg *Config) { cfg.ResourceAttributes = []string{"service.*$"} }, `resource_attributes: "service.*$": only * is special in a pattern, which matches the whole name; remove $`},
		"no name for screens":       {func(cfg *Config) { cfg.EventNames.Screen = "" }, "event_names::screen: has 0 characters, but must have 1 to 200"},
		"no event names":            {func(cfg *Config) { cfg.EventNames.Max = 0 }, "event_names::max: 0 is not positive; write how many event names the workspace accepts (default 512)"},
		"negative user attributes":  {func(cfg *Config) { cfg.MaxUserAttributes = -1 }, "max_user_attributes: -1 is negative; write how many user attributes the workspace accepts (default 256)"},
		"a negative limit":          {func(cfg *Config) { cfg.RateLimits.Devices = -1 }, "rate_limits: contains a negative number; write limits per minute, or 0 for no limit"},
		"ten consumers":             {func(cfg *Config) { cfg.Delivery.QueueConfig.Get().NumConsumers = 10 }, "sending_queue::num_consumers: 10 must be 1, or a user's events could overtake each other; leave it out, and set max_in_flight to send more requests concurrently"},
		"what delivery checks":      {func(cfg *Config) { cfg.Delivery.MaxInFlight = 0 }, "max_in_flight: 0 is not positive; it is the number of requests that may be in flight at once (default 8)"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := validConfig()
			c.change(cfg)
			err := cfg.Validate()
			require.EqualError(t, err, c.want)
			assert.NotContains(t, err.Error(), "s3cr3t")
		})
	}
}

func TestDataCenterSelectsTheEndpoint(t *testing.T) {
	for number, want := range map[int]string{1: "https://api-01.moengage.com", 6: "https://api-06.moengage.com", 101: "https://api-101.moengage.com"} {
		cfg := validConfig()
		cfg.DataCenter = number
		require.NoError(t, cfg.Validate())
		assert.Equal(t, want, cfg.endpoint())
	}
	cfg := validConfig()
	cfg.ClientConfig.Endpoint = "http://127.0.0.1:8080/"
	require.NoError(t, cfg.Validate())
	assert.Equal(t, "http://127.0.0.1:8080", cfg.endpoint())
}

func TestTestEnvironmentIsItsOwnWorkspace(t *testing.T) {
	cfg := validConfig()
	cfg.WorkspaceID = "ABC"
	assert.Equal(t, "ABC", cfg.workspace())
	cfg.TestEnvironment = true
	assert.Equal(t, "ABC_DEBUG", cfg.workspace())
	cfg.WorkspaceID = "ABC_DEBUG"
	assert.Equal(t, "ABC_DEBUG", cfg.workspace())
}

func TestOrderNeedsNoQueue(t *testing.T) {
	cfg := validConfig()
	cfg.Delivery.Dispatch = delivery.DispatchSync
	cfg.Delivery.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
	assert.NoError(t, cfg.Validate())
}

func TestUnknownKeyIsAnError(t *testing.T) {
	err := confmap.NewFromStringMap(map[string]any{"workspace": "x"}).Unmarshal(createDefaultConfig().(*Config))
	assert.ErrorContains(t, err, "workspace_id")
}

func TestEmptyValueSelectsTheDefault(t *testing.T) {
	cfg := validConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"mode": "", "logs": "", "without_customer": "", "objects": ""}).Unmarshal(cfg))
	assert.NoError(t, cfg.Validate())
}

// TestReadmeListsEveryKey checks that each key of the configuration and each correction is in the
// README.
func TestReadmeListsEveryKey(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, key := range []string{
		"workspace_id", "api_key", "data_center", "test_environment", "mode", "verify", "retry_ambiguous", "customer_id::from", "without_customer", "objects",
		"event_names::map", "event_names::allow", "event_names::max", "event_names::page", "event_names::screen", "max_user_attributes", "logs",
		"resource_attributes", "rate_limits::events", "rate_limits::users", "rate_limits::devices", "rate_limits::merges", "endpoint", "timeout",
		"compression", "sending_queue::num_consumers",
	} {
		assert.Contains(t, string(readme), "`"+key+"`")
	}
	for _, word := range correctionWords {
		assert.Contains(t, string(readme), "`"+word+"`")
	}
}

// TestReadmeConfigurationIsValid checks the configuration that users paste from the README.
func TestReadmeConfigurationIsValid(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(readme)
	require.NotNil(t, block)
	text := strings.NewReplacer("${env:MOENGAGE_WORKSPACE_ID}", "ABC", "${env:MOENGAGE_API_KEY}", "key").Replace(string(block[1]))
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(text))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	sub, err := conf.Sub("exporters::moengage")
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, sub.Unmarshal(cfg))
	assert.NoError(t, confmap.Validate(cfg))
}
