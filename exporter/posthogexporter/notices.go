// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"context"

	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// notices counts what an operator may want to look into, though it is no failure.
type notices struct {
	counter  metric.Int64Counter
	exporter attribute.KeyValue
}

// notice is what was noticed about an event. The words are values of a metric.
type notice string

const (
	// noticeDuplicate: it was not sent, since another event of the request has its uuid.
	noticeDuplicate notice = "duplicate"
	// noticeIllegalID: an attribute held a distinct id that PostHog does not take for a person.
	noticeIllegalID notice = "illegal_distinct_id"
	// noticeNoPerson: PostHog stored it without processing the person.
	noticeNoPerson notice = "person_processing_disabled"
	// noticeWarning: PostHog stored it with another warning.
	noticeWarning notice = "warning"
)

func newNotices(set exporter.Settings) (notices, error) {
	meter := set.MeterProvider.Meter("github.com/otelcol-fanout/otelcol-fanout/exporter/posthogexporter")
	counter, err := meter.Int64Counter("otelcol_fanout_posthog_notices_total", metric.WithUnit("{event}"),
		metric.WithDescription("Events that something was noticed about, though it did not keep them from being delivered."))
	return notices{counter: counter, exporter: attribute.String("exporter", set.ID.String())}, err
}

func (n *notices) count(what notice, events int) {
	if events > 0 {
		n.counter.Add(context.Background(), int64(events), metric.WithAttributes(n.exporter, attribute.String("notice", string(what))))
	}
}
