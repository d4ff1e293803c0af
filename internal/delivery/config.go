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
	// DispatchAsync never lets the caller wait, and never shows it a backend's failure. What the
	// queue has no room for is shed and counted.
	DispatchAsync Dispatch = "async"
	// DispatchSync lets the caller wait, and gives it the backend's error. There is no queue.
	DispatchSync Dispatch = "sync"
	// DispatchAuto is async where sending_queue::storage makes the queue durable, else sync.
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

	// DeadLetter is the id of the dead_letter extension that keeps what could not be delivered.
	// Without one it is logged, counted as dropped, and gone.
	DeadLetter *component.ID `mapstructure:"dead_letter"`

	// MaxInFlight is how many requests may be under way at a time; default 8.
	MaxInFlight int `mapstructure:"max_in_flight"`

	// ShutdownTimeout is how long the exporter may go on sending when the collector stops; default
	// 10s. What is then left is kept as dead letters, or in the queue where that is durable.
	ShutdownTimeout time.Duration `mapstructure:"shutdown_timeout"`

	// QueueConfig is the queue of encoded events, and the batches made from it. Its default is 64
	// MiB of events (sizer bytes), in memory.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`

	// RetryConfig says how long and how often events are sent again; default as in the collector
	// (5s, 1.5 times longer each time, 30s at the most, for 5m). A max_elapsed_time of 0 is
	// forever.
	RetryConfig configretry.BackOffConfig `mapstructure:"retry_on_failure"`
}

// NewDefaultConfig returns the defaults for a backend that takes up to batchEvents events in one
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
		QueueConfig:     configoptional.Some(queue),
		RetryConfig:     configretry.NewDefaultBackOffConfig(),
	}
}

// Check is for the Validate method of the configuration that this one is part of. It is not called
// Validate, because the collector would then put the name of a Go field into its errors.
func (cfg *Config) Check() error {
	switch cfg.Dispatch {
	case DispatchAsync, DispatchSync, DispatchAuto:
	default:
		return fmt.Errorf("dispatch: %q is not a way of dispatching; write %s (the caller never waits), %s (it waits for the backend's answer) or %s (async where the queue is durable, else sync)", cfg.Dispatch, DispatchAsync, DispatchSync, DispatchAuto)
	}
	if cfg.MaxInFlight <= 0 {
		return fmt.Errorf("max_in_flight: %d is not positive; it is how many requests may be under way at a time (default %d)", cfg.MaxInFlight, defaultMaxInFlight)
	}
	if cfg.ShutdownTimeout <= 0 {
		return fmt.Errorf("shutdown_timeout: %s is not positive; it is how long the exporter may go on sending when the collector stops (default %s)", cfg.ShutdownTimeout, defaultShutdownTimeout)
	}
	return cfg.validateQueue()
}

func (cfg *Config) validateQueue() error {
	queue := cfg.QueueConfig.Get()
	switch {
	case cfg.Dispatch == DispatchAsync && queue == nil:
		return errors.New("sending_queue: is off, but dispatch async needs a queue; turn it on, or write dispatch: sync")
	case queue == nil:
		return nil
	case queue.BlockOnOverflow:
		return errors.New("sending_queue::block_on_overflow: would let callers wait for room in the queue; write dispatch: sync for callers that wait, or leave it out")
	case queue.WaitForResult:
		return errors.New("sending_queue::wait_for_result: is what dispatch: sync is for; leave it out")
	}
	return nil
}

// async tells what dispatch comes to.
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

// storage is the storage extension of a queue on disk; nil where it is in memory.
func (cfg *Config) storage() *component.ID {
	if cfg.Dispatch == DispatchSync || !cfg.QueueConfig.HasValue() {
		return nil
	}
	return cfg.QueueConfig.Get().StorageID
}

// durable reports whether the queue is on disk.
func (cfg *Config) durable() bool { return cfg.storage() != nil }
