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

// addChecks adds a converter that reports mistakes which the collector accepts, or finds only at
// start.
func addChecks(set *otelcol.CollectorSettings) {
	resolver := &set.ConfigProviderSettings.ResolverSettings
	resolver.ConverterFactories = append(slices.Clone(resolver.ConverterFactories), // last: other converters remove keys of their own, such as enabled
		confmap.NewConverterFactory(func(confmap.ConverterSettings) confmap.Converter { return checker{set.Factories} }))
}

// checker is a converter that checks the configuration. It changes nothing.
type checker struct {
	factories func() (otelcol.Factories, error)
}

// Convert implements confmap.Converter. Its error lists every mistake.
func (c checker) Convert(_ context.Context, conf *confmap.Conf) error {
	factories, err := c.factories()
	if err != nil {
		return fmt.Errorf("creating the factories: %w", err)
	}
	root := conf.ToStringMap()
	components := slices.Concat(
		componentsOf("receivers", root, factories.Receivers), componentsOf("processors", root, factories.Processors),
		componentsOf("exporters", root, factories.Exporters), componentsOf("connectors", root, factories.Connectors),
		componentsOf("extensions", root, factories.Extensions))
	svc := newService(root)
	var problems []string
	for _, c := range components {
		sentences := slices.Concat(strictconf.Unknown(c.config, c.defaults), c.badURLs(), c.missingExtensions(svc))
		for _, sentence := range sentences {
			problems = append(problems, c.path+": "+sentence)
		}
	}
	if len(problems) > 0 {
		return errors.New(strings.Join(problems, "; "))
	}
	return nil
}

// configured is a component with a non-empty configuration.
type configured struct {
	path     string // exporters::webhook/shop
	section  string
	id       component.ID
	config   map[string]any
	defaults component.Config
}

// componentsOf returns the configured components of a section. It skips what is not a component;
// the collector reports that.
func componentsOf[F component.Factory](section string, root map[string]any, factories map[component.Type]F) []configured {
	components, _ := root[section].(map[string]any)
	var found []configured
	for _, name := range slices.Sorted(maps.Keys(components)) {
		var id component.ID
		if err := id.UnmarshalText([]byte(name)); err != nil {
			continue
		}
		config, _ := components[name].(map[string]any)
		if factory, ok := factories[id.Type()]; ok && len(config) > 0 {
			found = append(found, configured{section + confmap.KeyDelimiter + name, section, id, config, factory.CreateDefaultConfig()})
		}
	}
	return found
}

// badURLs returns a sentence for each endpoint of otlp_http that is not a URL. The exporter accepts
// any text, and then every request fails.
func (c *configured) badURLs() []string {
	if t := c.id.Type().String(); t != "otlp_http" && t != "otlphttp" || !strings.HasPrefix(c.path, "exporters") {
		return nil
	}
	var bad []string
	for _, key := range []string{"endpoint", "logs_endpoint", "metrics_endpoint", "profiles_endpoint", "traces_endpoint"} {
		value := c.config[key]
		if value == nil || value == "" {
			continue
		}
		if _, err := strictconf.ParseURL(fmt.Sprint(value), "https://otlp.example.com"); err != nil {
			bad = append(bad, key+": "+err.Error())
		}
	}
	return bad
}

// missingExtensions returns a sentence for each extension that the component refers to and the
// service does not start.
func (c *configured) missingExtensions(svc service) []string {
	if !svc.uses[c.section][c.id] {
		return nil
	}
	var missing []string
	for _, mention := range strictconf.Mentions(c.config, c.defaults) {
		switch {
		case svc.starts[mention.ID]:
		case svc.has[mention.ID]:
			missing = append(missing, fmt.Sprintf("%s: the extension %q is not started; add it to service::extensions", mention.Key, mention.ID))
		default:
			missing = append(missing, fmt.Sprintf("%s: there is no extension %q, or it is off; configure it and add it to service::extensions", mention.Key, mention.ID))
		}
	}
	return missing
}

// service describes the service section: has holds the ids under extensions, starts those in
// service::extensions, and uses all components in use, by section.
type service struct {
	has, starts map[component.ID]bool
	uses        map[string]map[component.ID]bool
}

func newService(root map[string]any) service {
	s := service{has: map[component.ID]bool{}, starts: map[component.ID]bool{}}
	extensions, _ := root["extensions"].(map[string]any)
	for name := range extensions {
		addIDs(s.has, name)
	}
	section, _ := root["service"].(map[string]any)
	addIDs(s.starts, section["extensions"])
	in, processors, out := map[component.ID]bool{}, map[component.ID]bool{}, map[component.ID]bool{}
	pipelines, _ := section["pipelines"].(map[string]any)
	for _, pipeline := range pipelines {
		p, _ := pipeline.(map[string]any)
		addIDs(in, p["receivers"])
		addIDs(processors, p["processors"])
		addIDs(out, p["exporters"])
	}
	s.uses = map[string]map[component.ID]bool{"extensions": s.starts, "receivers": in, "processors": processors, "exporters": out, "connectors": out}
	return s
}

// addIDs adds all ids found in a value, at any depth.
func addIDs(ids map[component.ID]bool, value any) {
	switch v := value.(type) {
	case string:
		var id component.ID
		if id.UnmarshalText([]byte(v)) == nil {
			ids[id] = true
		}
	case []any:
		for _, item := range v {
			addIDs(ids, item)
		}
	case map[string]any:
		for _, item := range v {
			addIDs(ids, item)
		}
	}
}
