// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/exporter"
)

// Definition describes an exporter's factory. C is the struct of its configuration.
type Definition[C any] struct {
	// Type is the exporter's name in configurations.
	Type component.Type
	// CreateDefaultConfig returns a *C with the defaults.
	CreateDefaultConfig component.CreateDefaultConfigFunc
	// Logs and Traces are the stability levels of the signals; an undefined one is not supported.
	Logs, Traces component.StabilityLevel
	// Settings returns the parts of a configuration that this package reads.
	Settings func(cfg *C) (*Config, confighttp.ClientConfig)
	// New creates the backend of a valid configuration. It is called once for the exporters of all
	// signals, which share the backend; set belongs to the first of them.
	New func(cfg *C, set exporter.Settings) (Backend, Options, error)
}

// NewFactory returns the factory of an exporter.
func NewFactory[C any](d Definition[C]) exporter.Factory {
	s := &shared[C]{definition: d, byConfig: map[*C]*sharedBackend{}}
	var options []exporter.FactoryOption
	if d.Logs != component.StabilityLevelUndefined {
		options = append(options, exporter.WithLogs(s.createLogs, d.Logs))
	}
	if d.Traces != component.StabilityLevelUndefined {
		options = append(options, exporter.WithTraces(s.createTraces, d.Traces))
	}
	return exporter.NewFactory(d.Type, d.CreateDefaultConfig, options...)
}

// shared holds the backends of the exporters that exist, by configuration: an exporter's logs and
// traces have the same configuration, and so share a backend.
type shared[C any] struct {
	definition Definition[C]

	mu       sync.Mutex
	byConfig map[*C]*sharedBackend
}

type sharedBackend struct {
	backend Backend
	options Options
	users   int
}

func (s *shared[C]) createLogs(ctx context.Context, set exporter.Settings, c component.Config) (exporter.Logs, error) {
	return create(ctx, s, set, c.(*C), NewLogs)
}

func (s *shared[C]) createTraces(ctx context.Context, set exporter.Settings, c component.Config) (exporter.Traces, error) {
	return create(ctx, s, set, c.(*C), NewTraces)
}

// newFunc is NewLogs or NewTraces.
type newFunc[E any] func(context.Context, exporter.Settings, *Config, confighttp.ClientConfig, Backend, Options) (E, error)

func create[C, E any](ctx context.Context, s *shared[C], set exporter.Settings, cfg *C, newExporter newFunc[E]) (E, error) {
	backend, options, err := s.acquire(cfg, set)
	if err != nil {
		var none E
		return none, err
	}
	delivery, client := s.definition.Settings(cfg)
	e, err := newExporter(ctx, set, delivery, client, backend, options)
	if err != nil {
		options.Close()
	}
	return e, err
}

// acquire returns the backend of the configuration, which its first user creates, and options whose
// Close releases it.
func (s *shared[C]) acquire(cfg *C, set exporter.Settings) (Backend, Options, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	used, ok := s.byConfig[cfg]
	if !ok {
		backend, options, err := s.definition.New(cfg, set)
		if err != nil {
			return nil, Options{}, err
		}
		used = &sharedBackend{backend: backend, options: options}
		s.byConfig[cfg] = used
	}
	used.users++
	options := used.options
	options.Close = func() { s.release(cfg) }
	return used.backend, options, nil
}

// release closes the backend when its last user releases it.
func (s *shared[C]) release(cfg *C) {
	s.mu.Lock()
	defer s.mu.Unlock()
	used := s.byConfig[cfg]
	if used.users--; used.users > 0 {
		return
	}
	delete(s.byConfig, cfg)
	if used.options.Close != nil {
		used.options.Close()
	}
}
