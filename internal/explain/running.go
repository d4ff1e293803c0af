// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/service/hostcapabilities"
)

// ConfigUser is the factory of an extension that runs the configuration in use. The collector gives
// extensions only a copy whose secrets are redacted, which does not run.
type ConfigUser interface {
	extension.Factory

	// UseConfig is called before the factory creates the extension. config returns the resolved
	// configuration that is about to start, and must be called while the extension is created: later it
	// may be the next one.
	UseConfig(config func() *confmap.Conf)
}

// FactoriesOf returns the factories of a collector's host for the components of a configuration.
func FactoriesOf(host component.Host, conf *confmap.Conf) (otelcol.Factories, error) {
	of, ok := host.(hostcapabilities.ComponentFactory)
	if !ok {
		return otelcol.Factories{}, errors.New("the host does not give out its factories")
	}
	return otelcol.Factories{
		Receivers:  factoriesOf[receiver.Factory](of, conf, "receivers", component.KindReceiver),
		Processors: factoriesOf[processor.Factory](of, conf, "processors", component.KindProcessor),
		Exporters:  factoriesOf[exporter.Factory](of, conf, "exporters", component.KindExporter),
		Connectors: factoriesOf[connector.Factory](of, conf, "connectors", component.KindConnector),
		Extensions: factoriesOf[extension.Factory](of, conf, "extensions", component.KindExtension),
	}, nil
}

func factoriesOf[F component.Factory](host hostcapabilities.ComponentFactory, conf *confmap.Conf, section string, kind component.Kind) map[component.Type]F {
	configured, _ := conf.Get(section).(map[string]any)
	factories := map[component.Type]F{}
	for name := range configured {
		var id component.ID
		if id.UnmarshalText([]byte(name)) != nil {
			continue // load reports it
		}
		if f, ok := host.GetFactory(kind, id.Type()).(F); ok {
			factories[id.Type()] = f
		}
	}
	return factories
}
