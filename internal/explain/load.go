// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"maps"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/pipeline"
)

// load decodes a configuration as the collector does, and validates it. The collector's own decoder
// is internal to package otelcol, and reads from providers only.
func load(conf *confmap.Conf, factories otelcol.Factories) (*otelcol.Config, error) {
	cfg := &otelcol.Config{}
	for _, decode := range []func() error{
		func() (err error) { cfg.Receivers, err = decodeAll(conf, "receivers", factories.Receivers); return err },
		func() (err error) {
			cfg.Processors, err = decodeAll(conf, "processors", factories.Processors)
			return err
		},
		func() (err error) { cfg.Exporters, err = decodeAll(conf, "exporters", factories.Exporters); return err },
		func() (err error) {
			cfg.Connectors, err = decodeAll(conf, "connectors", factories.Connectors)
			return err
		},
		func() (err error) {
			cfg.Extensions, err = decodeAll(conf, "extensions", factories.Extensions)
			return err
		},
		func() error { return decodeService(conf, cfg) },
	} {
		if err := decode(); err != nil {
			return nil, fmt.Errorf("invalid configuration: %w", err)
		}
	}
	elsewhere := *cfg
	elsewhere.Extensions = withoutDirectories(conf, cfg.Extensions)
	if err := confmap.Validate(&elsewhere); err != nil {
		return nil, fmt.Errorf("invalid configuration: %w", err)
	}
	return cfg, nil
}

// withoutDirectories returns the extensions with nothing to validate in those that have a directory. It
// may exist only on the machine on which the collector runs.
func withoutDirectories(conf *confmap.Conf, configs map[component.ID]component.Config) map[component.ID]component.Config {
	all := maps.Clone(configs)
	for id := range configs {
		if conf.IsSet("extensions::" + id.String() + "::directory") {
			all[id] = struct{}{}
		}
	}
	return all
}

// decodeAll decodes the components of a section.
func decodeAll[F component.Factory](conf *confmap.Conf, section string, factories map[component.Type]F) (map[component.ID]component.Config, error) {
	sub, err := conf.Sub(section)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", section, err)
	}
	raw := map[component.ID]map[string]any{}
	if err := sub.Unmarshal(&raw); err != nil {
		return nil, fmt.Errorf("%s: %w", section, err)
	}
	configs := make(map[component.ID]component.Config, len(raw))
	for id := range raw {
		factory, ok := factories[id.Type()]
		if !ok {
			return nil, fmt.Errorf("%s::%s: there is no component of type %s", section, id, id.Type())
		}
		own, err := sub.Sub(id.String())
		if err != nil {
			return nil, fmt.Errorf("%s::%s: %w", section, id, err)
		}
		cfg := factory.CreateDefaultConfig()
		if err := own.Unmarshal(&cfg); err != nil {
			return nil, fmt.Errorf("%s::%s: %w", section, id, err)
		}
		configs[id] = cfg
	}
	return configs, nil
}

// decodeService decodes the pipelines, but for those of profiles. The service's telemetry is not
// used.
func decodeService(conf *confmap.Conf, cfg *otelcol.Config) error {
	sub, err := conf.Sub("service")
	if err != nil {
		return fmt.Errorf("service: %w", err)
	}
	sub.Delete("telemetry")
	if err := sub.Unmarshal(&cfg.Service); err != nil {
		return fmt.Errorf("service: %w", err)
	}
	for id := range cfg.Service.Pipelines {
		if !isSupported(id.Signal()) {
			delete(cfg.Service.Pipelines, id)
		}
	}
	return nil
}

func isSupported(signal pipeline.Signal) bool {
	return signal == pipeline.SignalLogs || signal == pipeline.SignalTraces || signal == pipeline.SignalMetrics
}
