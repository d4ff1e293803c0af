// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

// refuseUnknownKeys has the collector refuse keys that it would ignore, such as those of otlp_http and of the HTTP server of the otlp
// receiver: a mistyped headers is a backend that answers 401.
func refuseUnknownKeys(set *otelcol.CollectorSettings) {
	resolver := &set.ConfigProviderSettings.ResolverSettings
	resolver.ConverterFactories = append(slices.Clone(resolver.ConverterFactories), // behind the others, which have keys of their own
		confmap.NewConverterFactory(func(confmap.ConverterSettings) confmap.Converter { return keyChecker{set.Factories} }))
}

type keyChecker struct {
	factories func() (otelcol.Factories, error)
}

// Convert implements confmap.Converter. It changes nothing.
func (k keyChecker) Convert(_ context.Context, conf *confmap.Conf) error {
	factories, err := k.factories()
	if err != nil {
		return fmt.Errorf("making the factories: %w", err)
	}
	root := conf.ToStringMap()
	unknown := slices.Concat(
		ignoredOf("receivers", root, factories.Receivers), ignoredOf("processors", root, factories.Processors),
		ignoredOf("exporters", root, factories.Exporters), ignoredOf("connectors", root, factories.Connectors),
		ignoredOf("extensions", root, factories.Extensions))
	if len(unknown) > 0 {
		return errors.New(strings.Join(unknown, "; "))
	}
	return nil
}

// ignoredOf looks through the components of a section. What is no component is the collector's to report.
func ignoredOf[F component.Factory](section string, root map[string]any, factories map[component.Type]F) []string {
	components, _ := root[section].(map[string]any)
	var unknown []string
	for _, name := range slices.Sorted(maps.Keys(components)) {
		var id component.ID
		if err := id.UnmarshalText([]byte(name)); err != nil {
			continue
		}
		config, _ := components[name].(map[string]any)
		if factory, ok := factories[id.Type()]; ok && len(config) > 0 {
			for _, sentence := range strictconf.Ignored(config, factory.CreateDefaultConfig()) {
				unknown = append(unknown, section+confmap.KeyDelimiter+name+": "+sentence)
			}
		}
	}
	return unknown
}
