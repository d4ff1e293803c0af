// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/service/telemetry"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// The metrics of this distribution that say what became of events.
const (
	metricOutcomes = "otelcol_fanout_events_total"
	metricRouted   = "otelcol_fanout_routed_events_total"
	metricUnrouted = "otelcol_fanout_unrouted_events_total"
	metricWithheld = "otelcol_fanout_withheld_events_total"
)

// metrics are the service's own, which nothing else reads.
type metrics struct {
	reader   *sdkmetric.ManualReader
	provider *sdkmetric.MeterProvider
	points   map[series]point
}

// series is a metric with its attributes.
type series struct {
	metric     string
	attributes attribute.Distinct
}

// point is the value of a series.
type point struct {
	metric     string
	attributes attribute.Set
	value      int64
}

func (p *point) attribute(name string) string {
	value, _ := p.attributes.Value(attribute.Key(name))
	return value.AsString()
}

func newMetrics() *metrics {
	reader := sdkmetric.NewManualReader()
	return &metrics{reader: reader, provider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)), points: map[series]point{}}
}

// factory returns the telemetry of a service that neither logs nor traces, and whose metrics are m.
func (m *metrics) factory() telemetry.Factory {
	return telemetry.NewFactory(func() component.Config { return nil }, telemetry.WithCreateMeterProvider(
		func(context.Context, telemetry.MeterSettings, component.Config) (telemetry.MeterProvider, error) {
			return meterProvider{m.provider}, nil
		}))
}

// meterProvider outlives the service, so that its last values can be read.
type meterProvider struct{ *sdkmetric.MeterProvider }

// Shutdown implements telemetry.MeterProvider.
func (meterProvider) Shutdown(context.Context) error { return nil }

// read notes the values of the counters. Those of a connector are gone once it has stopped, so the stages
// before it read them when its last events have come, and the last ones of the exporters come as they stop.
func (m *metrics) read() {
	var all metricdata.ResourceMetrics
	_ = m.reader.Collect(context.Background(), &all) // what could be read is there
	for i := range all.ScopeMetrics {
		for _, found := range all.ScopeMetrics[i].Metrics {
			sum, ok := found.Data.(metricdata.Sum[int64])
			if !ok {
				continue
			}
			for _, p := range sum.DataPoints {
				if p.Value > 0 {
					m.points[series{found.Name, p.Attributes.Equivalent()}] = point{found.Name, p.Attributes, p.Value}
				}
			}
		}
	}
}

// of returns the values of a metric.
func (m *metrics) of(metric string) []point {
	var found []point
	for _, p := range m.points {
		if p.metric == metric {
			found = append(found, p)
		}
	}
	return found
}

// storeConfig is the configuration of the extension that takes the place of dead letter stores.
type storeConfig struct{}

// letterStore notes the events that an exporter cannot send, with the reason.
type letterStore struct {
	inert
	run *run
}

var _ deadletter.Store = (*letterStore)(nil)

// Put implements deadletter.Store.
func (s *letterStore) Put(exporter component.ID, letters []deadletter.Letter) error {
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	for i := range letters {
		letter := letters[i]
		letter.Payload, letter.OTLP = nil, nil
		s.run.refused[exporter] = append(s.run.refused[exporter], letter)
	}
	return nil
}

// Register implements deadletter.Store. Nothing is replayed.
func (*letterStore) Register(component.ID, string, deadletter.Replayer) (unregister func()) {
	return func() {}
}
