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
)

// Values of the attribute outcome.
const (
	delivered    = "delivered"
	skipped      = "skipped"
	deadLettered = "dead_lettered"
	dropped      = "dropped"
	returned     = "returned"
)

// Metrics counts the events and requests of one exporter in the metrics that metadata.yaml of package
// delivery declares. For each exporter
//
//	accepted = delivered + skipped + dead_lettered + dropped + returned
//
// holds whenever nothing is queued or in flight. Its methods are safe for concurrent use.
type Metrics struct {
	telemetry *metadata.TelemetryBuilder
	exporter  attribute.KeyValue
	// ofExporter is the exporter as the only attribute.
	ofExporter metric.MeasurementOption
}

func newMetrics(telemetry component.TelemetrySettings, id component.ID) (*Metrics, error) {
	builder, err := metadata.NewTelemetryBuilder(telemetry)
	if err != nil {
		return nil, err
	}
	exporter := attribute.String("exporter", id.String())
	return &Metrics{telemetry: builder, exporter: exporter, ofExporter: metric.WithAttributeSet(attribute.NewSet(exporter))}, nil
}

// Accepted counts events that were passed to the exporter.
func (m *Metrics) Accepted(events int) {
	if events > 0 {
		m.telemetry.FanoutAcceptedEventsTotal.Add(context.Background(), int64(events), m.ofExporter)
	}
}

func (m *Metrics) malformedField(field string) {
	m.telemetry.FanoutMalformedFieldsTotal.Add(context.Background(), 1, metric.WithAttributes(m.exporter, attribute.String("field", field)))
}

// Delivered counts delivered events.
func (m *Metrics) Delivered(events int) { m.count(delivered, "", events) }

// Skipped counts an event that the backend should not get. The reason is one of a few fixed words.
func (m *Metrics) Skipped(reason string) { m.count(skipped, reason, 1) }

// Returned counts events whose failure was returned to a waiting caller.
func (m *Metrics) Returned(events int) { m.count(returned, "", events) }

func (m *Metrics) count(outcome, reason string, events int) {
	if events > 0 {
		m.telemetry.FanoutEventsTotal.Add(context.Background(), int64(events), metric.WithAttributes(
			m.exporter, attribute.String("outcome", outcome), attribute.String("reason", reason)))
	}
}

// Replayed counts the outcomes of replayed dead letters. Their events stay counted as dead_lettered.
func (m *Metrics) Replayed(results []deadletter.Replayed) {
	counts := map[deadletter.Outcome]int64{}
	for i := range results {
		counts[results[i].Outcome]++
	}
	for outcome, name := range map[deadletter.Outcome]string{
		deadletter.OutcomeDelivered: "delivered", deadletter.OutcomeRefused: "refused", deadletter.OutcomeKept: "kept",
	} {
		if counts[outcome] > 0 {
			m.telemetry.FanoutReplayedEventsTotal.Add(context.Background(), counts[outcome], metric.WithAttributes(m.exporter, attribute.String("outcome", name)))
		}
	}
}

// Requested counts a request; status 0 means that it got no response.
func (m *Metrics) Requested(status int, took time.Duration, events int) {
	class := "none"
	if status != 0 {
		class = strconv.Itoa(status/100) + "xx"
	}
	m.telemetry.FanoutRequestDurationSeconds.Record(context.Background(), took.Seconds(),
		metric.WithAttributes(m.exporter, attribute.String("status_class", class)))
	m.telemetry.FanoutRequestEvents.Record(context.Background(), int64(events), m.ofExporter)
}
