// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.yaml.in/yaml/v3"
)

// exampleConfig has every kind of field in which unknown keys are found.
type exampleConfig struct {
	Client confighttp.ClientConfig                                  `mapstructure:",squash"`
	Queue  configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	Retry  configretry.BackOffConfig                                `mapstructure:"retry_on_failure"`
	Store  *component.ID                                            `mapstructure:"store"`
	Routes []struct {
		Events []string `mapstructure:"events"`
	} `mapstructure:"routes"`
	Tenants map[string]struct {
		Events []string `mapstructure:"events"`
	} `mapstructure:"tenants"`
	Labels  map[string]string `mapstructure:"labels"`
	Ignored string            `mapstructure:"-"`
}

func unmarshal(t *testing.T, text string) (*exampleConfig, error) {
	t.Helper()
	var raw map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &raw))
	cfg := &exampleConfig{Queue: configoptional.Some(exporterhelper.NewDefaultQueueConfig())}
	return cfg, Unmarshal(confmap.NewFromStringMap(raw), cfg)
}

// TestCollectorIgnoresMistypedKey pins the behavior that makes Unknown necessary. If it fails, the
// collector has begun to report such keys itself.
func TestCollectorIgnoresMistypedKey(t *testing.T) {
	assert.NoError(t, confmap.NewFromStringMap(map[string]any{"endpont": "x"}).Unmarshal(&client{}))
}

// TestCollectorSuggestsNoKey pins the behavior that makes Unmarshal necessary.
func TestCollectorSuggestsNoKey(t *testing.T) {
	err := confmap.NewFromStringMap(map[string]any{"endpont": "x"}).Unmarshal(&exampleConfig{})
	require.ErrorContains(t, err, "endpont")
	assert.NotContains(t, err.Error(), "endpoint")
}

func TestKnownKeysAreRead(t *testing.T) {
	cfg, err := unmarshal(t, `
endpoint: http://localhost
headers: {X-Any-Name: v}
tls: {insecure: true, ca_file: x, min_version: "1.2"}
compression: gzip
auth: {authenticator: a/b}
cookies: {enabled: true}
sending_queue: {enabled: true, queue_size: 5, batch: {max_size: 9000, partition: {metadata_keys: [a]}}}
retry_on_failure: {enabled: false, max_interval: 1s}
store: file_storage/x
routes: [{events: [a]}, {events: [b]}]
tenants: {any: {events: [a]}}
labels: {any: name}
`)
	require.NoError(t, err)
	assert.Equal(t, "http://localhost", cfg.Client.Endpoint)
	assert.Equal(t, int64(5), cfg.Queue.Get().QueueSize)
}

func TestUnknownKeysAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		`endpont: x`:                                  `unknown key "endpont"; did you mean "endpoint"?`,
		`sending_queue: {queue_sise: 5}`:              `unknown key "sending_queue::queue_sise"; did you mean "queue_size"?`,
		`sending_queue: {batch: {max_sise: 5}}`:       `unknown key "sending_queue::batch::max_sise"; did you mean "max_size"?`,
		`retry_on_failure: {initial_intervall: 1s}`:   `unknown key "retry_on_failure::initial_intervall"; did you mean "initial_interval"?`,
		`tls: {insecur: true}`:                        `unknown key "tls::insecur"; did you mean "insecure"?`,
		`auth: {authenticator: a, who: b}`:            `unknown key "auth::who"; valid keys are authenticator, enabled`,
		`routes: [{events: [a]}, {event: [b]}]`:       `unknown key "routes::1::event"; did you mean "events"?`,
		`tenants: {a: {event: [b]}}`:                  `unknown key "tenants::a::event"; did you mean "events"?`,
		`timeout: 30`:                                 `timeout: 30 has no unit; write 30s for seconds, or one with ms, m or h`,
		`retry_on_failure: {max_elapsed_time: 1.5}`:   `retry_on_failure::max_elapsed_time: 1.5 has no unit; write 1.5s for seconds`,
		`{endpoint: x, bogus_thing: 1, timeoutt: 3s}`: `unknown key "bogus_thing"; valid keys are `,
		`{endpoint: x, bogus_thing: 1, time_out: 3s}`: `unknown key "time_out"; did you mean "timeout"?`,
		`ignored: x`:                             `unknown key "ignored"; valid keys are `,
		`batch: {max_size: 5}`:                   `unknown key "batch"; write sending_queue::batch`,
		`{endpoint: x, max_interval: 1s}`:        `unknown key "max_interval"; write retry_on_failure::max_interval`,
		`sending_queue: {endpoint: x}`:           `unknown key "sending_queue::endpoint"; write endpoint`,
		`metadata_keys: [a]`:                     `unknown key "metadata_keys"; write sending_queue::batch::partition::metadata_keys`,
		`sending_queue: {metadata_keys: [a]}`:    `unknown key "sending_queue::metadata_keys"; write sending_queue::batch::partition::metadata_keys`,
		`sending_queue: {tls: {insecure: true}}`: `unknown key "sending_queue::tls"; write tls`,
		`{timeout: 5s}`:                          ``,
		`{timeout: never}`:                       `timeout`,
	} {
		t.Run(text, func(t *testing.T) {
			_, err := unmarshal(t, text)
			if want == "" {
				assert.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, want)
		})
	}
}

func FuzzDistance(f *testing.F) {
	f.Add("endpoint", "endpont")
	f.Fuzz(func(t *testing.T, a, b string) {
		d := distance(a, b)
		if d != distance(b, a) || (d == 0) != (a == b) || d > max(len(a), len(b)) {
			t.Fatalf("distance(%q, %q) = %d", a, b, d)
		}
	})
}
