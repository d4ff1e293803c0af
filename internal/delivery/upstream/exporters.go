// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pipeline"
)

// exporterHost is a host that knows all exporters, such as the collector's own
// (service/internal/graph).
type exporterHost interface {
	GetExporters() map[pipeline.Signal]map[component.ID]component.Component
}

// Exporters returns all exporters of the collector, or none if the host does not know them.
//
// The method is deprecated for exporters that look for one another. A notification of all components
// before the first one is shut down would replace it
// (open-telemetry/opentelemetry-collector#1402).
func Exporters(host component.Host) []component.Component {
	h, ok := host.(exporterHost)
	if !ok {
		return nil
	}
	var all []component.Component
	for _, exporters := range h.GetExporters() {
		for _, e := range exporters {
			all = append(all, e)
		}
	}
	return all
}
