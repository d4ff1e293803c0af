// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deliverytest

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// QueueSize returns the size of the exporter's queue in the units of its sizer, with what is being sent.
func (e *equipment) QueueSize() int64 {
	e.t.Helper()
	size := int64(0)
	for _, metric := range e.metrics() {
		if gauge, ok := metric.Data.(metricdata.Gauge[int64]); ok && metric.Name == "otelcol_exporter_queue_size" {
			for _, point := range gauge.DataPoints {
				size += point.Value
			}
		}
	}
	return size
}

// Counts returns the values of a counter, such as a backend's own, by one of its attributes. It is
// empty if nothing was counted.
func (e *equipment) Counts(counter, by string) map[string]int64 {
	e.t.Helper()
	counts := map[string]int64{}
	for _, metric := range e.metrics() {
		sum, ok := metric.Data.(metricdata.Sum[int64])
		if metric.Name != counter || !ok {
			continue
		}
		for _, point := range sum.DataPoints {
			value, _ := point.Attributes.Value(attribute.Key(by))
			counts[value.AsString()] += point.Value
		}
	}
	return counts
}
