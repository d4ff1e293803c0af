// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

// checks are the checks of the configuration that the collector lacks: for mistakes that it accepts,
// finds only at start, or reports without what to write.
type checks struct {
	factories func() (otelcol.Factories, error)
	sources   *sources
	// starts is true if the collector is to run with the configuration, on this machine.
	starts bool
	// written is the configuration before any component is removed or added.
	written map[string]any
	// warnings are the mistakes in the configuration that was checked last that do not stop it.
	warnings mistakes
	// resolved is the configuration that was read last.
	resolved atomic.Pointer[confmap.Conf]
}

// addChecks adds converters that check the configuration, and one that names variables in it.
func addChecks(set *otelcol.CollectorSettings, s *sources) *checks {
	c := &checks{factories: set.Factories, sources: s}
	resolver := &set.ConfigProviderSettings.ResolverSettings
	first := confmap.NewConverterFactory(func(confmap.ConverterSettings) confmap.Converter { return noteReferences{c} })
	switches := confmap.NewConverterFactory(func(confmap.ConverterSettings) confmap.Converter { return nameSwitches{c} })
	last := confmap.NewConverterFactory(func(set confmap.ConverterSettings) confmap.Converter { return findMistakes{c, set.Logger} })
	// Between them, other converters remove keys of their own, such as enabled, and what is off.
	resolver.ConverterFactories = slices.Concat([]confmap.ConverterFactory{first}, resolver.ConverterFactories, []confmap.ConverterFactory{switches, last})
	set.Factories = c.withExplain(set.Factories, set.BuildInfo)
	return c
}

// noteReferences notes which components the configuration uses, including pipelines that are off.
type noteReferences struct{ *checks }

// Convert implements confmap.Converter.
func (n noteReferences) Convert(_ context.Context, conf *confmap.Conf) error {
	n.written = conf.ToStringMap()
	return nil
}

// findMistakes finds the mistakes and logs the warnings.
type findMistakes struct {
	*checks
	logger *zap.Logger
}

// Convert implements confmap.Converter. Its error lists every mistake.
func (f findMistakes) Convert(_ context.Context, conf *confmap.Conf) error {
	factories, err := f.factories()
	if err != nil {
		return fmt.Errorf("creating the factories: %w", err)
	}
	root := conf.ToStringMap()
	f.warnings = nil
	if found := f.mistakes(root, factories); len(found) > 0 {
		return mistakes(found)
	}
	f.warnings = unusedComponents(root, f.written)
	if !f.starts { // the collector may run as another user, on another machine
		f.warnings = slices.Concat(f.warnings, f.sources.unsetVariables(root), directoryMistakes(root))
	}
	logger := f.logger.WithOptions(zap.WithCaller(false)) // the line of code means nothing to an operator
	for _, warning := range f.warnings {
		logger.Warn(f.sources.explainAll(mistakes{warning}))
	}
	f.resolved.Store(conf)
	return nil
}

func (f findMistakes) mistakes(root map[string]any, factories otelcol.Factories) []mistake {
	if found := sectionMistakes(root, factories); len(found) > 0 { // others would follow from them
		return found
	}
	found := slices.Concat(typeMistakes(root, factories), pipelineMistakes(root, factories), f.sources.variableMistakes(root), componentMistakes(root, factories))
	if f.starts {
		found = append(found, directoryMistakes(root)...)
	}
	return found
}

// componentMistakes returns the mistakes in the keys of components.
func componentMistakes(root map[string]any, factories otelcol.Factories) []mistake {
	svc := newService(root)
	components := slices.Concat(
		componentsOf("receivers", root, factories.Receivers), componentsOf("processors", root, factories.Processors),
		componentsOf("exporters", root, factories.Exporters), componentsOf("connectors", root, factories.Connectors),
		componentsOf("extensions", root, factories.Extensions))
	var found []mistake
	for _, c := range components {
		sentences := slices.Concat(strictconf.Unknown(c.config, c.defaults), c.badURLs(), c.missingExtensions(svc))
		for _, sentence := range sentences {
			found = append(found, at([]string{c.section, c.name}, "%s", sentence))
		}
	}
	return found
}

// configured is a component with a non-empty configuration.
type configured struct {
	section  string
	name     string // webhook/shop, as it is written
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
			found = append(found, configured{section, name, id, config, factory.CreateDefaultConfig()})
		}
	}
	return found
}

// badURLs returns a sentence for each endpoint of otlp_http that is not a URL. The exporter accepts
// any text, and then every request fails.
func (c *configured) badURLs() []string {
	if t := c.id.Type().String(); t != "otlp_http" && t != "otlphttp" || c.section != "exporters" {
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
