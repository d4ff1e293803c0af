// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package outcome

import (
	"context"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// metrics counts the events and requests of one exporter in the metrics that metadata.yaml of package
// delivery declares. For each exporter
//
//	accepted = delivered + skipped + dead_lettered + dropped + returned
//
// holds whenever nothing is queued or in flight. Its methods are safe for concurrent use.
type metrics struct {
	telemetry *metadata.TelemetryBuilder
	exporter  attribute.KeyValue
	// ofExporter is the exporter as the only attribute.
	ofExporter metric.MeasurementOption
}

func newMetrics(telemetry component.TelemetrySettings, id component.ID) (*metrics, error) {
	builder, err := metadata.NewTelemetryBuilder(telemetry)
	if err != nil {
		return nil, err
	}
	exporter := attribute.String("exporter", id.String())
	return &metrics{telemetry: builder, exporter: exporter, ofExporter: metric.WithAttributeSet(attribute.NewSet(exporter))}, nil
}

// accepted counts events that were passed to the exporter.
func (m *metrics) accepted(events int) {
	if events > 0 {
		m.telemetry.FanoutAcceptedEventsTotal.Add(context.Background(), int64(events), m.ofExporter)
	}
}

func (m *metrics) malformedField(field string) {
	m.telemetry.FanoutMalformedFieldsTotal.Add(context.Background(), 1, metric.WithAttributes(m.exporter, attribute.String("field", field)))
}

// settled counts events with their final outcome.
func (m *metrics) settled(outcome statusfeed.Outcome, reason string, events int) {
	if events > 0 {
		m.telemetry.FanoutEventsTotal.Add(context.Background(), int64(events), metric.WithAttributes(
			m.exporter, attribute.String("outcome", string(outcome)), attribute.String("reason", reason)))
	}
}

// replayed counts the outcomes of replayed dead letters. Their events stay counted as dead_lettered.
func (m *metrics) replayed(results []deadletter.Replayed) {
	counts := map[deadletter.Outcome]int64{}
	for i := range results {
		counts[results[i].Outcome]++
	}
	for outcome, n := range counts {
		m.telemetry.FanoutReplayedEventsTotal.Add(context.Background(), n, metric.WithAttributes(m.exporter, attribute.String("outcome", outcome.String())))
	}
}

// requested counts a request; status 0 means that it got no response.
func (m *metrics) requested(status int, took time.Duration, events int) {
	class := "none"
	if status != 0 {
		class = strconv.Itoa(status/100) + "xx"
	}
	m.telemetry.FanoutRequestDurationSeconds.Record(context.Background(), took.Seconds(),
		metric.WithAttributes(m.exporter, attribute.String("status_class", class)))
	m.telemetry.FanoutRequestEvents.Record(context.Background(), int64(events), m.ofExporter)
}
