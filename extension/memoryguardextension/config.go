// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package memoryguardextension

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/sdkhttp"
	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

const (
	defaultCheckInterval        = time.Second
	defaultLimitPercentage      = 80
	defaultSpikeLimitPercentage = 20
	// The largest request that the OTLP receiver accepts by default is 20 MiB.
	defaultMaxInflightBytes = 64 << 20
)

// Config is the configuration of the memory_guard extension. All keys except max_inflight_bytes
// mean what they mean in the memory_limiter processor.
type Config struct {
	// CheckInterval is the time between measurements of the heap; default 1s.
	CheckInterval time.Duration `mapstructure:"check_interval"`

	// MemoryLimitMiB is the hard limit of the heap in MiB. It takes precedence over
	// MemoryLimitPercentage.
	MemoryLimitMiB uint32 `mapstructure:"limit_mib"`

	// MemorySpikeLimitMiB is how far below the hard limit requests are refused, in MiB; default a
	// fifth of limit_mib.
	MemorySpikeLimitMiB uint32 `mapstructure:"spike_limit_mib"`

	// MemoryLimitPercentage is the hard limit of the heap in percent of the memory of the cgroup
	// or machine; default 80.
	MemoryLimitPercentage uint32 `mapstructure:"limit_percentage"`

	// MemorySpikePercentage is how far below the hard limit requests are refused, in percent of
	// the memory of the cgroup or machine; default 20.
	MemorySpikePercentage uint32 `mapstructure:"spike_limit_percentage"`

	// MaxInflightBytes is how many bytes of uncompressed requests may be in flight, such as 64MiB,
	// the default. A request larger than this is never accepted.
	MaxInflightBytes sdkhttp.Size `mapstructure:"max_inflight_bytes"`
}

// Unmarshal implements confmap.Unmarshaler. Unknown keys are errors.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error { return strictconf.Unmarshal(conf, cfg) }

// Validate implements confmap.Validator.
func (cfg *Config) Validate() error {
	if cfg.CheckInterval <= 0 {
		return fmt.Errorf("check_interval: %s is not positive; set how often to measure the heap, such as 1s", cfg.CheckInterval)
	}
	if cfg.MaxInflightBytes <= 0 {
		return fmt.Errorf("max_inflight_bytes: %d is not positive; set how many bytes of requests to accept at once, such as 64MiB",
			cfg.MaxInflightBytes)
	}
	if cfg.MemoryLimitMiB > 0 {
		if cfg.MemorySpikeLimitMiB >= cfg.MemoryLimitMiB {
			return fmt.Errorf("spike_limit_mib: %d is not smaller than limit_mib, %d", cfg.MemorySpikeLimitMiB, cfg.MemoryLimitMiB)
		}
		return nil
	}
	switch {
	case cfg.MemorySpikeLimitMiB > 0:
		return errors.New("spike_limit_mib: has no effect without limit_mib; set limit_mib, or use spike_limit_percentage")
	case cfg.MemoryLimitPercentage == 0:
		return errors.New("limit_percentage: is 0; set limit_percentage or limit_mib")
	case cfg.MemoryLimitPercentage > 100:
		return fmt.Errorf("limit_percentage: %d is more than 100", cfg.MemoryLimitPercentage)
	case cfg.MemorySpikePercentage >= cfg.MemoryLimitPercentage:
		return fmt.Errorf("spike_limit_percentage: %d is not smaller than limit_percentage, %d",
			cfg.MemorySpikePercentage, cfg.MemoryLimitPercentage)
	}
	return nil
}

func createDefaultConfig() component.Config {
	return &Config{
		CheckInterval:         defaultCheckInterval,
		MemoryLimitPercentage: defaultLimitPercentage,
		MemorySpikePercentage: defaultSpikeLimitPercentage,
		MaxInflightBytes:      defaultMaxInflightBytes,
	}
}
