// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

// Dispatch says whether the caller waits for the backend.
type Dispatch string

const (
	// DispatchAsync never makes the caller wait, and never returns a backend's failure to it. Events
	// that the queue has no room for are shed and counted.
	DispatchAsync Dispatch = "async"
	// DispatchSync makes the caller wait, and returns the backend's error to it. There is no queue.
	DispatchSync Dispatch = "sync"
	// DispatchAuto is async if sending_queue::storage makes the queue durable, else sync.
	DispatchAuto Dispatch = "auto"
)

const (
	defaultMaxInFlight     = 8
	defaultShutdownTimeout = 10 * time.Second
	defaultQueueBytes      = 64 << 20
)

// Config is the part of an exporter's configuration that delivery reads. Embed it as a named field
// with squash.
type Config struct {
	// Dispatch is async (default), sync or auto.
	Dispatch Dispatch `mapstructure:"dispatch"`

	// DeadLetter is the ID of the dead_letter extension that keeps events that could not be
	// delivered. Without one they are counted as dropped, reported in the log, and lost.
	DeadLetter *component.ID `mapstructure:"dead_letter"`

	// MaxInFlight is the number of requests that each signal may have in flight at once; default 8.
	MaxInFlight int `mapstructure:"max_in_flight"`

	// ShutdownTimeout is how long the exporter may go on sending when the collector stops; default
	// 10s. Events that are left then become dead letters, or stay in the queue if it is durable.
	ShutdownTimeout time.Duration `mapstructure:"shutdown_timeout"`

	// MaxRetries is how often events are sent again before they are given up; default 0, which means
	// as often as retry_on_failure::max_elapsed_time allows.
	MaxRetries int `mapstructure:"max_retries"`

	// MaxAge is the age from which events are given up instead of sent, counted from the time of the
	// event; default 0, which means never. They become dead letters (expired).
	MaxAge time.Duration `mapstructure:"max_age"`

	// OnQueueDamage says what to do with a damaged file of a queue on disk at start: fail (default) or
	// set_aside, which renames it and starts with a new queue.
	OnQueueDamage OnQueueDamage `mapstructure:"on_queue_damage"`

	// QueueConfig configures the queue of encoded events, and their batches; default 64 MiB of
	// events (sizer bytes), in memory.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`

	// RetryConfig configures how long and how often events are sent again; default as in the
	// collector (5s, then 1.5 times longer each time, up to 30s, for 5m). A max_elapsed_time of 0
	// means forever.
	RetryConfig configretry.BackOffConfig `mapstructure:"retry_on_failure"`
}

// NewDefaultConfig returns the defaults for a backend that takes up to batchEvents events per
// request.
func NewDefaultConfig(batchEvents int64) Config {
	batch := exporterhelper.NewDefaultBatchConfig()
	batch.MinSize = batchEvents
	batch.MaxSize = batchEvents
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.Sizer = exporterhelper.RequestSizerTypeBytes
	queue.QueueSize = defaultQueueBytes
	queue.Batch = configoptional.Some(batch)
	return Config{
		Dispatch:        DispatchAsync,
		MaxInFlight:     defaultMaxInFlight,
		ShutdownTimeout: defaultShutdownTimeout,
		OnQueueDamage:   QueueDamageFail,
		QueueConfig:     configoptional.Some(queue),
		RetryConfig:     configretry.NewDefaultBackOffConfig(),
	}
}

// Check validates the configuration; call it from the Validate method of the exporter's. It is not
// named Validate, because the collector would then put the name of a Go field into its errors.
func (cfg *Config) Check() error {
	switch cfg.Dispatch {
	case DispatchAsync, DispatchSync, DispatchAuto:
	default:
		return fmt.Errorf("dispatch: %q is not supported; use %s (the caller never waits), %s (it waits for the backend's response) or %s (async if the queue is durable, else sync)", cfg.Dispatch, DispatchAsync, DispatchSync, DispatchAuto)
	}
	if cfg.MaxInFlight <= 0 {
		return fmt.Errorf("max_in_flight: %d is not positive; it is the number of requests that may be in flight at once (default %d)", cfg.MaxInFlight, defaultMaxInFlight)
	}
	if cfg.ShutdownTimeout <= 0 {
		return fmt.Errorf("shutdown_timeout: %s is not positive; it is how long the exporter may go on sending when the collector stops (default %s)", cfg.ShutdownTimeout, defaultShutdownTimeout)
	}
	if cfg.MaxAge < 0 {
		return fmt.Errorf("max_age: %s is negative; it is the age from which events are given up instead of sent, such as 24h, or 0 for never", cfg.MaxAge)
	}
	if cfg.MaxRetries < 0 {
		return fmt.Errorf("max_retries: %d is negative; it is how often events are sent again, or 0 for as often as retry_on_failure allows", cfg.MaxRetries)
	}
	if cfg.MaxRetries > 0 && !cfg.RetryConfig.Enabled {
		return errors.New("max_retries: has no effect, because retry_on_failure::enabled is false; remove one of the two")
	}
	if err := cfg.OnQueueDamage.check(); err != nil {
		return err
	}
	return cfg.validateQueue()
}

func (cfg *Config) validateQueue() error {
	queue := cfg.QueueConfig.Get()
	switch {
	case cfg.Dispatch == DispatchAsync && queue == nil:
		return errors.New("sending_queue: is off, but dispatch: async needs a queue; turn it on, or set dispatch: sync")
	case queue == nil:
		return nil
	case queue.BlockOnOverflow:
		return errors.New("sending_queue::block_on_overflow: would make callers wait for room in the queue; set dispatch: sync if callers should wait, or remove it")
	case queue.WaitForResult:
		return errors.New("sending_queue::wait_for_result: not supported; remove it, and set dispatch: sync if callers should wait")
	}
	return nil
}

// async reports whether callers do not wait.
func (cfg *Config) async() bool {
	switch cfg.Dispatch {
	case DispatchSync:
		return false
	case DispatchAuto:
		return cfg.durable()
	default:
		return true
	}
}

// storage returns the storage extension of a queue on disk, or nil if the queue is in memory.
func (cfg *Config) storage() *component.ID {
	if cfg.Dispatch == DispatchSync || !cfg.QueueConfig.HasValue() {
		return nil
	}
	return cfg.QueueConfig.Get().StorageID
}

// durable reports whether the queue is on disk.
func (cfg *Config) durable() bool { return cfg.storage() != nil }
