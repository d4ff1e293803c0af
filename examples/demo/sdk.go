// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/propagation"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
)

// sendWithSDK sends events the way an application with OpenTelemetry does.
func (d *demo) sendWithSDK(ctx context.Context, endpoint string) (total, error) {
	provider, err := newProvider(ctx, endpoint)
	if err != nil {
		return total{}, fmt.Errorf("setting up the SDK: %w", err)
	}
	events := shopEvents()
	d.printf("\n%d events with the OpenTelemetry Go SDK:\n\n", len(events))

	// As an HTTP server does with a request's header: the events below belong to this trace.
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{
		"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	})
	logger := provider.Logger("checkout")
	for _, e := range events {
		logger.Emit(ctx, e.record(time.Now()))
	}
	// Shutdown sends the buffered events, here all of them in one request.
	ctx, cancel := context.WithTimeoutCause(ctx, stepTimeout, fmt.Errorf("waited for %s", stepTimeout))
	defer cancel()
	if err := provider.Shutdown(ctx); err != nil {
		return total{}, fmt.Errorf("sending with the SDK: %w", err)
	}
	return total{events: len(events), requests: 1}, nil
}

func newProvider(ctx context.Context, endpoint string) (*sdklog.LoggerProvider, error) {
	exporter, err := otlploghttp.New(ctx, otlploghttp.WithEndpoint(endpoint), otlploghttp.WithInsecure())
	if err != nil {
		return nil, err
	}
	return sdklog.NewLoggerProvider(
		sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)),
		sdklog.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "shop"),
			attribute.String("service.version", "1.4.2"),
			attribute.String("deployment.environment.name", "production"),
		)),
	), nil
}

// shopEvent is an event of the shop: what happened, to which user, with which properties.
type shopEvent struct {
	name, user string
	properties []attribute.KeyValue
}

// record returns the event as an OpenTelemetry log record with an event name. The user is an
// attribute from the semantic conventions; all other attributes are the event's properties.
func (e shopEvent) record(now time.Time) log.Record {
	var r log.Record
	r.SetEventName(e.name)
	r.SetTimestamp(now)
	r.AddAttributes(attribute.String("user.id", e.user))
	r.AddAttributes(e.properties...)
	return r
}

func shopEvents() []shopEvent {
	const orderID = 1<<53 + 1 // not a float64, so any conversion to one would change it
	return []shopEvent{
		{"user_signed_up", "u1", []attribute.KeyValue{attribute.String("plan", "pro")}},
		{"product_viewed", "u1", []attribute.KeyValue{
			attribute.String("sku", "tea-7"),
			attribute.StringSlice("tags", []string{"new", "green"}),
		}},
		{"order_placed", "u1", []attribute.KeyValue{
			attribute.Int64("order_id", orderID),
			attribute.Map("total", attribute.Float64("amount", 12.5), attribute.String("currency", "EUR")),
		}},
		{"payment_failed", "u1", []attribute.KeyValue{
			attribute.Int64("order_id", orderID),
			attribute.Bool("will_retry", true),
		}},
	}
}
