// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package memoryguardextension

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func TestInvalidConfigurationsAreRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		conf map[string]any
		want string // "" if valid
	}{
		"the defaults":             {nil, ""},
		"a fixed limit":            {map[string]any{"limit_mib": 400, "spike_limit_mib": 100}, ""},
		"a size with a unit":       {map[string]any{"max_inflight_bytes": "16MiB"}, ""},
		"a size that is not one":   {map[string]any{"max_inflight_bytes": "much"}, "max_inflight_bytes"},
		"an unknown key":           {map[string]any{"limit": 5}, `unknown key "limit"`},
		"no interval":              {map[string]any{"check_interval": "0s"}, "check_interval: 0s is not positive; set how often to measure the heap, such as 1s"},
		"no budget":                {map[string]any{"max_inflight_bytes": 0}, "max_inflight_bytes: 0 is not positive; set how many bytes of requests to accept at once, such as 64MiB"},
		"a spike above the limit":  {map[string]any{"limit_mib": 100, "spike_limit_mib": 100}, "spike_limit_mib: 100 is not smaller than limit_mib, 100"},
		"a spike without a limit":  {map[string]any{"spike_limit_mib": 100}, "spike_limit_mib: has no effect without limit_mib; set limit_mib, or use spike_limit_percentage"},
		"no limit":                 {map[string]any{"limit_percentage": 0}, "limit_percentage: is 0; set limit_percentage or limit_mib"},
		"more than all memory":     {map[string]any{"limit_percentage": 101}, "limit_percentage: 101 is more than 100"},
		"a spike above percentage": {map[string]any{"limit_percentage": 20}, "spike_limit_percentage: 20 is not smaller than limit_percentage, 20"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			err := cfg.Unmarshal(confmap.NewFromStringMap(tt.conf))
			if err == nil {
				err = cfg.Validate()
			}
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tt.want)
		})
	}
}
