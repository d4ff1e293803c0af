// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"testing"

	"os"
	"path/filepath"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

// queued is an exporter's configuration.
type queued struct {
	Delivery Config `mapstructure:",squash"`
}

// Unmarshal implements confmap.Unmarshaler, as the exporters' configurations do.
func (cfg *queued) Unmarshal(conf *confmap.Conf) error { return Unmarshal(conf, cfg, &cfg.Delivery) }

func unmarshal(t *testing.T, yaml string) (*Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(yaml), 0o600))
	conf, err := confmaptest.LoadConf(path)
	require.NoError(t, err)
	var cfg *queued
	for range 2 { // the collector reads it again when it reloads
		cfg = &queued{NewDefaultConfig(100)}
		if err := conf.Unmarshal(cfg); err != nil {
			return nil, err
		}
	}
	if err := confmap.Validate(cfg); err != nil {
		return nil, err
	}
	return &cfg.Delivery, cfg.Delivery.Check()
}

func TestQueueSizeCountsWhatItSays(t *testing.T) {
	for yaml, want := range map[string]struct {
		size  int64
		sizer exporterhelper.RequestSizerType
	}{
		`sending_queue: {queue_size: 1000, sizer: null}`:                {1000, exporterhelper.RequestSizerTypeRequests},
		`sending_queue: {queue_size: "1000"}`:                           {1000, exporterhelper.RequestSizerTypeRequests},
		`{}`:                                                            {64 << 20, exporterhelper.RequestSizerTypeBytes},
		`sending_queue: {num_consumers: 3}`:                             {64 << 20, exporterhelper.RequestSizerTypeBytes},
		`sending_queue: {queue_size: 1000}`:                             {1000, exporterhelper.RequestSizerTypeRequests},
		`sending_queue: {queue_size: 100000}`:                           {100000, exporterhelper.RequestSizerTypeRequests},
		`sending_queue: {queue_size: 256MiB}`:                           {256 << 20, exporterhelper.RequestSizerTypeBytes},
		`sending_queue: {queue_size: 2 GB}`:                             {2e9, exporterhelper.RequestSizerTypeBytes},
		`sending_queue: {queue_size: 1.5kib}`:                           {1536, exporterhelper.RequestSizerTypeBytes},
		`sending_queue: {queue_size: 900B}`:                             {900, exporterhelper.RequestSizerTypeBytes},
		`sending_queue: {queue_size: 1MiB, sizer: bytes}`:               {1 << 20, exporterhelper.RequestSizerTypeBytes},
		`sending_queue: {queue_size: 67108864, sizer: bytes}`:           {64 << 20, exporterhelper.RequestSizerTypeBytes},
		`sending_queue: {queue_size: 200000, sizer: requests}`:          {200000, exporterhelper.RequestSizerTypeRequests},
		`sending_queue: {queue_size: 5000, sizer: items}`:               {5000, exporterhelper.RequestSizerTypeItems},
		`sending_queue: {queue_size: 1000, batch: {flush_timeout: 1s}}`: {1000, exporterhelper.RequestSizerTypeRequests},
	} {
		t.Run(yaml, func(t *testing.T) {
			cfg, err := unmarshal(t, yaml)
			require.NoError(t, err)
			queue := cfg.QueueConfig.Get()
			assert.Equal(t, want.size, queue.QueueSize)
			assert.Equal(t, want.sizer, queue.Sizer)
			if batch := queue.Batch.Get(); queue.Sizer == exporterhelper.RequestSizerTypeRequests {
				assert.Equal(t, exporterhelper.RequestSizerTypeItems, batch.Sizer)
			}
		})
	}
}

func TestQueueSizeMistakes(t *testing.T) {
	for yaml, want := range map[string]string{
		`sending_queue: {queue_size: 67108864}`:              `sending_queue::queue_size: 67108864 counts requests, because there is no sizer; write a unit for bytes, such as 64MiB, or add the sizer`,
		`sending_queue: {queue_size: "1,5GiB"}`:              `"1,5GiB" is not a size`,
		`sending_queue: {queue_size: "1.5"}`:                 `"1.5" is not a size`,
		`sending_queue: {queue_size: many}`:                  `sending_queue::queue_size: "many" is not a size; write a number of requests, such as 1000, or bytes with a unit, such as 256MiB`,
		`sending_queue: {queue_size: 0MiB}`:                  `"0MiB" is not a size`,
		`sending_queue: {queue_size: 99999999999999 GB}`:     `is not a size`,
		`sending_queue: {queue_size: 1MiB, sizer: requests}`: `sending_queue::queue_size: 1MiB is a size in bytes, but sizer is requests; remove one of the two`,
		`sending_queue: {queue_size: -1}`:                    "`queue_size` must be positive",
	} {
		t.Run(yaml, func(t *testing.T) {
			_, err := unmarshal(t, yaml)
			require.ErrorContains(t, err, want)
		})
	}
}

func TestQueueThatIsOffHasNoSize(t *testing.T) {
	for _, yaml := range []string{`{sending_queue: {enabled: false, queue_size: 5}, dispatch: sync}`, `{sending_queue: null, dispatch: sync}`} {
		_, err := unmarshal(t, yaml)
		assert.NoError(t, err, yaml)
	}
}
