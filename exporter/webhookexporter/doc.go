// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package webhookexporter sends application events to a webhook, in the format that its receiver
// expects: event JSON, Standard Webhooks, CloudEvents, OTLP, messages of chat and alerting
// services, or a template. Requests may be signed.
//
// Follow an event through the files in this order:
//
//   - encode.go picks the format; standard.go, cloudevents.go, sink.go, otlp.go, templates.go and
//     pagerduty.go write it, and span.go encodes traces; target.go adds the path, query and headers
//     of an event;
//   - handshake.go asks for consent before the first request;
//   - requests.go joins encoded events into requests, and signs them;
//   - response.go classifies responses by status.
package webhookexporter
