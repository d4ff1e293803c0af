// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"context"

	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// notices counts events that are worth an operator's attention but did not fail.
type notices struct {
	counter  metric.Int64Counter
	exporter attribute.KeyValue
}

// notice says why an event is worth attention. The values are attributes of a metric.
type notice string

const (
	// noticeDuplicate: the event was not sent because another event of the request has its uuid.
	noticeDuplicate notice = "duplicate"
	// noticeIllegalID: an attribute held an ID for which PostHog processes no person.
	noticeIllegalID notice = "illegal_distinct_id"
	// noticeInvalidOption: an attribute is a boolean option of PostHog, but holds no boolean.
	noticeInvalidOption notice = "invalid_option"
	// noticeOtherResponse: a server that does not respond as PostHog does accepted the event.
	noticeOtherResponse notice = "other_response"
	// noticeNoPerson: PostHog stored the event, but did not process the person.
	noticeNoPerson notice = "person_processing_disabled"
	// noticeWarning: PostHog stored the event with another warning.
	noticeWarning notice = "warning"
)

func newNotices(set exporter.Settings) (notices, error) {
	meter := set.MeterProvider.Meter("github.com/otelcol-fanout/otelcol-fanout/exporter/posthogexporter")
	counter, err := meter.Int64Counter("otelcol_fanout_posthog_notices_total", metric.WithUnit("{event}"),
		metric.WithDescription("Events that need attention although nothing prevented their delivery."))
	return notices{counter: counter, exporter: attribute.String("exporter", set.ID.String())}, err
}

func (n *notices) count(what notice, events int) {
	if events > 0 {
		n.counter.Add(context.Background(), int64(events), metric.WithAttributes(n.exporter, attribute.String("notice", string(what))))
	}
}
